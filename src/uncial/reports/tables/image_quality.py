"""Scores by what line images are like, in words and tables; image_quality.csv has the measures of each line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.image_quality import Correlation, MeasureScore
from uncial.metrics.intervals import FEW_LINES, FEW_PAGES
from uncial.metrics.lines import EvaluatedLine
from uncial.reports.terminal.formatting import (
    format_markdown_table,
    format_percent,
    format_percent_with_interval,
    plural,
)
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv

UNITS: Mapping[str, str] = {
    "contrast": "grey levels between paper and ink",
    "sharpness": "% of the contrast within a pixel",
    "noise": "grey levels",
    "ink": "% of the pixels",
    "height": "pixels of the page",
}


def write_image_quality(folder: Path, lines: Sequence[EvaluatedLine], measures: Mapping[str, np.ndarray]) -> None:
    """Write a row for each line, with its measures as far as it has them."""
    rows = zip(*(values.tolist() for values in measures.values()), strict=True)
    write_csv(
        RunFolder(folder).image_quality,
        ("page", "line", *measures, "characters", "edits"),
        (
            (
                line.origin.page,
                line.origin.line,
                *("" if value != value else f"{value:.2f}" for value in row),
                line.counts.characters,
                line.counts.edits,
            )
            for line, row in zip(lines, rows, strict=True)
        ),
    )


def describe_image_quality(
    scores: Sequence[MeasureScore], lines: Sequence[EvaluatedLine], settings: EvaluationSettings, clusters: int
) -> str:
    """Return in a sentence whether lines are read worse because of what their images are like; empty where there are
    too few lines for it.
    """
    known = [(score, score.correlation) for score in scores if score.correlation is not None]
    if not known:
        return ""
    basis = f"{plural(len(lines), 'line')} of {plural(clusters, settings.cluster)}"
    ordered = sorted(known, key=lambda one: -abs(one[1].value))
    shown = [one for one in ordered if one[1].is_shown]
    others = _enumerate([score.name for score, correlation in known if not correlation.is_shown])
    if not shown:
        score, correlation = ordered[0]
        return (
            f"Errors do not go together with {others} of the line images more than by chance ({basis}): "
            f"the largest rank correlation, with {score.name}, is {_format_correlation(correlation)}."
        )
    told = "; and with ".join(_describe_shown(score, correlation) for score, correlation in shown)
    rest = f"; with {others} no more than by chance" if others else ""
    return f"Errors go together with {told}{rest} ({basis}). What goes together with them need not be their cause."


def _describe_shown(score: MeasureScore, correlation: Correlation) -> str:
    least, most = score.groups[0], score.groups[-1]
    return (
        f"the {score.name} of the line images: CER {format_percent(least.scores.cer)} where it is {least.name}, "
        f"{format_percent(most.scores.cer)} where it is {most.name} (rank correlation "
        f"{_format_correlation(correlation)})"
    )


def _format_correlation(correlation: Correlation) -> str:
    low, high = correlation.interval.low, correlation.interval.high
    return (
        f"{correlation.value:+.2f}, {format_percent(correlation.interval.level, 0)} interval {low:+.2f} to {high:+.2f}"
    )


def _enumerate(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def describe_correlation(score: MeasureScore) -> str:
    """Return the rank correlation of a measure with the errors, or why there is none."""
    correlation = score.correlation
    if len(score.groups) < 2:
        return "the same in all lines"
    if correlation is None:
        return f"no correlation: it takes {FEW_LINES} lines of {FEW_PAGES} pages with unlike error rates"
    return f"rank correlation with the CER {_format_correlation(correlation)}, p {_format_p(correlation.p)}"


def _format_p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def image_quality_markdown(scores: Sequence[MeasureScore], told: str) -> list[str]:
    """Return the parts of a Markdown page that tell of the images; none where nothing was measured."""
    if not any(score.groups for score in scores):
        return []
    rows = [
        (
            f"{score.name} ({UNITS.get(score.name, '')})" if not number else "",
            group.name,
            format_percent_with_interval(group.cer),
            format_percent_with_interval(group.wer),
            format_percent_with_interval(group.line_accuracy, 1),
            f"{group.scores.lines:,}",
            f"{group.scores.characters:,}",
        )
        for score in scores
        for number, group in enumerate(score.groups)
    ]
    header = ("measure", "lines with", "CER", "WER", "line accuracy", "lines", "characters")
    correlations = [(score.name, describe_correlation(score)) for score in scores]
    return [
        "## By the image of the line",
        *([told] if told else []),
        format_markdown_table(header, rows),
        format_markdown_table(("measure", "among lines as long"), correlations),
    ]


def image_quality_json(scores: Sequence[MeasureScore], told: str) -> dict[str, Any]:
    """Return the correlations as plain types; the groups are told with those of other kinds."""
    measures = {}
    for score in scores:
        found = score.correlation
        measures[score.name] = {
            "unit": UNITS.get(score.name, ""),
            "correlation": None if found is None else found.value,
            "interval": None if found is None else [found.interval.low, found.interval.high],
            "p": None if found is None else found.p,
            "is_shown": found is not None and found.is_shown,
        }
    return {"words": told, "measures": measures}
