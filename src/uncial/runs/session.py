"""In which folder a training runs, with which config and from which state: a new run, or one that is resumed."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from omegaconf import DictConfig

from uncial.errors import UserError
from uncial.files import remove_unfinished
from uncial.runs.environment import FIRST_STEP, add_to_environment, logs_from_one
from uncial.runs.files import RunFolder
from uncial.runs.folder import check_encodable, move_log, run_folder, write_config
from uncial.runs.lock import hold_lock, is_locked
from uncial.runs.metrics_file import cut_rows
from uncial.runs.resumed_config import AUTO, is_same_run, load_resumed_config, read_overrides, write_resumed_config
from uncial.runs.state import SavedState, find_newest_state, restore_stashed

log = logging.getLogger(__name__)

IDENTITIES = (RunFolder.wandb_identity, RunFolder.mlflow_identity)
"""Which run of a dashboard the folder is."""
OLDER_UNFINISHED = re.compile(r"\.(?P<stem>.+)\.\d+(?P<suffix>\.\w+)")
"""What earlier versions called the files that they were writing: with the number of the process in it."""


@dataclass(frozen=True)
class RunSession:
    """`state` is None for a run that begins with its first step. `typed` is what was typed for it, in all sessions."""

    config: DictConfig
    folder: Path
    state: SavedState | None
    typed: tuple[str, ...]


@contextmanager
def open_session(typed: DictConfig, completed: Callable[[DictConfig], DictConfig]) -> Iterator[RunSession]:
    """The run that `typed.resume` names, else a new one, in its folder, which no other process uses meanwhile.

    `typed` is the config as it was composed; `completed` makes of it that of a new run. Raises `UserError` for a
    folder that holds no run or is in use, for a run that is finished, and for what was typed that would change the run.
    """
    check_encodable(typed, run_folder())
    new = completed(_drop_resume(typed)) if typed.resume in (None, AUTO) else None
    resumed = _find_folder_to_resume(typed, new)
    folder = run_folder() if resumed is None else resumed
    with hold_lock(folder):
        if resumed is None:
            assert new is not None
            config, state = new, None
            write_config(config, folder)
            _remove_states(folder)
        else:
            move_log(folder)
            state = find_newest_state(folder)
            config = load_resumed_config(folder, typed, state.state if state else None)
            write_resumed_config(config, folder)
            _tell(folder, state)
        _clear(folder, state)
        yield RunSession(config, folder, state, tuple(read_overrides(folder)))


def _find_folder_to_resume(config: DictConfig, new: DictConfig | None) -> Path | None:
    """None for a new run, whose config `new` is."""
    if config.resume is None:
        return None
    if new is not None:
        folder = _find_newest_unfinished(new)
        if folder is None:
            if RunFolder(run_folder()).metrics.is_file():
                raise UserError(
                    f"{run_folder()} holds a finished run, which stays as it is: give a new one another hydra.run.dir."
                )
            log.info(
                f"No unfinished run of {config.name} with this config in {config.paths.outputs}: starting a new one."
            )
        return folder
    folder = Path(str(config.resume))
    folder = folder.parent if folder.name == RunFolder.last_checkpoint else folder
    if not RunFolder(folder).config.is_file():
        what = f"holds no {RunFolder.config}, so it is no run's folder" if folder.is_dir() else "does not exist"
        raise UserError(
            f"resume={config.resume} {what}: give the folder of a run, or auto for the newest unfinished one."
        )
    return folder


def _find_newest_unfinished(config: DictConfig) -> Path | None:
    """Return the folder of the newest run of this name and config that is neither finished nor running now. The job's
    own folder comes first: a cluster that starts a job again gives it the same one."""
    own = run_folder()
    outputs = Path(str(config.paths.outputs)) / str(config.name)
    found = {path.parent for depth in ("*", "*/*") for path in outputs.glob(f"{depth}/{RunFolder.last_checkpoint}")}
    newest_first = sorted(found, key=lambda folder: RunFolder(folder).last_checkpoint.stat().st_mtime, reverse=True)
    for folder in (own, *newest_first):
        if RunFolder(folder).last_checkpoint.is_file() and is_same_run(folder, config) and not is_locked(folder):
            state = find_newest_state(folder)
            # One whose best model is still to be tested has no metrics.json.
            if state is not None and not (state.state.finished and RunFolder(folder).metrics.is_file()):
                return folder
    return None


def _is_written_here(path: Path) -> bool:
    return path.is_file() or path.suffix in (".ckpt", ".safetensors")


def _drop_resume(config: DictConfig) -> DictConfig:
    config = config.copy()
    config.resume = None
    return config


def _remove_states(folder: Path) -> None:
    """Those of an earlier run in a folder that was given to a new one, and what dashboards call that run: the new one
    would go on from them."""
    for path in [
        RunFolder(folder).last_checkpoint,
        RunFolder(folder).splits,
        *RunFolder(folder).checkpoints.glob("step_*.ckpt"),
        *(folder / name for name in IDENTITIES),
    ]:
        path.unlink(missing_ok=True)
    rmtree(RunFolder(folder).stash, ignore_errors=True)


def _tell(folder: Path, state: SavedState | None) -> None:
    if state is None:
        log.info(f"{folder} holds no checkpoint to resume from: starting from the first step.")
        return
    total = "" if state.state.total_steps is None else f" of {state.state.total_steps}"
    log.info(f"Resuming {folder} from step {state.state.steps}{total}.")


def _clear(folder: Path, state: SavedState | None) -> None:
    """Removes what is not part of the state: rows and events that the run will write again, and torn files."""
    for place in {folder, *(path.parent for path in folder.glob("*/.*"))}:
        remove_unfinished(place)
    for path in [*folder.glob(".*"), *folder.glob("*/.*")]:
        found = OLDER_UNFINISHED.fullmatch(path.name)
        # Not just any name with a number in it: the file that was to be replaced tells whose it is.
        replaced = found and path.with_name(found["stem"] + found["suffix"].removesuffix(".part"))
        if replaced and path.is_file() and _is_written_here(replaced):
            path.unlink()
    if state is not None:
        restore_stashed(folder)
    shift = 0 if logs_from_one(folder) else 1
    cut_rows(folder, state.state.rows if state else 0, shift)
    if RunFolder(folder).tensorboard.is_dir():
        # Only now: it takes a second to import.
        from uncial.runs.tensorboard_events import cut_events

        cut_events(folder, state.state.time if state else 0.0, shift)
    if shift:
        add_to_environment(folder, {FIRST_STEP: 1})
