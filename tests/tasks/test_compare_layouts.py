"""task=compare of layouts: folders of PAGE files against what is marked, and models on the same pages."""

import csv
import json
import re
import shutil

import pytest
from program import run_program


@pytest.fixture(scope="module")
def folders(drawn, tmp_path_factory):
    """`all`: the pages as they are marked; `less`: half of them without a line; `moved`: stated twice as large."""
    root = tmp_path_factory.mktemp("layouts")
    for name in ("all", "less", "moved"):
        shutil.copytree(drawn / "page", root / name)
    for file in sorted((root / "less").rglob("*.xml"))[:6]:
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"<TextLine.*?</TextLine>", "", text, count=1, flags=re.DOTALL), encoding="utf-8")

    def double(found):
        return found[1] + re.sub(r"\d+(\.\d+)?", lambda number: f"{2 * float(number[0]):g}", found[2]) + '"'

    for file in (root / "moved").rglob("*.xml"):
        text = re.sub(r'(points=")([^"]*)"', double, file.read_text(encoding="utf-8"))
        file.write_text(re.sub(r'(image(?:Width|Height)=")(\d+)"', double, text), encoding="utf-8")
    return root


def compare(tmp_path, root, *names, more=()):
    given = ",".join(str(root / name) for name in names)
    what = (f"compare.folders=[{given}]", f"compare.truth={root / 'all'}", "compare.what=layout")
    return run_program(tmp_path / "compared", "task=compare", *what, *more)


def test_lines_that_are_not_found_lower_the_recall_of_their_pages_alone(folders, tmp_path):
    ended = compare(tmp_path, folders, "less")
    assert ended.code == 0, ended
    (system,) = json.loads((ended.folder / "comparison.json").read_text())["systems"]
    # Three lines a page; of six pages of twelve one is gone.
    assert system["values"]["precision"] == 1
    assert system["values"]["recall"] == pytest.approx(1 - 1 / 6)
    assert system["values"]["lines_missed"] == 6
    pages = [row for row in csv.DictReader((ended.folder / "comparison.csv").open()) if row["kind"] == "page"]
    assert sorted(float(row["recall less"]) for row in pages) == pytest.approx([2 / 3] * 6 + [1.0] * 6, abs=1e-4)


def test_who_is_better_is_told_with_its_p_value(folders, tmp_path):
    ended = compare(tmp_path, folders, "less", "moved")
    assert ended.code == 0, ended
    (pair,) = json.loads((ended.folder / "comparison.json").read_text())["pairs"]
    assert pair["better"] == "moved"
    # Six pages differ, all in one direction: 2 of 2^6 exchanges of these are as far apart.
    assert pair["test"]["p_randomisation"] == pytest.approx(2 / 64)
    assert "moved is better than less: F 90.91 % (less) and 100.00 % (moved)." in ended.output
    assert pair["verdict"] in (ended.folder / "comparison.md").read_text()
    report = (ended.folder / "report.html").read_text()
    assert report.count("<tr data-card") == 12
    assert "1 missed" in report


def test_the_same_is_no_difference(folders, tmp_path):
    ended = compare(tmp_path, folders, "less", "moved", more=("compare.names=[a,b]", "metrics.level=0.99"))
    assert "No difference between a and b can be shown" in ended.output


def test_a_page_that_a_folder_lacks_is_left_out_and_told(folders, tmp_path):
    shutil.copytree(folders / "less", tmp_path / "less")
    shutil.copytree(folders / "all", tmp_path / "all")
    gone = min((tmp_path / "less").rglob("*.xml"))
    gone.unlink()
    ended = compare(tmp_path, tmp_path, "less")
    assert ended.code == 0, ended
    assert "1 page of" in ended.output
    assert json.loads((ended.folder / "comparison.json").read_text())["pages"] == 11
    assert gone.stem in (ended.folder / "skipped.csv").read_text()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("compare.what=words", "compare.folders=[a]", "compare.truth=b"), "compare.what=words: choose one of"),
        (("compare.what=layout", "compare.folders=[a]"), "compare.truth"),
        (("compare.what=layout",), "task=compare needs two models or more"),
    ],
)
def test_what_is_typed_wrongly_ends_in_a_sentence(run, typed, told):
    ended = run("task=compare", *typed)
    assert ended.code == 1
    assert told in ended.output
    assert "Traceback" not in ended.output


def test_a_recogniser_is_no_layout_model(trained, run, drawn, tmp_path):
    copy = tmp_path / "other"
    shutil.copytree(trained.folder, copy)
    data = ("data=page", f"data.root={drawn / 'page'}", "data.subset=all")
    ended = run("task=compare", "compare.what=layout", f"checkpoint=[{trained.folder},{copy}]", *data)
    assert ended.code == 1
    assert "holds a recogniser, not a layout model as the others: compare models of one kind" in ended.output
