"""task=audit: the lines of the data, ranked by how surely their ground truth is wrong."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.schema import as_tuple, list_checkpoints, list_trusted
from uncial.data.ground_truth import GroundTruth
from uncial.errors import UnusableInput, UserError
from uncial.formats.page_xml.new_document import excerpt_file, write_excerpt
from uncial.pipelines.output_places import check_output, keep_corrections, keep_originals
from uncial.problems.ground_truth import load_ground_truth, write_splits
from uncial.problems.recognition.audit import (
    build_audited_line,
    choose_rows_to_judge,
    collect_verdicts,
    find_texts_elsewhere,
    group_by_page,
    mean_truth_likelihood,
)
from uncial.problems.recognition.cross_validation import find_model_files, find_unseen_rows, load_fold_models
from uncial.problems.recognition.inference import apply_typed_keys
from uncial.problems.splitting import choose_scoring_split, read_model
from uncial.reports.html.audit_page import AuditReport, write_audit, write_audit_page
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_skipped

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Leaves audit.html, audit.json, and a PAGE file with just the suspect lines of each page that has some."""
    share, prior = float(config.audit.share), float(config.audit.prior)
    files = find_model_files(list_checkpoints(config))
    models = load_fold_models(files, list_trusted(config))
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config, choose_scoring_split(config, [read_model(file) for file in files]))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    _check_place(config, truth)
    write_splits(folder, truth)
    rows = choose_rows_to_judge(config, truth)
    found = find_unseen_rows(models, truth, rows)
    apply_typed_keys([judge.recognizer for judge in found], config)
    if not any(len(judge.rows) for judge in found):
        raise UserError(
            "Every line was seen in training by each of these models, so none can judge it: train the runs of a "
            f"cross-validation, {format_command('-m data=… data.folds=5 data.fold=0,1,2,3,4')}, and give them all "
            "as checkpoint=[…]."
        )
    verdicts, temperatures = collect_verdicts(config, truth, found, prior)
    ranked = sorted(verdicts, key=lambda row: (-verdicts[row].log_odds, mean_truth_likelihood(verdicts[row]), row))
    suspects = set(ranked[: max(1, round(share * len(ranked)))])
    exported = _export(config, truth, suspects, folder)
    sources = {page.id: str(page.source) for page in truth.pages}
    text_of, shifted = find_texts_elsewhere(truth, verdicts)
    report = AuditReport(
        source=", ".join(as_tuple(config.data.root)) or config.data.name,
        lines=[
            build_audited_line(truth, row, verdicts[row], row in suspects, exported, sources, text_of.get(row, ""))
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


def _check_place(config: DictConfig, truth: GroundTruth) -> None:
    """Raise `UserError` where the excerpts cannot come into their place, before hours of judging."""
    if config.audit.output:
        target = Path(str(config.audit.output))
        excerpts = {page.source: excerpt_file(page, target) for page in truth.pages}
        keep_originals(excerpts, excerpts.values(), target, "audit.output")
        check_output(target, (), truth.pages, "audit.output")
        keep_corrections(excerpts, target, "audit.output")


def _export(config: DictConfig, truth: GroundTruth, suspects: set[int], folder: Path) -> dict[int, str]:
    """Return the PAGE files by row."""
    target = Path(config.audit.output) if config.audit.output else RunFolder(folder).pages
    pages = {page.id: page for page in truth.pages}
    written: dict[int, str] = {}
    for page, rows in group_by_page(truth, suspects).items():
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
