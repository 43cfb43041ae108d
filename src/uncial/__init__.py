"""Uncial: training, testing and applying recognisers of handwritten text."""

from typing import Any

__all__ = ["Transcriber", "load"]


def __getattr__(name: str) -> Any:
    # torch is imported only by who asks for a model.
    if name in __all__:
        from uncial.pipelines import recognition as transcriber

        return getattr(transcriber, name)
    raise AttributeError(f"module 'uncial' has no attribute '{name}'")
