"""A sweep's folder when the sweep is resumed: which jobs have not ended, and what the folder may bring back: nothing
that runs code which nobody trusts, and nothing of the environment."""

import re
import shlex
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from uncial.config.keys import raw_texts
from uncial.config.location import SEARCH_PATH, find_conf_folder, format_command
from uncial.config.overrides import format_override, get_override_key, quote_for_hydra
from uncial.config.saved_yaml import read_saved
from uncial.config.trust import check_saved_targets, find_own_targets, list_trusted_modules
from uncial.config.typed import lines_as_typed
from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.runs.outcome import FAILED, PRUNED, Outcome, find_differing_overrides, read_outcomes
from uncial.runs.search import read_planned_jobs, read_varied_keys
from uncial.sweeps.planning import BY_NUMBER
from uncial.termination import TERMINATED


def find_unfinished_jobs(folder: Path) -> dict[str, Outcome | None]:
    """Return the jobs of a sweep that are not finished, by the names of their folders: their outcome, if they have
    failed."""
    found = read_outcomes(folder)
    every = {**dict.fromkeys(read_planned_jobs(folder)), **found}
    return {name: outcome for name, outcome in every.items() if outcome is None or outcome.state == FAILED}


def describe_failures(folder: Path) -> str:
    """Return the jobs of a sweep that failed or have not ended, with what is special to each, and their errors."""
    left = find_unfinished_jobs(folder)
    overrides = {
        **read_planned_jobs(folder),
        **{name: outcome.overrides for name, outcome in read_outcomes(folder).items()},
    }
    special = dict(zip(overrides, find_differing_overrides(overrides.values()), strict=True))
    failed = sum(outcome is not None for outcome in left.values())
    parts = [f"{failed} of the {len(overrides)} jobs failed"] if failed else []
    if failed < len(left):
        parts.append(f"{len(left) - failed}{'' if failed else f' of the {len(overrides)} jobs'} did not finish")
    pruned = sum(outcome.state == PRUNED for outcome in read_outcomes(folder).values())
    others = f"the others are finished, {pruned} of them early" if pruned else "the others are finished"
    lines = [f"{', '.join(parts)}, {others}."]
    for name, outcome in left.items():
        error = "not ended" if outcome is None else outcome.error
        lines.append(f"  {' '.join((name, *special[name]))}: {error}")
        if outcome is not None and outcome.traceback:
            lines.append(f"    its traceback is in {RunFolder(folder / name).outcome}")
    again = "try them again" if failed == len(left) else "complete the sweep"
    return "\n".join([*lines, f"To {again}: {format_resume_command(folder)}"])


def format_resume_command(folder: Path, saved: Mapping[str, Any] | None = None) -> str:
    """Return the command that completes the sweep in `folder`; `saved` is its config as plain data, where no file holds
    it yet."""
    return format_command("-m", *format_resume_arguments(folder, saved))


def format_resume_arguments(folder: Path, saved: Mapping[str, Any] | None = None) -> list[str]:
    """Return what is typed to go on with a sweep: its folder, and what `check_restored` does not take from the file in
    it."""
    resume = format_override("resume", folder)
    try:
        plain: Any = read_saved(RunFolder(folder).multirun) if saved is None else saved
        lines = [*plain["hydra"]["overrides"]["task"], *plain["hydra"]["overrides"]["hydra"]]
        parts = _restored_parts(plain)
    except (UserError, KeyError, TypeError, AttributeError):
        return [resume]
    names = find_own_targets(parts)
    typed = [line for line in lines if get_override_key(line) not in NOT_TYPED_AGAIN]
    again = [line for line in typed if _has_to_be_typed(line, names, folder)]
    known = {*raw_texts(find_conf_folder()), *(line.partition("=")[2] for line in again)}
    if any(RESOLVER.search(text) and text not in known for _, text in _find_differing(parts, None)):
        again = typed  # One of the files that they choose holds it.
    trust = [line for line in lines if get_override_key(line) == "trust"] or (
        [f"trust=[{','.join(names)}]"] if names else []
    )
    return [resume, *map(shlex.quote, [*trust, *again])]


NOT_TYPED_AGAIN = ("resume", "trust", SEARCH_PATH, "hydra.mode", "hydra.sweep.dir")
"""What `format_command` adds anyway, and what is of the folder."""


