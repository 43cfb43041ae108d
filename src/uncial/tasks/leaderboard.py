"""task=leaderboard: the runs of sweeps, or any others, ranked by their score."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.overrides import format_hydra_value, format_override
from uncial.config.schema import as_tuple
from uncial.errors import UserError
from uncial.reports.html.leaderboard_page import write_leaderboard_page
from uncial.reports.plots.run_curves import EntryCurves, draw_learning_curves, draw_run_curves, group_points
from uncial.reports.tables.leaderboard import (
    SHARES,
    format_heading,
    format_settings,
    make_leaderboard_table,
    write_leaderboard,
)
from uncial.reports.tables.leaderboard_text import write_leaderboard_latex, write_leaderboard_text
from uncial.reports.terminal.console import make_console, show
from uncial.runs.files import RunFolder
from uncial.runs.folder import (
    format_follow_up_command,
    format_repeating_command,
    format_saved_trust,
    format_trust_of,
    path_for_commands,
    run_folder,
    write_config,
)
from uncial.runs.metrics_file import read_run_curve
from uncial.runs.outcome import FINISHED
from uncial.runs.ranking import Ranking, Score, pair_of_runs, rank
from uncial.runs.resumed_config import MACHINE
from uncial.runs.search import Run, find_runs
from uncial.training.loggers.outcome import find_better_end


def run(config: DictConfig) -> None:
    """Ranks the runs in the folders that `run` names; leaves leaderboard.csv, .md, .tex and .html, and their curves in
    one picture."""
    runs = [one for one in find_runs([Path(folder) for folder in as_tuple(config.run)]) if _is_ranked(one)]
    if not runs:
        raise UserError(f"run={config.run} holds no training: task=leaderboard ranks runs of task=train and finetune.")
    ranking = rank(runs, _score(config, runs), as_tuple(config.leaderboard.over), MACHINE)
    folder = run_folder()
    write_config(config, folder)
    commands, pair = _list_commands(ranking), pair_of_runs(runs, ranking, MACHINE)
    pictures = _draw(folder, ranking)
    write_leaderboard(RunFolder(folder).leaderboard_table, ranking)
    write_leaderboard_text(RunFolder(folder).leaderboard_text, ranking, pair, commands)
    write_leaderboard_latex(RunFolder(folder).leaderboard_latex, ranking)
    write_leaderboard_page(RunFolder(folder).leaderboard_page, ranking, commands, pair, pictures)
    show(make_console(), make_leaderboard_table(ranking, commands, pair))
    show(make_console(), f"As a page and as tables: {folder}/leaderboard.html, .csv, .md, .tex")
    if pictures:
        show(make_console(), f"As pictures, each as PNG, SVG and PDF: {', '.join(map(str, pictures))}")


LINES = ("data.share", "data.lines")
"""Keys by which runs differ in their number of training lines."""


def _draw(folder: Path, ranking: Ranking) -> list[Path]:
    """Draw the curves of the ranked runs, and their scores over the number of training lines where they were swept;
    return the pictures that there are."""
    figure = ranking.score.name.partition("/")[2]
    is_share, pictures = figure.endswith(SHARES), []
    curves = [
        EntryCurves(format_settings(entry, ranking), found)
        for entry in ranking.entries
        if (found := tuple(filter(None, (read_run_curve(run.folder, f"val/{figure}") for run in entry.runs))))
    ]
    if curves:
        draw_run_curves(RunFolder(folder).curves, curves, format_heading(f"val/{figure}"), is_share)
        pictures.append(RunFolder(folder).curves)
    scored = [
        (format_settings(entry, ranking, LINES), run.figure("train/lines"), score)
        for entry in ranking.entries
        for run, score in zip(entry.runs, entry.scores, strict=True)
        if isinstance(run.figure("train/lines"), int)
    ]
    if set(LINES) & set(ranking.columns) and len({lines for _, lines, _ in scored}) > 1:
        heading = format_heading(ranking.score.name)
        draw_learning_curves(RunFolder(folder).learning_curves, group_points(scored), heading, is_share)
        pictures.append(RunFolder(folder).learning_curves)
    return pictures


def _is_ranked(one: Run) -> bool:
    """Return whether it trains, as far as it is known what it does."""
    task = one.config.get("task")
    return not isinstance(task, dict) or task.get("name") in ("train", "finetune")


def _score(config: DictConfig, runs: Sequence[Run]) -> Score:
    """Return what the config names, else what the runs were monitored by. Raises `UserError` where they differ in
    that, and for a figure that none of the finished ones has."""
    models = [one.config["model"] for one in runs if one.state == FINISHED and "model" in one.config]
    monitored = {(str(model["monitor"]), str(model["mode"])) for model in models if "monitor" in model}
    by, mode = config.leaderboard.by, config.leaderboard.mode
    if by is None and len(monitored) > 1:
        raise UserError(
            f"The runs were monitored by different scores ({', '.join(sorted(name for name, _ in monitored))}): choose "
            "one with leaderboard.by."
        )
    name, own = next(iter(monitored), ("val/cer", "min"))
    if by is not None:
        name, own = str(by), dict(monitored).get(str(by)) or find_better_end(str(by)) or own
    finished = [one for one in runs if one.metrics]
    if by is not None and finished and name not in (figures := _list_figures(finished)):
        raise UserError(f"leaderboard.by={by}: none of the runs has this figure; they have {', '.join(figures)}.")
    return Score(name, own if mode is None else mode)


def _list_figures(runs: Sequence[Run]) -> list[str]:
    """Return what the runs can be ranked by: their numbers, of the parts of the data and of what they took."""
    found = {
        f"{part}/{figure}": None
        for one in runs
        for part, figures in one.metrics.items()
        if isinstance(figures, Mapping)
        for figure, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return list(found)


def _list_commands(ranking: Ranking) -> dict[str, str]:
    """By what they do: what can be typed next."""
    if not ranking.entries:
        return {}
    best = ranking.entries[0].runs[0]
    folder, overrides = best.folder, best.overrides
    model = (format_override("checkpoint", path_for_commands(folder, folder)), *format_saved_trust(folder))
    commands = {
        "The command that repeats the best": format_repeating_command(folder, overrides),
        "To score it on the test part": format_follow_up_command(folder, overrides, "task=test", *model),
    }
    if len(ranking.entries) > 1:
        compared = [[path_for_commands(one.folder, folder) for one in entry.runs] for entry in ranking.entries[:2]]
        sides = ",".join(map(_compare_sides, compared))
        trust = format_trust_of([one.config for entry in ranking.entries[:2] for one in entry.runs])
        models = (shlex.quote(f"checkpoint=[{sides}]"), *trust)
        commands["Whether it is better than the second"] = format_follow_up_command(
            folder, overrides, "task=compare", *models
        )
    return commands


def _compare_sides(folders: Sequence[Path]) -> str:
    names = list(map(format_hydra_value, folders))
    return names[0] if len(names) == 1 else f"[{','.join(names)}]"
