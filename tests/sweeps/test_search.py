"""sweep=optuna: values drawn from a space, trials that end in each way, and a search that is killed and goes on."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import open_dict
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from program import ROOT, TINY, quoted, run_program

from uncial.errors import PrunedError, UserError
from uncial.reports.tables.leaderboard import make_leaderboard_table
from uncial.runs.outcome import FAILED, FINISHED, PRUNED, Outcome, read_outcomes, write_outcome
from uncial.runs.ranking import Score, rank
from uncial.runs.search import find_runs
from uncial.runs.study import NAME, list_trials_by_job, open_storage
from uncial.sweeps.optuna.search import Hydra, make_batches, search
from uncial.sweeps.optuna.space import search_space
from uncial.training.callbacks.early_stopping import Pruning


@pytest.mark.parametrize(
    ("written", "distribution"),
    [
        ("a,b", CategoricalDistribution(["a", "b"])),
        ("choice(1,b)", CategoricalDistribution(["1", "b"])),
        ("interval(0,1)", FloatDistribution(0, 1)),
        ("tag(log,interval(1e-4,1e-2))", FloatDistribution(1e-4, 1e-2, log=True)),
        ("int(tag(log,interval(16,512)))", IntDistribution(16, 512, log=True)),
        ("range(1,4)", IntDistribution(1, 3)),
        ("range(9,0,-3)", IntDistribution(3, 9, step=3)),
        ("range(0.0,0.6,0.2)", FloatDistribution(0, 0.4, step=0.2)),
    ],
)
def test_hydras_words_are_optunas_distributions(written, distribution):
    space = search_space({"b.key": written}, ["c=1"])
    assert space.distributions == {"b.key": distribution}
    assert space.fixed == ("c=1",)


def test_what_is_typed_adds_to_the_template_and_replaces_what_it_has():
    space = search_space({"lr": "interval(0,1)", "model": "choice(a,b)"}, ["lr=0.5", "+head=x,y", "data='a b'"])
    assert set(space.distributions) == {"model", "+head"}
    assert space.overrides({"model": "a", "+head": "y"}) == ["model=a", "+head=y", "lr=0.5", "data='a b'"]


@pytest.mark.parametrize(
    "typed",
    ["seed=1,2", "data.fold=range(0,5)", "a=1", "a=tag(log,interval(0,1))", "a=range(3,3)", "a=interval(2,1)", "a=i("],
)
def test_what_is_no_use_to_a_search_is_refused(typed):
    with pytest.raises(UserError):
        search_space({}, [typed])


def test_batches_have_no_gap():
    assert list(make_batches([1, 2, 3, 7, 8, 10], 2)) == [[1, 2], [3], [7, 8], [10]]


@dataclass
class Launched:
    """A launcher of jobs that end at once, as `how` says of their overrides; Ctrl-C ends job `killed_at`."""

    folder: Path
    how: Callable[[dict[str, str]], float | Outcome]
    killed_at: int = -1
    jobs: dict[int, dict[str, str]] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> None:
        self.batches.append(len(job_overrides))
        for number, overrides in enumerate(job_overrides, initial_job_idx):
            if number == self.killed_at:
                raise KeyboardInterrupt
            self.jobs[number] = dict(line.split("=", 1) for line in overrides)
            ended = self.how(self.jobs[number])
            if not isinstance(ended, Outcome):
                (self.folder / str(number)).mkdir(exist_ok=True)
                metrics = {"val": {"cer": ended}, "train": {}}
                (self.folder / str(number) / "metrics.json").write_text(json.dumps(metrics))
                ended = Outcome(FINISHED, tuple(overrides))
            write_outcome(self.folder / str(number), ended)


@pytest.fixture(scope="module")
def searched() -> Callable[..., Launched]:
    """A search with jobs that only seem to train."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("config", ["sweep=optuna"], return_hydra_config=True)

    def searched(folder: Path, how: Callable, n_trials: int, **more: int) -> Launched:
        own = config.copy()
        with open_dict(own.hydra):
            own.hydra.runtime.choices = {"sweep": "optuna"}
        own.hydra.sweep.dir, own.hydra.sweeper.n_trials = str(folder), n_trials
        own.hydra.sweeper.n_jobs = more.get("at_once")
        own.hydra.sweeper.sampler.n_startup_trials = 3
        launched = Launched(folder, how, more.get("killed_at", -1))
        loader = SimpleNamespace(get_group_options=lambda *_, **__: [])
        try:
            search(own, Hydra(loader, launched, lambda _: None), ["data=page"])
        except KeyboardInterrupt:
            assert launched.killed_at >= 0
        return launched

    return searched


def by_rate(overrides: dict[str, str]) -> float:
    return abs(float(overrides["optimizer.lr"]) - 0.002)


def test_a_search_that_is_killed_and_goes_on_tries_what_it_would_have_tried(searched, tmp_path):
    whole = searched(tmp_path / "whole", by_rate, 7)
    first = searched(tmp_path / "parts", by_rate, 7, killed_at=4)
    assert list(first.jobs) == [0, 1, 2, 3]
    second = searched(tmp_path / "parts", by_rate, 6)
    third = searched(tmp_path / "parts", by_rate, 7)
    assert first.jobs | second.jobs | third.jobs == whole.jobs
    assert [list(part.jobs) for part in (second, third)] == [[4, 5], [6]]
    assert len({tuple(job.values()) for job in whole.jobs.values()}) == 7


