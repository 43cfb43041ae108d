"""task=audit: the lines of the data, ranked by how surely their ground truth is wrong."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.schema import as_tuple, checkpoints_of, trusted
from uncial.data.ground_truth import GroundTruth
from uncial.errors import UnusableInput, UserError
from uncial.formats.page_xml.new_document import excerpt_file, write_excerpt
from uncial.metrics.label_errors import compute_surprisals, find_misaligned, find_shifts
from uncial.pipelines.output_places import check_output, keep_corrections, keep_originals
from uncial.problems.ground_truth import load_ground_truth, write_splits
from uncial.problems.recognition.cross_validation import (
    FoldModel,
    LineVerdict,
    judge_lines,
    load_fold_models,
    model_files,
    with_unseen_rows,
)
from uncial.problems.recognition.evaluation import origin
from uncial.problems.recognition.typed_model import apply_typed_keys
from uncial.problems.splitting import choose_scoring_split, model_of
from uncial.reports.html.audit_page import AuditedLine, AuditReport, ShiftedTexts, write_audit, write_audit_page
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import plural
from uncial.reports.terminal.progress_bar import show_progress
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_skipped

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What the judges of a line say: the mean of their log-odds, and the one whose are nearest to it."""

    log_odds: float
    spokesman: LineVerdict
    model: Path


def run(config: DictConfig) -> None:
    """Leaves audit.html, audit.json, and a PAGE file with just the suspect lines of each page that has some."""
    share, prior = float(config.audit.share), float(config.audit.prior)
    files = model_files(checkpoints_of(config))
    models = load_fold_models(files, trusted(config))
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config, choose_scoring_split(config, [model_of(file) for file in files]))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    _check_place(config, truth)
    write_splits(folder, truth)
    rows = _rows(config, truth)
    found = with_unseen_rows(models, truth, rows)
    apply_typed_keys([judge.recognizer for judge in found], config)
    if not any(len(judge.rows) for judge in found):
        raise UserError(
            "Every line was seen in training by each of these models, so none can judge it: train the runs of a "
            f"cross-validation, {format_command('-m data=… data.folds=5 data.fold=0,1,2,3,4')}, and give them all "
            "as checkpoint=[…]."
        )
    verdicts, temperatures = _verdicts(config, truth, found, prior)
    ranked = sorted(verdicts, key=lambda row: (-verdicts[row].log_odds, _fit(verdicts[row]), row))
    suspects = set(ranked[: max(1, round(share * len(ranked)))])
    exported = _export(config, truth, suspects, folder)
    sources = {page.id: str(page.source) for page in truth.pages}
    text_of, shifted = _elsewhere(truth, verdicts)
    report = AuditReport(
        source=", ".join(as_tuple(config.data.root)) or config.data.name,
        lines=[
            _audited(truth, row, verdicts[row], row in suspects, exported, sources, text_of.get(row, ""))
            for row in ranked
        ],
        unjudged=len(rows) - len(verdicts),
        temperatures={str(judge.file): value for judge, value in zip(found, temperatures, strict=True)},
        judged_by={str(judge.file): len(judge.rows) for judge in found},
        prior=prior,
        shifts=shifted,
    )
    write_audit(RunFolder(folder).audit, report)
    write_audit_page(RunFolder(folder).audit_page, report, truth.store.strip)
    _tell(report, folder)


def _rows(config: DictConfig, truth: GroundTruth) -> np.ndarray:
    """The lines to judge: all that have a text of a person, or those of `data.subset`."""
    subset = str(config.data.subset or "all")
    rows = np.concatenate(list(truth.rows.values())) if subset == "all" else truth.rows[subset]
    rows = rows[truth.store.transcribed()[rows]]
    kept = [row for row in sorted(rows.tolist()) if truth.store.value(row, "text").strip()]
    if not kept:
        raise UserError(f"data.subset={subset}: there is no line with a text; choose another, or all.")
    return np.array(kept, dtype=np.int64)


def _verdicts(
    config: DictConfig, truth: GroundTruth, found: Sequence[FoldModel], prior: float
) -> tuple[dict[int, Verdict], list[float]]:
    said: dict[int, list[tuple[LineVerdict, Path]]] = {}
    temperatures = []
    texts = truth.store.column("text")
    with show_progress("judging", sum(len(judge.rows) for judge in found)) as advance:
        for judge in found:
            surprise = compute_surprisals(map(judge.recognizer.text.prepare, texts))
            width = int(config.trainer.evaluation_batch_width)
            temperature, own = judge_lines(judge, truth, surprise, prior, width, config.seed, advance)
            temperatures.append(temperature)
            for judgement in own:
                said.setdefault(judgement.row, []).append((judgement, judge.file))
    return {row: _verdict(own) for row, own in said.items()}, temperatures


