"""What a run does before its task begins when it is a job of a sweep, or should have been one."""

import os
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.runs.outcome import is_finished, is_sweep, read_outcome


def should_run(config: DictConfig) -> bool:
    """Whether there is anything to do. In a sweep that is resumed, and in a job that a cluster starts again, finished
    jobs have nothing left, and started ones get their own folder as `config.resume`.

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


def _is_left(config: DictConfig, folder: Path) -> bool:
    was_ended_alone = read_outcome(folder) is None and RunFolder(folder).metrics.is_file()
    if is_finished(folder) or was_ended_alone:
        print(f"Job {folder.name} is finished.")  # Not to its log, which stays as it is.
        return False
    RunFolder(folder).outcome.unlink(missing_ok=True)
    is_started = RunFolder(folder).config.is_file() and not RunFolder(folder).metrics.is_file()
    config.resume = str(folder) if is_started else None
    return True


def _is_again() -> bool:
    """Whether a cluster has started the job before, and stopped it: its time was up, its node failed."""
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
    typed = {override.key_or_group for override in OverridesParser.create().parse_overrides(list(hydra.overrides.task))}
    swept = [str(key) for key in hydra.sweeper.get("params") or {}]
    if missing := [key for key in swept if key not in typed]:
        raise UserError(
            f"sweep={sweep} is for -m, which makes all of its runs: {format_command('-m …')}; to make one of them "
            f"alone give {' and '.join(missing)} too."
        )
