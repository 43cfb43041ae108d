"""Data go in and out as frozen data classes: nobody changes under another's hands what both were given."""

import ast
from dataclasses import FrozenInstanceError

import pytest
from rules import PACKAGE

from uncial.document import ImageSource

GATHERING = {
    "uncial.data.lines.dataset.Batch",
    "uncial.data.sources.xml._Collected",
    "uncial.formats.page_xml.layout._Walk",
    "uncial.pipelines.layout_search.SearchTotals",
    "uncial.training.callbacks.early_stopping.BestScoreTracker",
    "uncial.training.distributed.launch._Worker",
}
"""What is filled while something goes on, and a batch, which moves between devices."""


def decorated():
    """The name of every data class, and whether its decorator freezes it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(("uncial", *path.relative_to(PACKAGE).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
                written = ast.unparse(decorator)
                if written.startswith("dataclass"):
                    yield f"{module}.{node.name}", "frozen=True" in written


def test_every_data_class_is_frozen_but_those_that_gather():
    found = dict(decorated())
    assert len(found) > 200
    assert {name for name, is_frozen in found.items() if not is_frozen} == GATHERING


def test_a_frozen_one_cannot_be_changed(tmp_path):
    source = ImageSource(tmp_path / "a.png")
    with pytest.raises(FrozenInstanceError):
        source.path = tmp_path / "b.png"
