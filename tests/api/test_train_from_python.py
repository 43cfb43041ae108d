"""`uncial.train`: the training of the command line, without leaving a trace in the process."""

import json
import logging
import random
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf
from program import QUIET, ROOT, TINY, quoted, run_program

import uncial
from uncial.config.from_python import build_overrides
from uncial.models.files import read_weights

CONF = ROOT / "conf"


def config_of(folder: Path) -> dict:
    return OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))


def test_the_same_training_as_that_of_the_command(tiny, drawn, tmp_path):
    run = uncial.train(tiny(optimizer="adamw", trainer__patience=None))
    typed = ("data=page", f"data.root={quoted(drawn / 'page')}", *TINY, "trainer.max_steps=2", "trainer.validations=1")
    ended = run_program(tmp_path / "typed", *typed, "optimizer=adamw", "trainer.patience=null")
    assert ended.code == 0, ended
    ours, theirs = config_of(run.folder), config_of(ended.folder)
    assert ours.pop("paths") != theirs.pop("paths")
    assert ours == theirs
    weights, expected = (read_weights(folder / "best.safetensors") for folder in (run.folder, ended.folder))
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert run.scores == {"val": ended.metrics["val"]}
    assert {"cer", "cer_interval", "no_interval"} <= set(run.scores["val"])
    files = {path.name for path in ended.folder.iterdir()}
    assert {path.name for path in run.folder.iterdir()} == files
    keys = json.loads(ended.read("environment.json")).keys()
    told = json.loads((run.folder / "environment.json").read_text())
    assert told.keys() == keys
    assert told["command"].startswith("python run.py data=page")


def test_where_it_lies_and_what_it_holds(tiny, tmp_path):
    run = uncial.train(tiny(name="first try"))
    assert run.folder.parent == tmp_path / "outputs" / "first try"
    assert "step 2: val CER" in (run.folder / "log.txt").read_text()
    assert "first try" in repr(run)
    image = next(Path(run.folder).parents[2].rglob("*.png"))
    assert run.model is run.model
    texts = [line.text for line in run.model.transcribe([image])]
    for model in (run, run.folder, str(run.folder / "best.safetensors"), run.model):
        assert [line.text for line in uncial.transcribe([image], model)] == texts
    again = uncial.train(tiny(name="first try"))
    assert again.folder != run.folder


def test_what_it_left_is_repeated_and_resumed_by_the_command(tiny, tmp_path):
    run = uncial.train(tiny(trainer__max_steps=None, trainer__max_epochs=1))
    repeated = run_program(tmp_path / "again", "task=rerun", f"run={quoted(run.folder)}")
    assert repeated.code == 0, repeated
    assert "The same to the bit" in repeated.output
    longer = run_program(tmp_path / "longer", f"resume={quoted(run.folder)}", "trainer.max_epochs=2")
    assert longer.code == 0, longer
    more = uncial.train({"resume": run.folder, "trainer.max_epochs": 3})
    assert more.folder == run.folder
    assert config_of(run.folder)["trainer"]["max_epochs"] == 3
    with pytest.raises(uncial.UserError, match="would change the run"):
        uncial.train({"resume": run.folder, "optimizer.lr": 1.0})


