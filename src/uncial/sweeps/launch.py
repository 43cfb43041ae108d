"""What a launcher of cluster jobs needs: how one job is run, and the end of all jobs when the waiting command ends."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from uncial.config.location import COMMAND, ROOT
from uncial.sweeps.jobs import describe_failures
from uncial.termination import TERMINATED

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


@contextmanager
def end_jobs_on_exit(end: Callable[[], None], sweep: Path) -> Iterator[None]:
    """Around waiting for jobs: whatever ends it early, Ctrl-C, SIGTERM or an error, calls `end`, which ends them too,
    and then says which are missing in the sweep's folder."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except BaseException:
        # A second Ctrl-C does not wait for them.
        with suppress(KeyboardInterrupt):
            end()
        print(describe_failures(sweep), flush=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
