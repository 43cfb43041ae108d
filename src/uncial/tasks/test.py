"""task=test: scores a trained model on lines that it has not seen."""

from omegaconf import DictConfig

from uncial.config.schema import checkpoint_of
from uncial.problems.problem import problem_of_model
from uncial.training.trainer import quiet_lightning


def run(config: DictConfig) -> None:
    """Score `checkpoint` on a part of the data, by the problem that it was trained on: with the same implementation,
    precision and digits as its validation."""
    quiet_lightning()
    problem_of_model(config, checkpoint_of(config)).test(config)
