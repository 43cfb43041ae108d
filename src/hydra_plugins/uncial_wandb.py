"""Where Hydra finds the sweeper of conf/hydra/sweeper/wandb.yaml: it takes plug-ins from this namespace alone."""

from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class WandbSweepFile(Sweeper):
    """Makes no run: writes the sweep as W&B's agents take it. Imported at every start of the program."""

    def __init__(self, **_: Any) -> None:
        """Its keys are read from the config of the sweep."""
        self.config: DictConfig | None = None
        self.hydra_context: HydraContext | None = None
        self.launcher = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """What Hydra calls before the sweep."""
        self.config, self.hydra_context = config, hydra_context

    def sweep(self, arguments: list[str]) -> None:
        """Write the file, and say what to type next."""
        from uncial.sweeps.wandb_sweep import write_wandb_sweep

        assert self.config is not None
        assert self.hydra_context is not None
        loader: ConfigLoader = self.hydra_context.config_loader
        write_wandb_sweep(self.config, arguments, loader)
