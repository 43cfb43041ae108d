"""The ground truth that the config describes, with what a person should hear about it."""

import logging

from omegaconf import DictConfig

from uncial.data.few_lines import with_few_lines, with_share_of_lines
from uncial.data.ground_truth import GroundTruth, ground_truth
from uncial.data.splits import PARTS
from uncial.reports.figures import visible
from uncial.reports.reasons import summed_reasons
from uncial.reports.tracking import tracked
from uncial.tasks.configuration import (
    choice,
    compile_settings,
    filters,
    share_of_lines,
    source_settings,
    split_settings,
)

log = logging.getLogger(__name__)


def load_ground_truth(config: DictConfig) -> GroundTruth:
    """Reads and compiles the data with a progress bar, and says how much there is and what was left out."""
    if config.data.subset is not None:
        choice(config.data.subset, "data.subset", (*PARTS, "all"))
    truth = ground_truth(
        source_settings(config.data),
        filters(config.data),
        split_settings(config.data),
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
    for key, count in truth.left_out.items():
        log.info(f"{count:,} lines are left out by {key}")
    if truth.problems:
        sums = summed_reasons(truth.problems)
        told = "; ".join(f"{one.count:,} × {one.reason}" for one in sums[:3])
        more = f"; and {len(sums) - 3} further reasons" if len(sums) > 3 else ""
        first = visible(f"{truth.problems[0].file} {truth.problems[0].line}".strip())
        log.warning(
            f"{len(truth.problems):,} pages or lines are not used, skipped.csv lists them, the first: {first}: "
            f"{told}{more}"
        )
    for note in truth.notes[:3]:
        log.warning(note.reason)
    for warning in truth.warnings:
        log.warning(warning)
    return truth
