"""experiment=debug, overfit and profile: does it go together, can it learn, where does the time go."""

import re

import pytest
import yaml
from program import ROOT, TINY

from uncial.config.keys import group_choices


def test_debug_goes_the_whole_way_in_two_batches(run, drawn):
    ended = run("experiment=debug", "data=page", f"data.root={drawn / 'page'}", *TINY)
    assert ended.code == 0, ended
    rows = ended.read("metrics.csv").splitlines()
    assert ended.output.count("val CER") >= 1
    assert len([row for row in rows if "val" not in row]) >= 1
    assert re.search(r"2 steps", ended.output)
    assert {"best.safetensors", "report.html", "curves.png", "predictions.csv", "metrics.json"} <= {
        path.name for path in ended.folder.iterdir()
    }
    config = yaml.safe_load(ended.read("config.yaml"))
    assert (config["trainer"]["max_steps"], config["trainer"]["validations"]) == (2, 1)
    assert config["name"] == "debug-page"


@pytest.mark.slow
def test_overfit_reads_its_batch_to_the_last_character(run, drawn):
    """With the default model: a loss, a model or an alphabet that is wrong does not come so far."""
    ended = run("experiment=overfit", "data=page", f"data.root={drawn / 'page'}")
    assert ended.code == 0, ended
    assert ended.metrics["val"]["cer"] == 0
    assert ended.metrics["val"]["lines"] == 8
    assert ended.metrics["train"]["lines"] == 8
    assert ended.metrics["train"]["steps"] < 600, "it ends when all is read"
    rows = ended.read("predictions.csv").splitlines()
    assert len(rows) == 9
    again = run("task=rerun", f"run={ended.folder}", into="again")
    assert again.code == 0, again


def test_overfit_on_the_same_lines_in_one_batch(run, drawn):
    ended = run("experiment=overfit", "data=page", f"data.root={drawn / 'page'}", *TINY, "trainer.max_steps=3")
    assert ended.code == 0, ended
    assert re.search(r"8 train, 8 val", ended.output)
    assert ended.metrics["train"]["epochs"] == 3
    few = run("experiment=overfit", "data=page", f"data.root={drawn / 'page'}", "data.lines=99", into="few")
    assert few.code == 1
    assert "data.lines=99" in few.output
    wrong = run("data=page", f"data.root={drawn / 'page'}", "data.validate_on=test", into="wrong")
    assert wrong.code == 1
    assert "data.validate_on=test: choose one of val, train." in wrong.output


def test_profile_says_where_the_time_goes(run, drawn):
    steps = ("trainer.max_steps=12", "trainer.validations=1", "callbacks.more.profiler.operator_steps=2")
    ended = run("experiment=profile", "data=page", f"data.root={drawn / 'page'}", *TINY, *steps)
    assert ended.code == 0, ended
    table = ended.read("profile.txt")
    for part in ("loading", "forward", "backward", "optimizer", "validation", "other"):
        assert re.search(rf"^  {part} +\d+\.\d% +\d+\.\d ms/step", table, re.MULTILINE), table
        assert re.search(rf"^  {part} ", ended.output, re.MULTILINE)
    shares = [float(share) for share in re.findall(r"(\d+\.\d)%", table.split("Operators")[0])]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert "7 steps" in table, "three to begin with and two for the operators are left out"
    assert "aten::" in table
    assert str(ended.folder / "profile.txt") in ended.output
    resumed = run(f"resume={ended.folder}", into="resumed")
    assert "is finished" in resumed.output, "a class of this program is trusted"


def test_profile_of_a_training_that_is_too_short(run, drawn):
    ended = run("experiment=profile", "data=page", f"data.root={drawn / 'page'}", *TINY, "trainer.max_steps=2")
    assert ended.code == 0, ended
    assert "too few for a profile" in ended.output


def test_each_experiment_says_what_it_is_for():
    names = group_choices(ROOT / "conf", "experiment")
    assert names
    for name in names:
        text = (ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
        assert f"experiment={name}" in text
