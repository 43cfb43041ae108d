"""The keys of `predict`."""

from dataclasses import dataclass
from typing import Annotated

from uncial.config.settings import NAME, Key, Settings


@dataclass(frozen=True)
class PredictSettings(Settings):
    """What is read, what is looked for, and what is written of it."""

    GROUP = "predict"

    input: Annotated[tuple[str, ...], NAME]
    format: str
    output: Annotated[str | None, NAME]
    version: Annotated[str, NAME]
    regions: Annotated[str, Key(choices=("find", "keep"))]
    lines: Annotated[str, Key(choices=("keep", "find"))]
    max_gap: Annotated[float | None, Key(above=0, unit="interlines")]
    images: Annotated[str, Key(choices=("link", "copy", "none"))]
    page_images: Annotated[str | None, NAME]
    dpi: Annotated[float, Key(least=20, most=2400)]
    sheets: Annotated[int | None, Key(least=0, unit="pages")]
