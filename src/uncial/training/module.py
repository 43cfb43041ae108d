"""The one LightningModule. It trains any model that has `loss(batch)` and `predict(batch)`, and knows no text."""

import logging
import math
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Protocol

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from uncial.config.moved import CALLBACKS
from uncial.errors import DivergedError, UserError
from uncial.models.precision import inference_autocast
from uncial.training.batches import infeasible_in, loss_weight_of
from uncial.training.callbacks.nonfinite import REMEDY, divergence_error, is_finite
from uncial.training.distributed.process_group import (
    all_gather,
    broadcast_buffers,
    gather_to_rank_zero,
    is_rank_zero,
    world_size,
)
from uncial.training.optimizers.parameter_groups import apply_factors, common_rate, parameter_groups
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.schedules import Schedule, warn_if_peak_lr_unreached

log = logging.getLogger(__name__)

_LINES = {"val": "validation lines", "test": "lines"}

OptimizerFactory = Callable[[list[dict[str, Any]]], Optimizer]


class Metric(Protocol):
    """What the model's config names to score its predictions. Counts are whole numbers, so that sums over processes
    are exact.

    One that keeps results beside its counts also has `gather(at_first)`, which is called when all batches are scored:
    `at_first(values)` gives the first process the values of all, and the others their own. One that sees what a model
    makes of each line may have `not_finite()`: how many lines' outputs are NaN or Inf.
    """

    def update(self, batch: Any, predictions: list[Any]) -> None: ...
    def counts(self) -> list[int]: ...
    def scores(self, counts: list[int]) -> dict[str, float]: ...
    def samples(self) -> list[tuple[str, str]]: ...
    def reset(self) -> None: ...


