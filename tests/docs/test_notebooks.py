"""The notebooks do what they say: their cells, one after the other in one process, with little to do."""

import ast
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from program import ROOT

import uncial

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))

FEW: dict[str, Any] = {
    "PAGES": 8,
    "BUDGET": None,
    "MORE": {
        "trainer.max_steps": 3,
        "trainer.validations": 1,
        "trainer.workers": 0,
        "data.compile_workers": 1,
        "model.preprocessing.height": 32,
        "model.backbone.stages": [[16, 1, 2, 2], [16, 1, 2, 1]],
    },
}
"""What is put in the place of the values in the cell that is tagged `parameters`."""


def cells(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    return found["cells"]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell and returns the value of the expression that it ends with, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last is not None else None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_kept(path):
    assert NOTEBOOKS
    for cell in cells(path):
        assert cell["cell_type"] != "code" or (cell["outputs"] == [] and cell["execution_count"] is None)


def test_the_first_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    shown, printed = [], []
    for cell in cells(ROOT / "docs" / "notebooks" / "first_model.ipynb"):
        if cell["cell_type"] != "code":
            continue
        with redirect_stdout(io.StringIO()) as output:
            value = run_cell("".join(cell["source"]), names)
        if "parameters" in cell["metadata"].get("tags", ()):
            assert set(FEW) <= set(names)
            names |= FEW
        printed.append(output.getvalue())
        shown.append(value)
    pictures = [value for value in shown if hasattr(value, "_repr_png_")]
    assert len(pictures) == 3, "a page, the curves and a line"
    assert all(picture.size[0] > 100 for picture in pictures)
    assert "trainer.time_bugdet. Did you mean trainer.time_budget?" in "".join(printed)
    run, tuned = names["run"], names["tuned"]
    assert run.folder.is_relative_to(tmp_path)
    assert uncial.load(tuned.folder).transcribe([names["strip"]])
    assert json.loads((tuned.folder / "metrics.json").read_text())["val"] == tuned.scores["val"]
