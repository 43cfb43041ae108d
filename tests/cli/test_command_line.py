"""What was mistyped ends in one sentence and exit code 1, before anything is read, drawn or imported."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from program import ROOT

from uncial.config.keys import list_known_keys
from uncial.config.overrides import format_hydra_value, format_override, quote_override
from uncial.config.schema import list_rules
from uncial.config.values import check_values
from uncial.errors import UserError

MISTYPED = [
    # Keys and groups.
    (["modl=crnn"], ["modl", "Did you mean model?"]),
    (["model/had=bilstm"], ["Did you mean model/head?"]),
    (["trainer.max_epoch=3"], ["Did you mean trainer.max_epochs?"]),
    (["lr=1e-3"], ["Did you mean optimizer.lr?"]),
    (["data.rot=x"], ["Did you mean data.root?"]),
    (["~trainer.max_epoch"], ["Did you mean trainer.max_epochs?"]),
    (
        ["data=page", "data.options.pages=3"],
        ["it belongs to data=synthetic or data=synthetic_pages, which is not chosen"],
    ),
    (["predict.input=x"], ["it belongs to task=predict"]),
    (["+trainer.max_step=3"], ["trainer.max_step.", "Did you mean trainer.max_steps?"]),
    (["++nothing.at.all=3"], ["there is no key nothing.at.all"]),
    (["+task.inputs=x"], ["there is no key task.inputs"]),
    (["epochs=3"], ["there is no key epochs: epochs is trainer.max_epochs"]),
    (["~trainer.max_epochs"], ["trainer.max_epochs is null already"]),
    # Choices.
    (["data=pge"], ["data=pge does not exist", "Did you mean page?", "alto", "loghi"]),
    (["data="], ["data= has no value", "alto"]),
    (["model=crn"], ["Did you mean crnn?", "kraken"]),
    (["model/head=bilstmm"], ["Did you mean bilstm?", "transformer"]),
    (["task=predikt"], ["Did you mean predict?"]),
    (["experiment=nothing"], ["experiment"]),
    (["sweep=nothing"], ["sweep"]),
    (["data=[page,alto]"], ["one data is chosen, not a list", "data=mixed"]),
    (["optimizer=[adam,sgd]"], ["one optimizer is chosen, not a list"]),
    (["model/head=[conv,none]"], ["one model/head is chosen"]),
    (["augmentation=[]"], ["one augmentation is chosen", "Choices: "]),
    (["~scheduler"], ["choose another by scheduler=NAME", "Choices: "]),
    (["+optimizer=sgd"], ["write optimizer=NAME, without the plus"]),
    (["data=page,"], ["Without the comma it is data=page"]),
    # Values of another kind.
    (["optimizer.lr=abc"], ["optimizer.lr=abc", "a number is expected"]),
    (["optimizer.lr=[1,2]"], ["optimizer.lr", "a number is expected"]),
    (["optimizer.lr=nan"], ["optimizer.lr=nan", "a number is expected"]),
    (["seed=abc"], ["seed=abc", "a number is expected"]),
    (["seed=1.5"], ["seed=1.5", "a whole number is expected"]),
    (["seed=null"], ["seed=null", "a number is expected"]),
    (["trainer.max_steps=many"], ["trainer.max_steps=many", "a number is expected, or null"]),
    (["trainer.workers=true"], ["trainer.workers", "a number is expected, or null"]),
    (["trainer.max_epochs=2.3"], ["trainer.max_epochs=2.3", "a whole number is expected, or null"]),
    (["trainer.validate_every_epochs=0"], ["trainer.validate_every_epochs=0", "above 0"]),
    (["data.strict=yes"], ["data.strict=yes", "true or false is expected"]),
    (["data.ratio=x"], ["data.ratio=x", "[0.8,0.1,0.1]"]),
    (["model.head.layers=two"], ["model.head.layers=two"]),
    (["data.options=3"], ["data.options"]),
    (["data=page", "data.root="], ["data.root= has no value"]),
    (["name=../elsewhere"], ["name=../elsewhere", "paths.outputs"]),
    (["name=a/../../b"], ["name=a/../../b"]),
    (["name=/a"], ["name=/a"]),
    (["name=null"], ["name= "]),
    (["data.root=${datta}"], ["${datta}", "does not exist"]),
    (["data.root=${oc.env:NO_SUCH_VARIABLE}"], ["NO_SUCH_VARIABLE"]),
    # Quoting.
    (["data.root=[a,b"], ["data.root=[a,b cannot be read", "brackets"]),
    (["data.root={a"], ["cannot be read", "brackets"]),
    (["data.root='abc"], ["not closed", "'data.root=\"abc\"'"]),
    (["data.root=a=b"], ["'data.root=\"a=b\"'"]),
    (["data.root=/données"], ["'data.root=\"/données\"'"]),
    (["data.root=~/pages"], ["'data.root=\"~/pages\"'"]),
    (["data=page", "data.root=a,b"], ["several values", "'data.root=\"a,b\"'"]),
    (["data.root=/my", "pages"], ["pages is no key=value", "'data.root=\"/my pages\"'"]),
    (["=3"], ["=3 is no key=value"]),
    (["optimizer.lr"], ["optimizer.lr is no key=value", "optimizer.lr=…"]),
    (["data=page", "data.root"], ["data.root is no key=value", "data.root=…"]),
    (["seed=2", "data", "=", "page"], ["no space stands beside the equals sign", "Write: data=page"]),
    (["data=page", "data.root", "=pages"], ["no space stands beside the equals sign", "Write: data.root=pages"]),
    (["data=page", "data.root=", "pages"], ["no space stands beside the equals sign", "Write: data.root=pages"]),
    (["data=page", "data.root=my", "pages.xml"], ["'data.root=\"my pages.xml\"'"]),
    (["optimizer.lr=0,001"], ["several values", "behind a point: optimizer.lr=0.001"]),
    # Words and options.
    (["help"], ["Did you mean --help?"]),
    (["train"], ["Did you mean task=train?"]),
    (["--halp"], ["--halp is no option", "Did you mean --help?"]),
    (["--model=crnn"], ["keys are written without --"]),
    (["model=crnn", "-m", "seed=1,2"], ["seed=1,2 stands behind an option"]),
    (["--cfg", "everything"], ["--cfg", "invalid choice"]),
    (["-m", "--cfg", "job", "seed=1,2"], ["--cfg shows the config of one run: leave out -m"]),
    (["--config-dir", "/does/not/exist"], ["/does/not/exist"]),
    (["--config-name", "nothing"], ["nothing"]),
]


@pytest.mark.parametrize(("arguments", "told"), MISTYPED, ids=lambda value: " ".join(value))
def test_a_mistake_ends_in_one_sentence(run, arguments, told):
    ended = run(*arguments)
    assert ended.code == 1, ended
    assert ended.output.startswith("Error: ")
    assert len(ended.output.splitlines()) == 1
    for words in told:
        assert words in ended.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["data=page"], "data.root"),
        (["data=page", "data.root=/does/not/exist"], "/does/not/exist does not exist"),
        (["data=mixed"], "data.sources has to be given"),
        (["data=mixed", "data.sources=3"], "data.sources"),
        (["data.ratio=[.8,.1]"], "data.ratio"),
        (["data.ratio=0.9"], "data.ratio=[0.9]: three shares"),
        (["data.seed=null"], "data.seed=null: a whole number is needed"),
        (["task=compile", "data.subset=tests"], "data.subset=tests: choose one of train, val, test, all"),
        (["task=test"], "checkpoint="),
        (["task=test", "checkpoint=nothing"], "checkpoint=nothing"),
        (["task=predict", "checkpoint=nothing"], "checkpoint=nothing"),
        (["task=inspect", "inspect.fail_on=nothing"], "fail_on"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_a_task_cannot_work_with_ends_in_one_sentence(run, arguments, told):
    ended = run(*arguments)
    assert ended.code == 1, ended
    assert ended.output.startswith("Error: ")
    assert len(ended.output.splitlines()) == 1
    assert told in ended.output


def test_a_run_folder_that_cannot_be_made_ends_in_one_sentence(run, tmp_path):
    (tmp_path / "file").touch()
    ended = run("task=inspect", f"hydra.run.dir={tmp_path / 'file' / 'run'}")
    assert ended.code == 1
    assert len(ended.output.splitlines()) == 1
    assert f"{tmp_path / 'file'}" in ended.output
    assert "paths.outputs" in ended.output


def test_hydras_full_error_shows_the_traceback(run, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(UserError, match="does not exist"):
        run("data=page", "data.root=/does/not/exist")


@pytest.mark.parametrize("fault", [KeyError("a fault"), OSError("a fault")], ids=["key", "system"])
def test_a_fault_of_the_program_is_not_taken_for_the_users(run, monkeypatch, fault):
    def broken(config):
        raise fault

    monkeypatch.setattr("uncial.tasks.inspect.run", broken)
    with pytest.raises(type(fault), match="a fault"):
        run("task=inspect")


def test_a_sweep_goes_on_after_a_job_that_failed(run, tmp_path, drawn):
    folder = tmp_path / "sweep"
    ended = run(
        "hydra.mode=MULTIRUN",
        "task=inspect",
        "data=page",
        f"data.root=/does/not/exist,{drawn / 'page'}",
        f"hydra.sweep.dir={folder}",
    )
    assert ended.code == 1
    assert "Traceback" not in ended.output
    assert "Error: data.root: /does/not/exist does not exist" in ended.output
    assert (folder / "1" / "findings.json").is_file()


def program(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_the_exit_code_and_the_sentence_reach_the_shell(tmp_path):
    ended = program("modl=crnn", cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: there is no key modl.")
    assert ended.stdout == ""
    assert not list(tmp_path.iterdir())


WITHOUT_TASK = [
    (["--help"], 0),
    (["--cfg", "job"], 0),
    (["optimizer.lrr=1"], 1),
    (["trainer.max_steps=0"], 1),
    (["task=inspect", "inspect.fail_on=nothing"], 1),
    (["task=inspect", "data.ratio=[1,1,1]"], 1),
    (["task=inspect", "data.lines=3", "data.share=1/4"], 1),
]


@pytest.mark.parametrize(("arguments", "code"), WITHOUT_TASK)
def test_composing_and_checking_need_nothing_heavy(tmp_path, arguments, code):
    heavy = "torch", "cv2", "lightning", "matplotlib", "albumentations", "pyarrow", "numpy", "PIL", "lxml"
    ended = program(*arguments, cwd=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert ended.returncode == code
    assert ended.stdout if code == 0 else "Error: " in ended.stderr
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if "import time:" in line}
    assert "hydra" in imported
    assert not imported.intersection(heavy)
    assert code or not list(tmp_path.iterdir())


def test_the_version_is_that_of_the_program(run):
    ended = run("--version")
    assert ended.code == 0
    assert re.match(r"Uncial \d+\.\d+", ended.output)


def test_help_names_every_group_and_task(tmp_path):
    told = program("--help", cwd=tmp_path).stdout
    for word in (
        "data: alto, ",
        "model: craft, crnn, ",
        "task: audit, auto, compare, compile, dryrun, ensemble, ",
        "model/head",
        "trainer",
        "data=page data.root=DIR",
    ):
        assert word in told


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip() == text))
def test_quoted_values_are_taken_as_they_stand(value):
    if value[0] in "'\"":
        return
    typed = shlex.split(quote_override(f"data.root={value}"))
    assert len(typed) == 1
    assert OverridesParser.create().parse_override(typed[0]).value() == value


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_commands_that_the_program_suggests_are_taken_as_they_stand(folder):
    path = f"/outputs/{folder}"
    [typed] = shlex.split(format_override("resume", path))
    assert OverridesParser.create().parse_override(typed).value() == path
    assert OverridesParser.create().parse_override(f"run=[{format_hydra_value(path)}]").value() == [path]


def test_the_keys_of_all_settings_exist():
    later = {"layout", "data.split_from", "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"}
    assert list_rules().keys() - later <= list_known_keys(ROOT / "conf").keys()


def test_every_default_is_of_its_own_kind():
    from hydra import compose, initialize_config_dir

    conf = ROOT / "conf"
    with initialize_config_dir(str(conf), version_base="1.3"):
        for task in ("train", "predict", "inspect"):
            for model in ("crnn", "crnn_resnet", "kraken"):
                check_values(compose("config", [f"task={task}", f"model={model}"]), conf)


OWN_FILES = [
    (
        "experiment=mine",
        "optimizer: {lr: 1e-3}",
        "sets experiment.optimizer.lr, which nothing reads.*@package _global_",
    ),
    ("experiment=mine", "# @package _global_\nname: [x", r"is no YAML: .*mine\.yaml\", line 2"),
    ("experiment=mine", "# @package _global_\nname: caf\xe9", r"mine\.yaml is not UTF-8; save"),
    ("experiment=other", "# @package _global_", "does not exist.* Choices: auto, .*bonnevie_finetune, .*, mine, "),
]


@pytest.mark.parametrize(("typed", "content", "message"), OWN_FILES)
def test_a_mistake_in_a_config_file_of_ones_own_is_said(run, tmp_path, typed, content, message):
    path = tmp_path / "own" / "experiment" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode("latin-1"))
    ended = run("--config-dir", str(tmp_path / "own"), typed, "trainer.max_steps=0")
    assert ended.code == 1
    assert re.search(message, ended.output), ended
    assert "Traceback" not in ended.output
