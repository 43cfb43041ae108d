"""The keys of `predict`."""

from dataclasses import dataclass
from typing import Annotated

from uncial.config.settings import NAME, Settings


@dataclass(frozen=True)
class PredictSettings(Settings):
    """What is read, and what is written of it."""

    GROUP = "predict"

    input: Annotated[tuple[str, ...], NAME]
    format: str
    output: Annotated[str | None, NAME]
