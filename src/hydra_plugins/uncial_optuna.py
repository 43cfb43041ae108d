"""Where Hydra finds the sweeper of conf/hydra/sweeper/optuna.yaml: it takes plug-ins from this namespace alone."""

from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Jobs whose values Optuna draws. Imported at every start of the program, so that it imports nothing heavy."""

    def __init__(self, **_: Any) -> None:
        """Its keys are read from the config of the sweep, which may be an older one that is resumed."""
        self.config: DictConfig | None = None
        self.launcher: Launcher | None = None
        self.hydra_context: HydraContext | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """What Hydra calls before the sweep."""
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Make the trials that are left. Raises `UserError` without Optuna."""
        from uncial.config.instantiate import describe_install
        from uncial.errors import UserError

        try:
            from uncial.sweeps.optuna.search import Hydra, search
        except ModuleNotFoundError as error:
            if error.name != "optuna":
                raise
            raise UserError(f"hydra/sweeper=optuna needs Optuna; {describe_install('optuna')}") from None
        assert self.config is not None
        assert self.launcher is not None
        assert self.hydra_context is not None
        loader: ConfigLoader = self.hydra_context.config_loader
        search(self.config, Hydra(loader, self.launcher, self.validate_batch_is_legal), arguments)
