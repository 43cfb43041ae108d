"""How a model reads degraded images: robustness.csv, .json and .md, and robustness_lines.csv with the readings."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.files import replace_text_file
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Estimate
from uncial.metrics.lines import EvaluatedLine
from uncial.metrics.robustness import ConditionScore
from uncial.reports.terminal.formatting import format_markdown_table, format_percent, format_percent_with_interval
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_json

COLUMNS = ("images", "CER", "points worse than clean", "p", "WER", "line accuracy")


def write_robustness(
    folder: Path,
    scores: Sequence[ConditionScore],
    readings: Mapping[str, Sequence[EvaluatedLine]],
    settings: EvaluationSettings,
) -> None:
    """Write the four files; `readings` are the lines under each condition, the clean ones too."""
    rows = [_make_row(score) for score in scores]
    write_csv(RunFolder(folder).robustness_table, tuple(rows[0]), (tuple(row.values()) for row in rows))
    write_json(RunFolder(folder).robustness, rows)
    names = [f"{what} {name}" for name in readings for what in ("prediction", "edits")]
    write_csv(
        RunFolder(folder).robustness_lines,
        ("page", "line", "truth", *names),
        (
            (
                same[0].origin.page,
                same[0].origin.line,
                same[0].truth,
                *(cell for line in same for cell in (line.prediction, line.counts.edits)),
            )
            for same in zip(*readings.values(), strict=True)
        ),
    )
    with replace_text_file(RunFolder(folder).robustness_text) as file:
        file.write("\n\n".join(robustness_markdown(scores, settings)) + "\n")


DEGRADED = "degraded"
"""The part of metrics.json, and what scores on dashboards begin with."""


def degraded_figures(scores: Sequence[ConditionScore]) -> dict[str, float]:
    """Return the figures of metrics.json and dashboards, by condition and score: `noise_light/cer`. The difference is
    that of the CER to the clean lines, which are not among them."""
    found: dict[str, float] = {}
    for score in scores:
        if score.difference is None:
            continue
        name = re.sub(r"[^\w.-]", "_", score.name)
        while f"{name}/cer" in found:
            name += "_"
        figures = {
            "cer": score.cer.value,
            "wer": score.wer.value,
            "line_accuracy": score.line_accuracy,
            "difference": score.difference.difference.value,
            "p": score.p,
        }
        found |= {f"{name}/{figure}": float(value) for figure, value in figures.items() if value is not None}
    return found


def _make_row(score: ConditionScore) -> dict[str, Any]:
    difference = None if score.difference is None else score.difference.difference
    return {
        "condition": score.name,
        **_estimate_cells("cer", score.cer),
        **_estimate_cells("difference", difference),
        "p": score.p,
        "is_shown": score.is_shown,
        **_estimate_cells("wer", score.wer),
        "line_accuracy": score.line_accuracy,
    }


def _estimate_cells(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    interval = None if estimate is None else estimate.interval
    return {
        name: None if estimate is None else estimate.value,
        f"{name}_low": None if interval is None else interval.low,
        f"{name}_high": None if interval is None else interval.high,
    }


def describe_conditions(scores: Sequence[ConditionScore]) -> list[tuple[str, ...]]:
    """Return a row of the table for each condition, under `COLUMNS`."""
    return [
        (
            score.name,
            format_percent_with_interval(score.cer),
            *_describe_difference(score),
            format_percent_with_interval(score.wer),
            format_percent(score.line_accuracy, 1),
        )
        for score in scores
    ]


def _describe_difference(score: ConditionScore) -> tuple[str, str]:
    if score.difference is None:
        return "–", "–"
    found = score.difference.difference
    told = f"{100 * found.value:+.2f}"
    if found.interval is not None:
        told += f" ({100 * found.interval.low:+.2f} to {100 * found.interval.high:+.2f})"
    p = "–" if score.p is None else "< 0.001" if score.p < 0.001 else f"{score.p:.3f}"
    return told, p


def make_robustness_table(scores: Sequence[ConditionScore]) -> RenderableType:
    """Return what the terminal shows."""
    table = Table(COLUMNS[0], box=None, pad_edge=False, header_style="dim")
    for heading in COLUMNS[1:]:
        table.add_column(heading, justify="right")
    for row in describe_conditions(scores):
        table.add_row(*row)
    return Group(table, Text())


def describe_robustness(settings: EvaluationSettings) -> str:
    """Return how the figures are to be taken."""
    return (
        f"The same lines, clean and degraded as the model sees them. Differences are of the CER, {settings.cluster} by "
        f"{settings.cluster}, in percentage points; p is the larger one of the paired bootstrap and of approximate "
        "randomisation, after Holm's correction for the number of conditions."
    )


def robustness_markdown(scores: Sequence[ConditionScore], settings: EvaluationSettings) -> list[str]:
    """Return the parts of a Markdown page."""
    return [
        "# Degraded images",
        describe_robustness(settings),
        format_markdown_table(COLUMNS, describe_conditions(scores)),
    ]
