"""A comparison as a person reads it and as files: comparison.md, comparison.json, comparison.csv, lines.csv and
lines.jsonl.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.files import replace_text_file
from uncial.metrics.comparison import ComparedLine, Comparison, GroupComparison, PairScore
from uncial.metrics.error_rates import ERROR_KINDS
from uncial.reports.tables.estimates import estimate_to_json, test_to_json
from uncial.reports.tables.image_quality import UNITS
from uncial.reports.tables.line_results import write_compared_lines
from uncial.reports.tables.page_texts import PageTextScores, describe_page_texts, page_texts_to_json
from uncial.reports.terminal.formatting import (
    format_character,
    format_markdown_cell,
    format_markdown_table,
    format_percent,
    format_percent_with_interval,
    plural,
)
from uncial.reports.terminal.verdict import describe_verdict
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_json

FIRST_SEED = (
    " Edits of a line are the mean over the seeds of a system; its reading, its kinds of error and what it reads for "
    "what are those of its first one."
)

MAX_GROUPS = 30
MAX_LINES = 20
"""Rows of a table in Markdown; the other files have all."""


def write_comparison(
    folder: Path,
    comparison: Comparison,
    lines_file: str = RunFolder.lines,
    pages: Mapping[str, PageTextScores] | None = None,
) -> None:
    """Write the five files into the folder; `lines_file` is another name for lines.jsonl, where one lies there. `pages`
    are the scores of whole pages, where lines were paired by their texts."""
    texts = {} if pages is None else page_texts_to_json(comparison, pages)
    write_json(RunFolder(folder).comparison, {**comparison_to_json(comparison), **texts})
    names = [system.name for system in comparison.systems]
    columns = [f"{what} {name}" for name in names for what in ("cer", "wins")][: None if comparison.pairs else 1]
    write_csv(
        RunFolder(folder).comparison_table,
        ("kind", "name", "lines", "characters", *columns),
        map(_group_cells, comparison.groups),
    )
    columns = [f"{what} {name}" for name in names for what in ("prediction", "edits")]
    write_csv(
        RunFolder(folder).compared_lines, ("page", "line", "truth", *columns), map(_format_line_cells, comparison.lines)
    )
    write_compared_lines(folder / lines_file, comparison.lines, names)
    with replace_text_file(RunFolder(folder).comparison_text) as file:
        file.write(format_comparison(comparison))
        if pages is not None:
            told = describe_page_texts(comparison, pages)
            file.write("\n## Found lines\n\n" + "\n".join(f"- {format_markdown_cell(one)}" for one in told) + "\n")


def make_comparison_table(comparison: Comparison) -> RenderableType:
    """Return what the terminal shows: the systems' scores, and in words who is better, or on what those of one rest."""
    scores = Table("", box=None, pad_edge=False, header_style="dim")
    for heading in ("CER", "WER", "line accuracy", "seeds"):
        scores.add_column(heading, justify="right")
    for system in comparison.systems:
        scores.add_row(
            Text(system.name, style="bold"),
            Text(format_percent_with_interval(system.cer)),
            Text(format_percent_with_interval(system.wer)),
            format_percent(system.line_accuracy, 1),
            str(system.seeds),
        )
    told = [describe_verdict(pair, comparison) for pair in comparison.pairs] or [_describe_basis(comparison)]
    return Group(Text(), scores, Text(), *map(Text, told), Text())


def _describe_basis(comparison: Comparison) -> str:
    """Return what the scores of one system rest on, and why they have no interval where they have none."""
    lines, clusters = plural(len(comparison.lines), "line"), plural(comparison.clusters, comparison.settings.cluster)
    told = f"{lines} of {clusters} with {plural(comparison.characters, 'character')}."
    cer = comparison.systems[0].cer
    return told if cer.interval is not None else f"{told} No interval can be given: {cer.reason}."


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """Return all of a comparison but its lines as plain types; error rates are fractions, differences the first system
    less the second.
    """
    return {
        "settings": asdict(comparison.settings),
        "lines": len(comparison.lines),
        "characters": comparison.characters,
        "clusters": comparison.clusters,
        "systems": [
            {
                "name": system.name,
                "seeds": system.seeds,
                "cer": estimate_to_json(system.cer),
                "wer": estimate_to_json(system.wer),
                "line_accuracy": system.line_accuracy,
                "kinds_of_error": system.characters.kinds,
                "confusions": [asdict(confusion) for confusion in system.characters.confusions],
            }
            for system in comparison.systems
        ],
        "pairs": [_pair_json(pair, comparison) for pair in comparison.pairs],
        "groups": [{**asdict(group), "best": _find_best(group, comparison)} for group in comparison.groups],
        "missed_by_all": [[line.origin.page, line.origin.line] for line in comparison.missed_by_all],
    }


