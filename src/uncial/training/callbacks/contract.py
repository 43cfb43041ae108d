"""What a callback states of itself: where it stands among the others (`priority`), what of a training it alone writes
(`writes`), and whether its settings leave it anything to do (`is_active`). One that states nothing stands among the
others, writes nothing and is active."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

import lightning as L
from lightning.pytorch.callbacks import StochasticWeightAveraging, WeightAveraging

from uncial.errors import UserError


class Priority(IntEnum):
    """Where a callback stands: Lightning calls the lowest first, in each of its hooks."""

    CHECKPOINTS = 0
    """Before all others: the state written at a step's start is what the others have made of the step before."""
    LENGTH = 10
    GRADIENTS = 20
    """Before who counts steps or scores: a step that is skipped is none."""
    LEARNING_RATE = 30
    STOPPING = 40
    WATCHING = 50
    OTHERS = 60
    """Lightning's callbacks and the user's, unless they state another."""
    SEARCH = 70
    FREEZING = 80
    BEST_MODEL = 90
    """Behind all whose state belongs to the model that is kept."""
    AVERAGING = 100
    """Behind who keeps the best model: the average stands in for the weights until that is done."""
    MEASURING = 110
    DISPLAY = 120
    TIME_LIMIT = 130


class TrainerState(StrEnum):
    """What one callback of a training writes and no other, as a message names it. Ending a run early is none: several
    may ask for it."""

    CHECKPOINTS = "last.ckpt and the checkpoints"
    LENGTH = "the number of steps and when the run validates"
    GRADIENTS = "which steps are skipped"
    LEARNING_RATE = "the learning rate"
    BLANK_SCORE = "the blank's score"
    FROZEN_PARTS = "which parts are frozen"
    BEST_MODEL = "the best model"
    VALIDATED_WEIGHTS = "the weights that are validated"
    DISPLAY = "the progress display"


LIGHTNING_WRITES: tuple[tuple[type[L.Callback], frozenset[str]], ...] = (
    (WeightAveraging, frozenset({TrainerState.VALIDATED_WEIGHTS})),
    (StochasticWeightAveraging, frozenset({TrainerState.VALIDATED_WEIGHTS, TrainerState.LEARNING_RATE})),
)
"""What callbacks of Lightning write that state nothing."""


def get_priority(callback: L.Callback) -> int:
    """Return where it stands: `Priority.OTHERS` for one that does not say."""
    return int(getattr(callback, "priority", Priority.OTHERS))


def list_states_written(callback: L.Callback) -> frozenset[str]:
    """Return what it alone writes: nothing for one that does not say, unless it is known of its class."""
    if hasattr(callback, "writes"):
        return frozenset(callback.writes)
    return frozenset().union(*(writes for kind, writes in LIGHTNING_WRITES if isinstance(callback, kind)))


def order_callbacks(callbacks: Iterable[L.Callback]) -> list[L.Callback]:
    """Return those that have something to do, by priority; of equal ones the first stays first.

    Raises `UserError` where two write the same part of the trainer's state, or would be mistaken for each other in a
    checkpoint.
    """
    active = [callback for callback in callbacks if getattr(callback, "is_active", True)]
    writers: dict[str, L.Callback] = {}
    owners: dict[str, L.Callback] = {}
    for callback in active:
        for state in sorted(list_states_written(callback)):
            _claim(writers, state, callback, f"write {state}")
        if _has_state(callback):
            _claim(owners, callback.state_key, callback, f"keep their state in checkpoints as {callback.state_key}")
    return sorted(active, key=get_priority)


def _claim(owners: dict[str, L.Callback], thing: str, callback: L.Callback, what: str) -> None:
    if thing in owners:
        names = " and ".join(type(one).__name__ for one in (owners[thing], callback))
        raise UserError(f"Two callbacks, {names}, {what}: leave one of them out (callbacks.NAME=null).")
    owners[thing] = callback


def _has_state(callback: L.Callback) -> bool:
    return type(callback).state_dict is not L.Callback.state_dict
