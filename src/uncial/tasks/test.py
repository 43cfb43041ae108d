"""task=test: scores a trained model on lines that it has not seen."""

from omegaconf import DictConfig

from uncial.config.location import find_conf_folder
from uncial.config.schema import get_checkpoint
from uncial.config.task_keys import check_keys_of_problem
from uncial.problems.loggers import logger_names
from uncial.problems.problem import find_problem_name, find_problem_of_model
from uncial.training.trainer import silence_lightning


def run(config: DictConfig) -> None:
    """Score `checkpoint` on a part of the data, by the problem that it was trained on: with the same implementation,
    precision and digits as its validation."""
    silence_lightning()
    logger_names(config)  # What is wrong with one is told before data are read.
    model = get_checkpoint(config)
    check_keys_of_problem(find_problem_name(config, model), find_conf_folder())
    find_problem_of_model(config, model).test(config)
