"""The ground truth that the config describes, with what a person should hear about it."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from uncial.data.few_lines import with_few_lines, with_share_of_lines
from uncial.data.ground_truth import GroundTruth, Splitting, ground_truth
from uncial.data.split_file import COLUMNS, SPLITS, split_rows
from uncial.data.splits import PARTS
from uncial.reports.tables import write_csv
from uncial.reports.tracking import tracked
from uncial.tasks.configuration import (
    choice,
    compile_settings,
    filters,
    share_of_lines,
    source_settings,
)
from uncial.tasks.splitting import splitting

log = logging.getLogger(__name__)


def write_splits(folder: Path, truth: GroundTruth) -> None:
    """Leaves splits.csv in a run's folder: which page is in which part."""
    write_csv(folder / SPLITS, COLUMNS, split_rows(truth.store, truth.split))


def load_ground_truth(config: DictConfig, divided: Splitting | None = None) -> GroundTruth:
    """Reads and compiles the data with a progress bar, and says how much there is and what was left out. The pages are
    `divided` as the config says where nothing else does."""
    if config.data.subset is not None:
        choice(config.data.subset, "data.subset", (*PARTS, "all"))
    truth = ground_truth(
        source_settings(config.data),
        filters(config.data),
        divided or splitting(config),
        compile_settings(config),
        lambda pages: tracked("compiling", sum(len(page.lines) for page in pages)),
    )
    share = share_of_lines(config.data)
    if config.data.lines is not None:
        truth = with_few_lines(truth, int(config.data.lines), config.seed)
    elif share is not None:
        truth = with_share_of_lines(truth, share, config.seed)
    sizes = ", ".join(f"{len(rows):,} {part}" for part, rows in truth.rows.items() if len(rows))
    log.info(f"{len(truth.store):,} lines: {sizes} (compiled in {truth.store.path})")
    if truth.split.origin:
        log.info(truth.split.origin)
    for key, count in truth.left_out.items():
        log.info(f"{count:,} lines are left out by {key}")
    if truth.problems:
        first = truth.problems[0]
        log.warning(
            f"{len(truth.problems):,} pages or lines are not used, skipped.csv lists them; the first: "
            f"{first.file} {first.line}: {first.reason}"
        )
    for note in truth.notes[:3]:
        log.warning(note.reason)
    for warning in truth.warnings:
        # Without a validation there is no training, whose error is this sentence.
        if warning != truth.unusable.get("val"):
            log.warning(warning)
    return truth