def _has_to_be_typed(line: str, trust: Sequence[str], folder: Path) -> bool:
    """Return whether a line of a sweep's file is not taken from it."""
    try:
        check_lines([line], (), trust, folder)
    except UserError:
        return True
    return False


@contextmanager
def end_jobs_on_exit(end: Callable[[], None], sweep: Path) -> Iterator[None]:
    """Around waiting for jobs: whatever ends it early, Ctrl-C, SIGTERM or an error, calls `end`, which ends them too,
    and then says which are missing in the sweep's folder."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except BaseException:
        # A second Ctrl-C does not wait for them.
        with suppress(KeyboardInterrupt):
            end()
        print(describe_failures(sweep), flush=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


LENGTH_OF_SEARCH = ("hydra.sweeper.n_trials", "hydra.sweeper.n_jobs")


def restore_sweep(config: DictConfig, folder: Path) -> None:
    """Makes of the config that of the sweep in `folder`, but for what was typed now of the machine and the launcher.
    Raises `UserError` for what would make other jobs of it."""
    # Only now: it imports torch.
    from uncial.runs.resumed_config import can_be_changed

    try:
        saved = OmegaConf.load(RunFolder(folder).multirun)
        assert isinstance(saved, DictConfig)
        plain: Any = OmegaConf.to_container(saved, resolve=False)
        check_restored(plain, OmegaConf.to_container(config, resolve=False), folder)  # type: ignore[arg-type]
        lines = plain["hydra"]["overrides"]
        before = [line for line in lines["task"] if get_override_key(line) not in ("resume", "trust")]
        sweeper = OmegaConf.to_container(saved.hydra.sweeper, resolve=True)
        excluded = list(plain["hydra"]["job"]["config"]["override_dirname"]["exclude_keys"])
        subdir = str(saved.hydra.sweep._get_node("subdir")._value())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{RunFolder(folder).multirun} cannot be read ({error}): start a new sweep.") from None
    now = lines_as_typed(config.hydra.overrides.task)
    typed = [line for line in now if get_override_key(line) != "resume" and line not in before]
    varied = read_varied_keys(folder)
    for line in typed:
        name = get_override_key(line).replace("/", ".")
        if name in varied or not can_be_changed(name):
            raise UserError(f"{line} would change the sweep in {folder}: leave it out, or start a new one.")
    hydra_typed = lines_as_typed(config.hydra.overrides.hydra)
    launcher = (
        config.hydra.launcher
        if any("launcher" in get_override_key(line) for line in hydra_typed)
        else saved.hydra.launcher
    )
    further = [get_override_key(line) for line in _read_lines_of_sweeper(hydra_typed, lines["hydra"], folder)]
    hydra_lines = _keep_last([*lines["hydra"], *hydra_typed])
    if subdir != BY_NUMBER:
        known = {get_override_key(line) for line in lines["task"]}
        new = [get_override_key(line) for line in typed if get_override_key(line) not in known]
        excluded = list(dict.fromkeys([*excluded, "resume", *new]))
        hydra_lines = _keep_last([*hydra_lines, *_lines_of_folders(subdir, excluded)])
    changed = {key: OmegaConf.select(config, key) for key in further}
    with make_changeable(config):
        for key in saved:
            if key not in ("hydra", "trust"):
                config[key] = saved[key]
        config.hydra.launcher, config.hydra.sweeper = launcher, sweeper
        for key, value in changed.items():
            OmegaConf.update(config, key, value)
        config.hydra.sweep.subdir = subdir
        config.hydra.job.config.override_dirname.exclude_keys = excluded
        config.hydra.overrides.hydra = hydra_lines
        config.hydra.overrides.task = [*_keep_last([*before, *typed]), f"resume={quote_for_hydra(folder)}"]


def _lines_of_folders(subdir: str, excluded: Sequence[str]) -> list[str]:
    """Return the lines by which the jobs' folders are called as before, whatever is in a template meanwhile: `excluded`
    are the keys that are no part of `${hydra.job.override_dirname}`, `resume` and what of the machine is typed now."""
    keys = ",".join(map(quote_for_hydra, excluded))
    return [
        f"hydra.sweep.subdir={quote_for_hydra(subdir)}",
        f"{OF_DIRNAME}.exclude_keys=[{keys}]",
    ]


def _read_lines_of_sweeper(typed: list[str], before: Sequence[str], folder: Path) -> list[str]:
    """Of what was typed for Hydra now the lines that let a search go on further. Raises `UserError` for others of the
    sweeper, which would make another sweep of it."""
    lines = [line for line in typed if "sweeper" in get_override_key(line) and line not in before]
    for line in lines:
        if get_override_key(line) not in LENGTH_OF_SEARCH:
            raise UserError(f"{line} would change the search in {folder}: leave it out, or start a new one.")
    return lines


def _keep_last(lines: list[str]) -> list[str]:
    return list({get_override_key(line): line for line in lines}.values())


@contextmanager
def make_changeable(config: DictConfig) -> Iterator[None]:
    with read_write(config), open_dict(config), read_write(config.hydra), open_dict(config.hydra):
        yield


RESOLVER = re.compile(r"\$\{\s*[\w.]+\s*:")
"""The beginning of an interpolation that calls something: ${oc.env:NAME}."""

OF_DIRNAME = "hydra.job.config.override_dirname"
OF_HYDRA = (
    *("hydra.launcher", "hydra.sweeper", "hydra.sweep", "hydra.run", "hydra.verbose", "hydra.job.chdir"),
    OF_DIRNAME,
)
"""Keys of Hydra's that a sweep is typed with; others say what is logged by which class, and where configs are found."""


