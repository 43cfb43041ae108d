"""The one LightningModule. It trains any `Model` of models/contracts.py, and knows no text."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from uncial.config.moved import CALLBACKS
from uncial.errors import DivergedError, UserError
from uncial.metrics.contract import Metric
from uncial.models.contracts import Batch, Model
from uncial.models.precision import enter_inference_autocast
from uncial.training.callbacks.nonfinite import REMEDY, build_divergence_error, is_finite
from uncial.training.distributed import process_group
from uncial.training.distributed.process_group import all_gather, broadcast_buffers, is_rank_zero, world_size
from uncial.training.optimizers.parameter_groups import apply_factors, build_parameter_groups, find_common_rate
from uncial.training.schedulers.foreign import DrivenScheduler, ForeignScheduler
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import UNKNOWN
from uncial.training.schedulers.schedules import Schedule, warn_if_peak_lr_unreached

log = logging.getLogger(__name__)

_SAMPLES = {"val": "validation samples", "test": "samples"}

OptimizerFactory = Callable[[list[dict[str, Any]]], Optimizer]


class ScoringModule(L.LightningModule):
    """Scores `model.predict(batch)` with `metric`, in validation and test alike.

    The loss is the mean over the samples that have one: the infeasible ones of a batch have none, nor those whose loss
    is NaN or Inf, of which a warning tells. It is NaN where no sample has one. Raises `DivergedError` where the model's
    outputs are NaN or Inf.
    """

    model: Model
    metric: Metric

    def __init__(self, model: Model, metric: Metric) -> None:
        super().__init__()
        self.model, self.metric = model, metric
        self.validation_samples: Sequence[tuple[str, str]] = ()
        self._losses: list[float] = []
        self._num_with_loss = self._num_without_loss = 0

    def on_validation_epoch_start(self) -> None:
        # Each process has seen other samples since the last step began; the first one's statistics are those that stay.
        broadcast_buffers(self.model)
        self._start_scoring()

    def on_test_epoch_start(self) -> None:
        self._start_scoring()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._score(batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._score(batch)

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _start_scoring(self) -> None:
        self.metric.reset()
        self._losses, self._num_with_loss, self._num_without_loss = [], 0, 0

    def _score(self, batch: Batch) -> None:
        if not batch.loss_weight:
            return
        with enter_inference_autocast(self.device.type):
            losses, predictions = self.model.evaluate(batch)
        self.metric.update(batch, predictions)
        loss = float(losses["loss"])
        if math.isfinite(loss):
            self._losses.append(loss * len(batch.indices))
            self._num_with_loss += len(batch.indices) - len(batch.infeasible)
        else:
            self._score_one_by_one(batch)

    def _score_one_by_one(self, batch: Batch) -> None:
        """Take the losses of a batch sample by sample: one that is NaN spoils them all."""
        feasible = [position for position in range(len(batch.indices)) if position not in batch.infeasible]
        with enter_inference_autocast(self.device.type):
            losses = [float(self.model.loss(batch.select(position))["loss"]) for position in feasible]
        finite = [loss for loss in losses if math.isfinite(loss)]
        self._losses += finite
        self._num_with_loss += len(finite)
        self._num_without_loss += len(feasible) - len(finite)

    def _log_scores(self, part: str) -> None:
        self.metric.aggregate(process_group)
        result = self.metric.compute()
        if result.num_invalid:
            raise self._diverged(f"the model's outputs are NaN or Inf for {result.num_invalid:,} {_SAMPLES[part]}")
        if (without := sum(all_gather(self._num_without_loss))) and is_rank_zero():
            log.warning(f"The loss is NaN or Inf for {without:,} {_SAMPLES[part]}, which its mean leaves out.")
        # Exact, and so the same in whatever order the batches were read.
        loss = math.fsum(chain.from_iterable(all_gather(self._losses)))
        count = sum(all_gather(self._num_with_loss))
        scores = {**result.values, "loss": loss / count if count else math.nan}
        # Logged as float64 tensors: the scores that are reported have to be the same digits as those that are compared.
        self.log_dict({f"{part}/{name}": torch.tensor(value, dtype=torch.float64) for name, value in scores.items()})
        self.validation_samples = result.examples

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(f"The training of this model has diverged: {what}; use another model, or {REMEDY}.")


OPTIMIZERS = "a class that derives from torch.optim.Optimizer is needed, and _partial_: true beside it"


class TrainingModule(ScoringModule):
    """Optimises `model.loss(batch)["loss"]`, the mean over the samples of a batch; of several processes that over
    the samples of all, for which `batch.loss_weight` is there.

    `schedule` gives the learning rate's factor for (step, plan of the run), or is a scheduler of others, which holds
    the optimizer; `lr_factors` give further factors by part of the model. Dropout and whatever else the model draws
    depend on (seed, step, rank) alone, so a run that was resumed draws the same.
    """

    def __init__(
        self,
        model: Model,
        metric: Metric,
        optimizer: OptimizerFactory,
        schedule: Schedule | ForeignScheduler,
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
            and not isinstance(self.schedule, ForeignScheduler)
            and (told := warn_if_peak_lr_unreached(self.schedule, self.length.plan))
        ):
            log.warning(told)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        seed = hash((self.seed, self.global_step, batch_idx, self.global_rank)) & 0x7FFFFFFFFFFFFFFF
        # manual_seed records a traceback for each kind of device that is not there, which takes longer than some steps.
        (torch.default_generator if self.device.type == "cpu" else torch).manual_seed(seed)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses = {name: value * batch.loss_weight for name, value in self.model.loss(batch).items()}
        if self._is_logged():
            self.log_dict(
                {f"train/{name}": value.detach() for name, value in losses.items()},
                batch_size=len(batch.indices),
                sync_dist=world_size() > 1,
            )
            self._log_place(self.global_step + 1)
        return losses["loss"]

    def _is_logged(self) -> bool:
        """Lightning's bookkeeping of a logged value takes milliseconds, also where no logger writes it."""
        every = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return self.global_step == 0 or (self.global_step + 1) % every == 0

    def _log_place(self, steps: int) -> None:
        """Let what is logged beside this stand at the step that messages and checkpoints call so: as many as are done
        then. Lightning, which asks a metric called `step`, would begin at 0 and put a validation one step too early."""
        place = {"step": float(steps), "epoch": float(self.current_epoch)}
        self.log_dict({name: torch.tensor(value, dtype=torch.float64) for name, value in place.items()}, batch_size=1)

    def on_validation_epoch_start(self) -> None:
        if not is_finite(self.model):
            raise self._diverged("the model weights contain NaN or Inf")
        super().on_validation_epoch_start()

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        self._log_place(self.global_step)

    def _diverged(self, what: str) -> DivergedError:
        return build_divergence_error(self.global_step, what)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        if self._is_logged():
            self.log("lr", find_common_rate(optimizer))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        try:
            optimizer = self.optimizer_factory(build_parameter_groups(self.model, self.lr_factors))
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise UserError(
                f"Could not create the optimizer: {error}; check the keys under 'optimizer': {OPTIMIZERS}."
            ) from error
        if not isinstance(optimizer, Optimizer):
            raise UserError(
                f"optimizer._target_ makes a {type(optimizer).__name__}, which is no optimizer: {OPTIMIZERS}."
            )
        apply_factors(optimizer)
        # Lightning's types know torch's schedulers alone.
        scheduler: Any = self._build_scheduler(optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _build_scheduler(self, optimizer: Optimizer) -> LambdaLR | DrivenScheduler:
        schedule = self.schedule
        if isinstance(schedule, ForeignScheduler):
            # What a time budget was turned into is known when the run goes on or is repeated, but not when it began.
            is_measured = self.length.wanted.budget is not None
            return schedule.attach(
                optimizer, replace(self.length.plan, total=UNKNOWN) if is_measured else self.length.plan
            )
        return LambdaLR(optimizer, lambda step: schedule(step, self.length.plan_at(step)))

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Called after each optimizer step. Lightning asks those for it whose schedulers are not torch's own."""
        scheduler.step()
