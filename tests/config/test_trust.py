"""Whose code runs: what the user types, and what a model's file or a run's folder names only where it is trusted."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import yaml
from program import TINY, Ended, quoted, run_program
from safetensors.torch import load_file, save_file

import uncial
from uncial.errors import UserError
from uncial.models.files import load_card
from uncial.runs.state import read_state

LAYERS = """
from torch import nn
from torch.nn import functional


class Strips(nn.Module):
    def __init__(self, in_channels, height, width=4, channels=8):
        super().__init__()
        self.width, self.out_channels, self.out_height, self.width_stride = width, channels, 1, width
        self.look = nn.Conv2d(in_channels, channels, (height, width), stride=width)

    def forward(self, images, widths):
        missing = -images.shape[3] % self.width
        return self.look(functional.pad(images, (0, missing))).relu(), (widths + self.width - 1) // self.width

    def frames(self, width):
        return -(-width // self.width)
"""
TRAP = """
from pathlib import Path

Path({mark!r}).touch()


def run(*_, **__):
    pass


class Thing:
    def __init__(self, *_, **__):
        pass
"""
SHORT = ("trainer.batch_width=500", "trainer.max_steps=4", "trainer.validations=2", "callbacks.samples=0")
OWN = (
    "model.backbone={_target_: shallow_layers.Strips, _partial_: true, channels: 8}",
    "model.head.hidden=8",
    "model.shortcut=0",
)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of Python modules that are no part of the project: layers, and one that leaves a mark when it is run."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "shallow_layers.py").write_text(LAYERS, encoding="utf-8")
    (folder / "trap.py").write_text(TRAP.format(mark=str(folder / "sprung")), encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    assert not (folder / "sprung").exists()
    assert "trap" not in sys.modules


@pytest.fixture(scope="module")
def pages(drawn: Path) -> tuple[str, ...]:
    return "data=page", f"data.root={drawn / 'page'}", "data.lines=12"


@pytest.fixture(scope="module")
def own(elsewhere: Path, pages: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a training with a backbone that is typed. Read only."""
    typed = ("~model.backbone", f"+{OWN[0]}", *OWN[1:])
    ended = run_program(tmp_path_factory.mktemp("own") / "run", *pages, *typed, *SHORT, *KEEPING)
    assert ended.code == 0, ended
    assert "trust=[shallow_layers.Strips]" in "".join(ended.output.split())  # in the commands to run next
    return ended.folder


@pytest.fixture(scope="module")
def plain(elsewhere: Path, pages: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a training of the shipped model. Read only."""
    ended = run_program(tmp_path_factory.mktemp("plain") / "run", *pages, *TINY, *SHORT, *KEEPING)
    assert ended.code == 0, ended
    return ended.folder


KEEPING = ("callbacks.checkpoints.every_steps=2", "callbacks.checkpoints.keep_last=2")


def unfinished(run: Path, copy: Path) -> Path:
    """A copy of a run as it stood before its last steps."""
    shutil.copytree(run, copy)
    (copy / "metrics.json").unlink()
    shutil.copy(min((copy / "checkpoints").glob("step_*.ckpt")), copy / "last.ckpt")
    return copy


def edited(folder: Path, change: Callable[[dict], object]) -> Path:
    """The folder, with another config.yaml."""
    path = folder / "config.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def recarded(model: Path, into: Path, change: Callable[[dict], object]) -> Path:
    """A copy of a model that says something else of itself."""
    card = load_card(model)
    change(card)
    into.parent.mkdir(parents=True, exist_ok=True)
    save_file(load_file(model / "best.safetensors"), into, metadata={"uncial": json.dumps(card)})
    return into


def last_line(ended: Ended) -> str:
    return ended.output.strip().splitlines()[-1]


def test_the_class_of_a_training_is_trusted_in_it_and_asked_for_afterwards(own, pages, run, drawn):
    commands = {
        "test": ("task=test", f"checkpoint={own}", *pages, "data.subset=val"),
        "predict": ("task=predict", f"checkpoint={own}", f"predict.input={drawn / 'page'}"),
        "inspect": ("task=inspect", f"checkpoint={own}", *pages),
        "export": ("task=export", f"checkpoint={own / 'last.ckpt'}"),
        "compare": ("task=compare", f"checkpoint=[{own},{own / 'last.ckpt'}]", *pages),
        "ensemble": ("task=ensemble", f"checkpoint=[{own},{own / 'last.ckpt'}]", *pages),
        "audit": ("task=audit", f"checkpoint={own}", *pages),
        "pretrained": ("task=train", f"pretrained={own}", *pages, *SHORT),
        "rerun": ("task=rerun", f"run={own}"),
    }
    for name, command in commands.items():
        ended = run(*command, into=name)
        assert ended.code == 1, (name, ended)
        assert "shallow_layers.Strips" in last_line(ended), name
        assert "trust=[shallow_layers]" in last_line(ended), name
        assert str(own) in last_line(ended), name
    for name in ("test", "export", "pretrained", "rerun"):
        ended = run(*commands[name], "trust=shallow_layers", into=f"{name} trusted")
        assert ended.code == 0, (name, ended)


def test_what_is_trusted_in_python_and_in_the_environment(own, monkeypatch):
    with pytest.raises(UserError, match=r"trust=\('shallow_layers',\)"):
        uncial.load(own)
    assert uncial.load(own, trust=("shallow_layers",)).recognizer is not None
    assert uncial.load(own, trust="shallow_layers.Strips").recognizer is not None
    monkeypatch.setenv("UNCIAL_TRUST", "others, shallow_layers")
    assert uncial.load(own).recognizer is not None
    with pytest.raises(UserError, match="name of a Python module"):
        uncial.load(own, trust=("*",))


def test_a_run_of_ones_own_class_goes_on_when_it_is_trusted_again(own, tmp_path):
    folder = unfinished(own, tmp_path / "run")
    edited(folder, lambda config: config.update(trust=["shallow_layers"]))
    refused = run_program(folder, f"resume={folder}")
    assert refused.code == 1
    assert "trust=[shallow_layers]" in last_line(refused)
    went_on = run_program(folder, f"resume={folder}", "trust=[shallow_layers]")
    assert went_on.code == 0, went_on
    assert (folder / "best.safetensors").read_bytes() == (own / "best.safetensors").read_bytes()


@pytest.mark.parametrize("states", [[], [{}], [{"state": {}, "param_groups": []}]])
def test_no_training_goes_on_without_the_state_of_its_optimizer(plain, tmp_path, states):
    folder = unfinished(plain, tmp_path / "run")
    checkpoint = torch.load(folder / "last.ckpt", weights_only=True)
    torch.save({**checkpoint, "optimizer_states": states}, folder / "damaged.ckpt")
    with pytest.raises(UserError, match=r"damaged\.ckpt"):
        read_state(folder / "damaged.ckpt")
    assert read_state(folder / "last.ckpt").state.steps == 2


CLASS = {"_target_": "trap.Thing"}


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("callbacks.more.x._target_", lambda config: config["callbacks"]["more"].update(x=CLASS)),
        ("optimizer._target_", lambda config: config["optimizer"].update(CLASS)),
        ("scheduler._target_", lambda config: config["scheduler"].update(_target_="trap.run")),
        ("logger.x._target_", lambda config: config["logger"].update(x=CLASS)),
        ("model.metric._target_", lambda config: config["model"]["metric"].update(CLASS)),
        ("optimizer._target_", lambda config: config["optimizer"].update(_target_="torch.optim.adam.torch.os.system")),
        ("optimizer._target_", lambda config: config["optimizer"].update(_target_="uncial.models.files.save_model")),
        ("augmentation.x[0]._target_", lambda config: config["augmentation"].update(x=[CLASS])),
    ],
)
def test_a_runs_folder_names_no_class_that_nobody_trusts(plain, tmp_path, key, change):
    folder = edited(unfinished(plain, tmp_path / "run"), change)
    ended = run_program(folder, f"resume={folder}")
    assert ended.code == 1, ended
    assert key in last_line(ended)
    assert "config.yaml" in last_line(ended)


def test_the_task_of_a_resumed_run_is_the_programs(plain, tmp_path):
    for name, code in (("train", 0), ("finetune", 1)):
        folder = unfinished(plain, tmp_path / name)
        edited(folder, lambda config, name=name: config["task"].update(name=name, _target_="trap.run"))
        ended = run_program(folder, f"resume={folder}")
        assert ended.code == code, ended
    # The program's own fine-tuning looks for the model that this run did not begin with.
    assert "None" in last_line(ended)


def test_nothing_of_the_environment_comes_out_of_a_models_file(plain, pages, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVE_PROBE", "value-of-the-environment")
    model = recarded(plain, tmp_path / "model.safetensors", ask_for_the_environment)
    ended = run_program(tmp_path / "run", f"pretrained={model}", *pages, *SHORT, "logger.tensorboard=true")
    assert ended.code == 0, ended
    files = [path for path in ended.folder.rglob("*") if path.is_file()]
    assert any("tfevents" in path.name for path in files)
    assert not [path for path in files if b"value-of-the-environment" in path.read_bytes()]
    assert yaml.safe_load(ended.read("config.yaml"))["model"]["name"] == "${oc.env:ARCHIVE_PROBE}"


def ask_for_the_environment(card: dict) -> None:
    card["model"]["name"] = card["note"] = "${oc.env:ARCHIVE_PROBE}"
    card["training"]["data"] = card["version"] = "${oc.env:ARCHIVE_PROBE}"


def test_nothing_is_resolved_of_what_a_runs_folder_says(plain, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVE_PROBE", "value-of-the-environment")
    folder = edited(
        unfinished(plain, tmp_path / "run"), lambda config: config.update(note="${oc.env:ARCHIVE_PROBE}", odd="${x")
    )
    (folder / "overrides.yaml").write_text("- data=page\n- '+note=${oc.env:ARCHIVE_PROBE}'\n", encoding="utf-8")
    ended = run_program(folder, f"resume={folder}")
    assert ended.code == 0, ended
    assert not [path for path in folder.rglob("*") if path.is_file() and b"value-of-the-env" in path.read_bytes()]
    assert yaml.safe_load(ended.read("config.yaml"))["odd"] == "${x"
    assert "value-of-the-environment" not in ended.output


def test_nothing_is_made_of_a_text_in_a_runs_folder(plain, tmp_path):
    text = "${oc.create:{_target_: trap.Thing}}"
    named = {"_target_": "lightning.pytorch.callbacks.LearningRateMonitor", "logging_interval": text}
    folder = edited(unfinished(plain, tmp_path / "run"), lambda config: config["callbacks"]["more"].update(x=named))
    ended = run_program(folder, f"resume={folder}")
    assert ended.code == 1, ended
    assert "callbacks.more.x" in last_line(ended)


def test_names_with_a_dollar_and_braces_are_kept(drawn, tmp_path):
    root = tmp_path / "box ${7} \\${x}"
    shutil.copytree(drawn / "page", root)
    typed = str(root).replace("\\${", "\\\\\\${").replace("box ${", "box \\${")
    ended = run_program(tmp_path / "run", "data=page", f"data.root={quoted(typed)}", *TINY, *SHORT, *KEEPING)
    assert ended.code == 0, ended
    assert yaml.safe_load(ended.read("config.yaml"))["data"]["root"] == str(root)
    folder = unfinished(ended.folder, tmp_path / "unfinished")
    went_on = run_program(folder, f"resume={folder}")
    assert went_on.code == 0, went_on
    assert yaml.safe_load(went_on.read("config.yaml"))["data"]["root"] == str(root)
    again = run_program(tmp_path / "again", "task=rerun", f"run={ended.folder}")
    assert again.code == 0, again


def test_a_model_is_scored_that_was_trained_in_a_folder_whose_name_begins_like_an_interpolation(drawn, tmp_path):
    root = tmp_path / "box ${7"
    shutil.copytree(drawn / "page", root)
    typed = ("data=page", f"data.root={quoted(str(root).replace('${', chr(92) + '${'))}", "data.lines=12")
    ended = run_program(tmp_path / "run", *typed, *TINY, *SHORT)
    assert ended.code == 0, ended
    for command in (("task=test", f"checkpoint={ended.folder}"), (f"pretrained={ended.folder}", *SHORT)):
        after = run_program(tmp_path / command[0].partition("=")[0], *command, *typed)
        assert after.code == 0, after


@pytest.mark.parametrize(
    "change",
    [
        {"format": "trap"},
        {"format": "trap.Thing"},
        {"sources": [{"format": "page"}, {"format": "trap.readers", "root": "x"}]},
        {"format": "mixed", "options": {"sources": [{"format": "page", "options": {"format": "trap.readers"}}]}},
    ],
)
def test_a_runs_folder_names_no_reader_of_data_that_nobody_trusts(plain, tmp_path, change):
    folder = edited(unfinished(plain, tmp_path / "run"), lambda config: config["data"].update(change))
    ended = run_program(folder, f"resume={folder}")
    assert ended.code == 1, ended
    if "." in str(change):
        assert "trust=[trap" in last_line(ended)
        assert "config.yaml" in last_line(ended)


@pytest.mark.parametrize(
    "line",
    [
        "+callbacks.more.x={_target_: trap.Thing}",
        "optimizer._target_=trap.Thing,torch.optim.SGD",
        "task._target_=trap.run",
        "name=${oc.env:HOME}",
        "data.format=trap.readers",
        "data.format=trap.readers,page",
        "+data.sources=[{format: trap.readers}]",
    ],
)
def test_a_sweeps_folder_names_no_class_that_nobody_trusts(pages, tmp_path, line):
    swept = ("-m", *pages, *TINY, "trainer.max_steps=1,2", "trainer.validations=1", f"hydra.sweep.dir={tmp_path / 's'}")
    ended = run_program(tmp_path / "made", *swept)
    assert ended.code == 0, ended
    path = tmp_path / "s" / "multirun.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["hydra"]["overrides"]["task"].append(line)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    again = run_program(tmp_path / "again", "-m", f"resume={tmp_path / 's'}")
    assert again.code == 1
    assert "multirun.yaml" in last_line(again)
