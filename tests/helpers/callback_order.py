"""Callbacks as a user writes them, named in tests by `_target_`."""

import lightning as L


class OrderRecorder(L.Callback):
    """The names of the classes of all callbacks, in the order in which Lightning calls them; `last` is the newest."""

    last: tuple[str, ...] = ()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        OrderRecorder.last = tuple(type(callback).__name__ for callback in trainer.callbacks)  # type: ignore[attr-defined]


class EarlyRecorder(OrderRecorder):
    """States where it stands, and that it writes what nobody of this project does."""

    priority = 5
    writes = frozenset({"the number of cups of coffee"})


class RateWriter(L.Callback):
    """Says that it writes the learning rate."""

    writes = frozenset({"the learning rate"})
