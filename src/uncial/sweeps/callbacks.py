"""What happens around the runs that Hydra makes: a folder of its own for each, and an account of a sweep's jobs."""

from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

from uncial.config.location import format_command
from uncial.config.overrides import format_override, get_override_key, quote_for_hydra
from uncial.config.typed import lines_as_typed
from uncial.errors import FindingsError, HydraExit, PrunedError, UserError
from uncial.runs.files import RunFolder
from uncial.runs.outcome import (
    FINISHED,
    PRUNED,
    Outcome,
    build_failed_outcome,
    is_finished,
    is_sweep,
    read_outcome,
    write_outcome,
)
from uncial.runs.results import check_no_results, is_same_folder
from uncial.runs.resumed_config import AUTO
from uncial.sweeps.launch import is_own_folder
from uncial.sweeps.planning import check_folder_is_of_all, find_common_name, is_chosen, plan_jobs, raw_value
from uncial.sweeps.restored import (
    describe_failures,
    find_unfinished_jobs,
    format_resume_command,
    make_changeable,
    restore_sweep,
)
from uncial.sweeps.varied import check_varied


class SweepCallback(Callback):
    """Hydra turns an `Exception` that is raised here into a warning, so that a user's mistake leaves as `HydraExit`."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Two runs that begin in the same second get two folders, and one that was given the folder of another run does
        not begin."""
        try:
            check_current_folder(config)
            if is_chosen(config, "hydra.run.dir"):
                check_unused(config, Path(config.hydra.run.dir))
                return
        except (UserError, OmegaConfBaseException) as error:
            raise HydraExit(error) from error
        with make_changeable(config):
            config.hydra.run.dir = str(make_unused_folder(Path(config.hydra.run.dir)))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """All jobs write below one folder, whatever they are called; a sweep that is resumed has its old one."""
        resumed = OmegaConf.select(config, "resume")
        try:
            if resumed is not None and is_sweep(Path(str(resumed))):
                folder = Path(str(resumed))
                restore_sweep(config, folder)
            else:
                check_current_folder(config)
                check_varied(config)
                folder = _make_folder(config)
            with make_changeable(config):
                config.hydra.sweep.dir = str(folder)
                others = [line for line in lines_as_typed(config.hydra.overrides.hydra) if not _is_of_folder(line)]
                config.hydra.overrides.hydra = [*others, f"hydra.sweep.dir={quote_for_hydra(folder)}"]
            plan_jobs(config, folder)
        except (UserError, HydraException, OmegaConfBaseException) as error:
            raise HydraExit(error) from error
        plain: Any = OmegaConf.to_container(config, resolve=False)
        print(f"Sweep in {folder}\nTo resume it: {format_resume_command(folder, plain)}", flush=True)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """A job that fails is told at once and does not end the sweep, whichever launcher runs it."""
        folder = Path(config.hydra.runtime.output_dir)
        if config.hydra.mode != RunMode.MULTIRUN or is_finished(folder) or _holds_another_job(config, folder):
            return  # What is there stays.
        overrides = tuple(
            line for line in lines_as_typed(config.hydra.overrides.task) if get_override_key(line) != "resume"
        )
        error = job_return._return_value
        if job_return.status != JobStatus.FAILED or isinstance(error, FindingsError):
            write_outcome(folder, Outcome(FINISHED, overrides))
            return
        if isinstance(error, PrunedError):
            write_outcome(folder, Outcome(PRUNED, overrides, str(error)))
            job_return.status, job_return.return_value = JobStatus.COMPLETED, None
            return
        # Only now: it imports this package.
        from uncial.config.messages import explain_error

        is_fault = not isinstance(error, UserError | HydraException | OmegaConfBaseException)
        outcome = build_failed_outcome(error, explain_error(error), overrides, is_fault)
        write_outcome(folder, outcome)
        print(f"Job {config.hydra.job.num} failed; continuing with the others. Error: {outcome.error}", flush=True)
        job_return.status, job_return.return_value = JobStatus.COMPLETED, None

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Says what to do next, or which jobs failed and why."""
        folder = Path(config.hydra.sweep.dir)
        if find_unfinished_jobs(folder):
            raise HydraExit(UserError(describe_failures(folder)))
        if any(folder.rglob(RunFolder.metrics)):
            print(
                f"To compare the runs: {format_command('task=leaderboard', format_override('run', folder))}", flush=True
            )


def make_unused_folder(folder: Path) -> Path:
    """Return the folder, made now; or where it is there already one with a number behind its name."""
    number, candidate = 1, folder
    while True:
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:
            number += 1
            candidate = folder.with_name(f"{folder.name}_{number}")
        except OSError:
            return folder  # Hydra fails with it in the same way, and that is told.
        else:
            return candidate


def _make_folder(config: DictConfig) -> Path:
    try:
        folder = Path(config.hydra.sweep.dir)
    except InterpolationKeyError:
        raise  # Which names a key that there is not.
    except OmegaConfBaseException:
        key = "hydra.sweep.dir" if is_chosen(config, "hydra.sweep.dir") else "name"
        raise UserError(
            f"{key}={raw_value(config, key)} cannot be resolved before there are jobs, and the folder of the sweep is "
            "called by it: what jobs differ in stands in hydra.sweep.subdir, the names of their own folders."
        ) from None
    check_folder_is_of_all(config)
    if not is_chosen(config, "hydra.sweep.dir"):
        name = None if is_chosen(config, "name") else find_common_name(config)
        return make_unused_folder(folder if name is None else _find_folder_called(config, name))
    if is_sweep(folder):
        raise UserError(
            f"hydra.sweep.dir={folder} holds a sweep already: {format_resume_command(folder)} completes it; a new one "
            "needs another folder."
        )
    return folder


def _find_folder_called(config: DictConfig, name: str) -> Path:
    """Return the folder that a sweep of this name has."""
    own = raw_value(config, "name")
    with make_changeable(config):
        config.name = name
        try:
            return Path(str(config.hydra.sweep.dir))
        finally:
            config.name = own


def _holds_another_job(config: DictConfig, folder: Path) -> bool:
    return read_outcome(folder) is not None and not is_own_folder(config.hydra, folder)


def _is_of_folder(line: str) -> bool:
    return get_override_key(line) == "hydra.sweep.dir"


def check_current_folder(config: DictConfig) -> None:
    """Raise `UserError` where a run would go on in its own folder: the paths of the config would count from there."""
    if config.hydra.job.chdir:
        raise UserError(
            "hydra.job.chdir=true would change from where the paths of the config count: they count from the folder in "
            "which the command is typed. Leave it out; what a run writes goes into its own folder anyway, "
            "${hydra:runtime.output_dir}."
        )


def check_unused(config: DictConfig, folder: Path) -> None:
    """Raise `UserError` where a new run would replace what an earlier one has left in its folder."""
    resumed = OmegaConf.select(config, "resume")
    if resumed == AUTO:
        return  # Which takes the run in the folder, or says itself that it cannot.
    if resumed is not None and is_same_folder(folder, Path(str(resumed))):
        return
    check_no_results(folder, str(OmegaConf.select(config, "task.name")))


class DryRunCallback(Callback):
    """Puts a launcher that only shows before the one that was chosen."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        with read_write(config.hydra), open_dict(config.hydra):
            chosen = config.hydra.launcher
            target = "hydra_plugins.uncial_dryrun.DryLauncher"
            config.hydra.launcher = {"_target_": target, "_recursive_": False, "chosen": chosen}
