"""Uncial: training, testing and applying recognisers of handwritten text."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uncial.pipelines.recognition import Transcriber as Transcriber
    from uncial.pipelines.recognition import load as load

__all__ = ["Transcriber", "load"]

# Where albumentations is imported, it asks the network for a newer version of itself unless this is set by then. Set
# here it holds for every module that may import it, a user's own included, and for every process that is begun.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"


def __getattr__(name: str) -> Any:
    # torch is imported only by who asks for a model.
    if name in __all__:
        from uncial.pipelines import recognition

        return getattr(recognition, name)
    raise AttributeError(f"module 'uncial' has no attribute '{name}'")