def _verdict(said: Sequence[tuple[LineVerdict, Path]]) -> Verdict:
    odds = float(np.mean([judgement.log_odds for judgement, _ in said]))
    nearest = min(said, key=lambda one: abs(one[0].log_odds - odds) if np.isfinite(odds) else -one[0].log_odds)
    return Verdict(odds, *nearest)


def _fit(verdict: Verdict) -> float:
    """How likely a character of the truth is, which orders the lines that were read as they are transcribed."""
    said = verdict.spokesman
    return said.truth_likelihood / max(1, len(said.truth))


def _by_page(truth: GroundTruth, rows: Iterable[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in sorted(rows):
        found.setdefault(truth.store.value(row, "page"), []).append(row)
    return found


def _elsewhere(truth: GroundTruth, verdicts: Mapping[int, Verdict]) -> tuple[dict[int, str], list[ShiftedTexts]]:
    """By row the id of the line of its page whose text was read in its image, and the runs of such lines."""
    text_of: dict[int, str] = {}
    runs = []
    for page, rows in _by_page(truth, verdicts).items():
        truths = [verdicts[row].spokesman.truth for row in rows]
        readings = [verdicts[row].spokesman.reading for row in rows]
        ids = [truth.store.value(row, "line") for row in rows]
        found = find_misaligned(truths, readings)
        text_of |= {rows[place]: ids[other] for place, other in found.items()}
        runs += [
            ShiftedTexts(page, ids[run.first], ids[run.last], run.lines, run.offset)
            for run in find_shifts(truths, readings, found)
        ]
    return text_of, runs


def _check_place(config: DictConfig, truth: GroundTruth) -> None:
    """Raises `UserError` where the excerpts cannot come into their place, before hours of judging."""
    if config.audit.output:
        target = Path(str(config.audit.output))
        excerpts = {page.source: excerpt_file(page, target) for page in truth.pages}
        keep_originals(excerpts, excerpts.values(), target, "audit.output")
        check_output(target, (), truth.pages, "audit.output")
        keep_corrections(excerpts, target, "audit.output")


def _export(config: DictConfig, truth: GroundTruth, suspects: set[int], folder: Path) -> dict[int, str]:
    """The PAGE files by row."""
    target = Path(config.audit.output) if config.audit.output else RunFolder(folder).pages
    pages = {page.id: page for page in truth.pages}
    written: dict[int, str] = {}
    for page, rows in _by_page(truth, suspects).items():
        if page not in pages:
            continue
        lines = {truth.store.value(row, "line") for row in rows}
        try:
            file = write_excerpt(pages[page], lines, target, bool(config.audit.images))
        except UnusableInput as error:
            log.warning(f"not exported: {error}")
            continue
        written.update(dict.fromkeys(rows, str(file)))
    if suspects and not truth.pages:
        log.warning("A compiled store has no coordinates, so no PAGE files are written; give the pages themselves.")
    return written


def _audited(
    truth: GroundTruth,
    row: int,
    verdict: Verdict,
    suspect: bool,
    exported: Mapping[int, str],
    sources: Mapping[str, str],
    text_of: str,
) -> AuditedLine:
    said = verdict.spokesman
    where = origin(truth.store, row)
    return AuditedLine(
        row=row,
        page=where.page,
        line=where.line,
        hand=where.hand,
        file=sources.get(where.page, ""),
        truth=said.truth,
        reading=said.reading,
        confidence=said.confidence,
        log_odds=verdict.log_odds,
        truth_likelihood=said.truth_likelihood / max(1, len(said.truth)),
        reading_likelihood=said.reading_likelihood / max(1, len(said.reading)),
        model=str(verdict.model),
        places=said.places,
        suspect=suspect,
        exported=exported.get(row, ""),
        text_of=text_of,
    )


def _tell(report: AuditReport, folder: Path) -> None:
    suspects = [line for line in report.lines if line.suspect]
    page = RunFolder(folder).audit_page
    told = [f"Judged {plural(len(report.lines), 'line')}; the {len(suspects):,} most suspect: {page}"]
    if report.unjudged:
        told.append(f"{plural(report.unjudged, 'line')} could not be judged: every model was trained on their pages.")
    told += [f"Slipped: {shift.sentence}" for shift in report.shifts]
    if files := {line.exported for line in suspects if line.exported}:
        told.append(
            f"{plural(len(files), 'PAGE file')} with just these lines: {Path(next(iter(sorted(files)))).parent}"
        )
    show(make_console(), *told)