def _pair_json(pair: PairScore, comparison: Comparison) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "better": pair.better,
        "p": pair.p,
        "verdict": describe_verdict(pair, comparison),
        "cer": test_to_json(pair.cer),
        "wer": test_to_json(pair.wer),
        "first_wins": pair.first_wins,
        "ties": pair.ties,
        "second_wins": pair.second_wins,
        "needed_lines": pair.needed_lines,
    }


def _find_best(group: GroupComparison, comparison: Comparison) -> str | None:
    return None if group.best is None else comparison.systems[group.best].name


def _group_cells(group: GroupComparison) -> tuple[Any, ...]:
    both = [value for pair in zip(group.cer, group.wins, strict=True) for value in pair]
    return (group.kind, group.name, group.lines, group.characters, *(both if len(group.cer) > 1 else group.cer))


def _format_line_cells(line: ComparedLine) -> tuple[Any, ...]:
    both = [
        value for pair in zip(line.predictions, map(_drop_zero_fraction, line.edits), strict=True) for value in pair
    ]
    return (line.origin.page, line.origin.line, line.truth, *both)


def _drop_zero_fraction(edits: float) -> float | int:
    return int(edits) if edits == int(edits) else edits


def format_comparison(comparison: Comparison) -> str:
    """Return the comparison as Markdown for a person."""
    names, is_one = [system.name for system in comparison.systems], not comparison.pairs
    told = [f"- {format_markdown_cell(describe_verdict(pair, comparison))}" for pair in comparison.pairs]
    parts = ["# Comparison"]
    parts += [] if is_one else ["\n".join(told)]
    parts += [_format_systems(comparison), _describe_method(comparison)]
    parts += [] if is_one else ["## Line by line", _format_wins(comparison)]
    for kind, groups in groupby(comparison.groups, key=lambda group: group.kind):
        members = list(groups)
        if len(members) > 1:
            is_ordered = kind == "length" or kind in comparison.image_groups
            parts += [f"## By {describe_kind(kind)}", _group_table(members, names, kind, is_ordered)]
    parts += ["## Kinds of error", _count_kinds(comparison)]
    parts += ["## What is read for what" if is_one else "## What differs most in what is read for what"]
    parts += [_format_confusions(comparison), "## Lines with errors" if is_one else "## Lines that all miss"]
    return "\n\n".join([*parts, *_describe_missed(comparison)]) + "\n"


SHOWN = " A difference counts as shown where both the paired bootstrap and approximate randomisation show it"


def _describe_method(comparison: Comparison) -> str:
    settings = comparison.settings
    if comparison.systems[0].cer.interval is None and not comparison.pairs:
        return f"{_describe_basis(comparison)} Compared as {settings.profile}."
    return (
        f"{plural(len(comparison.lines), 'line')} of {plural(comparison.clusters, settings.cluster)} with "
        f"{comparison.characters:,} characters, compared as {settings.profile}. In parentheses "
        f"{format_percent(settings.bootstrap.level, 0)} intervals, for which each {settings.cluster} is drawn "
        "with all its "
        "lines."
        + (SHOWN if comparison.pairs else "")
        + (", after Holm's correction for the number of pairs" if len(comparison.pairs) > 1 else "")
        + ("." if comparison.pairs else "")
        + (FIRST_SEED if any(system.seeds > 1 for system in comparison.systems) else "")
    )