MISTAKES = [
    {"trainer.max_step": 3},
    {"trainer.max_steps": "many"},
    {"trainer.max_steps": 0},
    {"checkpoint": "somewhere"},
    {"model": "crn"},
    {"data.root": "nowhere at all"},
    {"data.root": None},
    {"data": None},
    {"logger.wandb.notes": "https://me:hunter2@example.org"},
    {"trainer.time_budget": "soon"},
    {"optimizer.lr": "1e-3"},
    {"name": "../elsewhere"},
    {"resume": "no run"},
    {"experiment": "nothing"},
    {"trainer": "gpus"},
    {"model.head.hiden": 3},
    {"": 1},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_ends_in_the_sentence_of_the_command(mistake, tiny, drawn, tmp_path, capsys):
    with pytest.raises(uncial.UserError) as raised:
        uncial.train(tiny() | mistake)
    assert "\n" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__cause__ is None
    assert "Traceback" not in "".join(capsys.readouterr())
    if any(not key for key in mistake):
        return
    ended = run_program(tmp_path / "typed", *build_overrides(tiny() | mistake, CONF))
    assert ended.code == 1
    assert f"Error: {raised.value}" in ended.output.splitlines()


@pytest.mark.parametrize("other", ["test", "inspect"])
def test_other_tasks_and_sweeps_are_no_training(other, tiny):
    with pytest.raises(uncial.UserError, match=rf"task={other} is no training.*task=train, finetune, auto"):
        uncial.train(tiny(task=other))
    with pytest.raises(uncial.UserError, match="one run"):
        uncial.train(tiny(sweep="folds"))
    with pytest.raises(uncial.UserError, match="mapping"):
        uncial.train("data=page")


TYPED = [
    "data=page",
    *TINY,
    *QUIET,
    "trainer.max_steps=2",
    "trainer.validations=1",
    "optimizer=adamw",
    "model/head=conv",
]
TYPED = [line for line in TYPED if not line.startswith("model.head")]


@pytest.mark.parametrize("with_hydra", [False, True])
def test_a_config_that_hydra_composed(with_hydra, tiny, drawn, tmp_path):
    typed = [*TYPED, f"data.root={quoted(drawn / 'page')}", f"paths.store={quoted(tiny()['paths.store'])}"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        mine = GlobalHydra.instance().hydra
        config = compose("config", typed, return_hydra_config=with_hydra)
        config.optimizer.weight_decay = 0.03
        before = OmegaConf.to_container(config)
        run = uncial.train(config)
        assert GlobalHydra.instance().hydra is mine
        assert OmegaConf.to_container(config) == before
    assert not HydraConfig.initialized()
    ended = run_program(tmp_path / "typed", *typed, "optimizer.weight_decay=0.03")
    ours, theirs = config_of(run.folder), config_of(ended.folder)
    assert ours == theirs
    lines = OmegaConf.load(run.folder / "overrides.yaml")
    assert {"data=page", "optimizer=adamw", "model/head=conv", "optimizer.weight_decay=0.03"} <= set(lines)


def test_a_config_is_checked_like_what_is_typed(tiny):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for override, told in (
            ("+trainer.max_step=3", "there is no key trainer.max_step. Did you mean trainer.max_steps"),
            ("checkpoint=x", "task=train does not read checkpoint"),
            ("trainer.max_steps=many", "trainer.max_steps=many: a number is expected"),
            ("data.root=nowhere", "nowhere does not exist"),
        ):
            with pytest.raises(uncial.UserError, match=told):
                uncial.train(compose("config", ["data=page", "data.root=x", override]))


def test_keys_in_a_dictconfig_are_keys(tiny):
    keys = OmegaConf.create({"trainer.max_step": 3})
    assert isinstance(keys, DictConfig)
    with pytest.raises(uncial.UserError, match=r"Did you mean trainer\.max_steps"):
        uncial.train(keys)


def state() -> tuple:
    root = logging.getLogger()
    return (
        root.handlers[:],
        root.level,
        logging.getLogger("lightning.pytorch").level,
        warnings.filters[:],
        GlobalHydra.instance().hydra,
        HydraConfig.instance().cfg,
        VersionBase.instance().version_base,
        sys.argv,
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.random.get_rng_state().tolist(),
        torch.get_num_threads(),
    )


def test_the_process_is_as_before(tiny, tmp_path, caplog):
    before = state()
    file = logging.FileHandler(tmp_path / "mine.log")
    logging.getLogger().addHandler(file)
    try:
        uncial.train(tiny())
        with pytest.raises(uncial.UserError):
            uncial.train(tiny(data__root="nowhere"))
        with pytest.raises(RuntimeError, match="a fault"):
            uncial.train({**tiny(), "+callbacks.more.fail": {"_target_": "interrupting.Fail"}})
        uncial.train(tiny())
        logging.getLogger("mine").warning("a message of mine")
    finally:
        logging.getLogger().removeHandler(file)
    assert state() == before
    mine = (tmp_path / "mine.log").read_text()
    assert "a message of mine" in mine
    assert "validation lines" in mine, "a warning, which the process wants to hear"
    assert "val CER" not in mine, "a message that its level leaves out"


@pytest.fixture
def heeds_ctrl_c():
    """Ctrl-C as in a terminal: a shell starts what it runs in the background with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_leaves_a_state_to_resume_from(tiny):
    keys = {**tiny(trainer__max_steps=4, trainer__validations=2, name="stopped")}
    with pytest.raises(KeyboardInterrupt):
        uncial.train({**keys, "+callbacks.more.stop": {"_target_": "interrupting.Interrupt", "step": 3}})
    (folder,) = Path("outputs/stopped").iterdir()
    assert (folder / "last.ckpt").is_file()
    assert not (folder / "metrics.json").exists()
    assert "To resume" in (folder / "log.txt").read_text()
    run = uncial.train({"resume": folder, "trust": ["interrupting"]})
    assert run.folder == folder.absolute()
    whole = uncial.train(keys)
    weights, expected = (read_weights(one / "best.safetensors") for one in (folder, whole.folder))
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_one_training_at_a_time(tiny):
    with pytest.raises(uncial.UserError, match="already"):
        uncial.train({**tiny(), "+callbacks.more.within": {"_target_": "interrupting.TrainWithin"}})
    uncial.train(tiny())
