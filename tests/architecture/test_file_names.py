"""The names of the files of a run stand in `uncial.runs.files` alone."""

import ast
from collections.abc import Iterator

import pytest
from rules import PACKAGE, modules

from uncial.runs.files import RunFile, RunFolder, list_file_names

COMMON = {RunFolder.pages, RunFolder.lock}
"""What other things are called too: keys of tables, suffixes."""

ELSEWHERE = {RunFolder.config: ("config",)}
"""Names that a room has for files of its own: conf/config.yaml."""

TEMPLATES = {path.name for path in PACKAGE.joinpath("reports", "html", "templates").iterdir()}


def literals(tree: ast.AST) -> Iterator[str]:
    """The texts of a module, those within f-strings too, but for docstrings and sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not any(map(str.isspace, node.value)):
            yield node.value


def offenders(name: str, tree: ast.AST) -> Iterator[str]:
    room = name.partition(".")[0]
    for text in literals(tree):
        found = text.rpartition("/")[2]
        if found not in list_file_names() - COMMON or room in ELSEWHERE.get(found, ()):
            continue
        if not (name.startswith("reports.html.") and found in TEMPLATES):
            yield f"{name} names {found}: use RunFolder"


def test_no_other_module_names_a_file_of_a_run():
    every = [module for module in modules() if module.name != "runs.files"]
    assert [offender for module in every for offender in offenders(module.name, module.tree)] == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('path = folder / "metrics.json"', 1),
        ('path = folder.glob("*/last.ckpt")', 1),
        ("print(f\"see {folder / 'skipped.csv'}\")", 1),
        ('print(f"{folder}/config.yaml")', 1),
        ('print("skipped.csv says why")', 0),
        ('"""Leaves metrics.json."""', 0),
    ],
)
def test_what_counts_as_naming_one(source, count):
    assert len(list(offenders("tasks.some", ast.parse(source)))) == count


def test_a_folder_says_where_its_files_lie(tmp_path):
    assert RunFolder.metrics == "metrics.json"
    assert RunFolder(tmp_path).metrics == tmp_path / "metrics.json"
    assert len(list_file_names()) == sum(isinstance(one, RunFile) for one in vars(RunFolder).values())
