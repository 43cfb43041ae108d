"""task=ensemble: several models as one, by the mean of their weights or by voting, against the best of them alone."""

import logging
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from uncial.config.schema import list_trusted
from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import build_overview
from uncial.metrics.lines import EvaluatedLine
from uncial.models.files import save_model
from uncial.problems.build import build_evaluation_settings
from uncial.problems.ground_truth import describe_data, load_ground_truth, write_splits
from uncial.problems.recognition.comparison import (
    find_common_profile,
    find_common_replacements,
    find_unique_path_suffixes,
)
from uncial.problems.recognition.ensemble import (
    Lines,
    Member,
    average_members,
    calibrate_model,
    check_members,
    choose_greedily,
    compute_cer_of_lines,
    find_members,
    vote,
)
from uncial.problems.recognition.evaluation import build_prediction_rows
from uncial.problems.recognition.inference import choose_rows_to_score, warn_about_training_overlap
from uncial.problems.splitting import Model, choose_scoring_split
from uncial.reports.html.report_page import ReportHeader, write_comparison_page
from uncial.reports.tables.comparison import make_comparison_table, write_comparison
from uncial.reports.tables.scores import score_figures
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import format_percent
from uncial.runs.files import RunFolder
from uncial.runs.folder import check_encodable, run_folder, write_config
from uncial.runs.tables import write_metrics, write_predictions, write_skipped
from uncial.training.trainer import silence_lightning

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Reads with the models of `checkpoint` together, and with each alone; leaves the readings, their scores, the
    comparison with the best single one, and of averaged weights the model."""
    silence_lightning()
    method = config.ensemble.method
    how = config.ensemble.members
    members = find_members(config.checkpoint, list_trusted(config))
    check_members(members, method)
    rules = [member.recognizer.text for member in members]
    settings = build_evaluation_settings(config, find_common_profile(rules))
    folder = run_folder()
    check_encodable(config, folder)
    write_config(config, folder)
    models = [Model(member.path, member.card) for member in members]
    truth = load_ground_truth(config, choose_scoring_split(config, models))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_splits(folder, truth)
    part, rows = choose_rows_to_score(config, truth)
    lines = Lines(config, truth, settings, find_common_replacements(rules))
    for member in members:
        warn_about_training_overlap(truth, rows, dict(member.card), str(member.path), member.path)

    known = {number: lines.read(member, part, rows) for number, member in enumerate(members)}
    alone = {number: lines.scored(results) for number, results in known.items()}
    chosen = list(range(len(members))) if how == "all" else choose_greedily(members, method, lines, part)
    if method == "average":
        mean = calibrate_model(average_members([members[number] for number in chosen], lines), lines)
        save_model(RunFolder(folder).best_model, mean.recognizer, mean.card)
        results = lines.read(mean, part, rows)
    else:
        results = vote([known[number] for number in chosen])
    together = lines.scored(results)
    write_predictions(RunFolder(folder).predictions, build_prediction_rows(results, together))
    finish(config, members, chosen, alone, together, lines, part)


def finish(
    config: DictConfig,
    members: Sequence[Member],
    chosen: Sequence[int],
    alone: dict[int, list[EvaluatedLine]],
    together: list[EvaluatedLine],
    lines: Lines,
    part: str,
) -> None:
    """Writes metrics.json and the comparison with the member that reads these lines best, and says how it ended."""
    folder, method = run_folder(), str(config.ensemble.method)
    ends = find_unique_path_suffixes([member.path for member in members])
    scores = {number: compute_cer_of_lines(read) for number, read in alone.items()}
    best = min(scores, key=lambda number: scores[number])
    name = ends[members[best].path]
    comparison = compare_systems({f"{method} of {len(chosen)}": [together], name: [alone[best]]}, lines.settings)
    write_comparison(folder, comparison)
    about = {
        "members": ", ".join(str(members[number].path) for number in chosen),
        "part": part,
        "ground truth": describe_data(config),
    }
    write_comparison_page(
        RunFolder(folder).report,
        comparison,
        ReportHeader(f"Ensemble: {method}", about, RunFolder.comparison_table),
        lines.truth.store.strip,
        config.report.pictures,
    )
    entered: list[dict[str, Any]] = [
        {"checkpoint": str(member.path), "cer": scores[number], "member": number in chosen}
        for number, member in enumerate(members)
    ]
    figures = {**score_figures(build_overview(together, lines.settings)), "part": part}
    choosing = "val" if config.ensemble.members == "greedy" else None
    ensemble = {"method": method, "chosen_on": choosing, "best_single": str(members[best].path), "models": entered}
    write_metrics(RunFolder(folder).metrics, {"test": figures, "ensemble": ensemble})
    listing = [
        f"  {format_percent(scores[number]):>9}  {ends[member.path]}{'' if number in chosen else '  (left out)'}"
        for number, member in enumerate(members)
    ]
    note = "The best single model is the best on these very lines, which flatters it, not the ensemble."
    show(make_console(), "Each alone, CER:", *listing, make_comparison_table(comparison), note)
    if method == "average":
        show(make_console(), f"The model: {RunFolder(folder).best_model}")
