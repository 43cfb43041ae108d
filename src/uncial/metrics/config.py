"""From the `metrics` keys to how lines are scored."""

from omegaconf import DictConfig

from uncial.config.schema import as_tuple
from uncial.errors import UserError
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Bootstrap


def review_target(config: DictConfig) -> float:
    """The CER that `metrics.review_cer` asks for. Raises `UserError` for what is none."""
    target = config.metrics.review_cer
    if not 0 < target < 1:
        raise UserError(f"metrics.review_cer={target}: a fraction above 0 and below 1 is needed (0.02 is 2 %).")
    return float(target)


def evaluation_settings(config: DictConfig, profile: str) -> EvaluationSettings:
    """How lines are scored under a text profile. Raises `UserError` for what cannot be."""
    level = config.metrics.level
    if not 0.5 <= level < 1:
        raise UserError(f"metrics.level={level}: a fraction from 0.5 to below 1 is needed, for instance 0.95.")
    bootstrap = Bootstrap(int(config.metrics.resamples), float(level), int(config.seed))
    settings = EvaluationSettings(profile, as_tuple(config.metrics.variants), config.metrics.cluster, bootstrap)
    settings.check()
    return settings
