"""From the config to how lines are scored."""

from omegaconf import DictConfig

from uncial.config.schema import build_settings
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.settings import MetricsSettings


def evaluation_settings(config: DictConfig, profile: str) -> EvaluationSettings:
    """Return how lines are scored under a text profile. Raises `UserError` for what cannot be."""
    metrics = build_settings(MetricsSettings, config)
    bootstrap = Bootstrap(metrics.resamples, metrics.level, int(config.seed))
    settings = EvaluationSettings(profile, metrics.variants, metrics.cluster, bootstrap)
    settings.check()
    return settings
