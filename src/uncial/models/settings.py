"""Keys of conf/model that all of its files take alike; what else a part takes, its own class says."""

from dataclasses import dataclass
from typing import Annotated

from uncial.config.settings import Key, Settings


@dataclass(frozen=True)
class ModelSettings(Settings):
    """The model itself."""

    GROUP = "model"

    shortcut: Annotated[float, Key(least=0)]


@dataclass(frozen=True)
class BackboneSettings(Settings):
    """Its backbone."""

    GROUP = "model.backbone"

    stem: Annotated[int, Key(least=1, unit="channels")]
    stem_kernel: Annotated[int, Key(least=1, unit="pixels")]


@dataclass(frozen=True)
class HeadSettings(Settings):
    """Its head."""

    GROUP = "model.head"

    layers: Annotated[int, Key(least=1)]
    hidden: Annotated[int, Key(least=1, unit="cells")]
