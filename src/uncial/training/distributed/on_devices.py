"""A part of a task on the devices that the config names: in this process, or in one for each of several devices."""

import logging
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log, setup_globals
from omegaconf import DictConfig, OmegaConf

from uncial.training.distributed.devices import Devices
from uncial.training.distributed.launch import launch_workers
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.trainer import quiet_lightning


def on_devices(devices: Devices, folder: Path, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls the function and returns what it returns, of several processes the first. That one alone writes messages,
    to the terminal and to the run's log.txt in `folder`; all may ask Hydra for its settings."""
    if devices.count == 1:
        return function(*arguments)
    hydra: Any = deepcopy(HydraConfig.instance().cfg)
    for handler in hydra.hydra.job_logging.get("handlers", {}).values():
        if "filename" in handler:
            OmegaConf.set_readonly(handler, False)
            handler.filename = str(folder / Path(handler.filename).name)  # Not that of the folder made for a new run.
    return launch_workers(devices.kind, devices.numbers, _part, hydra, function, arguments)


def _part(hydra: DictConfig, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    setup_globals()
    HydraConfig.instance().cfg = hydra  # type: ignore[assignment]
    if is_rank_zero():
        configure_log(hydra.hydra.job_logging, hydra.hydra.verbose)
    else:
        logging.disable(logging.CRITICAL)
    quiet_lightning()
    return function(*arguments)
