"""Where the time of a training goes: a table of its parts, and of the operators of a few steps."""

import logging
import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.profiler import ProfilerActivity, profile

from uncial.files import replace_text_file

FILE_NAME = "profile.txt"

PARTS = {
    "loading": "waiting for the next batch",
    "forward": "the model and its loss, with the batch on its way to the device",
    "backward": "gradients",
    "optimizer": "the step of the optimizer, and of the schedule",
    "validation": "reading the validation lines, and keeping models and states",
    "other": "callbacks and messages around validations",
}
"""What a training spends its time on, in the order of a step."""

log = logging.getLogger(__name__)


class ProfilerCallback(L.Callback):
    """Lists the operators of `operator_steps` steps behind the first `skip`, and measures the parts of all steps behind
    these. The table is in profile.txt of the run's folder, and in its log.

    On a GPU each part is waited for, so that a profiled training is slower than another.
    """

    def __init__(self, skip: int = 3, operator_steps: int = 5, operators: int = 15) -> None:
        self.skip, self.operator_steps, self.operators = skip, operator_steps, operators
        self._seconds = dict.fromkeys(PARTS, 0.0)
        self._steps = self._batches = self._lines = 0
        self._mark = 0.0
        self._operators: profile | None = None
        self._operator_table = ""

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._spend("loading", pl_module)
        self._batches += 1
        if self.operator_steps and self._batches == self.skip + 1:
            kinds = [ProfilerActivity.CPU]
            if pl_module.device.type == "cuda":
                kinds.append(ProfilerActivity.CUDA)
            self._operators = profile(activities=kinds)
            self._operators.start()

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: torch.Tensor) -> None:
        self._spend("forward", pl_module)

    def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._spend("backward", pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._spend("optimizer", pl_module)
        if self._is_measuring():
            self._steps += 1
            self._lines += len(batch.indices)
        if self._operators is not None and self._batches == self.skip + self.operator_steps:
            self._stop_operators()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._spend("other", pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._spend("validation", pl_module)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._spend("other", pl_module)
        self._stop_operators()
        if not trainer.is_global_zero:
            return
        if not self._steps:
            log.warning(f"The training had no more than {self._batches} steps, too few for a profile.")
            return
        path = Path(trainer.default_root_dir) / FILE_NAME
        with replace_text_file(path) as file:
            file.write("\n".join([*self.table(), "", self._operator_table]))
        for line in self.table():
            log.info(line)
        log.info(f"The operators behind it: {path}")

    def table(self) -> list[str]:
        """Return the parts of the measured steps: their share of the time, and milliseconds a step."""
        total = sum(self._seconds.values())
        lines = [
            f"Where the time goes: {self._steps} steps of {self._lines / self._steps:.1f} lines, {total:.1f} s, "
            f"{self._lines / max(total, 1e-9):.0f} lines/s"
        ]
        for part, meaning in PARTS.items():
            seconds = self._seconds[part]
            share, each = seconds / max(total, 1e-9), 1000 * seconds / self._steps
            lines.append(f"  {part:<10} {share:>6.1%} {each:>9.1f} ms/step   {meaning}")
        return lines

    def _spend(self, part: str, pl_module: L.LightningModule) -> None:
        """Counts the time since the last call as that of a part."""
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        now = time.perf_counter()
        if self._is_measuring():
            self._seconds[part] += now - self._mark
        self._mark = now

    def _is_measuring(self) -> bool:
        # Listing operators slows the steps, and is no part of a training.
        return self._batches > self.skip + self.operator_steps

    def _stop_operators(self) -> None:
        if self._operators is None:
            return
        self._operators.stop()
        by = "self_cuda_time_total" if ProfilerActivity.CUDA in self._operators.activities else "self_cpu_time_total"
        table = self._operators.key_averages().table(sort_by=by, row_limit=self.operators, max_name_column_width=40)
        self._operator_table = f"Operators of {self.operator_steps} steps (torch.profiler):\n{table}"
        self._operators = None
