"""Uncial: training, testing and applying recognisers of handwritten text."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uncial.api import train as train
    from uncial.api import transcribe as transcribe
    from uncial.errors import UnusableInput as UnusableInput
    from uncial.errors import UserError as UserError
    from uncial.pipelines.recognition import Transcriber as Transcriber
    from uncial.pipelines.recognition import load as load
    from uncial.problems.prepared import PreparedTraining as PreparedTraining
    from uncial.problems.prepared import prepare_training as prepare_training

__all__ = [
    "PreparedTraining",
    "Transcriber",
    "UnusableInput",
    "UserError",
    "load",
    "prepare_training",
    "train",
    "transcribe",
]

_PLACES = {
    "PreparedTraining": "uncial.problems.prepared",
    "prepare_training": "uncial.problems.prepared",
    "Transcriber": "uncial.pipelines.recognition",
    "UnusableInput": "uncial.errors",
    "UserError": "uncial.errors",
    "load": "uncial.pipelines.recognition",
    "train": "uncial.api",
    "transcribe": "uncial.api",
}
"""Where each name lies. torch and Hydra are imported only by who asks for one."""

# Where albumentations is imported, it asks the network for a newer version of itself unless this is set by then. Set
# here it holds for every module that may import it, a user's own included, and for every process that is begun.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'uncial' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
