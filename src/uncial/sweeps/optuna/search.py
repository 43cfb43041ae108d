"""hydra/sweeper=optuna: trials one after the other or side by side, each drawn from what the earlier ones came to."""

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from optuna.trial import TrialState

from uncial.config.instantiate import instantiate_part
from uncial.config.location import format_command
from uncial.config.overrides import format_override, format_repeat_command
from uncial.config.saved_yaml import load_literal_config
from uncial.errors import UserError
from uncial.reports.tables.leaderboard import format_value
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.outcome import FINISHED, PRUNED, build_failed_outcome, read_outcome, write_outcome
from uncial.runs.search import read_run
from uncial.runs.study import JOB, format_storage_url, list_trials_by_job, open_study
from uncial.sweeps.optuna.space import SearchSpace, search_space
from uncial.sweeps.restored import format_resume_arguments

SUBDIR = "${hydra.job.num}"
SEED_STRIDE = 1_000_003
"""Keeps the samplers of one search apart from those of another whose seed is the next number."""


@dataclass(frozen=True)
class Hydra:
    """What a sweeper has of Hydra; `validate` raises for overrides of which no config can be made."""

    loader: ConfigLoader
    launcher: Launcher
    validate: Callable[[Sequence[Sequence[str]]], None]


@dataclass(frozen=True)
class Goal:
    """A figure of metrics.json, and whether the least (min) is the best."""

    name: str
    mode: str


def search(config: DictConfig, hydra: Hydra, arguments: Sequence[str]) -> None:
    """Make the jobs that are left of `hydra.sweeper.n_trials`, and say which is the best.

    A search that was killed goes on: what had ended stays, started jobs are launched again in their folders, and those
    that failed are tried again, as trials of their own. Raises `UserError` for a config that is no use to a search.
    """
    folder, sweeper = Path(config.hydra.sweep.dir), config.hydra.sweeper
    goal = Goal(str(config.model.monitor), str(config.model.mode))
    if config.hydra.sweep._get_node("subdir")._value() != SUBDIR:
        raise UserError(f"hydra.sweep.subdir: the folders of a search are called by its jobs' numbers, {SUBDIR}.")
    space = search_space(sweeper.params or {}, arguments, hydra.loader)
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, RunFolder(folder).multirun)
    study = open_study(folder, goal.mode, build_sampler(config, 0), instantiate_part(config, "hydra.sweeper.pruner"))
    tell_results(study, folder, goal)
    for batch in make_batches(list_jobs_left(study, int(sweeper.n_trials)), count_jobs_at_once(config)):
        launch(hydra, folder, {job: space.overrides(choose_values(study, space, config, job)) for job in batch})
        tell_results(study, folder, goal)
    print("\n".join(report_trial(study, folder, goal, config.hydra.runtime.choices.get("sweep"))), flush=True)


def count_jobs_at_once(config: DictConfig) -> int:
    """`hydra.sweeper.n_jobs`, else as many as the launcher makes at once."""
    own, launcher = config.hydra.sweeper.n_jobs, OmegaConf.select(config, "hydra.launcher.n_jobs")
    wanted = int(own if own is not None else launcher if launcher is not None else 1)
    return wanted if wanted > 0 else os.cpu_count() or 1


def build_sampler(config: DictConfig, number: int) -> Any:
    """Return the sampler of one trial. Each has a seed of its own, so that a search that goes on draws what it would
    have drawn."""
    own: Any = OmegaConf.to_container(config.hydra.sweeper.sampler, resolve=True)
    if own.get("seed") is not None:
        own["seed"] = (int(own["seed"]) * SEED_STRIDE + number) % 2**32
    return instantiate_part(load_literal_config({"hydra": {"sweeper": {"sampler": own}}}), "hydra.sweeper.sampler")


def list_jobs_left(study: optuna.Study, n_trials: int) -> list[int]:
    """Return those that a killed search has left, those that failed, and new ones."""
    trials = list_trials_by_job(study)
    done = {job for job, trial in trials.items() if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)}
    return sorted({*range(n_trials), *trials} - done)


def make_batches(jobs: Sequence[int], most: int) -> Iterator[list[int]]:
    """At most so many at a time, whose numbers have no gap: a launcher is told the first."""
    batch: list[int] = []
    for job in jobs:
        if batch and (len(batch) == most or job != batch[-1] + 1):
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch


def choose_values(study: optuna.Study, space: SearchSpace, config: DictConfig, job: int) -> Mapping[str, Any]:
    """Return what a job tries: what it has tried already, or what the sampler draws. It is a running trial from now
    on."""
    trial = list_trials_by_job(study).get(job)
    if trial is None:
        study.sampler = build_sampler(config, job)
        asked = study.ask(dict(space.distributions))
        asked.set_user_attr(JOB, job)
        return asked.params
    if trial.state == TrialState.FAIL:
        again = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=trial.user_attrs,
        )
        study.add_trial(again)
    return trial.params


def launch(hydra: Hydra, folder: Path, jobs: Mapping[int, Sequence[str]]) -> None:
    """Run these jobs, given by their numbers with their overrides, side by side."""
    sound = [job for job, overrides in jobs.items() if is_sound(hydra, folder / str(job), overrides, job)]
    for part in make_batches(sound, len(jobs)):
        hydra.launcher.launch([jobs[job] for job in part], initial_job_idx=part[0])


def is_sound(hydra: Hydra, folder: Path, overrides: Sequence[str], job: int) -> bool:
    """Return whether a config can be made of the overrides. A job for which that is not so has failed, and takes no
    other down; unless it is the first, from which the others hardly differ."""
    try:
        hydra.validate([overrides])
    except (HydraException, OmegaConfBaseException) as error:
        if job == 0:
            raise
        # Only now: it imports this package.
        from uncial.config.messages import explain_error

        write_outcome(folder, build_failed_outcome(error, explain_error(error), overrides, is_fault=False))
        return False
    return True


def tell_results(study: optuna.Study, folder: Path, goal: Goal) -> None:
    """Tell the study of the jobs that have ended since. Raises `UserError` for one that leaves no score."""
    # Some of Optuna's samplers would stop it when they have nothing left to draw, which only its own loop takes.
    study.sampler = optuna.samplers.RandomSampler()
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if JOB not in trial.user_attrs:  # Killed in the moment between the two.
            study.tell(trial.number, state=TrialState.FAIL)
            continue
        own = folder / str(trial.user_attrs[JOB])
        outcome = read_outcome(own)
        if outcome is None:
            continue
        if outcome.state == PRUNED:
            study.tell(trial.number, state=TrialState.PRUNED)
        elif outcome.state != FINISHED:
            study.tell(trial.number, state=TrialState.FAIL)
        else:
            run = read_run(own)
            score = run.figure(goal.name)
            if score is None and goal.name.partition("/")[2] in run.metrics.get(goal.name.partition("/")[0], {}):
                study.tell(trial.number, state=TrialState.FAIL)  # It was NaN or Inf, which JSON has no number for.
                continue
            if not isinstance(score, int | float):
                raise UserError(
                    f"{own} has no {goal.name} in its metrics.json, and a search looks for the best: it is for "
                    "task=train and task=finetune."
                )
            study.tell(trial.number, float(score))


def report_trial(study: optuna.Study, folder: Path, goal: Goal, template: str | None) -> Iterator[str]:
    """Yield how the trials ended, the best of them with the command that repeats it, and how to go on; `template` is
    the `sweep` that was typed."""
    trials = list_trials_by_job(study)
    states = Counter(trial.state for trial in trials.values())
    words = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
    counts = ", ".join(f"{states[state]} {word}" for state, word in words.items() if states[state])
    yield f"{plural(len(trials), 'trial')}: {counts}."
    if states[TrialState.COMPLETE]:
        best = study.best_trial
        run = read_run(folder / str(best.user_attrs[JOB]))
        values = " ".join(f"{key}={value}" for key, value in best.params.items())
        yield f"The best is {run.folder}, {goal.name} {format_value(best.value, goal.name)}: {values}"
        yield f"The command that repeats it: {format_repeat_command(run.overrides)}"
    chosen = "hydra/sweeper=optuna" if template is None else format_override("sweep", template)
    resumed = [one for one in format_resume_arguments(folder) if not one.startswith(("sweep=", "hydra/sweeper="))]
    more = format_command("-m", chosen, *resumed, f"hydra.sweeper.n_trials={2 * len(trials)}")
    yield f"To make more trials: {more}"
    yield f"To look into the search: optuna-dashboard {shlex.quote(format_storage_url(folder))}"
