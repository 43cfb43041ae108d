"""The rules of the house: DESIGN's rooms and floors hold, but for what OFFENDERS lists."""

import ast
from pathlib import Path

import pytest
import rules

OFFENDERS = set((Path(__file__).parent / "offenders.txt").read_text(encoding="utf-8").splitlines())
"""What breaks a rule today. Nothing may be added; what is mended is taken out."""


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_rule_of_the_house(rule):
    found = {f"{rule.__name__}: {offender}" for offender in rule()}
    known = {line for line in OFFENDERS if line.startswith(f"{rule.__name__}: ")}
    assert sorted(found - known) == []
    assert sorted(known - found) == []


def test_the_rules_see_what_breaks_them(tmp_path, monkeypatch):
    package, conf = tmp_path / "src" / "uncial", tmp_path / "conf"
    for name, text in {
        "text/codec.py": "import torch\nfrom uncial.tasks.train import run\n",
        "training/trainer.py": "def f(trainer):\n    from uncial.text import codec\n    return trainer.fit_loop\n",
        "models/net.py": "from omegaconf import DictConfig\n" + "x = 1\n" * 300,
        "helpers.py": "",
        "tasks/train.py": "",
        **{f"data/part_{number}.py": "" for number in range(19)},
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    (conf / "task").mkdir(parents=True)
    (conf / "task" / "test.yaml").write_text("_target_: uncial.data.test.run\nmore: [{_target_: torch.nn.ReLU}]\n")
    monkeypatch.setattr(rules, "PACKAGE", package)
    monkeypatch.setattr(rules, "CONF", conf)
    rules.modules.cache_clear()
    try:
        found = {rule.__name__: list(rule()) for rule in rules.RULES}
    finally:
        rules.modules.cache_clear()
    assert found == {
        "outside_of_rooms": ["helpers is no room"],
        "upward_imports": ["text.codec imports tasks"],
        "torch_where_none_belongs": ["text.codec imports torch"],
        "config_where_none_belongs": ["models.net takes a config instead of a data class"],
        "imported_tasks": ["text.codec imports the task train"],
        "text_in_training": ["training.trainer imports text"],
        "loop_internals": ["training.trainer names fit_loop"],
        "crowded_folders": ["data holds 19 modules"],
        "long_modules": ["models.net has 301 lines"],
        "targets_elsewhere": ["task/test.yaml names uncial.data.test.run"],
        "tasks_without_a_file": [
            "tasks/train.py has no conf/task/train.yaml",
            "conf/task/test.yaml has no tasks/test.py",
        ],
    }


def test_lazy_imports_count():
    tree = ast.parse("def f():\n    if True:\n        from uncial.a.b import c\n        import uncial.d\n")
    assert set(rules.imports(tree)) == {"uncial.a.b", "uncial.a.b.c", "uncial.d"}
