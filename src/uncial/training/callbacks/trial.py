"""The trial of a search that a training is, if it is one."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import instantiate_part
from uncial.config.saved_yaml import literal_config
from uncial.training.callbacks.pruning import Pruning


def pruning(config: DictConfig) -> list[Pruning]:
    """What tells the search of this job's scores; nothing outside of a search."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN or "pruner" not in hydra.sweeper:
        return []
    # Only now: it imports Optuna.
    from uncial.runs.study import find_running_trial

    own = literal_config({"hydra": {"sweeper": OmegaConf.to_container(hydra.sweeper, resolve=True)}})
    trial = find_running_trial(Path(hydra.sweep.dir), int(hydra.job.num), instantiate_part(own, "hydra.sweeper.pruner"))
    if trial is None:
        return []

    def report(validation: int, score: float) -> bool:
        trial.report(score, validation)
        return trial.should_prune()

    return [Pruning(config.model.monitor, report)]
