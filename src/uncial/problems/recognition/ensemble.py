"""The models of task=ensemble, and what they read together."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig

from uncial.config.schema import as_tuple, list_trusted
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import LineDataModule
from uncial.errors import UserError
from uncial.metrics.calibration import fit_temperatures
from uncial.metrics.error_rates import Counts, scores
from uncial.metrics.evaluation import EvaluationSettings, build_overview
from uncial.metrics.lines import EvaluatedLine
from uncial.metrics.voting import vote_on_readings
from uncial.models.files import find_model_file, load_model
from uncial.models.lineage import SEEN_BEFORE, average_models, check_lineage, estimate_batch_norm, list_pages_seen
from uncial.models.recognizer import Recognizer
from uncial.problems.recognition.evaluation import evaluate_lines
from uncial.problems.recognition.inference import predict_lines
from uncial.problems.recognition.metric import LineResult
from uncial.problems.recognition.setup import build_part, build_reading_loader_config
from uncial.reports.tables.scores import score_figures
from uncial.runs.checkpoint import SUFFIX as CHECKPOINT_SUFFIX
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder
from uncial.text.rules import TextRules


@dataclass(frozen=True)
class Member:
    """A model with its card, and the file that it is from."""

    path: Path
    recognizer: Recognizer
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Lines:
    """The lines that members read: of which part of the data, and how they are scored."""

    config: DictConfig
    truth: GroundTruth
    settings: EvaluationSettings
    rules: TextRules | None

    def read(self, member: Member, part: str, rows: Any) -> list[LineResult]:
        log.info(f"reading the {part} part with {member.path}")
        card = dict(member.card)
        return predict_lines(
            self.config, run_folder(), self.truth, rows, member.recognizer, card, model=member.path
        ).results

    def scored(self, results: Sequence[LineResult]) -> list[EvaluatedLine]:
        return evaluate_lines(self.truth.store, results, self.settings.profile, self.rules)


def compute_cer_of_lines(lines: Sequence[EvaluatedLine]) -> float:
    """Return the edits of all lines over their characters."""
    return scores(sum((line.counts for line in lines), Counts())).cer


def find_members(given: Any, trust: Sequence[str] = ()) -> list[Member]:
    """Return the models of `checkpoint`. Raises `UserError` for fewer than two, and for one that is named twice."""
    entries = [path for entry in (given if isinstance(given, ListConfig) else [given]) for path in as_tuple(entry)]
    paths = [path for entry in entries for path in _find_files(Path(entry))]
    if twice := [path for path in paths if paths.count(path) > 1]:
        raise UserError(f"checkpoint names {twice[0]} more than once; each model has one voice.")
    if len(paths) < 2:
        raise UserError(
            "task=ensemble needs two models or more: checkpoint=[A,B], or a folder that holds several, as a sweep's."
        )
    return [Member(path, *load_model(path, trust)) for path in paths]


def _find_files(entry: Path) -> Iterator[Path]:
    """Yield the model that a path means, or those in a folder that is no run's."""
    inside = sorted(entry.glob(f"*{CHECKPOINT_SUFFIX}")) or sorted(entry.glob(f"*/{RunFolder.best_model}"))
    if entry.is_dir() and not RunFolder(entry).best_model.is_file() and inside:
        yield from inside
    else:
        yield find_model_file(entry)


def vote(readings: Sequence[Sequence[LineResult]]) -> list[LineResult]:
    """Return what several readings of the same lines say together."""
    found = []
    for results in zip(*readings, strict=True):
        first = results[0]
        prediction = vote_on_readings([result.prediction for result in results])
        found.append(LineResult(first.row, first.truth, prediction, 0))
    return found


def average_members(members: Sequence[Member], lines: Lines) -> Member:
    """Return a model with the mean of the members' weights, its batch normalisations measured on training lines."""
    into, card = load_model(members[0].path, list_trusted(lines.config))
    recognizer = average_models([member.recognizer for member in members], into)
    config, truth = lines.config, lines.truth
    rows = truth.rows["train"]
    if len(rows):
        step = max(1, len(rows) // int(config.ensemble.lines))
        part = build_part(truth, rows[::step], recognizer, None, config.seed)
        how = build_reading_loader_config(config.trainer)
        estimate_batch_norm(recognizer, LineDataModule({"test": part}, how, 0).test_dataloader())
    else:
        log.warning("There are no training lines to measure batch normalisations on: they are the mean of the models'.")
    hashes = sorted({one for member in members for one in member.card.get("training", {}).get("page_hashes", ())})
    known = sorted(set().union(*(list_pages_seen(member.card) for member in members)))
    training = {**card.get("training", {}), "pages": len(hashes), "page_hashes": hashes}
    made_of = [str(member.path) for member in members]
    card = {**card, "training": training, SEEN_BEFORE: known, "averaged": made_of, "scores": {}, "calibration": {}}
    return Member(RunFolder(run_folder()).best_model, recognizer, card)


def calibrate_model(member: Member, lines: Lines) -> Member:
    """Return the model with what its card says of the validation lines, where there are any: its scores, and the
    temperatures of its confidences."""
    rows = lines.truth.rows["val"]
    if not len(rows):
        return member
    read = lines.scored(lines.read(member, "validation", rows))
    known = {
        "scores": score_figures(build_overview(read, lines.settings)),
        "calibration": asdict(fit_temperatures(read)),
    }
    return replace(member, card={**member.card, **known})


def check_members(members: Sequence[Member], method: str) -> None:
    """Raise `UserError` for models that cannot be one, with the reason."""
    if method == "average":
        check_lineage({member.path: (member.recognizer, member.card) for member in members})
    first = members[0]
    for member in members[1:]:
        if member.recognizer.text.normalization != first.recognizer.text.normalization:
            raise UserError(
                f"{member.path} learned texts in another form ({member.recognizer.text.normalization}) than "
                f"{first.path} ({first.recognizer.text.normalization}): their characters cannot be laid side by side."
            )


def choose_greedily(members: Sequence[Member], method: str, lines: Lines, part: str) -> list[int]:
    """Return the members that make the validation lines no worse, tried from the best to the worst (greedy soup,
    Wortsman et al. 2022). Says so where they are scored on the same lines."""
    rows = lines.truth.rows["val"]
    if not len(rows):
        raise UserError("ensemble.members=greedy chooses on the validation part, which holds no line: give data.val.")
    if part in ("val", "all"):
        log.warning("The members are chosen on lines that they are scored on, which flatters them: score others.")
    known = [lines.read(member, "validation", rows) for member in members]
    single = [compute_cer_of_lines(lines.scored(results)) for results in known]
    order = sorted(range(len(members)), key=lambda number: single[number])
    chosen, best = order[:1], single[order[0]]
    for number in order[1:]:
        tried = [*chosen, number]
        if method == "average":
            mean = average_members([members[one] for one in tried], lines)
            score = compute_cer_of_lines(lines.scored(lines.read(mean, "validation", rows)))
        else:
            score = compute_cer_of_lines(lines.scored(vote([known[one] for one in tried])))
        if score <= best:
            chosen, best = tried, score
    if len(chosen) == 1:
        log.warning(f"No other model makes {members[chosen[0]].path} better on the validation lines: it stays alone.")
    return chosen


log = logging.getLogger(__name__)
