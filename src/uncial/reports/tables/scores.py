"""How a model read a set of lines, as files: scores.json, scores.csv, confusions.csv, lines.jsonl and scores.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from uncial.files import replace_text_file
from uncial.metrics.calibration import Reliability
from uncial.metrics.characters import Confusion, UnitScore
from uncial.metrics.evaluation import Evaluation, Overview
from uncial.metrics.image_quality import MeasureScore
from uncial.metrics.intervals import Estimate
from uncial.metrics.lines import KEYS, GroupScore
from uncial.reports.tables.image_quality import describe_image_quality, image_quality_json, image_quality_markdown
from uncial.reports.tables.line_results import write_line_results
from uncial.reports.terminal.formatting import (
    format_markdown_table,
    format_percent,
    format_percent_with_interval,
    plural,
)
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_json
from uncial.text.characters import describe, format_code_point

MAX_GROUPS = 30
MAX_CONFUSIONS = 40
"""Rows of a table in Markdown; JSON and CSV have all."""


def write_scores(folder: Path, evaluation: Evaluation, by_image: Sequence[MeasureScore] = ()) -> None:
    """Write the five files into the folder; `by_image` are the scores by what the lines' images are like."""
    write_json(RunFolder(folder).scores, evaluation_to_json(evaluation, by_image))
    groups = [*_list_groups(evaluation), *(group for score in by_image for group in score.groups)]
    write_csv(RunFolder(folder).scores_table, CSV_COLUMNS, map(_make_csv_row, groups))
    write_csv(
        RunFolder(folder).confusions,
        ("count", "truth", "read", "truth_code_point", "read_code_point"),
        map(_make_confusion_row, evaluation.characters.confusions),
    )
    write_line_results(RunFolder(folder).lines, evaluation.lines)
    with replace_text_file(RunFolder(folder).scores_text) as file:
        file.write(format_scores(evaluation, by_image))


def score_figures(overview: Overview) -> dict[str, Any]:
    """Return the figures that metrics.json and the model file have of a part: scores, and intervals as [low, high] or
    None.
    """
    total, found = overview.total, overview.calibration
    return {
        **total.scores.to_json(),
        "cer_interval": _format_bounds(total.cer),
        "wer_interval": _format_bounds(total.wer),
        "line_accuracy_interval": _format_bounds(total.line_accuracy),
        "no_interval": total.cer.reason,
        "interval_level": overview.settings.bootstrap.level,
        "cluster": overview.settings.cluster,
        "clusters": overview.clusters,
        "character_ece": found.characters.ece if found.characters else None,
        "line_ece": found.lines.ece if found.lines else None,
    }


def evaluation_to_json(evaluation: Evaluation, by_image: Sequence[MeasureScore] = ()) -> dict[str, Any]:
    """Return all of an evaluation but its lines as plain types. Scores are fractions."""
    characters = evaluation.characters
    images = {score.name: [_group_json(group) for group in score.groups] for score in by_image}
    return {
        "settings": asdict(evaluation.settings),
        "clusters": evaluation.overview.clusters,
        "total": _group_json(evaluation.total),
        "variants": [_group_json(score) for score in evaluation.variants],
        "groups": {
            **{kind: [_group_json(score) for score in evaluation.groups if score.kind == kind] for kind in KEYS},
            **images,
        },
        **({"image_quality": image_quality_json(by_image, describe_images(evaluation, by_image))} if images else {}),
        "scripts": [_unit_to_json(score) for score in characters.scripts],
        "characters": [_unit_to_json(score) for score in characters.characters],
        "confusions": [asdict(confusion) for confusion in characters.confusions],
        "kinds_of_error": characters.kinds,
        "calibration": asdict(evaluation.calibration),
    }


def _format_bounds(estimate: Estimate) -> list[float] | None:
    return None if estimate.interval is None else [estimate.interval.low, estimate.interval.high]


def _group_json(score: GroupScore) -> dict[str, Any]:
    return {
        "name": score.name,
        **score.scores.to_json(),
        "cer_interval": _format_bounds(score.cer),
        "wer_interval": _format_bounds(score.wer),
        "line_accuracy_interval": _format_bounds(score.line_accuracy),
        "clusters": score.cer.interval.clusters if score.cer.interval else None,
        "no_interval": score.cer.reason,
    }


def _unit_to_json(score: UnitScore) -> dict[str, Any]:
    return {**asdict(score), "cer": score.cer, "recall": score.recall, "precision": score.precision}


CSV_COLUMNS = (
    "kind",
    "name",
    "lines",
    "characters",
    "words",
    "cer",
    "cer_low",
    "cer_high",
    "wer",
    "wer_low",
    "wer_high",
    "line_accuracy",
    "line_accuracy_low",
    "line_accuracy_high",
    "insertions",
    "deletions",
    "substitutions",
)


def _list_groups(evaluation: Evaluation) -> Iterator[GroupScore]:
    yield evaluation.total
    yield from evaluation.variants
    yield from evaluation.groups


def _make_csv_row(score: GroupScore) -> tuple[Any, ...]:
    def both(estimate: Estimate) -> tuple[float | None, ...]:
        return (estimate.value, *(_format_bounds(estimate) or (None, None)))

    counts = score.scores
    return (
        score.kind,
        score.name,
        counts.lines,
        counts.characters,
        counts.words,
        *both(score.cer),
        *both(score.wer),
        *both(score.line_accuracy),
        counts.insertions,
        counts.deletions,
        counts.substitutions,
    )


