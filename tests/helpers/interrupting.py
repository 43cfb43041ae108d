"""Callbacks that a training from Python is given by its config."""

import os
import signal

import lightning as L

import uncial


class Interrupt(L.Callback):
    """Ctrl-C in a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer, *_) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


class TrainWithin(L.Callback):
    """Another training, before this one has ended."""

    def on_train_start(self, *_) -> None:
        uncial.train({"data": "page", "data.root": "nowhere"})


class Fail(L.Callback):
    """A fault of the program."""

    def on_train_start(self, *_) -> None:
        raise RuntimeError("a fault")
