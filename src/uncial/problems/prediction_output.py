"""Where the results of task=predict go: into the run's folder, or into that of the same command that was stopped."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from uncial.config.schema import as_tuple
from uncial.config.typed import is_typed
from uncial.errors import UserError
from uncial.pipelines.reading_journal import find_begun_reading
from uncial.runs.folder import move_log, run_folder

log = logging.getLogger(__name__)


def list_inputs(config: DictConfig) -> list[str]:
    """Return the places of `predict.input`, as a command is known by them that goes on with another."""
    return [str(Path(one).resolve()) for one in as_tuple(config.predict.input)]


def find_folder(config: DictConfig, name: str, about: Mapping[str, Any], inputs: Sequence[str]) -> Path:
    """Return the run's folder; where no output is named, that of a reading of the same that was stopped. `name` is what
    the output is called in it."""
    folder = run_folder()
    if config.predict.output:
        return folder
    begun = find_begun_reading(folder, name, about, inputs)
    if begun is None or begun == folder:
        return folder
    move_log(begun)
    log.info(f"Resuming the reading in {begun}, where it was stopped.")
    return begun


def find_target(config: DictConfig, name: str, folder: Path) -> Path:
    """Return the folder or file to write: `predict.output`, else `name` in the run's folder."""
    output = config.predict.output
    target = Path(str(output)).expanduser() if output else folder / name
    return target if target.name not in ("", "..") else target.resolve()


def say_anew(path: Path) -> None:
    """Say that what an earlier command has done is done again."""
    log.warning(f"{path} holds what another model, or the same one with other settings, has read: all is read anew.")


def refuse_typed(keys: Sequence[str], model: str) -> None:
    """Raise `UserError` where one of the keys was typed, which a model of this kind does not read."""
    if typed := [key for key in keys if is_typed(key)]:
        raise UserError(f"{', '.join(typed)}: checkpoint=… holds {model}, which reads no such key; leave it out.")
