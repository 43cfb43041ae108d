"""The keys of conf/metrics."""

from dataclasses import dataclass
from typing import Annotated

from uncial.config.settings import Key, Settings


@dataclass(frozen=True)
class MetricsSettings(Settings):
    """How scores are made, how sure they are, and what is to be corrected by hand."""

    GROUP = "metrics"

    variants: tuple[str, ...]
    cluster: str
    resamples: Annotated[int, Key(least=100)]
    level: Annotated[
        float,
        Key(least=0.5, below=1, expected="a fraction from 0.5 to below 1 is needed, for instance 0.95"),
    ]
    review_cer: Annotated[
        float, Key(above=0, below=1, expected="a fraction above 0 and below 1 is needed (0.02 is 2 %)")
    ]
