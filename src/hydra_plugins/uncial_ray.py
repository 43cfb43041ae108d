"""hydra/launcher=ray. Hydra looks for launchers in this namespace alone, and imports what is in it at every start:
what this one does is in `uncial.sweeps.ray_cluster`."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from uncial.errors import UserError
from uncial.sweeps.launch import LaunchContext


class RayLauncher(Launcher):
    """Runs the jobs of a sweep on a Ray cluster and waits for them. `settings`: conf/hydra/launcher/ray.yaml."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self._program = LaunchContext(hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Raise `UserError` without the package ray, and without a cluster."""
        try:
            from uncial.sweeps import ray_cluster
        except ModuleNotFoundError as error:
            if str(error.name).split(".")[0] != "ray":
                raise
            from uncial.config.instantiate import describe_install

            raise UserError(f"hydra/launcher=ray needs ray; {describe_install('ray')}") from None
        return ray_cluster.launch(self._settings, self._program, job_overrides, initial_job_idx)