def check_restored(saved: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """Raise `UserError` for the first line or value of a sweep's file that would run code of others, or ask for the
    environment, and was not typed again.

    `saved` is what the file holds and `config` what was composed of what is typed now, both as plain types with their
    interpolations.
    """
    where = RunFolder(folder).multirun
    given = config.get("trust")
    own = {key: value for key, value in config.items() if key != "hydra"}
    trust = list_trusted_modules([*([given] if isinstance(given, str) else given or ()), *find_own_targets(own)])
    typed = {*config["hydra"]["overrides"]["task"], *config["hydra"]["overrides"]["hydra"]}
    hydra = saved["hydra"]
    params = [f"{key}={value}" for key, value in (hydra["sweeper"].get("params") or {}).items()]
    check_lines([*hydra["overrides"]["task"], *hydra["overrides"]["hydra"], *params], typed, trust, where)
    parts = _restored_parts(saved)
    check_saved_targets(parts, trust, where)
    for key, text in _find_differing(parts, config):
        if RESOLVER.search(text):
            raise UserError(f"{where}: {key} is {text}, which is not resolved unasked: type it again, or leave it out.")


def _restored_parts(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a sweep's config is that of the sweep that goes on."""
    kept = {key: value for key, value in saved.items() if key not in ("hydra", "task", "trust")}
    return {**kept, "hydra": {key: saved["hydra"][key] for key in ("launcher", "sweeper")}}


def check_lines(lines: Sequence[str], typed: Collection[str], trust: Sequence[str], where: Path) -> None:
    """Raise `UserError` for an override that was not typed now and names a class that is not trusted, calls a resolver,
    or is of Hydra's own keys that are none of a sweep."""
    grammar = OverridesParser.create()
    for line in lines:
        if line in typed:
            continue
        key = get_override_key(line)
        is_of_hydra = key.startswith("hydra.") and not any(key == one or key.startswith(f"{one}.") for one in OF_HYDRA)
        if is_of_hydra or RESOLVER.search(line):
            raise UserError(f"{where} holds {line}, which is not taken from a file: type it again, or remove it there.")
        if "_target_" not in line and "format" not in line:
            continue
        try:
            parsed = grammar.parse_override(line)
            values = list(parsed.sweep_string_iterator()) if parsed.is_choice_sweep() else [line.partition("=")[2]]
            plain = [grammar.parse_override(f"{key}={value}").value() for value in values]
        except HydraException as error:
            raise UserError(f"{where} holds {line}, which cannot be read: {str(error).splitlines()[0]}") from None
        place, _, name = key.rpartition(".")
        for value in plain:
            check_saved_targets({place: {name: value}}, trust, where)


def _find_differing(saved: Any, config: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of what was saved that stand in another way in the config of now, by their dotted keys."""
    if saved == config:
        return
    if isinstance(saved, Mapping):
        for name, value in saved.items():
            own = config.get(name) if isinstance(config, Mapping) else None
            yield from _find_differing(value, own, f"{key}.{name}".lstrip("."))
    elif isinstance(saved, list):
        for number, value in enumerate(saved):
            yield from _find_differing(value, None, f"{key}[{number}]")
    elif isinstance(saved, str):
        yield key, saved
