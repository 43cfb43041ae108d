"""What an earlier run has left in a folder and another one would replace."""

from pathlib import Path

from uncial.config.overrides import format_override
from uncial.config.saved_yaml import read_saved
from uncial.errors import UserError
from uncial.runs.files import RunFolder

RESULTS = (
    RunFolder.best_model,
    RunFolder.last_checkpoint,
    RunFolder.checkpoints,
    RunFolder.metrics,
    RunFolder.metrics_rows,
    RunFolder.predictions,
    RunFolder.scores,
    RunFolder.scores_table,
    RunFolder.comparison,
    RunFolder.rerun,
    RunFolder.forecast,
    RunFolder.audit,
)
"""Models, and what was found out about them. What is only looked at, as findings, may be made anew."""

READING = "predict"
"""The task that goes on with what it has read into the folder before."""


def is_same_folder(folder: Path, resumed: Path) -> bool:
    """Return whether `resume=` names the folder, by itself or by the checkpoint in it."""
    named = resumed.parent if resumed.name == RunFolder.last_checkpoint else resumed
    return folder.absolute().resolve() == named.absolute().resolve()


def check_no_results(folder: Path, task: str) -> None:
    """Raise `UserError` where the folder holds a model, scores or readings that a new run would replace."""
    found = next((name for name in RESULTS if (folder / name).exists()), None)
    if found is None or (task == READING and _task_of(folder) == READING):
        return
    raise UserError(
        f"{folder} holds a run already ({found}), which stays as it is: give the new one another hydra.run.dir, or go "
        f"on with the one that is there, {format_override('resume', folder)}."
    )


def _task_of(folder: Path) -> str:
    try:
        config = read_saved(RunFolder(folder).config)
        return str(config["task"]["name"])
    except (UserError, KeyError, TypeError):
        return ""
