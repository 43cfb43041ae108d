"""task=forecast: what more training lines would bring, from the runs of sweep=learning_curve."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.config.keys import iterate_leaves
from uncial.config.moved import with_current_paths
from uncial.config.saved_yaml import load_literal_config, read_saved
from uncial.config.schema import build_settings
from uncial.data.splits.split_file import read_split_file
from uncial.errors import UserError
from uncial.metrics.intervals import sum_by_cluster, warn_about_few_lines
from uncial.metrics.learning_curve import LEAST_SIZES, MeasuredRun, fit_learning_curve
from uncial.metrics.lines import EvaluatedLine, choose_cluster_key
from uncial.models.files import load_card
from uncial.models.lineage import SEEN_BEFORE
from uncial.problems.build import build_evaluation_settings
from uncial.problems.settings import ForecastSettings
from uncial.reports.tables.forecast import ForecastReport, RunPoint, format_forecast, write_forecast
from uncial.reports.tables.line_results import read_line_results
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.resumed_config import MACHINE

log = logging.getLogger(__name__)

MAY_DIFFER = (*MACHINE, "data.share", "data.lines", "seed", "data.seed", "name")
"""What of their configs, or which groups of it, the runs of a learning curve need not have in common."""


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder, on how many lines it was trained, and what it read in the validation lines."""

    folder: Path
    config: DictConfig
    trained_on: int
    lines: list[EvaluatedLine]


def run(config: DictConfig) -> None:
    """Leaves forecast.md, .json and .csv, and says in words what more lines would bring; where the runs tell a curve,
    forecast.png draws it."""
    forecast = build_settings(ForecastSettings, config)
    factors, target, level = list(forecast.factors), forecast.target, forecast.level
    runs = find_finished_runs(forecast.runs)
    settings = build_evaluation_settings(config, runs[0].lines[0].profile)
    check_comparable(runs)
    warn_of_known_validation(runs)
    folder = run_folder()
    write_config(config, folder)
    clusters = list(map(choose_cluster_key(settings.cluster), runs[0].lines))
    edits = sum_by_cluster(clusters, *([line.counts.edits for line in one.lines] for one in runs))
    characters = sum_by_cluster(clusters, [line.counts.characters for line in runs[0].lines])[:, 0]
    points = tuple(
        RunPoint(str(one.folder), one.trained_on, int(one.config.seed), float(own.sum() / max(characters.sum(), 1)))
        for one, own in zip(runs, edits.T, strict=True)
    )
    learned = [number for number, point in enumerate(points) if point.in_curve]
    report = ForecastReport(points, len(clusters), len(characters), settings.cluster, level)
    if len({points[number].lines for number in learned}) >= LEAST_SIZES:
        measured = [MeasuredRun(points[n].lines, points[n].seed, edits[:, n]) for n in learned]
        curve = fit_learning_curve(measured, characters, level, settings.bootstrap)
        report = replace(
            report,
            curve=curve,
            forecasts=tuple(curve.at(round(factor * curve.most)) for factor in factors),
            needed=None if target is None else curve.needed(target),
        )
    write_forecast(folder, report)
    pages = len({line.page for line in runs[0].lines})
    if few := warn_about_few_lines(len(runs[0].lines), pages, "validation"):
        log.warning(few)
    written = f"The trainings: {RunFolder(folder).forecast_text}"
    if report.curve is not None:
        written = f"The curve: {RunFolder(folder).forecast_plot}"
    show(make_console(), *format_forecast(report), written)


