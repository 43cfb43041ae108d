"""task=leaderboard: runs in the order of their score, seeds as one, and those without a score beside."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from program import run_program

from uncial.errors import UserError
from uncial.reports.html.leaderboard_page import make_parallel_coordinates, make_scatter
from uncial.runs.outcome import FAILED, Outcome, write_outcome
from uncial.runs.ranking import Score, rank
from uncial.runs.search import find_runs

CER = Score("val/cer", "min")


def make_run(folder: Path, cer: float | None, seed: int = 1, **settings: object) -> Path:
    """A run's folder as a training leaves it; without a score it was stopped."""
    folder.mkdir(parents=True)
    model = {"monitor": "val/cer", "mode": "min", "name": settings.get("model", "crnn")}
    config = {
        "task": {"name": "train"},
        "seed": seed,
        "model": model,
        "optimizer": {"lr": settings.get("lr", 0.002)},
        "trainer": {"workers": len(folder.name)},
        "data": {"options": {"seed": seed}},
    }
    typed = [f"{'optimizer.lr' if key == 'lr' else key}={value}" for key, value in settings.items()]
    (folder / "config.yaml").write_text(yaml.dump(config))
    (folder / "overrides.yaml").write_text(yaml.dump(["data=page", *typed, f"seed={seed}"]))
    if cer is not None:
        val = {"cer": cer, "wer": 2 * cer, "cer_interval": [cer / 2, 2 * cer], "lines": 10}
        (folder / "metrics.json").write_text(json.dumps({"val": val, "train": {"seconds": 120.0}}))
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two learning rates with three seeds each, of which one was stopped and one failed, and jobs that never began."""
    folder = tmp_path / "a sweep"
    for number, (lr, seed, cer) in enumerate([(0.1, 1, 0.30), (0.1, 2, 0.10), (0.1, 3, 0.20), (0.2, 1, 0.15)]):
        make_run(folder / str(number), cer, seed, lr=lr)
    make_run(folder / "4", None, 2, lr=0.2)
    write_outcome(folder / "5", Outcome(FAILED, ("optimizer.lr=0.2", "seed=3"), "the disk is full"))
    sweeper = {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper", "params": {"seed": "1,2,3"}}
    hydra = {
        "sweep": {"subdir": "${hydra.job.num}"},
        "sweeper": sweeper,
        "overrides": {"task": ["optimizer.lr=0.1,0.2,0.3", "resume=x"]},
    }
    (folder / "multirun.yaml").write_text(yaml.dump({"hydra": hydra}))
    return folder


def test_seeds_are_one_and_ranked_by_their_mean(sweep):
    ranking = rank(find_runs([sweep]), CER, ["seed"], ["trainer.workers"])
    assert ranking.columns == ("optimizer.lr",)
    assert [entry.settings for entry in ranking.entries] == [("0.2",), ("0.1",)]
    first, second = ranking.entries
    assert (first.score, second.score) == (pytest.approx(0.15), pytest.approx(0.2))
    assert second.scores == (0.10, 0.20, 0.30)
    assert second.runs[0].folder.name == "1"
    assert (first.minutes, second.minutes) == (2, 6)


def test_without_seeds_to_join_every_run_stands_alone(sweep):
    ranking = rank(find_runs([sweep]), CER, [], ["trainer.workers"])
    assert [entry.score for entry in ranking.entries] == [0.10, 0.15, 0.20, 0.30]
    assert ranking.columns == ("optimizer.lr", "seed")


def test_the_largest_is_the_best_where_the_score_says_so(sweep):
    ranking = rank(find_runs([sweep]), Score("val/wer", "max"), ["seed"], ["trainer.workers"])
    assert [entry.settings for entry in ranking.entries] == [("0.1",), ("0.2",)]


def test_what_has_no_score_is_listed_as_it_stands(sweep):
    others = rank(find_runs([sweep]), CER, ["seed"], []).others
    states = {run.folder.name: run.state for run in others}
    assert states == {"4": "stopped", "5": "failed", **dict.fromkeys(["6", "7", "8"], "not begun")}
    assert [run.error for run in others if run.error] == ["the disk is full"]
    assert others[-1].overrides == ("seed=3", "optimizer.lr=0.3")


def test_runs_that_differ_in_nothing_typed_are_told_apart_by_their_configs(tmp_path):
    for name, lr in (("a", 0.1), ("b", 0.2)):
        make_run(tmp_path / name, lr, lr=lr)
        (tmp_path / name / "overrides.yaml").write_text("- data=page\n")
    ranking = rank(find_runs([tmp_path / "a", tmp_path / "b", tmp_path]), CER, ["seed"], ["trainer.workers"])
    assert ranking.columns == ("optimizer.lr",)
    assert [entry.settings for entry in ranking.entries] == [("0.1",), ("0.2",)]


def test_the_better_is_drawn_higher_and_the_longer_further_right(sweep):
    ranking = rank(find_runs([sweep]), CER, ["seed"], ["trainer.workers"])
    first, second = make_scatter(ranking)
    assert first.best
    assert first.x < second.x
    assert first.y < second.y
    axes, courses = make_parallel_coordinates(ranking)
    assert [axis.name for axis in axes] == ["optimizer.lr", "val/cer"]
    assert [label for _, label in axes[0].ticks] == ["0.1", "0.2"]
    assert [course.best for course in courses] == [False, True]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_runs_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=name):
        find_runs([tmp_path / name])


def test_the_leaderboard_as_it_is_typed(sweep, tmp_path):
    ended = run_program(tmp_path / "run", "task=leaderboard", f"run='{sweep}'")
    assert ended.code == 0, ended
    assert "python run.py data=page optimizer.lr=0.2 seed=1" in ended.output
    assert "the disk is full" in ended.output
    assert "8.0 minutes" in ended.output
    assert f"'checkpoint=['\"'\"'{sweep}/3'\"'\"',[" in ended.output
    rows = list(csv.DictReader((tmp_path / "run" / "leaderboard.csv").read_text().splitlines()))
    assert [row["rank"] for row in rows] == ["1", "2", "2", "2", "", "", "", "", ""]
    assert [row["val/cer"] for row in rows[:4]] == ["0.15", "0.1", "0.2", "0.3"]
    assert rows[5]["error"] == "the disk is full"
    page = ended.read("leaderboard.html")
    assert page.count("<svg") == 2
    assert "the disk is full" in page
    assert "http" not in page.replace("http-equiv", "")
