"""hydra/sweeper=wandb: any template as a sweep configuration of W&B."""

import pytest
import yaml
from program import ROOT, quoted, run_program

from uncial.errors import UserError
from uncial.sweeps.wandb_sweep import build_wandb_sweep

TEMPLATES = sorted((ROOT / "multirun_templates" / "sweep").glob("*.yaml"))
DISTRIBUTIONS = {"uniform", "log_uniform_values", "int_uniform"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_template_is_a_sweep_of_wandb(path):
    params = yaml.safe_load(path.read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
    params = {key: str(values).replace("${data.folds}", "5") for key, values in params.items()}
    found = build_wandb_sweep(params, ["data=page", "data.root='a, b'", f"sweep={path.stem}"], None)
    assert set(found["parameters"]) == set(params)
    for one in found["parameters"].values():
        assert len(one.get("values", ())) > 1 or (one["distribution"] in DISTRIBUTIONS and one["min"] < one["max"])
    assert found["method"] == ("bayes" if path.stem == "optuna" else "grid")
    assert found["command"][:3] == ["${env}", "${interpreter}", "${program}"]
    assert found["command"][3:] == [
        "data=page", "data.root='a, b'", f"sweep={path.stem}", "logger=wandb", "${args_no_hyphens}"
    ]  # fmt: skip


def test_hydras_words_are_those_of_wandb():
    params = {"a": "tag(log,interval(1e-4,1e-2))", "b": "int(interval(1,4))", "c": "int(tag(log,interval(16,512)))"}
    found = build_wandb_sweep(params, ["d=1e-3,null,x", "logger=[wandb,mlflow]"], "random")
    assert found["method"] == "random"
    assert found["parameters"]["a"] == {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2}
    assert found["parameters"]["b"] == {"distribution": "int_uniform", "min": 1, "max": 4}
    assert (found["parameters"]["c"]["values"][0], found["parameters"]["c"]["values"][-1]) == (16, 512)
    assert found["parameters"]["d"] == {"values": [0.001, "null", "x"]}
    assert "logger=wandb" not in found["command"]
    with pytest.raises(UserError, match="Nothing is varied"):
        build_wandb_sweep({}, ["data=page"], None)


def test_the_file_as_it_is_typed(tmp_path):
    folder = tmp_path / "sweep"
    typed = ("sweep=optuna", "hydra/sweeper=wandb", "hydra.sweeper.project=letters")
    ended = run_program(folder, "-m", *typed, f"hydra.sweep.dir={quoted(folder)}")
    assert ended.code == 0, ended
    assert "wandb sweep" in ended.output
    found = yaml.safe_load((folder / "wandb_sweep.yaml").read_text(encoding="utf-8"))
    assert (found["project"], found["program"]) == ("letters", "run.py")
    assert found["metric"] == {"name": "val/cer", "goal": "minimize"}
    assert found["parameters"]["optimizer.lr"]["distribution"] == "log_uniform_values"


def test_where_a_command_starts_the_program_the_agents_call_it(monkeypatch):
    monkeypatch.setenv("UNCIAL_COMMAND", "uncial")
    found = build_wandb_sweep({}, ["seed=1,2"], None)
    assert found["program"] == "uncial"
    assert found["command"][:2] == ["${env}", "${program}"]
