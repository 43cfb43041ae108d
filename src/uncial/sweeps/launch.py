"""One job of a sweep: what a launcher needs to know of the sweep that it runs, and what the job does before its task
begins."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from uncial.config.location import COMMAND, ROOT, format_command
from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.runs.outcome import is_finished, is_sweep, read_outcome


def should_run(config: DictConfig) -> bool:
    """Whether there is anything to do. In a sweep that is resumed, and in a job that a cluster starts again, finished
    jobs have nothing left, and started ones get their own folder as `config.resume`.

    Raises `UserError` for a sweep or a launcher without -m, and for a job whose folder is that of another run.
    """
    hydra = HydraConfig.get()
    resumed = None if config.resume is None else Path(str(config.resume))
    if hydra.mode != RunMode.MULTIRUN:
        _check_single(resumed)
        return True
    folder = Path(hydra.runtime.output_dir)
    if (resumed is not None and is_sweep(resumed)) or _is_again():
        return _is_left(config, folder)
    if resumed is None and RunFolder(folder).config.is_file():
        raise UserError(
            f"{folder} holds a run already: hydra.sweep.subdir has to differ from job to job, and resume=auto resumes "
            "what is there."
        )
    return True


def _is_left(config: DictConfig, folder: Path) -> bool:
    was_ended_alone = read_outcome(folder) is None and RunFolder(folder).metrics.is_file()
    if is_finished(folder) or was_ended_alone:
        print(f"Job {folder.name} is finished.")  # Not to its log, which stays as it is.
        return False
    RunFolder(folder).outcome.unlink(missing_ok=True)
    is_started = RunFolder(folder).config.is_file() and not RunFolder(folder).metrics.is_file()
    config.resume = str(folder) if is_started else None
    return True


def _is_again() -> bool:
    """Whether a cluster has started the job before, and stopped it: its time was up, its node failed."""
    return os.environ.get("SLURM_RESTART_COUNT", "0") != "0"


def _check_single(resumed: Path | None) -> None:
    launcher = HydraConfig.get().runtime.choices.get("hydra/launcher", "basic")
    if launcher != "basic":
        raise UserError(
            f"hydra/launcher={launcher} is for -m, with which a single run is submitted too: {format_command('-m …')}"
        )
    if resumed is not None and is_sweep(resumed):
        raise UserError(f"resume={resumed} is a sweep: {format_command('-m resume=…')} completes it, with -m.")
    hydra = HydraConfig.get()
    sweep = hydra.runtime.choices.get("sweep")
    if sweep is None:
        return
    typed = {override.key_or_group for override in OverridesParser.create().parse_overrides(list(hydra.overrides.task))}
    swept = [str(key) for key in hydra.sweeper.get("params") or {}]
    if missing := [key for key in swept if key not in typed]:
        raise UserError(
            f"sweep={sweep} is for -m, which makes all of its runs: {format_command('-m …')}; to make one of them "
            f"alone give {' and '.join(missing)} too."
        )


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
