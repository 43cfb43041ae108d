"""The ground truth that the config describes, with what a person should hear about it."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import build_settings
from uncial.data.config import build_filters, build_source_settings, compile_settings
from uncial.data.ground_truth import (
    GroundTruth,
    load_truth,
    subsample_lines,
    subsample_share,
    validate_on_training_lines,
)
from uncial.data.settings import DataSettings
from uncial.data.splits.split import Splitter
from uncial.data.splits.split_file import COLUMNS, make_split_rows
from uncial.document import Issue
from uncial.problems.splitting import choose_split
from uncial.reports.tables.findings import sum_reasons
from uncial.reports.terminal.formatting import make_visible, plural
from uncial.reports.terminal.progress_bar import show_progress
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv

log = logging.getLogger(__name__)

ON_GEOMETRY = {
    "baseline_outside_polygon": "baselines outside their polygons",
    "far_vertex": "points far from their lines",
}
"""What lines have whose stated geometry contradicts itself, by the kind of the note on it."""


def describe_data(config: DictConfig) -> str:
    """Return the data as a person knows them: where they lie, or the name of their group."""
    data = build_settings(DataSettings, config)
    return ", ".join(data.root) or data.name


def write_splits(folder: Path, truth: GroundTruth) -> None:
    """Leaves splits.csv in a run's folder: which page is in which part."""
    write_csv(RunFolder(folder).splits, COLUMNS, make_split_rows(truth.store, truth.split))


def load_ground_truth(config: DictConfig, divided: Splitter | None = None) -> GroundTruth:
    """Reads and compiles the data with a progress bar, and says how much there is and what was left out. The pages are
    `divided` as the config says where nothing else does."""
    data = build_settings(DataSettings, config)
    truth = load_truth(
        build_source_settings(data),
        build_filters(data),
        divided or choose_split(config),
        compile_settings(data, Path(str(config.paths.store))),
        show_progress,
    )
    share = data.share_of_lines()
    if data.lines is not None:
        truth = subsample_lines(truth, data.lines, config.seed)
    elif share is not None:
        truth = subsample_share(truth, share, config.seed)
    if data.validate_on == "train":
        truth = validate_on_training_lines(truth)
    sizes = ", ".join(f"{len(rows):,} {part}" for part, rows in truth.rows.items() if len(rows))
    log.info(f"{len(truth.store):,} lines: {sizes} (compiled in {truth.store.path})")
    if truth.split.origin:
        log.info(truth.split.origin)
    for key, count in truth.left_out.items():
        log.info(f"{count:,} lines are left out by {key}")
    _tell_machine_read(truth)
    if truth.problems:
        sums = sum_reasons(truth.problems)
        told = "; ".join(f"{one.count:,} × {one.reason}" for one in sums[:3])
        more = f"; and {len(sums) - 3} further reasons" if len(sums) > 3 else ""
        first = make_visible(f"{truth.problems[0].file} {truth.problems[0].line}".strip())
        log.warning(
            f"{len(truth.problems):,} pages or lines are not used, skipped.csv lists them, the first: {first}: "
            f"{told}{more}"
        )
    for told in list_warnings(truth.notes):
        log.warning(told)
    for warning in truth.warnings:
        # Without a validation there is no training, whose error is this sentence.
        if warning != truth.unusable.get("val"):
            log.warning(warning)
    return truth


def _tell_machine_read(truth: GroundTruth) -> None:
    replaced = sum(problem.machine_read for problem in truth.problems if problem.used)
    left_out = sum(problem.machine_read for problem in truth.problems) - replaced
    if replaced:
        log.warning(
            f"{plural(replaced, 'line')} that a program read are left out: their images are transcribed by people."
        )
    if left_out:
        log.warning(
            f"{plural(left_out, 'line')} that a program read, and nobody corrected, are no ground truth and left out; "
            "data.min_confidence=0.9 trains on those that the model was sure of, data=mixed on all."
        )
    if used := int(np.sum(~truth.store.transcribed()[truth.rows["train"]])):
        log.info(f"{plural(used, 'line')} of the training were read by a program; none of them is scored.")


def list_warnings(notes: Sequence[Issue]) -> Iterator[str]:
    """Yield the first of the notes on images; one sentence for all pages whose lines contradict themselves in one
    way."""
    yield from [note.reason for note in notes if note.kind not in ON_GEOMETRY][:3]
    for kind, what in ON_GEOMETRY.items():
        alike = [note for note in notes if note.kind == kind]
        if alike:
            lines = sum(note.lines for note in alike) or len({(note.file, note.line) for note in alike})
            pages = len({note.file for note in alike})
            first = alike[0]
            where = f"{first.file}, line {first.line}" if first.line else first.file
            yield (
                f"{lines:,} {'line' if lines == 1 else 'lines'} on {pages:,} {'page' if pages == 1 else 'pages'} have "
                f"{what}; task=inspect lists them. The first: {where}: {first.reason}"
            )


def compute_data_fingerprint(truth: GroundTruth) -> dict[str, str]:
    """Return what the lines of training and validation are, told apart by what decides on each of them."""
    sides = {part: hashlib.sha256(truth.rows[part].tobytes()).hexdigest() for part in ("train", "val")}
    return {"store": truth.store.digest, **sides}
