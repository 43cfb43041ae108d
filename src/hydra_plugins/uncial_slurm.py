"""hydra/launcher=slurm. Hydra looks for launchers in this namespace alone, and imports what is in it at every start:
what this one does is in `uncial.sweeps.slurm`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from uncial.errors import UserError
from uncial.sweeps.launch import LaunchContext


class SlurmLauncher(Launcher):
    """Submits the jobs of a sweep to SLURM and waits for them. `settings`: conf/hydra/launcher/slurm.yaml."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._program = LaunchContext(hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Raise `UserError` where there is no SLURM, or it refuses the jobs."""
        return _launching().launch(self._settings, self._program, job_overrides, initial_job_idx)

    def script(self, jobs: int) -> str:
        """Return what sbatch would be given for so many jobs."""
        return _launching().format_script(self._settings, Path(self._program.config.hydra.sweep.dir), jobs)


def _launching() -> Any:
    try:
        from uncial.sweeps.slurm import launching
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] != "submitit":
            raise
        from uncial.config.instantiate import describe_install

        raise UserError(f"hydra/launcher=slurm needs submitit; {describe_install('submitit')}") from None
    return launching
