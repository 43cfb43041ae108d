"""task=dryrun: what a command would do, without doing it."""

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from uncial.config.overrides import format_repeat_command, get_override_key
from uncial.config.typed import typed_lines
from uncial.reports.terminal.console import make_console, show
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config


def run(config: DictConfig) -> None:
    """Checks the config of a training, leaves it in the run's folder, and shows the command of the run."""
    folder = run_folder()
    write_config(config, folder)
    hydra = HydraConfig.get()
    typed = [line for line in typed_lines() if get_override_key(line) != "task"]
    which = f"Job {hydra.job.num}" if hydra.mode == RunMode.MULTIRUN else "It"
    show(make_console(), f"{which} would be: {format_repeat_command(typed)}", f"Its config: {RunFolder(folder).config}")
