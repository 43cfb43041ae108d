"""The launcher that task=dryrun puts before the one that was chosen."""

from collections.abc import Sequence
from copy import deepcopy

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, open_dict, read_write

from uncial.config.hydra_internals import BasicLauncher


class DryLauncher(BasicLauncher):
    """Shows the script that the `chosen` launcher would submit, if it submits one, and lets each job say what it would
    do."""

    def __init__(self, chosen: DictConfig) -> None:
        super().__init__()
        self._chosen = chosen

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        script = getattr(self._launcher(), "script", None)
        if script is not None:
            print(f"sbatch would be given this script, for {len(job_overrides)} job(s):\n")
            print(script(len(job_overrides)), flush=True)
        return super().launch(job_overrides, initial_job_idx)

    def _launcher(self) -> Launcher:
        assert self.config is not None
        assert self.hydra_context is not None
        assert self.task_function is not None
        config = deepcopy(self.config)
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.launcher = self._chosen
        return Plugins.instance().instantiate_launcher(
            hydra_context=self.hydra_context, task_function=self.task_function, config=config
        )
