"""logger.tensorboard: what TensorBoard shows beside the curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from uncial.reports.terminal.formatting import format_markdown_table
from uncial.runs.files import RunFolder
from uncial.training.loggers.outcome import FoundPage, Outcome

SHOWN_LINES = 32
SHOWN_CONFUSIONS = 40


class TensorBoardEvents(TensorBoardLogger):
    """Lightning's logger, with the config and the scores (the HParams page compares runs by them), images of lines with
    what was read in them, and confusions; or of pages with what was found on them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, name=RunFolder.tensorboard, version="", default_hp_metric=False)
        self._config: dict[str, Any] = {}

    @rank_zero_only
    def log_hyperparams(self, params: Any, metrics: Any = None, step: int | None = None) -> None:
        """Kept until there are scores to go with them: TensorBoard takes both at once."""
        self._config = dict(params)

    @rank_zero_only
    def show_outcome(self, outcome: Outcome) -> None:
        scores = {f"best/{name}": value for name, value in outcome.scores.items()}
        super().log_hyperparams(self._config, scores)
        if outcome.pages:
            self._show_pages(outcome.pages)
            return
        lines = outcome.some_lines(SHOWN_LINES)
        texts = ((line.truth, line.prediction, f"{line.confidence:.2f}", str(line.edits)) for line in lines)
        self.experiment.add_text(
            "predictions", format_markdown_table(("truth", "prediction", "confidence", "edits"), texts)
        )
        for line in lines[: SHOWN_LINES // 4]:
            image = line.image if line.image.ndim == 3 else np.stack([line.image] * 3, axis=2)
            self.experiment.add_image(f"lines/{line.page} {line.line}", image, dataformats="HWC")
        counted = ((one.truth, one.read, str(one.count)) for one in outcome.confusions[:SHOWN_CONFUSIONS])
        self.experiment.add_text("confusions", format_markdown_table(("truth", "read", "count"), counted))

    def _show_pages(self, pages: Sequence[FoundPage]) -> None:
        heads = ("page", *pages[0].figures, *pages[0].counts)
        rows = (
            (page.page, *(f"{value:.4f}" for value in page.figures.values()), *map(str, page.counts.values()))
            for page in pages
        )
        self.experiment.add_text("pages", format_markdown_table(heads, rows))
        for page in pages:
            self.experiment.add_image(f"pages/{page.page}", page.image, dataformats="HWC")

    @rank_zero_only
    def close(self, succeeded: bool) -> None:
        self.experiment.close()
