"""The file in a sweep's folder in which Optuna keeps its trials, and which job of the sweep each of them is."""

from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.trial import FrozenTrial, TrialState

from uncial.errors import UserError
from uncial.runs.files import RunFolder

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler


NAME = "search"

JOB = "job"
"""The attribute of a trial that says which job of the sweep it is. A job that is tried again is a trial of its own."""

SECONDS_TO_WAIT = 60
"""For another job that writes to the file."""


def format_storage_url(folder: Path) -> str:
    """Return what Optuna and its dashboard open."""
    return f"sqlite:///{RunFolder(folder).study}"


def open_storage(folder: Path) -> optuna.storages.RDBStorage:
    """Return the file of the sweep in this folder, made where there is none. Raises `UserError` where it cannot be
    used."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.storages.RDBStorage(
            format_storage_url(folder.absolute()), engine_kwargs={"connect_args": {"timeout": SECONDS_TO_WAIT}}
        )
    except Exception as error:  # SQLAlchemy's, Alembic's and Optuna's own, of a torn file or a full disk.
        reason = str(error).splitlines()[0]
        raise UserError(f"{RunFolder(folder).study} cannot be opened ({reason}): start a new search.") from error


def open_study(folder: Path, mode: str, sampler: "BaseSampler", pruner: "BasePruner") -> optuna.Study:
    """Return the study of the sweep in this folder, a new one where there is none. `mode` is min or max."""
    return optuna.create_study(
        storage=open_storage(folder),
        study_name=NAME,
        direction="maximize" if mode == "max" else "minimize",
        sampler=sampler,
        pruner=pruner,
        load_if_exists=True,
    )


def list_trials_by_job(study: optuna.Study) -> dict[int, FrozenTrial]:
    """Return the last trial of each job, in the order of the jobs."""
    found = {trial.user_attrs[JOB]: trial for trial in study.get_trials() if JOB in trial.user_attrs}
    return dict(sorted(found.items()))


def find_running_trial(folder: Path, job: int, pruner: "BasePruner") -> optuna.Trial | None:
    """Return the trial that this job of the sweep in `folder` makes; None where it makes none."""
    study = optuna.load_study(study_name=NAME, storage=open_storage(folder), pruner=pruner)
    trial = list_trials_by_job(study).get(job)
    if trial is None or trial.state != TrialState.RUNNING:
        return None
    return optuna.Trial(study, trial._trial_id)