def find_finished_runs(paths: Sequence[str]) -> list[FinishedRun]:
    """Return the finished trainings among these run folders and in these folders of runs, the smallest first. Raises
    `UserError` where there is none."""
    folders: list[Path] = []
    for path in map(Path, paths):
        inside = (
            [path] if RunFolder(path).config.is_file() else [file.parent for file in path.glob(f"*/{RunFolder.config}")]
        )
        if not inside:
            raise UserError(
                f"forecast.runs={path}: neither the folder nor those in it are runs; give the folder that "
                "-m sweep=learning_curve has made."
            )
        folders += inside
    finished = [folder for folder in dict.fromkeys(folders) if RunFolder(folder).metrics.is_file()]
    if missing := sorted(set(folders) - set(finished)):
        verb = "is" if len(missing) == 1 else "are"
        log.warning(f"{plural(len(missing), 'run')} {verb} not finished and not counted, the first: {missing[0]}")
    if not finished:
        raise UserError(f"forecast.runs={', '.join(paths)}: none of the runs is finished.")
    return sorted(map(_read, finished), key=lambda one: (one.trained_on, one.config.seed, str(one.folder)))


def _read(folder: Path) -> FinishedRun:
    try:
        figures = json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))
        trained_on = int(figures["train"]["lines"])
    except (OSError, ValueError, KeyError, TypeError):
        trained_on = 0
    if trained_on < 1:
        raise UserError(f"{RunFolder(folder).metrics} is not that of a training with its number of lines.")
    try:
        config = with_current_paths(read_saved(RunFolder(folder).config))
    except UserError:
        config = {}
    if not isinstance(config, dict) or not isinstance(config.get("seed"), int):
        raise UserError(f"{RunFolder(folder).config} is not that of a training with its seed.")
    lines = read_line_results(RunFolder(folder).lines)
    if not any(line.truth for line in lines):
        raise UserError(f"{RunFolder(folder).lines} holds no line with a text.")
    ordered = sorted(lines, key=lambda line: (line.origin.page, line.origin.line))
    return FinishedRun(folder, load_literal_config(config), trained_on, ordered)


def check_comparable(runs: Sequence[FinishedRun]) -> None:
    """Says in which keys the runs differ that should be the same. Raises `UserError` where they were validated on
    different lines."""
    first = runs[0]
    for other in runs[1:]:
        if _read_validated(first) != _read_validated(other):
            raise UserError(
                f"{first.folder} and {other.folder} were validated on different lines, so that their scores make no "
                "curve: train them with the same data.seed, as sweep=learning_curve does, and give only such runs."
            )
    configs = [_compare(one.config) for one in runs]
    differing = sorted({key for own in configs for key in own if own[key] != configs[0].get(key, own[key])})
    if differing:
        log.warning(f"The runs differ in {', '.join(differing)} too: the curve takes that for the effect of lines.")


def warn_of_known_validation(runs: Sequence[FinishedRun]) -> None:
    """Says so where runs validated on pages that the model which they were fine-tuned from was trained on."""
    known = {one.folder: count for one in runs if (count := _find_known_validation(one.folder))}
    if known:
        first = next(iter(known))
        log.warning(
            f"{plural(len(known), 'run')} validated on pages that the pretrained model was trained on, the first: "
            f"{plural(known[first], 'page')} of {first}: the curve will look better than on new pages."
        )


def _find_known_validation(folder: Path) -> int:
    """Return how many validation pages the model knew that the run in this folder was fine-tuned from."""
    if not RunFolder(folder).splits.is_file() or not RunFolder(folder).best_model.is_file():
        return 0
    before = set(load_card(RunFolder(folder).best_model).get(SEEN_BEFORE) or ())
    return len({one.key for one in read_split_file(folder).pages if one.part == "val" and one.key in before})


def _read_validated(one: FinishedRun) -> list[tuple[str, str, str]]:
    return [(line.origin.page, line.origin.line, line.truth) for line in one.lines]


def _compare(config: DictConfig) -> dict[str, Any]:
    """Return the values by their dotted keys, without those that may differ."""
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    ignored = tuple(f"{key}." for key in MAY_DIFFER)
    return {key: value for key, value in iterate_leaves(plain) if not f"{key}.".startswith(ignored)}
