"""From the config to what problems and tasks of several kinds need: how lines are scored, and how pages are read."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.schema import as_tuple, build_settings
from uncial.data.settings import SourceSettings
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.settings import MetricsSettings
from uncial.pipelines.line_recognition import ReadingSettings


def build_reading_settings(data: DictConfig) -> ReadingSettings:
    """Return how lines are cut and directed, by the `data` group."""
    return ReadingSettings(data.direction, data.max_height, data.max_pixels)


def build_source_settings(inputs: Sequence[str], data: DictConfig, key: str = "data.root") -> SourceSettings:
    """Return how PAGE and ALTO files are read whose lines need no text; every file counts, also one without lines.
    `key` is where the inputs were given."""
    return SourceSettings(
        "xml",
        tuple(inputs),
        include=as_tuple(data.include),
        exclude=as_tuple(data.exclude),
        images=tuple(Path(folder) for folder in as_tuple(data.images)),
        options={"unlabelled": True, "every_file": True},
        key=key,
    )


def build_evaluation_settings(config: DictConfig, profile: str) -> EvaluationSettings:
    """Return how lines are scored under a text profile. Raises `UserError` for what cannot be."""
    metrics = build_settings(MetricsSettings, config)
    settings = EvaluationSettings(profile, metrics.variants, metrics.cluster, build_bootstrap(config))
    settings.check()
    return settings


def build_bootstrap(config: DictConfig) -> Bootstrap:
    """Return how intervals are computed: by the `metrics` group, and the run's seed."""
    metrics = build_settings(MetricsSettings, config)
    return Bootstrap(metrics.resamples, metrics.level, int(config.seed))
