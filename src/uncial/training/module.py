"""The one LightningModule. It trains any model that has `loss(batch)` and `predict(batch)`, and knows no text."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from uncial.errors import UserError
from uncial.models.precision import reading
from uncial.training.length import RunLength
from uncial.training.parameter_groups import apply_factors, common_rate, parameter_groups
from uncial.training.schedules import Schedule

OptimizerFactory = Callable[[list[dict[str, Any]]], Optimizer]


class Metric(Protocol):
    """What the model's config names to score its predictions. Counts are whole numbers, so that sums over processes
    are exact."""

    def update(self, batch: Any, predictions: list[Any]) -> None: ...
    def counts(self) -> list[int]: ...
    def scores(self, counts: list[int]) -> dict[str, float]: ...
    def samples(self) -> list[tuple[str, str]]: ...
    def reset(self) -> None: ...


class ScoringModule(L.LightningModule):
    """Scores `model.predict(batch)` with `metric`, in validation and test alike."""

    def __init__(self, model: nn.Module, metric: Metric) -> None:
        super().__init__()
        # nn.Module types what it holds as tensors and modules; what is asked of these two is said above.
        self.model: Any = model
        self.metric: Metric = metric
        self.validation_samples: list[tuple[str, str]] = []
        self._loss = [0.0, 0.0]

    def on_validation_epoch_start(self) -> None:
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
        self._loss = [0.0, 0.0]

    def _score(self, batch: Any) -> None:
        with reading(self.device.type):
            losses, predictions = self._evaluate(batch)
        self.metric.update(batch, predictions)
        self._loss[0] += float(losses["loss"]) * len(batch.indices)
        self._loss[1] += len(batch.indices)

    def _evaluate(self, batch: Any) -> tuple[dict[str, Tensor], list[Any]]:
        """By the model's own `evaluate` where it has one, which may do both in one pass."""
        if hasattr(self.model, "evaluate"):
            return self.model.evaluate(batch)
        return self.model.loss(batch), self.model.predict(batch)

    def _log_scores(self, part: str) -> None:
        counts = self._sum(torch.tensor(self.metric.counts(), dtype=torch.int64))
        loss, lines = self._sum(torch.tensor(self._loss, dtype=torch.float64)).tolist()
        scores = {**self.metric.scores(counts.tolist()), "loss": loss / max(lines, 1)}
        # Logged as float64 tensors: the scores that are reported have to be the same digits as those that are compared.
        self.log_dict({f"{part}/{name}": torch.tensor(value, dtype=torch.float64) for name, value in scores.items()})

    def _sum(self, values: Tensor) -> Tensor:
        if self.trainer.world_size == 1:
            return values
        return self.trainer.strategy.reduce(values.to(self.device), reduce_op="sum").cpu()


class TrainingModule(ScoringModule):
    """Optimises `model.loss(batch)["loss"]`.

    `schedule` gives the learning rate's factor for (step, plan of the run), `lr_factors` further ones by part of the
    model. Dropout and whatever else the model
    draws depend on (seed, step, rank) alone, so a run that was resumed draws the same.
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

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        torch.manual_seed(hash((self.seed, self.global_step, batch_idx, self.global_rank)) & 0x7FFFFFFFFFFFFFFF)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        losses = self.model.loss(batch)
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in losses.items()}, batch_size=len(batch.indices)
        )
        return losses["loss"]

    def on_validation_epoch_start(self) -> None:
        if not all(bool(parameter.isfinite().all()) for parameter in self.model.parameters()):
            raise UserError(
                f"After {self.global_step} steps the weights are no numbers any more: the training has diverged; "
                "lower optimizer.lr, or set trainer.gradient_clip=1 or trainer.precision=32."
            )
        super().on_validation_epoch_start()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.log("lr", common_rate(optimizer))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        try:
            optimizer = self.optimizer_factory(parameter_groups(self.model, self.lr_factors))
        except (TypeError, ValueError) as error:
            raise UserError(f"The optimizer cannot be made: {error}; check the keys under 'optimizer'.") from error
        apply_factors(optimizer)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.schedule(step, self.length.plan))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
