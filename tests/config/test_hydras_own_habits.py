"""What people who know Hydra type and write into their own files: folders of runs, the search path, mappings, chdir."""

from pathlib import Path

import pytest
import yaml
from clean_shell import Shell
from omegaconf import OmegaConf
from program import ROOT, quoted, run_program

import uncial
from uncial.config.arguments import format_arguments
from uncial.errors import UserError

CONF = ROOT / "conf"
STEP = "{_target_: torch.optim.lr_scheduler.StepLR, step_size: 3}"
SAME = {"_target_": "torch.optim.lr_scheduler.StepLR", "step_size": 3}


@pytest.fixture
def shell(tmp_path) -> Shell:
    """A clone with a folder of configs of the user's own, `own`."""
    shell = Shell(tmp_path / "clone")
    for group in ("experiment", "sweep"):
        (shell.folder / "own" / group).mkdir(parents=True)
    return shell


def write(path: Path, **content: object) -> None:
    path.write_text(f"# @package _global_\n{yaml.safe_dump(content)}", encoding="utf-8")


def configs(folder: Path) -> list[str]:
    return sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob("config.yaml"))


@pytest.mark.parametrize("group", ["experiment", "sweep"])
def test_the_folders_that_a_file_of_ones_own_names(shell, group):
    sweep = {"dir": "swept", "subdir": "lr_${optimizer.lr}"}
    write(shell.folder / "own" / "sweep" / "rates.yaml", hydra={"sweeper": {"params": {"optimizer.lr": "0.1,0.2"}}})
    content = {"sweep": sweep, "run": {"dir": "single/${optimizer.lr}"}}
    if group == "sweep":
        content["sweeper"] = {"params": {"optimizer.lr": "0.1,0.2"}}
    write(shell.folder / "own" / group / "mine.yaml", hydra=content)
    more = "" if group == "sweep" else "sweep=rates"
    shell.type(f"python run.py -m --config-dir own task=dryrun {group}=mine {more}")
    assert configs(shell.folder / "swept") == ["lr_0.1", "lr_0.2"]
    shell.type(f"python run.py --config-dir own task=dryrun {group}=mine optimizer.lr=0.5")
    assert configs(shell.folder / "single") == ["0.5"]
    # What is typed goes before it.
    shell.type(f"python run.py --config-dir own task=dryrun {group}=mine optimizer.lr=0.5 hydra.run.dir=other")
    assert configs(shell.folder / "other") == ["."]


def test_without_a_word_of_it_the_folders_are_those_of_conf(shell):
    shell.type("python run.py task=dryrun name=mine")
    shell.type("python run.py -m task=dryrun name=mine seed=1,2")
    found = [Path(one).parts for one in configs(shell.folder / "outputs" / "mine")]
    assert sorted(len(parts) for parts in found) == [1, 2, 2]


@pytest.mark.parametrize("typed", ["[own]", "['file://own']", "[]", "[pkg://hydra.conf, own]"])
def test_a_search_path_of_ones_own_keeps_the_templates(shell, typed):
    write(shell.folder / "own" / "experiment" / "mine.yaml", seed=7)
    more = "" if typed == "[]" else "experiment=mine "
    output = shell.type(f'python run.py --cfg job "hydra.searchpath={typed}" {more}sweep=seeds')
    assert ("seed: 7" in output) == bool(more)


@pytest.mark.parametrize("sign", ["", "+", "++"])
@pytest.mark.parametrize(("key", "package"), [("scheduler", "scheduler"), ("model/head", "model.head")])
def test_a_mapping_with_a_target_takes_the_place_of_a_group(shell, sign, key, package):
    keys = [key] if sign else [key, package]
    for one in dict.fromkeys(keys):
        shown = shell.type(f"python run.py --cfg job --package {package} '{sign}{one}={STEP}'")
        assert OmegaConf.to_container(OmegaConf.create(shown)) == SAME


def test_a_mapping_with_a_target_takes_the_place_of_a_callback_and_of_hydras_parts(shell):
    shown = shell.type(f"python run.py --cfg job --package callbacks.early_stopping 'callbacks.early_stopping={STEP}'")
    assert OmegaConf.to_container(OmegaConf.create(shown)) == SAME
    typed = "sweep=optuna 'hydra.sweeper.sampler={_target_: a.B}' 'hydra.sweeper.pruner={_target_: a.C}'"
    for part, target in (("sampler", "a.B"), ("pruner", "a.C")):
        shown = shell.type(f"python run.py --cfg hydra --package hydra.sweeper.{part} {typed}")
        assert OmegaConf.to_container(OmegaConf.create(shown)) == {"_target_": target}


def test_mappings_with_targets_are_the_jobs_of_a_sweep(shell):
    shell.type("python run.py -m task=dryrun 'scheduler={_target_: a.B},{_target_: a.C, k: 1}' hydra.sweep.dir=s")
    found = [yaml.safe_load((shell.folder / "s" / job / "config.yaml").read_text())["scheduler"] for job in "01"]
    assert found == [{"_target_": "a.B"}, {"_target_": "a.C", "k": 1}]


def test_a_mapping_without_a_target_sets_keys(shell):
    shown = shell.type("python run.py --cfg job --package model.text 'model.text={unit: grapheme}'")
    assert "unit: grapheme" in shown
    assert "direction:" in shown


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("data={a: 1}", r"data is chosen by a name\. Choices: alto.*data\.KEY=VALUE.*where it has a _target_"),
        ("scheduler=cosine,{_target_: a.B}", r"write each of them as a file of the group.*Choices: constant"),
    ],
)
def test_a_mapping_that_chooses_nothing_is_refused_with_the_reason(typed, told):
    with pytest.raises(UserError, match=told):
        format_arguments([typed], CONF)


def test_what_is_given_is_the_same_from_python(monkeypatch, tmp_path):
    found: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("uncial.api.check_arguments", lambda arguments, conf: found.append(arguments))
    with pytest.raises(UserError):
        uncial.train({"scheduler": SAME, "hydra.searchpath": ["own"], "hydra.job.chdir": True})
    (arguments,) = found
    assert arguments[:2] == ["~scheduler", "+scheduler={_target_:torch.optim.lr_scheduler.StepLR,step_size:3}"]
    assert arguments[2].startswith("hydra.searchpath=[own,")
    assert str(ROOT / "multirun_templates") in arguments[2]
    assert arguments[3] == "hydra.job.chdir=true"


@pytest.mark.parametrize("options", [(), ("-m",)])
def test_the_folder_from_which_paths_count_does_not_change(tmp_path, options):
    folder = tmp_path / "run"
    varied = ("seed=1,2", f"hydra.sweep.dir={quoted(folder)}") if options else ()
    ended = run_program(folder, *options, "task=dryrun", "hydra.job.chdir=true", *varied)
    assert ended.code == 1
    assert "count from the folder in which the command is typed" in ended.output
    assert len(ended.output.splitlines()) == 1
    assert not folder.exists()


def test_no_config_file_of_the_program_states_hydras_mode():
    """Of whether there are several runs the command line alone says it, as tests/helpers/program.py has it."""
    files = [*CONF.rglob("*.yaml"), *(ROOT / "multirun_templates").rglob("*.yaml")]
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    assert len(found) > 100
    assert [one for one in found if one and "mode" in (one.get("hydra") or {})] == []
