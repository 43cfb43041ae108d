"""The ink that found polygons lose, and what they hold of their neighbours': told by task=compare and task=test."""

import csv
import json
import re
import shutil

import pytest
from program import run_program

COORDS = re.compile(r'(<TextLine[^>]*>\s*<Coords points=")([^"]*)"')


def reshape(root, move):
    """Rewrite the polygons of all lines: `move(line of its page, points)` returns new ones."""
    for file in root.rglob("*.xml"):
        numbers = iter(range(99))

        def change(found, numbers=numbers):
            points = [tuple(map(float, pair.split(","))) for pair in found[2].split()]
            return found[1] + " ".join(f"{x:g},{y:g}" for x, y in move(next(numbers), points)) + '"'

        file.write_text(COORDS.sub(change, file.read_text(encoding="utf-8")), encoding="utf-8")


def cut(line, points):
    """The left half of the first line of each page."""
    if line:
        return points
    middle = (min(x for x, _ in points) + max(x for x, _ in points)) / 2
    return [(min(x, middle), y) for x, y in points]


def spread(line, points):
    """The first line of each page as far down as the next one goes."""
    if line:
        return points
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top = min(y for _, y in points)
    return [(left - 40, top), (right + 40, top), (right + 40, top + 90), (left - 40, top + 90)]


@pytest.fixture(scope="module")
def folders(drawn, tmp_path_factory):
    root = tmp_path_factory.mktemp("ink")
    for name, move in (("truth", None), ("same", None), ("cut", cut), ("spread", spread)):
        shutil.copytree(drawn / "page", root / name)
        if move is not None:
            reshape(root / name, move)
    return root


def compare(tmp_path, root, *names, truth="truth", more=()):
    given = ",".join(str(root / name) for name in names)
    what = (f"compare.folders=[{given}]", f"compare.truth={root / truth}", "compare.what=layout")
    ended = run_program(tmp_path / "compared", "task=compare", *what, *more)
    assert ended.code == 0, ended
    systems = json.loads((ended.folder / "comparison.json").read_text())["systems"]
    return ended, {system["name"]: system["values"] for system in systems}


def test_polygons_that_cut_off_and_that_take_in(folders, tmp_path):
    ended, values = compare(tmp_path, folders, "same", "cut", "spread")
    # Three lines a page, of which the first one has another polygon; its baseline stays.
    assert {name: (one["ink_lost"], one["ink_taken"]) for name, one in values.items()} == {
        "same": (0, 0),
        "cut": (pytest.approx(1 / 3), 0),
        "spread": (0, pytest.approx(1 / 3)),
    }
    assert {one["lines_ink"] for one in values.values()} == {36}
    assert {one["f_measure"] for one in values.values()} == {1}
    for text in (
        ended.output,
        (ended.folder / "comparison.md").read_text(),
        (ended.folder / "report.html").read_text(),
    ):
        assert "ink lost" in text


def test_without_images_the_figures_are_absent_and_that_is_said(folders, tmp_path):
    shutil.copytree(folders / "truth", tmp_path / "bare", ignore=shutil.ignore_patterns("*.png"))
    shutil.copytree(folders / "cut", tmp_path / "cut")
    ended, values = compare(tmp_path, tmp_path, "cut", truth="bare")
    assert "ink_lost" not in values["cut"]
    assert "ink lost" not in ended.output
    assert "The ink of the lines of 12 pages is not measured" in " ".join(ended.output.split())
    _, values = compare(tmp_path / "again", tmp_path, "cut", truth="bare", more=(f"data.images=[{folders / 'truth'}]",))
    assert values["cut"]["ink_lost"] == pytest.approx(1 / 3)


def test_a_truth_without_polygons_has_no_figure(folders, tmp_path):
    for name in ("truth", "cut"):
        shutil.copytree(folders / name, tmp_path / name)
    for file in (tmp_path / "truth").rglob("*.xml"):
        file.write_text(COORDS.sub(r'\1"', file.read_text(encoding="utf-8")), encoding="utf-8")
    ended, values = compare(tmp_path, tmp_path, "cut")
    assert "ink_lost" not in values["cut"]
    assert "the ground truth has no polygons" in " ".join(ended.output.split())


def test_a_test_measures_ink_and_a_validation_does_not(layout_model, drawn, run):
    assert "ink_lost" not in json.loads((layout_model / "metrics.json").read_text())["val"]
    tested = run("task=test", f"checkpoint={layout_model}", "data=page", f"data.root={drawn / 'page'}")
    assert tested.code == 0, tested
    rows = list(csv.DictReader((tested.folder / "page_scores.csv").open(encoding="utf-8")))
    scores = tested.metrics["test"]
    if "ink_lost" not in scores:
        assert {(row["ink_lost"], row["ink_taken"]) for row in rows} == {("", "")}
    else:
        lost = sum(int(row["ink_lost"] or 0) for row in rows)
        assert scores["ink_lost"] == pytest.approx(lost / scores["lines_ink"])
