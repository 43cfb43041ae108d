"""The learning rate lowered when the score no longer becomes better."""

import logging
from typing import Any, ClassVar

import lightning as L

from uncial.training.callbacks.contract import Priority, TrainerState
from uncial.training.callbacks.early_stopping import BestScoreTracker, read_score
from uncial.training.schedulers.plan import StepPlan
from uncial.training.schedulers.schedules import check_least, check_share, constant, set_rates

log = logging.getLogger(__name__)


class Plateau(L.Callback):
    """A schedule and the callback that tells it the scores. kraken's `reduceonplateau`.

    After `patience` validations in a row without an improvement of `monitor` by more than `min_delta` the rate is
    multiplied by `gamma`, never below the share `final`; then the counting begins anew, after `cooldown` validations.
    """

    priority: ClassVar[int] = Priority.LEARNING_RATE
    writes: ClassVar[frozenset[str]] = frozenset({TrainerState.LEARNING_RATE})

    def __init__(
        self,
        *,
        gamma: float,
        patience: int,
        min_delta: float,
        cooldown: int,
        final: float,
        monitor: str,
        mode: str,
        **warmup: Any,
    ) -> None:
        check_share("gamma", gamma)
        check_share("final", final)
        check_least("patience", patience, 1)
        check_least("min_delta", min_delta, 0)
        check_least("cooldown", cooldown, 0)
        self.gamma, self.patience, self.cooldown, self.final, self.monitor = gamma, patience, cooldown, final, monitor
        self._improvement = BestScoreTracker(mode, min_delta)
        self._warmup = constant(**warmup)
        self._reductions = self._cooling = 0

    def __call__(self, step: int, plan: StepPlan) -> float:
        return self._warmup(step, plan) * max(self.final, self.gamma**self._reductions)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        self._improvement.update(read_score(trainer, "scheduler.monitor", self.monitor))
        if self._cooling:
            self._cooling, self._improvement.waited = self._cooling - 1, 0
        if self._improvement.waited >= self.patience and self.gamma**self._reductions > self.final:
            self._reductions, self._cooling, self._improvement.waited = self._reductions + 1, self.cooldown, 0
            set_rates(trainer)
            log.info(
                f"{self.monitor} has not improved in {self.patience} validations: the learning rate is now "
                f"{max(self.final, self.gamma**self._reductions):.3g} of its full height."
            )

    def state_dict(self) -> dict[str, Any]:
        return {"reductions": self._reductions, "cooling": self._cooling, "improvement": self._improvement.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._reductions, self._cooling = state_dict["reductions"], state_dict["cooling"]
        self._improvement.restore(state_dict["improvement"])
