"""Keys that stand in no group of conf/, and those of single tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from uncial.config.settings import NAME, Key, Settings

FRACTION = Key(above=0, below=1, expected="a fraction above 0 and below 1 is needed (0.03 is 3 %)")
FAIL_ON = Key(
    choices=("information", "warning", "error", "never", "info", "null", "None"),
    expected="choose one of information, warning, error, or never",
)
SHARE = Key(above=0, below=1, expected="a share is needed, above 0 and below 1")


@dataclass(frozen=True)
class RunSettings(Settings):
    """What a run is, and what it goes on from or works with. The keys without a default are those of every task."""

    GROUP = ""

    name: Annotated[str, NAME]
    seed: Annotated[int, Key(least=0)]
    checkpoint: Annotated[tuple[Any, ...] | None, NAME]
    pretrained: Annotated[str | None, NAME]
    resize: Annotated[str, Key(choices=("fail", "union", "new", "add", "both"))]
    reinitialize: Annotated[tuple[str, ...], NAME]
    freeze: Annotated[tuple[str, ...], NAME]
    freeze_for: str | int | None
    lr_factors: Mapping[str, Any] | None
    resume: Annotated[str | None, NAME]
    trust: Annotated[tuple[str, ...], NAME] = ()
    tags: Annotated[tuple[str, ...], NAME] = ()
    layout: Annotated[str | None, NAME] = None
    run: Annotated[tuple[str, ...], NAME] = ()
    output: Annotated[str | None, NAME] = None
    format: str | None = None


@dataclass(frozen=True)
class InspectSettings(Settings):
    """How task=inspect shows the data."""

    GROUP = "inspect"

    fail_on: Annotated[str | None, FAIL_ON]
    samples: Annotated[int, Key(least=0, unit="lines")]
    augmentation: Annotated[int, Key(least=0, unit="lines")]
    pictures: Annotated[int, Key(least=0, unit="lines")]


@dataclass(frozen=True)
class CompareSettings(Settings):
    """What task=compare compares."""

    GROUP = "compare"

    folders: Annotated[tuple[str, ...], NAME]
    truth: Annotated[str | None, NAME]
    names: Annotated[tuple[str, ...], NAME]
    profile: str | None


@dataclass(frozen=True)
class EnsembleSettings(Settings):
    """How task=ensemble joins models."""

    GROUP = "ensemble"

    method: Annotated[str, Key(choices=("vote", "average"))]
    members: Annotated[str, Key(choices=("all", "greedy"))]
    lines: Annotated[int, Key(least=1, unit="lines")]


@dataclass(frozen=True)
class AuditSettings(Settings):
    """What task=audit expects of the ground truth, and writes."""

    GROUP = "audit"

    share: Annotated[float, SHARE]
    prior: Annotated[float, SHARE]
    output: Annotated[str | None, NAME]
    images: bool


@dataclass(frozen=True)
class CompilationSettings(Settings):
    """Where task=compile leaves what it has compiled."""

    GROUP = "compile"

    output: Annotated[str | None, NAME]


@dataclass(frozen=True)
class ForecastSettings(Settings):
    """What task=forecast tells of more lines."""

    GROUP = "forecast"

    runs: Annotated[tuple[str, ...], NAME]
    factors: Annotated[
        tuple[float, ...],
        Key(above=0, most=1000, expected="numbers above 0 are needed, 1000 at most; for instance [2,4]"),
    ]
    target: Annotated[float | None, FRACTION]
    level: Annotated[float, FRACTION]


@dataclass(frozen=True)
class LeaderboardSettings(Settings):
    """What task=leaderboard ranks by."""

    GROUP = "leaderboard"

    by: str | None
    mode: Annotated[str | None, Key(choices=("min", "max"))]
    over: tuple[str, ...]