def _format_systems(comparison: Comparison) -> str:
    rows = [
        (
            system.name,
            format_percent_with_interval(system.cer),
            format_percent_with_interval(system.wer),
            format_percent(system.line_accuracy, 1),
            str(system.seeds),
        )
        for system in comparison.systems
    ]
    return format_markdown_table(("", "CER", "WER", "line accuracy", "seeds"), rows)


def _format_wins(comparison: Comparison) -> str:
    rows = [
        (f"{pair.first} and {pair.second}", f"{pair.first_wins:,}", f"{pair.ties:,}", f"{pair.second_wins:,}")
        for pair in comparison.pairs
    ]
    return format_markdown_table(("", "the first needs fewer edits", "as many", "the second needs fewer"), rows)


def order_of_group(group: GroupComparison) -> float:
    """Return a key that sorts first where systems differ most, and of one system where its CER is highest."""
    return min(group.cer) - max(group.cer) if len(group.cer) > 1 else -group.cer[0]


def describe_kind(kind: str) -> str:
    """Return what a kind of groups is called, a measure of the line images with its unit."""
    return f"{kind} of the image ({UNITS[kind]})" if kind in UNITS else kind.replace("_", " ")


def _group_table(groups: Sequence[GroupComparison], names: Sequence[str], kind: str, is_ordered: bool) -> str:
    """Return a table in which where the systems differ most comes first, of one system where it does worst; groups that
    have an order stay in it."""
    ordered = groups if is_ordered else sorted(groups, key=order_of_group)
    lowest = ("lowest",) if len(names) > 1 else ()
    rows = [
        (
            group.name,
            *(format_percent(cer) for cer in group.cer),
            *("–" if group.best is None else names[group.best] for _ in lowest),
            f"{group.lines:,}",
        )
        for group in ordered[:MAX_GROUPS]
    ]
    more = f"\n\n{len(ordered) - MAX_GROUPS:,} more are in comparison.csv." if len(ordered) > MAX_GROUPS else ""
    return (
        format_markdown_table(
            (kind.replace("_", " "), *(f"CER {format_markdown_cell(name)}" for name in names), *lowest, "lines"), rows
        )
        + more
    )


def _count_kinds(comparison: Comparison) -> str:
    rows = [(kind, *(f"{system.characters.kinds[kind]:,}" for system in comparison.systems)) for kind in ERROR_KINDS]
    return format_markdown_table(("edits", *(format_markdown_cell(system.name) for system in comparison.systems)), rows)


def list_confusions_by_system(comparison: Comparison) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return what is read for what, with how often by each system; that in which the systems differ most comes first,
    and of one system that which is most frequent."""
    counts = [
        {(one.truth, one.read): one.count for one in system.characters.confusions} for system in comparison.systems
    ]
    every = sorted(set().union(*counts))
    found = [(*pair, tuple(own.get(pair, 0) for own in counts)) for pair in every]
    if len(counts) == 1:
        return sorted(found, key=lambda one: -one[2][0])
    return sorted(found, key=lambda one: min(one[2]) - max(one[2]))


def _format_confusions(comparison: Comparison) -> str:
    rows = [
        (f"{format_character(truth)} → {format_character(read)}", *(f"{count:,}" for count in counts))
        for truth, read, counts in list_confusions_by_system(comparison)[:MAX_LINES]
    ]
    return format_markdown_table(
        ("truth → read", *(format_markdown_cell(system.name) for system in comparison.systems)), rows
    )


def _describe_missed(comparison: Comparison) -> Iterator[str]:
    missed = comparison.missed_by_all
    what = "None of them reads" if comparison.pairs else "It does not read"
    yield f"{what} {len(missed):,} of the {plural(len(comparison.lines), 'line')} without an error."
    rows = [(f"{line.origin.page} {line.origin.line}", line.truth, *line.predictions) for line in missed[:MAX_LINES]]
    if rows:
        yield format_markdown_table(
            ("line", "truth", *(format_markdown_cell(system.name) for system in comparison.systems)), rows
        )
        if len(missed) > len(rows):
            yield f"{len(missed) - len(rows):,} more are in comparison.json."
