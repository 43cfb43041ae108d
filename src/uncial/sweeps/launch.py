"""What a launcher of cluster jobs needs to know of the sweep that it runs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from uncial.config.location import COMMAND, ROOT

ENVIRONMENT = (ROOT, COMMAND, "PYTHONPATH", "HYDRA_FULL_ERROR")
"""Variables that a job needs as they were, also where a cluster hands none on."""


@dataclass(frozen=True)
class LaunchContext:
    """What Hydra gives a launcher to run jobs with."""

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig

    def job_config(self, number: int, overrides: Sequence[str], id_of_job: str | None = None) -> DictConfig:
        """The config of one job, with that of Hydra."""
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id, config.hydra.job.num = id_of_job or f"job_id_for_{number}", number
        return config

    def run_job(self, number: int, overrides: Sequence[str], state: Any, id_of_job: str | None = None) -> JobReturn:
        """Run one job in another process, as Hydra's own launcher would. `state` is that of Hydra's singletons in the
        process in which the sweep was typed."""
        setup_globals()
        Singleton.set_state(state)
        return run_job(
            hydra_context=self.hydra_context,
            task_function=self.task_function,
            config=self.job_config(number, overrides, id_of_job),
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def job_folder(self, number: int, overrides: Sequence[str]) -> Path:
        hydra = self.config.hydra
        if hydra.sweep._get_node("subdir")._value() == "${hydra.job.num}":
            return Path(hydra.sweep.dir) / str(number)
        return Path(hydra.sweep.dir) / str(self.job_config(number, overrides).hydra.sweep.subdir)


def plain_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a launcher without OmegaConf's containers."""
    return {
        key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in given.items()
    }


def job_environment() -> dict[str, str]:
    """The variables of `ENVIRONMENT` that are set here."""
    return {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