def test_trials_end_in_each_way_and_the_best_of_the_finished_is_told(searched, tmp_path, capsys):
    folder, ends = tmp_path / "é search", iter([0.3, Outcome(PRUNED, (), "worse"), Outcome(FAILED, (), "torn"), 0.2])
    launched = searched(folder, lambda _: next(ends), 4, at_once=2)
    assert launched.batches == [2, 2]
    told = capsys.readouterr().out
    assert "4 trials: 2 finished, 1 pruned, 1 failed." in told
    assert f"The best is {folder / '3'}, val/cer 20.00 %" in told
    assert "python run.py -m sweep=optuna 'resume=" in told
    failed = launched.jobs[2]
    again = searched(folder, lambda _: 0.1, 4)
    assert again.jobs == {2: failed}
    study = optuna.load_study(study_name=NAME, storage=open_storage(folder))
    assert study.best_trial.user_attrs == {"job": 2}
    assert [trial.state for trial in study.get_trials()].count(TrialState.FAIL) == 1
    ranking = rank(find_runs([folder]), Score("val/cer", "min"), ["seed"], [])
    assert [run.state for run in ranking.others] == [PRUNED]
    assert make_leaderboard_table(ranking, {})


def test_a_task_without_a_score_is_refused(searched, tmp_path):
    with pytest.raises(UserError, match="val/cer"):
        searched(tmp_path / "none", lambda _: Outcome(FINISHED, ()), 2)


def validated(pruning: Pruning, scores: Iterable[float]) -> SimpleNamespace:
    """A trainer that has had these validations."""
    strategy = SimpleNamespace(broadcast=lambda value: value)
    trainer = SimpleNamespace(sanity_checking=False, is_global_zero=True, should_stop=False, strategy=strategy)
    for score in scores:
        trainer.callback_metrics = {"val/cer": score}
        pruning.on_validation_end(trainer, None)
    return trainer


def test_a_training_ends_when_the_search_says_so_and_still_when_it_is_resumed():
    reported = []
    pruning = Pruning("val/cer", lambda number, score: bool(reported.append((number, score))) or score > 0.5)
    assert not validated(pruning, [0.5, 0.4]).should_stop
    pruning.end()
    resumed = Pruning("val/cer", pruning.report)
    resumed.load_state_dict(pruning.state_dict())
    assert validated(resumed, [0.6]).should_stop
    assert reported == [(0, 0.5), (1, 0.4), (2, 0.6)]
    with pytest.raises(PrunedError, match="60"):
        resumed.end()


def test_a_search_as_it_is_typed(drawn, tmp_path):
    """Three trials: one ends, one is pruned at its second validation, and one cannot begin."""
    folder = tmp_path / "a search"
    pruner = ("_target_=optuna.pruners.ThresholdPruner", "upper=0", "n_warmup_steps=1")
    hydra = (
        "hydra/sweeper/pruner=none",
        *(f"{'' if one.startswith('_') else '+'}hydra.sweeper.pruner.{one}" for one in pruner),
        "hydra.sweeper.sampler={_target_: optuna.samplers.BruteForceSampler, seed: 1}",
        "hydra.sweeper.n_trials=3",
        f"hydra.sweep.dir={quoted(folder)}",
    )
    small = (*TINY, "trainer.max_steps=3", "trainer.batch_width=400", "report.pictures=0", "callbacks.samples=0")
    fixed = (
        "optimizer.lr=1e-3",
        "optimizer.weight_decay=0",
        "scheduler=constant",
        "augmentation=none",
    )
    space = ("model.head.output_dropout=0", "trainer.validations=choice(1,3,-1)")
    typed = ("data=page", f"data.root={drawn / 'page'}", "sweep=optuna", *small, *fixed, *space, *hydra)
    ended = run_program(folder, "-m", *typed)
    states = {name: outcome.state for name, outcome in read_outcomes(folder).items()}
    assert sorted(states.values()) == [FAILED, FINISHED, PRUNED], ended
    assert ended.code == 1
    assert "1 of the 3 jobs failed, the others are finished, 1 of them early" in ended.output
    pruned, finished = (folder / next(n for n in states if states[n] == state) for state in (PRUNED, FINISHED))
    assert {"best.safetensors", "metrics.json", "report.html"} <= {path.name for path in pruned.iterdir()}
    assert "validation 2" in read_outcomes(folder)[pruned.name].error
    before = {path: path.stat().st_mtime_ns for path in pruned.iterdir()}

    moved = tmp_path / "moved"
    shutil.move(folder, moved)
    (moved / finished.name / "outcome.json").unlink()
    (moved / finished.name / "metrics.json").unlink()
    with sqlite3.connect(moved / "study.db") as database:
        database.execute("UPDATE trials SET state = 'RUNNING' WHERE state = 'COMPLETE'")
    resumed = run_program(moved, "-m", f"resume={quoted(moved)}")
    assert "from step 3 of 3" in resumed.output, resumed
    assert "3 trials: 1 finished, 1 pruned, 1 failed." in resumed.output
    assert {moved / path.relative_to(folder): time for path, time in before.items()} == {
        path: path.stat().st_mtime_ns for path in (moved / pruned.name).iterdir()
    }
    study = optuna.load_study(study_name=NAME, storage=open_storage(moved))
    assert len(list_trials_by_job(study)) == 3
    assert len(study.get_trials()) == 4


def test_without_optuna_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    for name in ("sweeps.optuna.search", "sweeps.optuna.space", "runs.study"):
        monkeypatch.delitem(sys.modules, f"uncial.{name}", raising=False)
    ended = run_program(tmp_path / "run", "-m", "sweep=optuna", f"hydra.sweep.dir={quoted(tmp_path / 'sweep')}")
    assert ended.code == 1
    assert ended.output.splitlines()[-1].startswith("Error: hydra/sweeper=optuna needs Optuna; install it:")
