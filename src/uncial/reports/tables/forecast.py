"""What more training lines would bring, in words and as files: forecast.md, .json, .csv and .png."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uncial.files import replace_text_file
from uncial.metrics.learning_curve import LEAST_SIZES, UNLEARNED, Forecast, LearningCurve, NeededLines
from uncial.reports.plots.score_plots import draw_learning_curve
from uncial.reports.terminal.formatting import format_markdown_table, format_percent, plural
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_json

SURE_OF_MUCH = 1000
"""More than so many times the lines is not told as a number."""
CURVE_POINTS = 40


@dataclass(frozen=True, slots=True)
class RunPoint:
    """A training that is part of the curve: its number of lines and its CER on the validation lines."""

    folder: str
    lines: int
    seed: int
    cer: float

    @property
    def in_curve(self) -> bool:
        return self.cer < UNLEARNED


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """The runs in the order of their lines, validated on `validated` lines of so many `clusters` (pages, or whatever
    `cluster` names). `curve` is None where too few numbers of lines were tried.
    """

    runs: tuple[RunPoint, ...]
    validated: int
    clusters: int
    cluster: str
    level: float
    curve: LearningCurve | None = None
    forecasts: tuple[Forecast, ...] = ()
    needed: NeededLines | None = None

    @property
    def sizes(self) -> list[int]:
        return sorted({run.lines for run in self.runs})

    @property
    def unlearned(self) -> list[int]:
        """The numbers of lines with which a model has not begun to read, so that they are no part of the curve."""
        return sorted({run.lines for run in self.runs if not run.in_curve})

    def measured(self, lines: int) -> float:
        """Return the mean CER of the runs on so many lines, those that are part of the curve."""
        return float(np.mean([run.cer for run in self.runs if run.lines == lines and run.in_curve]))


def write_forecast(folder: Path, report: ForecastReport) -> None:
    """Write the files into the folder: the picture only where there is a curve."""
    write_json(RunFolder(folder).forecast, _to_json(report))
    rows: list[tuple[object, ...]] = [
        ("run", run.lines, run.seed, run.cer, None, None, run.folder) for run in report.runs
    ]
    rows += [("curve", one.lines, None, one.value, one.low, one.high, "") for one in list_curve_points(report)]
    rows += [("forecast", one.lines, None, one.value, one.low, one.high, "") for one in report.forecasts]
    write_csv(RunFolder(folder).forecast_table, ("kind", "lines", "seed", "cer", "cer_low", "cer_high", "folder"), rows)
    with replace_text_file(RunFolder(folder).forecast_text) as file:
        file.write(
            "\n\n".join(["# What more lines would bring", *format_forecast(report), *_make_tables(report)]) + "\n"
        )
    if report.curve is None:
        return
    points = [(run.lines, run.cer, run.in_curve) for run in report.runs]
    target = report.needed.target if report.needed else None
    draw_learning_curve(
        RunFolder(folder).forecast_plot, points, list_curve_points(report), report.forecasts, report.level, target
    )


def list_curve_points(report: ForecastReport) -> list[Forecast]:
    """Return the curve with its band, from the fewest lines to the largest forecast; empty where there is none."""
    if report.curve is None:
        return []
    most = max(one.lines for one in (*report.forecasts, report.curve.at(report.curve.most)))
    numbers = np.unique(np.geomspace(report.sizes[0], max(most, report.sizes[0] + 1), CURVE_POINTS).round().astype(int))
    measured = {report.curve.most, *report.sizes}
    return [report.curve.at(lines) for lines in sorted(measured.union(numbers.tolist()))]


def format_forecast(report: ForecastReport) -> list[str]:
    """Return what the runs come to, a sentence or two each."""
    runs, sizes = plural(len(report.runs), "training"), report.sizes
    spanned = f"on {sizes[0]:,} to {sizes[-1]:,} lines" if len(sizes) > 1 else f"on {plural(sizes[0], 'line')}"
    basis = f"{plural(report.validated, 'line')} of {plural(report.clusters, report.cluster)}"
    return [
        f"{runs} {spanned}, validated on {basis}.",
        *_list_cautions(report),
        *_describe_forecasts(report),
        *_describe_needed(report),
    ]


def _list_cautions(report: ForecastReport) -> Iterator[str]:
    if report.unlearned:
        listed = ", ".join(f"{lines:,}" for lines in report.unlearned)
        yield (
            f"With {listed} lines the CER was {format_percent(UNLEARNED, 0)} or more: the model had not begun to "
            "read, and "
            "these runs are no part of the curve. Longer runs (trainer.lines_seen) or a pretrained model may help."
        )
    learned = sorted({run.lines for run in report.runs if run.in_curve})
    known = len(learned)
    if report.curve is None:
        yield (
            f"No curve can be drawn: it takes at least {LEAST_SIZES} numbers of lines with which a model begins to "
            f"read, and here {'is' if known == 1 else 'are'} {known}. Train with more shares, for instance "
            "-m data.share=1/16,1/8,1/4,1/2,1."
        )
        return
    if known == LEAST_SIZES:
        yield f"Only {known} numbers of lines tell the curve: see it as a rough guess."
    if report.measured(learned[-1]) >= report.measured(learned[-2]):
        yield (
            f"With {learned[-1]:,} lines the CER was no lower than with {learned[-2]:,}: runs as short as these may "
            "end before they have learned what more lines hold. Longer ones (trainer.lines_seen) tell whether it is "
            "lines that are missing."
        )
    if report.clusters < 2:
        yield (
            f"All validation lines are from one {report.cluster}: the bands tell what further lines would do on it, "
            "and nothing about others."
        )
    elif report.cluster == "page" and report.clusters == report.validated:
        yield "Every line counts as a page of its own; data.page_pattern tells the pages of line images."


def _describe_forecasts(report: ForecastReport) -> Iterator[str]:
    curve = report.curve
    if curve is None:
        return
    yield (
        f"With {curve.most:,} lines the CER is {format_percent(report.measured(curve.most))}. In parentheses "
        "stands what "
        f"{format_percent(report.level, 0)} of trainings on pages like these would come to, as far as the curve tells."
    )
    for one in report.forecasts:
        yield (
            f"With {_format_factor(one.lines / curve.most)} the lines ({one.lines:,}) about "
            f"{format_percent(one.value, _choose_digits(one))} "
            f"({100 * one.low:.{_choose_digits(one)}f} to {100 * one.high:.{_choose_digits(one)}f})."
        )


def _choose_digits(one: Forecast) -> int:
    return 1 if one.value >= 0.01 else 2


def _format_factor(factor: float) -> str:
    return "twice" if round(factor, 2) == 2 else f"{factor:.3g} times"


def _describe_needed(report: ForecastReport) -> Iterator[str]:
    needed, curve = report.needed, report.curve
    if needed is None or curve is None:
        return
    wanted = f"A CER of {format_percent(needed.target, 1 if needed.target >= 0.01 else 2)}"
    if report.measured(curve.most) <= needed.target:
        yield f"{wanted} is reached with the {curve.most:,} lines that there are."
    elif needed.value > SURE_OF_MUCH * curve.most:
        share = format_percent(needed.reachable, 0)
        yield (
            f"{wanted} is not to be expected from more lines like these alone: {share} of the curves that explain the "
            "runs ever come to it. Another model, a pretrained one or longer runs are the way."
        )
    else:
        more = [max(0.0, lines - curve.most) for lines in (needed.value, needed.low, needed.high)]
        middle, low, high = (_format_number(lines, curve.most) for lines in more)
        yield f"{wanted} takes about {middle} more lines ({low} to {high} more), if they are like these."


def _format_number(lines: float, most: int) -> str:
    """Two figures are as many as are known."""
    if lines > SURE_OF_MUCH * most:
        return "any number of" if math.isinf(lines) else f"over {SURE_OF_MUCH * most:,}"
    digits = max(0, math.floor(math.log10(max(lines, 1))) - 1)
    return f"{round(lines / 10**digits) * 10**digits:,}"


def _make_tables(report: ForecastReport) -> Iterator[str]:
    yield "## Trainings"
    yield format_markdown_table(
        ("lines", "seed", "CER"), [(f"{run.lines:,}", str(run.seed), format_percent(run.cer)) for run in report.runs]
    )
    if report.curve is None:
        return
    level = format_percent(report.level, 0)
    shown = [report.curve.at(lines) for lines in report.sizes] + list(report.forecasts)
    rows = [
        (f"{one.lines:,}", format_percent(one.value), f"{format_percent(one.low)} to {format_percent(one.high)}")
        for one in shown
    ]
    yield "## Curve"
    yield format_markdown_table(("lines", "CER by the curve", f"{level} band"), rows)
    yield "![The learning curve](forecast.png)"


def _to_json(report: ForecastReport) -> dict[str, Any]:
    curve = report.curve
    return {
        "runs": [{**asdict(run), "in_curve": run.in_curve} for run in report.runs],
        "validated_lines": report.validated,
        "cluster": report.cluster,
        "clusters": report.clusters,
        "level": report.level,
        "exponent": _find_interval(curve.exponent, curve.level) if curve else None,
        "floor": _find_interval(curve.floor * curve.rate, curve.level) if curve else None,
        "curve": [asdict(one) for one in list_curve_points(report)],
        "forecasts": [asdict(one) for one in report.forecasts],
        "needed": asdict(report.needed) if report.needed else None,
        "words": format_forecast(report),
    }


def _find_interval(drawn: np.ndarray, level: float) -> list[float]:
    """Low, middle and high."""
    return [float(one) for one in np.quantile(drawn, ((1 - level) / 2, 0.5, (1 + level) / 2))]