def _make_confusion_row(confusion: Confusion) -> tuple[Any, ...]:
    codes = [format_code_point(character) if character else "" for character in (confusion.truth, confusion.read)]
    return (confusion.count, confusion.truth, confusion.read, *codes)


def describe_images(evaluation: Evaluation, by_image: Sequence[MeasureScore]) -> str:
    """Return in a sentence whether lines are hard to read for what their images are like; empty for too few lines."""
    return describe_image_quality(by_image, evaluation.lines, evaluation.settings, evaluation.overview.clusters)


def format_scores(evaluation: Evaluation, by_image: Sequence[MeasureScore] = ()) -> str:
    """Return the evaluation as Markdown for a person: scores with intervals, groups, kinds of error, confusions and
    calibration.
    """
    parts = [
        "# Scores",
        _describe_setting(evaluation),
        _group_table([evaluation.total, *evaluation.variants], "normalisation"),
    ]
    for kind, scores in groupby(evaluation.groups, key=lambda score: score.kind):
        members = list(scores)
        if len(members) > 1 or kind in ("page", "hand"):
            parts += [f"## By {kind.replace('_', ' ')}", _sort_worst_first(members, kind)]
    parts += image_quality_markdown(by_image, describe_images(evaluation, by_image))
    parts += ["## Kinds of error", _format_kinds(evaluation.characters.kinds)]
    parts += ["## Characters by script", _format_scripts(evaluation.characters.scripts)]
    parts += ["## What is read for what", _format_confusions(evaluation.characters.confusions)]
    parts += ["## Confidence", *_describe_calibration(evaluation)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _describe_setting(evaluation: Evaluation) -> str:
    settings, total = evaluation.settings, evaluation.total
    told = f"{plural(total.scores.lines, 'line')} of {plural(evaluation.overview.clusters, settings.cluster)}."
    if total.cer.interval is None:
        return f"{told} No interval can be given: {total.cer.reason}."
    level = format_percent(settings.bootstrap.level, 0)
    return f"{told} In parentheses {level} intervals, for which each {settings.cluster} is drawn with all its lines."


def _group_table(scores: list[GroupScore], heading: str) -> str:
    rows = [
        (
            score.name or score.scores.profile,
            format_percent_with_interval(score.cer),
            format_percent_with_interval(score.wer),
            format_percent_with_interval(score.line_accuracy, 1),
            f"{score.scores.lines:,}",
            f"{score.scores.characters:,}",
            f"{score.scores.insertions:,}",
            f"{score.scores.deletions:,}",
            f"{score.scores.substitutions:,}",
        )
        for score in scores
    ]
    columns = ("CER", "WER", "line accuracy", "lines", "characters", "insertions", "deletions", "substitutions")
    return format_markdown_table((heading, *columns), rows)


def _sort_worst_first(scores: list[GroupScore], kind: str) -> str:
    """Lengths stay in their order."""
    ordered = scores if kind == "length" else sorted(scores, key=lambda score: -score.scores.cer)
    more = f"\n\n{len(ordered) - MAX_GROUPS:,} more are in scores.csv." if len(ordered) > MAX_GROUPS else ""
    return _group_table(ordered[:MAX_GROUPS], kind.replace("_", " ")) + more


def _format_kinds(kinds: Mapping[str, int]) -> str:
    edits = max(sum(kinds.values()), 1)
    rows = [(kind, f"{count:,}", format_percent(count / edits, 1)) for kind, count in kinds.items()]
    return format_markdown_table(("kind", "edits", "share"), rows)


def _format_scripts(scores: tuple[UnitScore, ...]) -> str:
    """Scripts that were only read for letters of another one have no score of their own."""
    rows = [
        (
            score.unit,
            f"{score.count:,}",
            f"{score.deletions + score.substitutions:,}",
            f"{score.insertions:,}",
            format_percent(score.cer),
        )
        for score in scores
        if score.count or score.insertions
    ]
    return format_markdown_table(("script", "characters", "missed", "inserted", "CER"), rows)


def _format_confusions(confusions: tuple[Confusion, ...]) -> str:
    rows = [
        (
            f"{one.count:,}",
            describe(one.truth) if one.truth else "nothing",
            describe(one.read) if one.read else "nothing",
        )
        for one in confusions[:MAX_CONFUSIONS]
    ]
    more = len(confusions) - MAX_CONFUSIONS
    rest = f"\n\n{more:,} more are in confusions.csv." if more > 0 else ""
    return format_markdown_table(("times", "truth", "read"), rows) + rest if rows else "Nothing was misread."


def _describe_calibration(evaluation: Evaluation) -> Iterator[str]:
    found = evaluation.calibration
    for what, reliability in (("character", found.characters), ("line", found.lines)):
        if reliability is not None:
            yield (
                f"The model gives its {what}s a mean confidence of {format_percent(reliability.confidence, 1)}, and "
                f"{format_percent(reliability.accuracy, 1)} is right; on average a {what}'s confidence is off by "
                f"{format_percent(reliability.ece, 1)} (expected calibration error)."
            )
            yield _describe_reliability(reliability, what)
    if found.characters is None and found.lines is None:
        yield "No confidences are known."


def _describe_reliability(reliability: Reliability, what: str) -> str:
    rows = [
        (
            f"{format_percent(one.low, 0)} to {format_percent(one.high, 0)}",
            f"{one.count:,}",
            format_percent(one.confidence, 1),
            format_percent(one.accuracy, 1),
        )
        for one in reliability.bins
    ]
    return format_markdown_table(("confidence", f"{what}s", "mean confidence", "right"), rows)
