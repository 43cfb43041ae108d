"""What makes a sweep with task=dryrun one that submits nothing."""

from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write


class DryRun(Callback):
    """Puts a launcher that only shows before the one that was chosen."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        with read_write(config.hydra), open_dict(config.hydra):
            chosen = config.hydra.launcher
            target = "hydra_plugins.uncial_dryrun.DryLauncher"
            config.hydra.launcher = {"_target_": target, "_recursive_": False, "chosen": chosen}
