"""Uncial: training, testing and applying recognisers of handwritten text."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uncial.pipelines.recognition import Transcriber as Transcriber
    from uncial.pipelines.recognition import load as load

__all__ = ["Transcriber", "load"]


def __getattr__(name: str) -> Any:
    # torch is imported only by who asks for a model.
    if name in __all__:
        from uncial.pipelines import recognition

        return getattr(recognition, name)
    raise AttributeError(f"module 'uncial' has no attribute '{name}'")
