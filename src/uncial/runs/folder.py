"""A run's folder, what it holds from its beginning on, and commands that go on from it."""

import logging
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, read_write

from uncial.config.keys import iterate_leaves
from uncial.config.location import current_start, find_conf_folder, format_command, read_start
from uncial.config.overrides import format_override, get_override_key
from uncial.config.saved_yaml import format_yaml_list, read_saved, resolve_literally
from uncial.config.schema import as_tuple
from uncial.config.task_keys import drop_unread
from uncial.config.typed import typed_lines
from uncial.errors import UserError
from uncial.files import remove_unfinished, replace_text_file
from uncial.formats.encoding import make_storable_name
from uncial.runs.environment import read_beginning, write_environment
from uncial.runs.files import RunFolder


def run_folder() -> Path:
    """Return where this run writes, made if it is not there."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Let `run_folder()` be another folder meanwhile: for a task within a run of another."""
    runtime: Any = HydraConfig.get().runtime
    before = runtime.output_dir
    with read_write(runtime):
        runtime.output_dir = str(folder.absolute())
    try:
        yield
    finally:
        with read_write(runtime):
            runtime.output_dir = before


def move_log(folder: Path) -> None:
    """Lets the messages go to the log.txt of the run that goes on, and removes the folder that Hydra has made for a new
    run."""
    made = Path(HydraConfig.get().runtime.output_dir)
    if made.resolve() == folder.resolve():
        return
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent == made.resolve():
            handler.close()
            with suppress(FileNotFoundError):
                Path(handler.baseFilename).unlink()
            handler.baseFilename = str((folder / Path(handler.baseFilename).name).resolve())
    with suppress(OSError):
        made.rmdir()
        made.parent.rmdir()


def write_config(config: DictConfig, folder: Path) -> None:
    """Leaves `config.yaml`, the composed config, `overrides.yaml`, what was typed, and `environment.json`: the
    command, the code, its packages and the machine. What a killed run was writing there goes."""
    remove_unfinished(folder)
    with replace_text_file(RunFolder(folder).config) as file:
        file.write(OmegaConf.to_yaml(config, resolve=True))
    with replace_text_file(RunFolder(folder).overrides) as file:
        # What was resumed is no part of what the run is.
        typed = [line for line in typed_lines() if get_override_key(line) != "resume"]
        file.write(format_yaml_list(typed))
    write_environment(folder, int(config.seed))


def check_encodable(config: DictConfig, folder: Path) -> None:
    """Raise `UserError` for a value, or the run's folder, that holds bytes of a file name which are no UTF-8: model
    files, and the config by which a run is resumed, cannot name it."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    values = [(key, item) for key, value in iterate_leaves(plain) for item in as_tuple(value)]
    for key, value in [*values, ("hydra.run.dir", str(folder))]:
        if (readable := make_storable_name(value)) != value:
            raise UserError(
                f"{key}={readable}: the name is not UTF-8, which a training has to write down; rename the folder, or "
                "give it another name with ln -s."
            )


def to_plain_config(config: Any) -> DictConfig:
    """Return a copy without references, for another process: there they would be resolved anew, as the time in a
    folder's name."""
    return resolve_literally(config)


ABOUT_DATA = re.compile(r"[+~]{0,2}(data[=./@]|experiment=|seed=|paths\.)")
"""What of a command says on which lines it works."""


def format_follow_up_command(folder: Path, typed: Sequence[str], *what: str) -> str:
    """Return the command that does `what`, arguments as they are typed, with the data of the run in `folder`, for which
    `typed` was typed: all of that which is about data, with the experiment, which may choose them. Where the run was
    made in another working folder the command changes to it first, so that paths in `what` have to be those of
    `path_for_commands`."""
    about_data = [argument for argument in typed if ABOUT_DATA.match(argument)]
    own: tuple[str, ...] = ()
    for task in [one.removeprefix("task=") for one in what if one.startswith("task=")]:
        about_data, own = drop_unread(about_data, task, find_conf_folder()), _format_other_folder(folder, task)
    return _format_as_begun(folder, *what, *map(shlex.quote, about_data), *own)


def format_repeating_command(folder: Path, overrides: Sequence[str]) -> str:
    """Return the command that makes the run in `folder` again, as `overrides` say."""
    return _format_as_begun(folder, *map(shlex.quote, overrides), *_format_other_folder(folder, "again"))


DATED = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d+)?")
"""The folder of a run, or of a sweep, that was not named."""


def _format_other_folder(folder: Path, what: str) -> tuple[str, ...]:
    """Return the argument that gives a command a folder of its own, where a file of the user's own, which the command
    reads too, has named that of the run in `folder`: it would be refused there. None elsewhere."""
    command = shlex.split(str(read_beginning(folder).get("command", "")))
    is_typed = any(get_override_key(word) in PLACES for word in command)
    place = folder.absolute()
    if not command or is_typed or any(DATED.fullmatch(name) for name in (place.name, place.parent.name)):
        return ()
    return (format_override("hydra.run.dir", place.with_name(f"{place.name}_{what}")),)


PLACES = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
"""Keys of the folders in which runs write."""


def format_resume_command(folder: Path, *more: str) -> str:
    """Return the command that goes on with the run in `folder`, of this process or of one that it has started; `more`
    are arguments as they are typed."""
    return format_command(format_override("resume", folder), *format_saved_trust(folder), *more)


def format_saved_trust(folder: Path) -> tuple[str, ...]:
    """Return the argument by which a command trusts what the run in `folder` does; none where it trusts nothing of
    others."""
    try:
        return format_trust_of([read_saved(RunFolder(folder).config)])
    except UserError:
        return ()


def format_trust_of(configs: Iterable[Any]) -> tuple[str, ...]:
    """Return the argument by which a command trusts what runs with these saved configs do, as it is typed at a
    shell."""
    given = [config.get("trust") for config in configs if isinstance(config, Mapping)]
    names = dict.fromkeys(str(name) for one in given for name in ([one] if isinstance(one, str) else one or ()))
    return (shlex.quote(f"trust=[{','.join(names)}]"),) if names else ()


def path_for_commands(path: Path, folder: Path) -> Path:
    """Return how a path is written in a command for the run in `folder`: absolute where its working folder is
    another."""
    return path if _working_folder(folder) is None else path.absolute()


def _format_as_begun(folder: Path, *arguments: str) -> str:
    """Return a command that begins as that of the run in `folder`."""
    command = shlex.split(str(read_beginning(folder).get("command", "")))
    if not command:
        return format_command(*arguments)
    start, elsewhere = read_start(command), _working_folder(folder)
    if elsewhere is None:
        return replace(start, program=current_start().program).format(*arguments)
    return f"cd {shlex.quote(str(elsewhere))} && {start.format(*arguments)}"


def _working_folder(folder: Path) -> Path | None:
    """Return where the run in `folder` was typed; None where that is here, or is not known, or not there any more."""
    known = read_beginning(folder).get("working_folder")
    found = None if known is None else Path(str(known))
    return found if found is not None and found.is_dir() and found.resolve() != Path.cwd().resolve() else None
