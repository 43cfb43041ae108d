"""What messages tell a person to type exists: keys, choices, tasks and options, in the sources and in conf/task."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from program import ROOT

from uncial.config.keys import find_named_groups, group_choices, group_names, list_known_keys
from uncial.config.peers import describe_counterpart, find_choice_called, read_counterparts
from uncial.config.task_keys import read_keys_of_task

CONF = ROOT / "conf"
PAGE = ROOT / "docs" / "coming-from.md"
OTHERS = {"key", "format", "states", "user", "find_unused_parameters", "c"}
"""Words before an equals sign that are no keys: an example's, those of a scheduler's command and of PyTorch."""

OF_CHOSEN_PARTS = {"scheduler.t_in_epochs", "augmentation.levels"}
"""Keys that are there where a part is chosen that has them: timm's schedulers, a degradation."""


@cache
def messages() -> list[tuple[str, str]]:
    """(module, text) of every string of the sources that is no docstring, f-strings with … for their values."""
    return list(find_messages())


def find_messages() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                yield path.name, "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and id(node) not in inside | docstrings:
                yield path.name, str(node.value)
    for path in sorted((CONF / "task").glob("*.yaml")):
        stated = read_keys_of_task(path.stem, CONF)
        yield from ((path.name, text) for text in (stated.instead.values() if stated else ()))


def is_key(name: str) -> bool:
    groups = {*group_names(CONF), *find_named_groups(CONF)}
    is_group = name in groups or name.replace(".", "/") in groups
    return name in list_known_keys(CONF) or is_group or name.startswith("hydra.")


def test_every_key_that_a_message_names_exists():
    unknown = [
        (module, name)
        for module, text in messages()
        if "\n" not in text and " " in text
        for name in re.findall(r"(?<![\w./…'$-])((?:[a-z_]+[./])*[a-z_]+)=(?=\S)", text)
        if name not in OTHERS | OF_CHOSEN_PARTS and not is_key(name)
    ]
    assert unknown == []


def test_every_dotted_key_that_a_message_names_exists():
    groups = {name.partition("/")[0] for name in group_names(CONF)} - {"hydra"}
    named = re.compile(rf"(?<![\w./\"…-])((?:{'|'.join(sorted(groups))})(?:\.[a-z_]+)+)(?![\w(/…])")
    files = re.compile(r"\.(csv|json|jsonl|yaml|html|png|py|md|txt|ckpt|safetensors)$")
    unknown = [
        (module, name)
        for module, text in messages()
        if " " in text
        for name in named.findall(text)
        if name not in OF_CHOSEN_PARTS and not is_key(name) and not files.search(name)
    ]
    assert unknown == []


