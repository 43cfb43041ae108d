"""What conf/task states of the keys that a task reads is what it reads; a key that is typed for nothing ends a run."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from program import ROOT, TINY, run_program
from read_keys import ReadKeys

from uncial.config.keys import STATEMENTS, group_choices, iterate_leaves
from uncial.config.task_keys import FOR_EVERY_TASK, read_keys_of_task
from uncial.document import Transcription
from uncial.models.files import load_model
from uncial.problems.recognition import inference

CONF = ROOT / "conf"
STEPS = ("trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000")
LAYOUT = ("model.size=tiny", "trainer.max_steps=1", "trainer.validations=1", "trainer.crop=128", "model.overview=128")
CHECKS_FOR_ITSELF = {"rerun"}
"""Compares what is typed with the run that it repeats."""


@pytest.fixture(scope="module")
def read(drawn, tmp_path_factory) -> dict[str, set[str]]:
    """The keys that each task reads, in as many runs as bring out all of them."""
    root = tmp_path_factory.mktemp("read")
    data = ("data=page", f"data.root={drawn / 'page'}")
    one, other, tuned = root / "one", root / "other", root / "tuned"
    train = (*data, *STEPS)
    runs: list[tuple[str, Path, tuple[str, ...]]] = [
        ("train", one, (*train, *TINY, "trainer.patience=3")),
        ("train", other, (*train, f"pretrained={one}", "freeze=backbone", "freeze_for=2_steps", "data.share=1/2")),
        ("finetune", tuned, (*train, f"pretrained={one}", "trainer.patience=3")),
        ("auto", root / "auto", (*train, *TINY, "trainer.patience=3")),
        ("test", root / "test", (*data, f"checkpoint={one}")),
        ("train", root / "layout", ("model=layout", *data, *LAYOUT)),
        ("test", root / "layout test", (*data, f"checkpoint={root / 'layout'}")),
        ("predict", root / "found", (f"checkpoint={root / 'layout'}", f"predict.input={drawn / 'page'}/*.png")),
        ("compare", root / "models", (*data, f"checkpoint=[{one},{other}]")),
        ("compare", root / "texts", (f"compare.folders=[{drawn}/page,{tuned}/after]", f"compare.truth={drawn}/page")),
        ("ensemble", root / "ensemble", (*data, f"checkpoint=[{one},{other}]", "ensemble.method=average")),
        ("audit", root / "audit", (*data, f"checkpoint={other}", "data.lines=3")),
        ("forecast", root / "forecast", (f"forecast.runs=[{one},{other}]",)),
        ("inspect", root / "inspect", (*data, f"checkpoint={one}")),
        ("inspect", root / "inspect layout", ("model=layout", *data)),
        ("compile", root / "compile", (*data, "data.export=loghi")),
        ("export", root / "export", (f"checkpoint={one}",)),
        ("leaderboard", root / "leaderboard", (f"run=[{one},{other}]",)),
        ("predict", root / "predict", (f"checkpoint={one}", f"predict.input={drawn / 'page'}")),
    ]
    found: dict[str, set[str]] = {}
    for task, folder, typed in runs:
        with ReadKeys().recorded() as recorded:
            ended = run_program(folder, f"task={task}", *typed)
        assert ended.code == 0, ended
        found.setdefault(task, set()).update(recorded.keys)
    # It tells what a training would be, and makes none.
    found["dryrun"] = found["train"]
    return found


def keys_of_config(task: str) -> set[str]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [f"task={task}", "data=page", "data.root=pages"])
    plain = OmegaConf.to_container(config, resolve=False)
    found = {
        key for key, _ in iterate_leaves(plain) if not key.startswith(("hydra.", "task.")) and key not in STATEMENTS
    }
    return {key for key in found if not any(key == one or key.startswith(f"{one}.") for one in FOR_EVERY_TASK)}


@pytest.mark.parametrize("task", sorted({*group_choices(CONF, "task")} - CHECKS_FOR_ITSELF))
def test_a_task_states_just_the_keys_that_it_reads(task, read):
    stated = read_keys_of_task(task, CONF)
    keys = keys_of_config(task)
    says = {key for key in keys if stated.has(key)}
    reads = keys & read[task]
    assert {"read, not stated": reads - says, "stated, not read": says - reads} == {
        "read, not stated": set(),
        "stated, not read": set(),
    }


def test_a_task_that_states_nothing_checks_what_is_typed(trained, run):
    for task in CHECKS_FOR_ITSELF:
        ended = run(f"task={task}", f"run={trained.folder}", "optimizer.lr=0.5")
        assert ended.code == 1
        assert "optimizer.lr" in ended.output


FOR_NOTHING = [
    (["task=test", "model.head.hidden=8"], ["task=test does not read model.head.hidden", "as it was trained"]),
    (["task=test", "model.preprocessing.height=48"], ["model.preprocessing.height", "as it was trained"]),
    (["task=test", "model.text.unit=grapheme"], ["model.text.unit"]),
    (["task=test", "model=kraken"], ["task=test does not read model", "as it was trained"]),
    (["task=test", "model/head=conv"], ["model.head"]),
    (["task=test", "model.normalization=nfd"], ["test.profile=…"]),
    (["task=test", "optimizer=adamw"], ["task=test does not read optimizer", "train"]),
    (["task=test", "scheduler.warmup_steps=3"], ["scheduler.warmup_steps", "train"]),
    (["task=test", "augmentation=none"], ["augmentation"]),
    (["task=test", "trainer.max_epochs=3"], ["trainer.max_epochs"]),
    (["task=test", "trainer.batch_width=3"], ["trainer.evaluation_batch_width=…"]),
    (["task=test", "report={pictures: 3}", "model.text={unit: grapheme}"], ["model.text.unit"]),
    (["task=test", "pretrained=RUN"], ["checkpoint=…"]),
    (["task=test", "data.export=loghi"], ["data.export", "compile"]),
    (["task=test", "callbacks.ema=0.9"], ["callbacks.ema"]),
    (["task=test", "~scheduler.warmup_steps"], ["scheduler.warmup_steps"]),
    (["task=test", "+model.head.more=3"], ["model.head.more"]),
    (["task=compare", "model.text.unit=grapheme"], ["model.text.unit"]),
    (["task=compare", "metrics.review_cer=0.1"], ["metrics.review_cer"]),
    (["task=ensemble", "model.text.direction=R"], ["model.text.direction", "as it was trained"]),
    (["task=audit", "model.codec=x.json"], ["model.codec"]),
    (["task=audit", "trainer.accelerator=gpu"], ["trainer.accelerator"]),
    (["task=predict", "predict.input=x", "data=page", "data.root=x"], ["predict.input=… names what is read"]),
    (["task=predict", "predict.input=x", "logger=wandb"], ["logger"]),
    (["task=predict", "predict.input=x", "optimizer.lr=1"], ["optimizer.lr"]),
    (["task.reads=[data]"], ["task=train does not read task.reads"]),
    (["problem.reads=[data]"], ["task=train does not read problem.reads"]),
    (["checkpoint=RUN"], ["task=train does not read checkpoint", "pretrained=…"]),
    (["data.subset=val"], ["data.subset"]),
    (["data.export=loghi"], ["data.export", "compile"]),
    (["task=inspect", "callbacks.ema=0.9"], ["callbacks.ema"]),
    (["task=compile", "model.preprocessing.height=64"], ["model.preprocessing.height"]),
    (["task=compile", "trainer.max_epochs=2"], ["trainer.max_epochs"]),
    (["task=export", "data=page", "data.root=x"], ["task=export does not read data"]),
    (["task=forecast", "forecast.runs=x", "checkpoint=y"], ["forecast.runs=…"]),
    (["task=leaderboard", "run=x", "optimizer=sgd"], ["optimizer"]),
    (["task=dryrun", "checkpoint=RUN"], ["checkpoint"]),
    (["task=test", "resume=RUN"], ["resume", "train"]),
    (["-m", "task=test", "checkpoint=a,b", "model.head.hidden=8"], ["model.head.hidden"]),
    (["-m", "task=test", "optimizer.lr=1,2"], ["optimizer.lr"]),
    (["-m", "task=test,compare", "optimizer.lr=1"], ["task=test and task=compare do not read"]),
    (["-m", "task=compile", "sweep=lr"], ["optimizer.lr"]),
]


@pytest.mark.parametrize(("typed", "told"), FOR_NOTHING, ids=lambda value: " ".join(value))
def test_a_key_that_is_typed_for_nothing_ends_in_one_sentence(run, typed, told, tmp_path):
    ended = run(*typed)
    assert ended.code == 1, ended
    assert ended.output.startswith("Error: ")
    assert len(ended.output.splitlines()) == 1
    for words in told:
        assert words in ended.output
    assert not list((tmp_path / "run").glob("*"))


def test_a_sweep_over_tasks_takes_what_one_of_them_reads(run, drawn, tmp_path):
    data = ("data=page", f"data.root={drawn / 'page'}")
    folder = tmp_path / "sweep"
    ended = run(
        "-m", "task=inspect,compile", *data, "inspect.samples=1", "augmentation=none", f"hydra.sweep.dir={folder}"
    )
    assert ended.code == 1
    assert "inspect.samples" in ended.output  # which is a key of task=inspect alone, in Hydra's grammar
    ended = run("-m", "task=inspect,compile", *data, "augmentation=none", f"hydra.sweep.dir={folder}")
    assert ended.code == 0, ended


def test_an_experiment_may_hold_keys_of_several_tasks(run, drawn, trained, tmp_path):
    own = tmp_path / "own" / "experiment"
    own.mkdir(parents=True)
    data = f"defaults:\n  - override /data: page\ndata:\n  root: {drawn / 'page'}\n"
    (own / "mine.yaml").write_text(f"# @package _global_\n{data}optimizer:\n  lr: 1e-3\nnote: x\n", encoding="utf-8")
    ended = run(
        "--config-dir", str(own.parent), "experiment=mine", "task=test", f"checkpoint={trained.folder}", "note=y"
    )
    assert ended.code == 0, ended


def test_what_is_stated_of_keys_is_no_part_of_a_run(run, drawn):
    data = ("data=page", f"data.root={drawn / 'page'}")
    for task in ("compile", "auto"):
        ended = run(f"task={task}", *data, *((*STEPS, *TINY) if task == "auto" else ()), into=task)
        assert ended.code == 0, ended
        assert "\n  reads" not in ended.read("config.yaml")


def test_the_command_that_a_leaderboard_prints_names_no_key_that_the_task_does_not_read(run, drawn):
    data = ("data=page", f"data.root={drawn / 'page'}", "data.lines_seen=20", "data.ratio=[0.6,0.2,0.2]")
    trained = run(*data, *STEPS, *TINY, into="trained")
    assert trained.code == 0, trained
    board = run("task=leaderboard", f"run={trained.folder}", into="board")
    command = next(line for line in board.output.splitlines() if "task=test" in line)
    assert "data.lines_seen" not in command
    assert "data.ratio" in command


@pytest.mark.parametrize("task", ["test", "compare", "predict", "audit"])
def test_what_can_be_changed_after_training_counts(task, run, drawn, trained):
    data = ("data=page", f"data.root={drawn / 'page'}", "data.subset=all")
    typed = {
        "test": (*data, f"checkpoint={trained.folder}"),
        "compare": (*data, f"checkpoint=[{trained.folder},{trained.folder / 'last.ckpt'}]"),
        "predict": (f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}", "predict.format=jsonl"),
        "audit": (*data, "data.subset=val", f"checkpoint={trained.folder}"),
    }[task]
    table = {"test": "predictions.csv", "compare": "lines.jsonl", "predict": "results.jsonl", "audit": "audit.json"}
    plain = run(f"task={task}", *typed, into="plain")
    turned = run(f"task={task}", *typed, "model.text.direction=R", into="turned")
    padded = run(f"task={task}", *typed, "model.preprocessing.padding=40", into="padded")
    for ended in (plain, turned, padded):
        assert ended.code == 0, ended
    assert "direction is R here; the model was trained with auto" in turned.output
    assert "padding is (40, 40) here" in padded.output
    assert padded.read(table[task]) != plain.read(table[task])


def test_the_direction_that_is_typed_is_that_in_which_the_model_reads(trained, monkeypatch):
    monkeypatch.setattr(inference, "is_typed", lambda key: key == "model.text.direction")
    recognizer, _ = load_model(trained.folder)
    assert recognizer.text.to_logical(Transcription("ab.", 1.0)).text == "ab."
    rules = {"direction": "R", "mixed_direction": None}
    inference.apply_typed_keys([recognizer], OmegaConf.create({"model": {"text": rules, "preprocessing": {}}}))
    assert recognizer.text.to_logical(Transcription("ab.", 1.0)).text == ".ab"


def test_folders_are_compared_without_the_keys_of_models_which_is_said(run, drawn):
    folders = (f"compare.folders=[{drawn}/page,{drawn}/alto]", f"compare.truth={drawn}/page")
    ended = run("task=compare", *folders, "model.text.direction=R", "data.subset=val")
    assert "model.text.direction does nothing with compare.folders" in ended.output
    assert "data.subset does nothing with compare.folders" in ended.output


def test_a_value_that_cannot_be_is_refused_when_reading_too(run, drawn, trained):
    data = ("data=page", f"data.root={drawn / 'page'}")
    ended = run("task=test", *data, f"checkpoint={trained.folder}", "model.preprocessing.padding=-3")
    assert ended.code == 1
    assert "model.preprocessing.padding is -3" in ended.output


def test_predict_reads_on_the_device_that_is_named(run, drawn, trained):
    ended = run(
        "task=predict", f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}", "trainer.accelerator=cpus"
    )
    assert ended.code == 1
    assert "trainer.accelerator=cpus: choose one of" in ended.output
