"""task=train: from ground truth to the best model, its scores and its curves."""

from omegaconf import DictConfig

from uncial.problems.training_run import run_training


def run(config: DictConfig) -> None:
    """Trains a recogniser on the train part, keeps the one that reads the validation part best, and writes the run
    folder; or goes on with the run that `resume` names."""
    run_training(config)
