"""What happens around the runs that Hydra makes: a folder of its own for each, and an account of a sweep's jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from uncial.config.keys import check_value
from uncial.config.location import conf_folder, format_command
from uncial.config.overrides import format_override, hydra_quoted, override_key
from uncial.config.task_keys import check_swept_keys
from uncial.errors import FindingsError, HydraExit, PrunedError, UserError
from uncial.runs.found import planned_jobs
from uncial.runs.outcome import (
    FAILED,
    FINISHED,
    MULTIRUN,
    PRUNED,
    Outcome,
    failure,
    is_finished,
    is_sweep,
    outcomes,
    what_differs,
    write_outcome,
)
from uncial.sweeps.restored import check_restored
from uncial.sweeps.swept import sweep_overrides

LENGTH_OF_SEARCH = ("hydra.sweeper.n_trials", "hydra.sweeper.n_jobs")


class Sweeps(Callback):
    """Hydra turns an `Exception` that is raised here into a warning, so that a user's mistake leaves as `HydraExit`."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Two runs that begin in the same second get two folders."""
        if not _typed(config, "hydra.run.dir"):
            with _changeable(config):
                config.hydra.run.dir = str(unused(Path(config.hydra.run.dir)))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """All jobs write below one folder, whatever they are called; a sweep that is resumed has its old one."""
        resumed = OmegaConf.select(config, "resume")
        try:
            if resumed is not None and is_sweep(Path(str(resumed))):
                folder = Path(str(resumed))
                _restore(config, folder)
            else:
                _check_varied(config)
                folder = _new_folder(config)
        except UserError as error:
            raise HydraExit(error) from error
        with _changeable(config):
            config.hydra.sweep.dir = str(folder)
            others = [line for line in config.hydra.overrides.hydra if not line.startswith("hydra.sweep.dir=")]
            config.hydra.overrides.hydra = [*others, f"hydra.sweep.dir={hydra_quoted(folder)}"]
        print(f"Sweep in {folder}\nTo go on with it when it was stopped: {resume_command(folder)}", flush=True)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """A job that fails is told at once and does not end the sweep, whichever launcher runs it."""
        folder = Path(config.hydra.runtime.output_dir)
        if config.hydra.mode != RunMode.MULTIRUN or is_finished(folder):
            return
        overrides = tuple(line for line in config.hydra.overrides.task if override_key(line) != "resume")
        error = job_return._return_value
        if job_return.status != JobStatus.FAILED or isinstance(error, FindingsError):
            write_outcome(folder, Outcome(FINISHED, overrides))
            return
        if isinstance(error, PrunedError):
            write_outcome(folder, Outcome(PRUNED, overrides, str(error)))
            job_return.status, job_return.return_value = JobStatus.COMPLETED, None
            return
        # Only now: it imports this package.
        from uncial.config.messages import sentence

        is_fault = not isinstance(error, UserError | HydraException | OmegaConfBaseException)
        outcome = failure(error, sentence(error), overrides, is_fault)
        write_outcome(folder, outcome)
        print(f"Job {config.hydra.job.num} failed, the others go on. Error: {outcome.error}", flush=True)
        job_return.status, job_return.return_value = JobStatus.COMPLETED, None

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Says what to do next, or which jobs failed and why."""
        folder = Path(config.hydra.sweep.dir)
        if not_finished(folder):
            raise HydraExit(UserError(failures(folder)))
        if any(folder.rglob("metrics.json")):
            print(
                f"To compare the runs: {format_command('task=leaderboard', format_override('run', folder))}", flush=True
            )


def _check_varied(config: DictConfig) -> None:
    """Raises `UserError` for the first of several values that its key does not take: a job would only find it when
    those before it have ended."""
    sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    grammar = OverridesParser.create()
    given = sweep_overrides(sweeper["params"] or {}, config.hydra.overrides.task)
    check_swept_keys(config.task, [*given.varied.values(), *grammar.parse_overrides(list(given.fixed))], conf_folder())
    for key, override in given.varied.items():
        if override.is_choice_sweep():
            for value in override.sweep_string_iterator():
                check_value(key.lstrip("+"), grammar.parse_override(f"{key}={value}").value(), conf_folder())


def not_finished(folder: Path) -> dict[str, Outcome | None]:
    """The jobs of a sweep that are not finished, by the names of their folders: their outcome, if they have failed."""
    found = outcomes(folder)
    every = {**dict.fromkeys(planned_jobs(folder)), **found}
    return {name: outcome for name, outcome in every.items() if outcome is None or outcome.state == FAILED}


def failures(folder: Path) -> str:
    """The jobs of a sweep that failed or have not ended, with what is special to each, and their errors."""
    left = not_finished(folder)
    overrides = {**planned_jobs(folder), **{name: outcome.overrides for name, outcome in outcomes(folder).items()}}
    special = dict(zip(overrides, what_differs(overrides.values()), strict=True))
    failed = sum(outcome is not None for outcome in left.values())
    parts = [f"{failed} of the {len(overrides)} jobs failed"] if failed else []
    if failed < len(left):
        parts.append(f"{len(left) - failed}{'' if failed else f' of the {len(overrides)} jobs'} did not come to an end")
    pruned = sum(outcome.state == PRUNED for outcome in outcomes(folder).values())
    others = f"the others are finished, {pruned} of them early" if pruned else "the others are finished"
    lines = [f"{', '.join(parts)}, {others}."]
    for name, outcome in left.items():
        error = "not ended" if outcome is None else outcome.error
        lines.append(f"  {' '.join((name, *special[name]))}: {error}")
        if outcome is not None and outcome.traceback:
            lines.append(f"    its traceback is in {folder / name / 'outcome.json'}")
    again = "try them again" if failed == len(left) else "complete the sweep"
    return "\n".join([*lines, f"To {again}: {resume_command(folder)}"])


def resume_command(folder: Path) -> str:
    return format_command("-m", format_override("resume", folder))


def unused(folder: Path) -> Path:
    """The folder, made now; or where it is there already one with a number behind its name."""
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


def _new_folder(config: DictConfig) -> Path:
    folder = Path(config.hydra.sweep.dir)
    if not _typed(config, "hydra.sweep.dir"):
        return unused(folder)
    if is_sweep(folder):
        raise UserError(
            f"hydra.sweep.dir={folder} holds a sweep already: {resume_command(folder)} completes it; a new one needs "
            "another folder."
        )
    return folder


def _restore(config: DictConfig, folder: Path) -> None:
    """Makes of the config that of the sweep in `folder`, but for what was typed now of the machine and the launcher.
    Raises `UserError` for what would make other jobs of it."""
    # Only now: it imports torch.
    from uncial.runs.resumed_config import may_be_changed

    try:
        saved = OmegaConf.load(folder / MULTIRUN)
        assert isinstance(saved, DictConfig)
        plain: Any = OmegaConf.to_container(saved, resolve=False)
        check_restored(plain, OmegaConf.to_container(config, resolve=False), folder)  # type: ignore[arg-type]
        before = [line for line in saved.hydra.overrides.task if override_key(line) not in ("resume", "trust")]
        sweeper = OmegaConf.to_container(saved.hydra.sweeper, resolve=True)
        subdir = saved.hydra.sweep._get_node("subdir")._value()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{folder / MULTIRUN} cannot be read ({error}): the sweep has to be started anew.") from None
    typed = [line for line in config.hydra.overrides.task if override_key(line) != "resume" and line not in before]
    for line in typed:
        if not may_be_changed(override_key(line).replace("/", ".")):
            raise UserError(f"{line} would make other jobs of the sweep in {folder}: leave it out, or start a new one.")
    hydra_typed = list(config.hydra.overrides.hydra)
    launcher = (
        config.hydra.launcher if any("launcher" in override_key(line) for line in hydra_typed) else saved.hydra.launcher
    )
    further = [override_key(line) for line in _of_sweeper(hydra_typed, saved, folder)]
    changed = {key: OmegaConf.select(config, key) for key in further}
    with _changeable(config):
        for key in saved:
            if key not in ("hydra", "trust"):
                config[key] = saved[key]
        config.hydra.launcher, config.hydra.sweeper = launcher, sweeper
        for key, value in changed.items():
            OmegaConf.update(config, key, value)
        config.hydra.sweep.subdir = subdir
        config.hydra.overrides.hydra = _later_wins([*saved.hydra.overrides.hydra, *hydra_typed])
        config.hydra.overrides.task = [*_later_wins([*before, *typed]), f"resume={hydra_quoted(folder)}"]


def _of_sweeper(typed: list[str], saved: DictConfig, folder: Path) -> list[str]:
    """Of what was typed for Hydra now the lines that let a search go on further. Raises `UserError` for others of the
    sweeper, which would make another sweep of it."""
    before = saved.hydra.overrides.hydra
    lines = [line for line in typed if "sweeper" in override_key(line) and line not in before]
    for line in lines:
        if override_key(line) not in LENGTH_OF_SEARCH:
            raise UserError(f"{line} would make another search of that in {folder}: leave it out, or start a new one.")
    return lines


def _later_wins(lines: list[str]) -> list[str]:
    return list({override_key(line): line for line in lines}.values())


def _typed(config: DictConfig, key: str) -> bool:
    return any(override_key(line) == key for line in config.hydra.overrides.hydra)


@contextmanager
def _changeable(config: DictConfig) -> Iterator[None]:
    with read_write(config), open_dict(config), read_write(config.hydra), open_dict(config.hydra):
        yield
