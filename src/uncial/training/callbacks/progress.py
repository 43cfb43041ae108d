"""Callbacks that show how far a training is, and after each validation how well it reads."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from uncial.reports.terminal.console import is_live, make_console, show
from uncial.reports.terminal.formatting import format_duration, format_rate
from uncial.reports.terminal.progress_bar import RedrawnLine, is_notebook, make_bar
from uncial.reports.terminal.sample_lines import format_plain_sample_lines, format_sample_lines
from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.callbacks.throughput import ProgressState, Throughput, read_progress, score_text

HIDDEN_SCORES = ("lines", "cer_macro", "line_accuracy", "word_accuracy")
"""Scores that are logged but not told after a validation."""

log = logging.getLogger("uncial.progress")


@dataclass(frozen=True)
class Told:
    """What is told of a training: how many sample lines after each validation, what the samples of a batch are called
    (`lines`, `pages`), and which scores of a validation are told; all, less those that are hidden, where none are
    named."""

    samples: int = 3
    unit: str = "lines"
    scores: tuple[str, ...] = ()

    def format_scores(self, scores: Mapping[str, float]) -> str:
        """Return the scores of a validation on one line."""
        names = self.scores or tuple(name for name in scores if name not in HIDDEN_SCORES)
        return " ".join(score_text(name, scores[name]) for name in names if name in scores)


def build_progress(told: Told | None = None, console: Console | None = None) -> "TrainingProgress":
    """Return the bar where the console or a notebook can redraw, else the log lines."""
    console = console or make_console()
    if is_live(console):
        return RichProgress(told, console)
    return NotebookProgress(told) if is_notebook() else PlainProgress(told)


class TrainingProgress(L.Callback):
    """Times steps and validations, and leaves to a subclass how they are shown. Of several processes the first shows
    them.

    Batches have `indices`, one for each line. The module may hold `validation_samples`, pairs of truth and prediction.
    """

    priority: ClassVar[int] = Priority.DISPLAY
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.DISPLAY})

    refresh_seconds: float

    def __init__(self, told: Told | None = None) -> None:
        self.told = told or Told()
        self.throughput = Throughput()
        self._batch_end = self._shown = 0.0
        self._training_seconds = self._validation_seconds = 0.0
        self._evaluation_start = 0.0
        self._evaluated_lines = self._evaluated_batches = 0

    def show_training(self, state: ProgressState) -> None:
        raise NotImplementedError

    def show_evaluation(self, name: str, batches: int, total: float, lines_per_second: float) -> None:
        raise NotImplementedError

    def show_samples(self, samples: list[tuple[str, str]]) -> None:
        raise NotImplementedError

    def end_evaluation(self) -> None:
        """The evaluation is over; what was shown of it may go."""

    def close(self) -> None:
        """Nothing more will be shown."""

    def read_state(self, trainer: L.Trainer, pl_module: L.LightningModule) -> ProgressState:
        share = self._validation_seconds / self._training_seconds if self._training_seconds else 0.0
        return read_progress(trainer, pl_module, self.throughput, share, self.told.unit, self.told.scores)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Loading counts: a step lasts from the end of the one before, but for validations in between.
        self._batch_end = self._batch_end or time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.monotonic()
        seconds, self._batch_end = now - self._batch_end, now
        self.throughput.add(len(batch.indices), seconds)
        self._training_seconds += seconds
        if trainer.is_global_zero and self._is_due(now):
            self.show_training(self.read_state(trainer, pl_module))

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero:
            self.show_training(self.read_state(trainer, pl_module))
            self.close()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._start_evaluation()

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._start_evaluation()

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if not trainer.sanity_checking:
            self._evaluate(trainer, "validation", len(batch.indices), sum(trainer.num_val_batches))

    def on_test_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._evaluate(trainer, "test", len(batch.indices), sum(trainer.num_test_batches))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        if self._batch_end:
            self._validation_seconds += time.monotonic() - self._evaluation_start
        if trainer.is_global_zero:
            self.end_evaluation()
            self._log_validation(trainer, pl_module)
        self._batch_end = time.monotonic() if self._batch_end else 0.0

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero:
            self.end_evaluation()
            log.info("test: %s", self._format_evaluation())
            self.close()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self.close()

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self.close()

    def _start_evaluation(self) -> None:
        self._evaluation_start = time.monotonic()
        self._evaluated_lines = self._evaluated_batches = 0

    def _evaluate(self, trainer: L.Trainer, name: str, lines: int, total: float) -> None:
        self._evaluated_lines += lines
        self._evaluated_batches += 1
        now = time.monotonic()
        if trainer.is_global_zero and self._is_due(now):
            speed = self._evaluated_lines * trainer.world_size / max(now - self._evaluation_start, 1e-9)
            self.show_evaluation(name, self._evaluated_batches, total, speed)

    def _log_validation(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        state = self.read_state(trainer, pl_module)
        log.info("%s step %d: val %s", state.epoch_text, state.step, self.told.format_scores(state.scores))
        samples = list(getattr(pl_module, "validation_samples", ()))[: self.told.samples]
        if samples:
            self.show_samples(samples)

    def _format_evaluation(self) -> str:
        seconds = time.monotonic() - self._evaluation_start
        return (
            f"{self._evaluated_lines:,} {self.told.unit} in {format_duration(seconds)}, "
            f"{format_rate(self._evaluated_lines / seconds, self.told.unit)}"
        )

    def _is_due(self, now: float) -> bool:
        if now - self._shown < self.refresh_seconds:
            return False
        self._shown = now
        return True


class PlainProgress(TrainingProgress):
    """A log line every few seconds, and after each validation its scores and sample lines."""

    refresh_seconds = 10.0

    def show_training(self, state: ProgressState) -> None:
        log.info("%s", state.line)

    def show_evaluation(self, name: str, batches: int, total: float, lines_per_second: float) -> None:
        log.info("%s: batch %d/%g, %s", name, batches, total, format_rate(lines_per_second, self.told.unit))

    def show_samples(self, samples: list[tuple[str, str]]) -> None:
        for line in format_plain_sample_lines(samples):
            log.info("%s", line)


class NotebookProgress(PlainProgress):
    """A line with a bar that is redrawn below the cell of a notebook; scores and sample lines stay."""

    refresh_seconds = 0.5

    def __init__(self, told: Told | None = None) -> None:
        super().__init__(told)
        self._line = RedrawnLine()

    def show_training(self, state: ProgressState) -> None:
        self._line.show(f"{make_bar(state.step, state.steps)} {state.line}")

    def show_evaluation(self, name: str, batches: int, total: float, lines_per_second: float) -> None:
        speed = format_rate(lines_per_second, self.told.unit)
        self._line.show(f"{make_bar(batches, total)} {name}: batch {batches}/{total:g}, {speed}")


class RichProgress(TrainingProgress):
    """A bar that is redrawn in place, with a second one below it while a validation or test runs."""

    refresh_seconds = 0.1

    def __init__(self, told: Told | None = None, console: Console | None = None) -> None:
        super().__init__(told)
        self.console = console or make_console()
        self._progress: Progress | None = None
        self._training: TaskID | None = None
        self._evaluation: TaskID | None = None

    def show_training(self, state: ProgressState) -> None:
        progress = self._open()
        if self._training is None:
            self._training = progress.add_task("", total=None, figures="")
        progress.update(
            self._training,
            description=state.epoch_text,
            completed=state.step,
            total=state.steps,
            figures=state.figures,
        )
        progress.refresh()

    def show_evaluation(self, name: str, batches: int, total: float, lines_per_second: float) -> None:
        progress = self._open()
        if self._evaluation is None:
            self._evaluation = progress.add_task(name, total=total if isfinite(total) else None, figures="")
        progress.update(self._evaluation, completed=batches, figures=format_rate(lines_per_second, self.told.unit))
        progress.refresh()

    def end_evaluation(self) -> None:
        if self._progress is not None and self._evaluation is not None:
            self._progress.remove_task(self._evaluation)
            self._evaluation = None

    def show_samples(self, samples: list[tuple[str, str]]) -> None:
        show(self._open().console, format_sample_lines(samples))

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._training = self._evaluation = None

    def _open(self) -> Progress:
        if self._progress is None:
            # Without a refreshing thread: loader processes forked while the bar is shown would inherit its locks.
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[figures]}", markup=False),
                console=self.console,
                auto_refresh=False,
                expand=True,
            )
            self._progress.start()
        return self._progress
