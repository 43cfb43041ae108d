"""The keys of `report`."""

from dataclasses import dataclass
from typing import Annotated

from uncial.config.settings import Key, Settings


@dataclass(frozen=True)
class ReportSettings(Settings):
    """How report.html is made."""

    GROUP = "report"

    pictures: Annotated[int, Key(least=0, unit="lines")]