def test_every_choice_that_a_message_names_exists():
    named = [
        (module, group, name)
        for module, text in messages()
        if " " in text
        for group, name in re.findall(r"(?<![\w./…'])((?:[a-z_]+/)?[a-z]+)=([a-z_]+)(?![\w.…])", text)
        if group in group_names(CONF) and group != "sweep"
    ]
    assert {"data", "task", "experiment"} <= {group for _, group, _ in named}
    assert [one for one in named if one[2] not in group_choices(CONF, one[1])] == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["data=page", "data.root=a,b"], "'data.root=[a,b]'"),
        (["data=page", "data.root=a b,c"], "'data.root=['\"'\"'a b'\"'\"',c]'"),
        (["data=page", "data.root=x", "data.exclude=*.a,*.b"], "data.exclude=["),
        (["task=compare", "checkpoint=A,B"], "'checkpoint=[A,B]'"),
        (["task=leaderboard", "run=A,B"], "'run=[A,B]'"),
        (["task=predict", "predict.input=a,b"], "'predict.input=[a,b]'"),
        (["data.ratio=0.9,0.1,0"], "'data.ratio=[0.9,0.1,0]'"),
        (["logger=wandb,mlflow"], "logger=[wandb,mlflow]"),
        (["model=crnn,kraken"], "-m before the keys makes a run of each"),
        (["seed=1,2"], "-m before the keys makes a run of each"),
        (["optimizer.lr=0,001"], "optimizer.lr=0.001"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_several_values_are_told_how_they_are_typed(run, typed, told):
    ended = run(*typed)
    assert ended.code == 1
    assert told in ended.output


BY_HABIT = [
    (["--partition", "0.9"], ["data.ratio=[0.9,0.1,0]", "ketos train"]),
    (["-p", "0.9"], ["data.ratio=[0.9,0.1,0]"]),
    (["-f", "alto"], ["data=xml", "data=alto"]),
    (["-i", "model.mlmodel"], ["pretrained=RUN"]),
    (["-i", "model.mlmodel", "--pad", "16"], ["--pad", "padding=16"]),
    (["-o", "out"], ["paths.outputs=DIR"]),
    (["-r", "0.001"], ["optimizer.lr"]),
    (["-m", "0.9"], ["optimizer.momentum=0.9"]),
    (["-c", "codec.json"], ["model.codec=codec.json"]),
    (["--device", "cuda:0"], ["trainer.accelerator=gpu"]),
    (["--batch_size", "4"], ["trainer.batch_width", "Loghi's scripts"]),
    (["--batch-size=4"], ["trainer.batch_width"]),
    (["--aug_multiply", "2"], ["trainer.max_epochs"]),
    (["--crnn.rnn_units", "256"], ["model.head.hidden=256"]),
    (["--no-segmentation"], ["predict.format=tsv"]),
    (["--random-split", "0.8", "0.1", "0.1"], ["data.ratio"]),
    (["--deterministic"], ["not here, because"]),
    (["batch_size=4"], ["trainer.batch_width"]),
    (["learning_rate=3e-4"], ["optimizer.lr"]),
    (["epochs=20"], ["trainer.max_epochs"]),
    (["HTRLOGHIMODEL=x"], ["pretrained=RUN"]),
    (["pages/1.xml"], ["data.root=pages/1.xml", "predict.input=pages/1.xml"]),
    (["evaluate"], ["task=test"]),
    (["-m", "data", "page"], ["data is no key=value"]),
    (["-m", "model.mlmodel", "task=test"], ["checkpoint=RUN", "ketos test"]),
    (["task=test", "-m", "best.safetensors"], ["checkpoint=RUN", "ketos test"]),
    (["-max_epochs=5"], ["without dashes", "trainer.max_epochs=…"]),
    (["-lr", "0.1"], ["without dashes", "optimizer.lr=…"]),
    (["scheduler=cosine_warm_restarts"], ["scheduler=cosine_restarts"]),
    (["scheduler=CosineAnnealingLR"], ["scheduler=cosine."]),
    (["scheduler=1cycle"], ["scheduler=one_cycle"]),
    (["scheduler=ReduceLROnPlateau"], ["scheduler=plateau"]),
    (["optimizer=AdamW"], ["optimizer=adamw"]),
    (["optimizer=torch.optim.SGD"], ["optimizer=sgd"]),
    (["model=vgsl"], ["model=crnn"]),
    (["model/head=lstm"], ["model/head=bilstm"]),
    (["data=path"], ["data=lines"]),
    (["task=ocr"], ["task=predict"]),
]


@pytest.mark.parametrize(("typed", "told"), BY_HABIT, ids=lambda value: " ".join(value))
def test_what_is_typed_by_habit_is_answered(run, typed, told):
    ended = run(*typed)
    assert ended.code == 1, ended
    [line] = ended.output.splitlines()
    for words in told:
        assert words in line


def test_programs_that_say_the_same_are_named_together():
    told = describe_counterpart("--pad", PAGE)
    assert told.count("model.preprocessing.padding=16") == 1
    assert "ketos train, ketos test or kraken ocr" in told


def test_every_option_of_the_page_is_answered():
    names = [name for row in read_counterparts(PAGE) for name in row.names]
    assert len(names) > 100
    assert [name for name in names if not describe_counterpart(name, PAGE)] == []


def test_other_names_of_choices_lead_to_one_file():
    called = [
        (group, path.stem, name)
        for group in group_names(CONF)
        if not group.startswith("hydra")
        for path in (CONF / group).glob("*.yaml")
        for line in re.findall(r"^# Also called: (.+)\.$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for name in line.split(", ")
    ]
    assert {("data", "synthetic", "drawn"), ("model/backbone", "resnet", "resnet18")} <= set(called)
    assert [one for one in called if find_choice_called(one[2], CONF, one[0]) != one[1]] == []


def test_without_the_page_an_option_is_still_refused():
    assert describe_counterpart("--partition", Path("nowhere.md")) == ""
