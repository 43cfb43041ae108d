"""task=predict: applies a model to page images: a recogniser reads their lines, a layout model finds them."""

from omegaconf import DictConfig

from uncial.config.schema import get_checkpoint
from uncial.problems.problem import find_problem_of_model


def run(config: DictConfig) -> None:
    """Apply `checkpoint` to `predict.input`, by the problem that it was trained on."""
    find_problem_of_model(config, get_checkpoint(config)).predict(config)