class ScoringModule(L.LightningModule):
    """Scores `model.predict(batch)` with `metric`, in validation and test alike.

    The loss is the mean over the lines that have one: lines whose text has no room in their image have none, nor those
    whose loss is NaN or Inf, of which a warning tells. It is NaN where no line has one. Raises `DivergedError` where
    the model's outputs are NaN or Inf.
    """

    def __init__(self, model: nn.Module, metric: Metric) -> None:
        super().__init__()
        # nn.Module types what it holds as tensors and modules; what is asked of these two is said above.
        self.model: Any = model
        self.metric: Metric = metric
        self.validation_samples: list[tuple[str, str]] = []
        self._losses: list[float] = []
        self._lines = self._without_loss = 0

    def on_validation_epoch_start(self) -> None:
        # Each process has seen other lines since the last step began; the first one's statistics are those that stay.
        broadcast_buffers(self.model)
        self._start_scoring()

    def on_test_epoch_start(self) -> None:
        self._start_scoring()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._score(batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._score(batch)

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")
        self.validation_samples = self.metric.samples()

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _start_scoring(self) -> None:
        self.metric.reset()
        self._losses, self._lines, self._without_loss = [], 0, 0

    def _score(self, batch: Any) -> None:
        if not loss_weight_of(batch):
            return
        with inference_autocast(self.device.type):
            losses, predictions = self._evaluate(batch)
        self.metric.update(batch, predictions)
        loss = float(losses["loss"])
        if math.isfinite(loss):
            self._losses.append(loss * len(batch.indices))
            self._lines += len(batch.indices) - len(infeasible_in(batch))
        else:
            self._score_alone(batch)

    def _score_alone(self, batch: Any) -> None:
        """Takes the losses of a batch line by line, where it can be taken apart: one that is NaN spoils them all."""
        feasible = [row for row in range(len(batch.indices)) if row not in infeasible_in(batch)]
        losses: list[float] = []
        if hasattr(batch, "alone"):
            with inference_autocast(self.device.type):
                losses = [float(self.model.loss(batch.alone(row))["loss"]) for row in feasible]
        finite = [loss for loss in losses if math.isfinite(loss)]
        self._losses += finite
        self._lines += len(finite)
        self._without_loss += len(feasible) - len(finite)

    def _evaluate(self, batch: Any) -> tuple[dict[str, Tensor], list[Any]]:
        """By the model's own `evaluate` where it has one, which may do both in one pass."""
        if hasattr(self.model, "evaluate"):
            return self.model.evaluate(batch)
        return self.model.loss(batch), self.model.predict(batch)

    def _log_scores(self, part: str) -> None:
        broken = sum(all_gather(getattr(self.metric, "not_finite", int)()))
        if broken:
            raise self._diverged(f"the model's outputs are NaN or Inf for {broken:,} {_LINES[part]}")
        if (without := sum(all_gather(self._without_loss))) and is_rank_zero():
            log.warning(f"The loss is NaN or Inf for {without:,} {_LINES[part]}, which its mean leaves out.")
        counts = [sum(column) for column in zip(*all_gather(self.metric.counts()), strict=True)]
        # Exact, and so the same in whatever order the batches were read.
        loss = math.fsum(chain.from_iterable(all_gather(self._losses)))
        lines = sum(all_gather(self._lines))
        scores = {**self.metric.scores(counts), "loss": loss / lines if lines else math.nan}
        if hasattr(self.metric, "gather"):
            self.metric.gather(gather_to_rank_zero)
        # Logged as float64 tensors: the scores that are reported have to be the same digits as those that are compared.
        self.log_dict({f"{part}/{name}": torch.tensor(value, dtype=torch.float64) for name, value in scores.items()})

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(f"The training of this model has diverged: {what}; use another model, or {REMEDY}.")


class TrainingModule(ScoringModule):
    """Optimises `model.loss(batch)["loss"]`, the mean over the lines of a batch; of several processes that over the
    lines of all, for which `batch.share` is there.

    `schedule` gives the learning rate's factor for (step, plan of the run), `lr_factors` further ones by part of the
    model. Dropout and whatever else the model draws depend on (seed, step, rank) alone, so a run that was resumed draws
    the same.
    """

    def __init__(
        self,
        model: nn.Module,
        metric: Metric,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        length: RunLength,
        seed: int,
        lr_factors: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(model, metric)
        self.optimizer_factory, self.schedule, self.length, self.seed = optimizer, schedule, length, seed
        self.lr_factors = lr_factors

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["callbacks"] = {CALLBACKS.get(key, key): state for key, state in checkpoint["callbacks"].items()}

    def on_train_start(self) -> None:
        if (
            is_rank_zero()
            and not self.global_step
            and (told := warn_if_peak_lr_unreached(self.schedule, self.length.plan))
        ):
            log.warning(told)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        seed = hash((self.seed, self.global_step, batch_idx, self.global_rank)) & 0x7FFFFFFFFFFFFFFF
        # manual_seed records a traceback for each kind of device that is not there, which takes longer than some steps.
        (torch.default_generator if self.device.type == "cpu" else torch).manual_seed(seed)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        share = loss_weight_of(batch)
        losses = {name: value * share for name, value in self.model.loss(batch).items()}
        if self._is_logged():
            self.log_dict(
                {f"train/{name}": value.detach() for name, value in losses.items()},
                batch_size=len(batch.indices),
                sync_dist=world_size() > 1,
            )
        return losses["loss"]

    def _is_logged(self) -> bool:
        """Lightning's bookkeeping of a logged value takes milliseconds, also where no logger writes it."""
        every = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return self.global_step == 0 or (self.global_step + 1) % every == 0

    def on_validation_epoch_start(self) -> None:
        if not is_finite(self.model):
            raise self._diverged("the model weights contain NaN or Inf")
        super().on_validation_epoch_start()

    def _diverged(self, what: str) -> DivergedError:
        return divergence_error(self.global_step, what)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        if self._is_logged():
            self.log("lr", common_rate(optimizer))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        try:
            optimizer = self.optimizer_factory(parameter_groups(self.model, self.lr_factors))
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise UserError(f"The optimizer cannot be made: {error}; check the keys under 'optimizer'.") from error
        apply_factors(optimizer)
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self.schedule(step, self.length.plan_at(step))
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
