"""One job of a sweep: what a launcher needs to know of the sweep that it runs, and what the job does before its task
begins."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from uncial.config.location import COMMAND, ROOT, TYPED, VARIABLES, format_command
from uncial.config.overrides import get_override_key
from uncial.config.typed import lines_as_typed, typed_overrides
from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.runs.outcome import is_finished, is_of_same_job, is_sweep, read_outcome
from uncial.runs.resumed_config import read_overrides
from uncial.runs.search import read_varied_keys
from uncial.sweeps.planning import BY_NUMBER, compose_job, find_job_subdir, raw_value


def should_run(config: DictConfig) -> bool:
    """Return whether there is anything to do. In a sweep that is resumed, and in a job that a cluster starts again,
    finished jobs have nothing left, and started ones get their own folder as `config.resume`.

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


def is_folder_of(folder: Path, overrides: Sequence[str], varied: Collection[str]) -> bool:
    """Return whether a job of these overrides may use the folder: nothing that has ended in it is another one's.
    `varied` are the keys in which the jobs of the sweep differ."""
    outcome = read_outcome(folder)
    if outcome is not None:
        return is_of_same_job(outcome.overrides, overrides, varied)
    # A run that was ended alone leaves no outcome. One that repeats another has the overrides of that one.
    was_ended = RunFolder(folder).metrics.is_file() and not RunFolder(folder).rerun.is_file()
    return not was_ended or is_of_same_job(read_overrides(folder), overrides, varied)


def is_own_folder(hydra: Any, folder: Path) -> bool:
    """`is_folder_of` for the job of a sweep with this config of Hydra's. The lines of older versions are those of a
    config in which all is resolved."""
    own = lines_as_typed(hydra.overrides.task)
    keys = {get_override_key(line).replace("/", ".") for line in own} - {"resume", "trust"}
    if is_folder_of(folder, own, keys):
        return True  # To the letter, for which the sweep's file need not be read.
    varied = read_varied_keys(Path(str(hydra.sweep.dir)))
    if is_folder_of(folder, own, varied):
        return True
    with suppress(OmegaConfBaseException):
        return is_folder_of(folder, list(hydra.overrides.task), varied)
    return False


def _is_left(config: DictConfig, folder: Path) -> bool:
    if not is_own_folder(HydraConfig.get(), folder):
        raise UserError(
            f"{folder} is the folder of a job with other overrides, which stays as it is: hydra.sweep.subdir has to "
            "differ from job to job."
        )
    was_ended_alone = read_outcome(folder) is None and RunFolder(folder).metrics.is_file()
    if is_finished(folder) or was_ended_alone:
        print(f"Job {folder.name} is finished.")  # Not to its log, which stays as it is.
        return False
    RunFolder(folder).outcome.unlink(missing_ok=True)
    is_started = RunFolder(folder).config.is_file() and not RunFolder(folder).metrics.is_file()
    config.resume = str(folder) if is_started else None
    return True


def _is_again() -> bool:
    """Return whether a cluster has started the job before, and stopped it: its time was up, its node failed."""
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
    typed = {override.key_or_group for override in typed_overrides()}
    swept = [str(key) for key in hydra.sweeper.get("params") or {}]
    if missing := [key for key in swept if key not in typed]:
        raise UserError(
            f"sweep={sweep} is for -m, which makes all of its runs: {format_command('-m …')}; to make one of them "
            f"alone give {' and '.join(missing)} too."
        )


ENVIRONMENT = (ROOT, COMMAND, TYPED, *VARIABLES, "HYDRA_FULL_ERROR")
"""Variables that a job needs as they were, also where a cluster hands none on."""


@dataclass(frozen=True)
class LaunchContext:
    """What Hydra gives a launcher to run jobs with."""

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig

    def job_config(self, number: int, overrides: Sequence[str], id_of_job: str | None = None) -> DictConfig:
        """Return the config of one job, with that of Hydra."""
        config = compose_job(self.hydra_context.config_loader, self.config, number, overrides)
        if id_of_job is not None:
            config.hydra.job.id = id_of_job
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
        folder = Path(self.config.hydra.sweep.dir)
        if raw_value(self.config, "hydra.sweep.subdir") == BY_NUMBER:
            return folder / str(number)
        return folder / find_job_subdir(self.job_config(number, overrides))

    def is_finished(self, number: int, overrides: Sequence[str]) -> bool:
        """Return whether this job has ended well, or was ended early, in its folder."""
        folder = self.job_folder(number, overrides)
        if not is_finished(folder):
            return False
        return is_folder_of(folder, overrides, read_varied_keys(Path(self.config.hydra.sweep.dir)))


def to_plain_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a launcher without OmegaConf's containers."""
    return {
        key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in given.items()
    }


def build_job_environment() -> dict[str, str]:
    """Return the variables of `ENVIRONMENT` that are set here, the folders in them absolute."""
    found = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    if given := found.get("PYTHONPATH"):
        found["PYTHONPATH"] = os.pathsep.join(str(Path(one).absolute()) for one in given.split(os.pathsep) if one)
    return found


def enter_job(folder: str, environment: Mapping[str, str]) -> None:
    """Let this process, which a cluster has started for a job, be in the folder and have the variables of the command
    that was typed, and find the modules that it found."""
    os.chdir(folder)
    os.environ.update(environment)
    for one in reversed(environment.get("PYTHONPATH", "").split(os.pathsep)):
        if one and one not in sys.path:
            sys.path.insert(0, one)
