"""A comparison of layouts as a person reads it and as files: comparison.json, comparison.csv, comparison.md."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.files import replace_text_file
from uncial.metrics.layout.layout_comparison import LayoutComparison, LayoutPair
from uncial.metrics.layout.layout_metric import summarise_layouts
from uncial.reports.terminal.formatting import (
    format_markdown_cell,
    format_markdown_table,
    format_percent,
    format_percent_with_interval,
    plural,
)
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_json

FIGURES = ("precision", "recall", "intact", "split", "merged", "missed", "false", "region_iou", "ink_lost", "ink_taken")
"""Beside F, the figures of each system; those that no system has are left out."""

HEADINGS = {"ink_taken": "others' ink"}
"""What figures are called whose name says too little."""


def write_layout_comparison(folder: Path, comparison: LayoutComparison) -> None:
    """Write the files into the folder."""
    write_json(RunFolder(folder).comparison, _to_json(comparison))
    names = [system.name for system in comparison.systems]
    columns = [f"{what} {name}" for name in names for what in ("f_measure", "precision", "recall", "intact")]
    write_csv(RunFolder(folder).comparison_table, ("kind", "name", "pages", "lines", *columns), _list_rows(comparison))
    with replace_text_file(RunFolder(folder).comparison_text) as file:
        file.write(format_layout_comparison(comparison))


def list_figures(comparison: LayoutComparison) -> dict[str, str]:
    """Return the figures that a comparison has beside F, each with its heading."""
    known = {name for system in comparison.systems for name in system.values}
    return {name: HEADINGS.get(name, name.replace("_", " ")) for name in FIGURES if name in known}


def make_layout_comparison_table(comparison: LayoutComparison) -> RenderableType:
    """Return what the terminal shows: the systems' scores, and in words who is better."""
    table = Table("", box=None, pad_edge=False, header_style="dim")
    shown = list_figures(comparison)
    for heading in ("F", *shown.values(), "seeds"):
        table.add_column(heading, justify="right")
    for system in comparison.systems:
        figures = [format_percent(system.values[name], 1) if name in system.values else "" for name in shown]
        f_measure = Text(format_percent_with_interval(system.f_measure), style="bold")
        table.add_row(Text(system.name, style="bold"), f_measure, *figures, str(system.seeds))
    return Group(Text(), table, Text(), *(Text(describe_pair(pair, comparison)) for pair in comparison.pairs))


def describe_pair(pair: LayoutPair, comparison: LayoutComparison) -> str:
    """Return which of two systems is better, by how much and how surely; or that it cannot be shown, and why."""
    basis = f"{plural(len(comparison.clusters), 'page')}"
    scores = {system.name: format_percent(system.f_measure.value) for system in comparison.systems}
    figures = f"F {scores[pair.first]} ({pair.first}) and {scores[pair.second]} ({pair.second})."
    difference = pair.test.difference
    if difference.interval is None:
        return f"Whether {pair.first} or {pair.second} is better cannot be said: {difference.reason}. {figures}"
    low, high = (f"{100 * end:+.2f}" for end in (difference.interval.low, difference.interval.high))
    p = "below 0.001" if pair.p is not None and pair.p < 0.001 else f"{pair.p:.3f}"
    corrected = f", corrected for {plural(len(comparison.pairs), 'comparison')}" if len(comparison.pairs) > 1 else ""
    level = format_percent(difference.interval.level, 0)
    evidence = (
        f"The difference is {100 * difference.value:+.2f} points ({level} interval {low} to {high}; p {p}{corrected}, "
        f"{basis})."
    )
    if pair.better is not None:
        worse = pair.second if pair.better == pair.first else pair.first
        return f"{pair.better} is better than {worse}: {figures} {evidence}"
    needed = pair.test.needed_clusters
    more = (
        f" If the true difference is as large, about {plural(needed, comparison.cluster)} would be needed to show it."
        if needed
        else ""
    )
    return f"No difference between {pair.first} and {pair.second} can be shown: {figures} {evidence}{more}"


def format_layout_comparison(comparison: LayoutComparison) -> str:
    """Return the comparison as Markdown."""
    shown = list_figures(comparison)
    headings = ("system", "F", *shown.values(), "seeds")
    rows = []
    for system in comparison.systems:
        figures = [format_percent(system.values[name], 1) if name in system.values else "" for name in shown]
        f_measure = format_percent_with_interval(system.f_measure)
        rows.append((format_markdown_cell(system.name), f_measure, *figures, str(system.seeds)))
    told = "\n\n".join(describe_pair(pair, comparison) for pair in comparison.pairs)
    documents = [
        (format_markdown_cell(str(row[1])), *(f"{float(value):.4f}" for value in row[4::4]))
        for row in _list_rows(comparison)
        if row[0] == "document"
    ]
    parts = ["# Comparison of layouts", format_markdown_table(headings, rows), told]
    if len(documents) > 1:
        names = [format_markdown_cell(system.name) for system in comparison.systems]
        parts += ["## F by document", format_markdown_table(("document", *names), documents)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list_rows(comparison: LayoutComparison) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of comparison.csv: documents, then pages, each with its figures of every system."""
    results = list(zip(*comparison.findings.values(), strict=True))
    ordered = sorted(results, key=lambda own: own[0].document)
    for kind, groups in (
        ("document", [(name, list(own)) for name, own in groupby(ordered, key=lambda own: own[0].document)]),
        ("page", [(own[0].page, [own]) for own in sorted(results, key=lambda own: own[0].page)]),
    ):
        for name, members in groups:
            scores = [summarise_layouts([result.scores for result in system]) for system in zip(*members, strict=True)]
            figures = [round(one[key], 5) for one in scores for key in ("f_measure", "precision", "recall", "intact")]
            yield kind, name, len(members), int(scores[0]["lines"]), *figures


def _to_json(comparison: LayoutComparison) -> dict[str, Any]:
    return {
        "pages": len(comparison.clusters),
        "cluster": comparison.cluster,
        "level": comparison.bootstrap.level,
        "systems": [
            {"name": one.name, "seeds": one.seeds, "f_measure": asdict(one.f_measure), "values": dict(one.values)}
            for one in comparison.systems
        ],
        "pairs": [{**asdict(pair), "verdict": describe_pair(pair, comparison)} for pair in comparison.pairs],
    }
