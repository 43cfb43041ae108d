"""The keys of conf/trainer and conf/callbacks, and what those of optimizers, schedulers and loggers have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from uncial.config.settings import NAME, Key, Settings
from uncial.errors import UserError

PLANNED = Key(
    choices=("planned_steps", "planned_epochs"),
    expected="nobody sets it, for it is known when the lines have been counted; the length of a run is "
    "trainer.max_epochs, max_steps, lines_seen or time_budget",
)


@dataclass(frozen=True)
class TrainerSettings(Settings):
    """How long a training is, on what it runs, and how its lines come in batches.

    `time_budget` and `max_time` are HH:MM:SS. `batch_width` is the number of lines of a batch times the widest of them,
    in pixels of model input.
    """

    GROUP = "trainer"

    time_budget: str | int | None
    max_steps: Annotated[int | None, Key(least=1, unit="steps")]
    max_epochs: Annotated[int | None, Key(least=1, unit="epochs")]
    lines_seen: Annotated[int | None, Key(least=1, unit="lines")]
    min_epochs: Annotated[int, Key(least=1, unit="epochs")]
    max_time: str | int | None
    patience: Annotated[int | None, Key(least=1, unit="validations")]
    min_delta: Annotated[float, Key(least=0)]
    validations: Annotated[int, Key(least=1)]
    validate_every_epochs: Annotated[
        float | None, Key(above=0, unit="epochs", expected="a number above 0 is needed, or null")
    ]
    validate_every_steps: Annotated[int | None, Key(least=1, unit="steps")]
    precision: str
    accelerator: str
    devices: int | str | tuple[int, ...]
    batch_width: Annotated[int, Key(least=1, unit="pixels")]
    max_lines: Annotated[int, Key(least=1, unit="lines")]
    evaluation_batch_width: Annotated[int, Key(least=1, unit="pixels")]
    evaluation_max_lines: Annotated[int, Key(least=1, unit="lines")]
    accumulate: Annotated[int, Key(least=1, unit="batches")]
    gradient_clip: Annotated[float | None, Key(least=0)]
    gradient_clip_by: Annotated[str, Key(choices=("norm", "value"))]
    workers: Annotated[int | None, Key(least=0, unit="processes")]
    threads: Annotated[int | None, Key(least=1)]
    log_every: Annotated[int, Key(least=1, unit="steps")]
    sync_batchnorm: bool = False
    pages_seen: Annotated[int | None, Key(least=1, unit="pages")] = None
    batch_pages: Annotated[int, Key(least=1, unit="pages")] = 1
    crop: Annotated[int, Key(least=64, unit="pixels")] = 768
    overviews: Annotated[float, Key(least=0, most=1, expected="it is a fraction between 0 and 1")] = 0.25
    test_after: bool = False
    batch_size: Annotated[int | None, Key(least=1, unit="lines")] = None
    planned_steps: Annotated[str, PLANNED] = "planned_steps"
    planned_epochs: Annotated[str, PLANNED] = "planned_epochs"

    def check(self) -> None:
        """Raise `UserError` for two distances between validations."""
        if self.validate_every_epochs is not None and self.validate_every_steps is not None:
            raise UserError(
                "trainer.validate_every_epochs and trainer.validate_every_steps are both set: leave one of them null."
            )


@dataclass(frozen=True)
class CheckpointSettings(Settings):
    """When states of the training are written, and which of them stay."""

    minutes: Annotated[float, Key(least=0, unit="minutes")]
    every_epochs: Annotated[int | None, Key(least=1, unit="epochs")]
    every_steps: Annotated[int | None, Key(least=1, unit="steps")]
    keep_last: Annotated[int | None, Key(least=1)]
    keep_best: Annotated[int, Key(least=0)]


@dataclass(frozen=True)
class CallbacksSettings(Settings):
    """What happens beside the training itself."""

    GROUP = "callbacks"

    samples: Annotated[int, Key(least=0, unit="lines")]
    checkpoints: CheckpointSettings
    ema: float | None
    watchdog: Annotated[str, Key(choices=("none", "tell", "help"))]
    more: Mapping[str, Any]


@dataclass(frozen=True)
class EarlyStoppingSettings(Settings):
    """When a run ends before its last step; the values are those of the same keys of the trainer."""

    GROUP = "callbacks.early_stopping"

    patience: Annotated[int | None, Key(least=1, unit="validations")]
    min_delta: Annotated[float, Key(least=0)]
    min_epochs: Annotated[int, Key(least=1, unit="epochs")]


@dataclass(frozen=True)
class OptimizerSettings(Settings):
    """Keys that optimizers have in common."""

    GROUP = "optimizer"

    lr: Annotated[float, Key(least=0)]
    momentum: Annotated[float, Key(least=0)]
    weight_decay: Annotated[float, Key(least=0)]


@dataclass(frozen=True)
class SchedulerSettings(Settings):
    """Keys that schedulers have in common."""

    GROUP = "scheduler"

    warmup_steps: Annotated[int, Key(least=0, unit="steps")]
    warmup_samples: Annotated[int | None, Key(least=0, unit="lines")]
    warmup_fraction: float | None
    period: int | None
    timescale: int | None
    warmup_epochs: Annotated[float | None, Key(least=0, unit="epochs")] = None
    interval: Annotated[str | None, Key(choices=("step", "epoch", "validation"))] = None
    frequency: Annotated[int | None, Key(least=1)] = None


@dataclass(frozen=True)
class MLflowSettings(Settings):
    """Names that the logger of MLflow takes."""

    GROUP = "logger.mlflow"

    uri: Annotated[str, NAME]
    artifacts: Annotated[str, NAME]
    experiment: Annotated[str, NAME]
    name: Annotated[str | None, NAME]
    notes: Annotated[str | None, NAME]


@dataclass(frozen=True)
class WandbSettings(Settings):
    """Names that the logger of Weights & Biases takes."""

    GROUP = "logger.wandb"

    project: Annotated[str, NAME]
    entity: Annotated[str | None, NAME]
    group: Annotated[str | None, NAME]
    name: Annotated[str | None, NAME]
    tags: Annotated[tuple[str, ...], NAME]
    notes: Annotated[str | None, NAME]
    job_type: Annotated[str | None, NAME]
