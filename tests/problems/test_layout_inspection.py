"""task=inspect of the pages that a layout model learns from."""

import json
import re
import shutil

import numpy as np
import pytest
from lxml import etree

from uncial.data.pages.shapes import LineShape
from uncial.models.layout.pages import Layout
from uncial.models.segmenter import Segmenter

NAMESPACE = "{*}"


@pytest.fixture
def pages(drawn, tmp_path):
    """Twelve pages of three lines: the second has lost two of them, the third all, the fourth its text."""
    root = shutil.copytree(drawn / "page", tmp_path / "pages")
    files = sorted((root / "page").glob("*.xml"))
    for file, lost in zip(files[1:3], (2, 3), strict=True):
        tree = etree.parse(file)
        for line in tree.findall(f".//{NAMESPACE}TextLine")[-lost:]:
            line.getparent().remove(line)
        _drop_texts(tree, "TextRegion")
        tree.write(file)
    tree = etree.parse(files[3])
    _drop_texts(tree, "TextRegion")
    _drop_texts(tree, "TextLine")
    tree.write(files[3])
    return root


def _drop_texts(tree, where):
    for text in tree.findall(f".//{NAMESPACE}{where}/{NAMESPACE}TextEquiv"):
        text.getparent().remove(text)


@pytest.fixture
def finds_all(drawn, monkeypatch):
    """Layout models find the lines that the pages had before some were taken out."""
    marked = []
    for file in sorted((drawn / "page" / "page").glob("*.xml")):
        root = etree.parse(file).getroot()
        size = root.find(f".//{NAMESPACE}Page")
        baselines = [
            np.array([point.split(",") for point in line.get("points").split()], float)
            for line in root.findall(f".//{NAMESPACE}Baseline")
        ]
        marked.append((float(size.get("imageWidth")), baselines))
    waiting = iter(marked)

    def find(self, sheet):
        width, baselines = next(waiting)
        scale = sheet.shape[1] / width
        lines = tuple(LineShape(baseline * scale, 20, 8, 0.9) for baseline in baselines)
        return Layout(lines, tuple(np.zeros((0, 2)) for _ in lines), (), 30.0)

    monkeypatch.setattr(Segmenter, "find", find)


def list_findings(ended, kind):
    return [one for one in json.loads(ended.read("findings.json"))["findings"] if one["kind"] == kind]


def test_pages_on_which_lines_are_found_without_truth_are_listed_and_shown(run, pages, layout_model, finds_all):
    ended = run("task=inspect", f"checkpoint={layout_model}", "data=page", f"data.root={pages}")
    assert ended.code == 0, ended
    found = list_findings(ended, "transcribed_in_part")
    names = [one["file"].rpartition("/")[2] for one in found]
    assert names == [file.name for file in sorted((pages / "page").glob("*.xml"))[2:0:-1]]
    assert "3 of 3 found lines (100%)" in found[0]["message"]
    assert "2 of 3 found lines (67%)" in found[1]["message"]
    assert all(one["severity"] == "warning" and "data.annotated=" in one["remedy"] for one in found)
    assert "perhaps transcribed in part" in ended.output
    page = ended.read("findings.html")
    assert len(re.findall("data:image/webp", page)) == 2


def test_they_can_end_a_script(run, pages, layout_model, finds_all):
    ended = run(
        "task=inspect",
        "model=layout",
        f"checkpoint={layout_model}",
        "data=page",
        f"data.root={pages}",
        "inspect.fail_on=warning",
    )
    assert ended.code == 2, ended
    assert "perhaps transcribed in part" in ended.output


def test_pages_are_inspected_for_a_layout_model_whether_or_not_they_have_text(run, pages):
    ended = run("task=inspect", "model=layout", "data=page", f"data.root={pages}", "inspect.samples=3")
    assert ended.code == 0, ended
    assert not list_findings(ended, "transcribed_in_part")
    assert not list_findings(ended, "untranscribed_lines")
    assert [one["file"].rpartition("/")[2] for one in list_findings(ended, "empty_page")]
    summary = json.loads(ended.read("findings.json"))["summary"]
    assert (summary["pages"], summary["lines"]) == (12, 31)
    assert sum(summary["regions"].values()) == 12
    assert "characters" not in ended.output
    assert (ended.folder / "sheets" / "sheet_001.png").is_file()
    assert (ended.folder / "splits.csv").is_file()


def test_other_channels_than_those_of_the_model_end_in_a_sentence(run, pages, layout_model):
    colour = run("task=inspect", f"checkpoint={layout_model}", "data=page", f"data.root={pages}", "data.channels=3")
    assert colour.code == 1
    assert "give data.channels=1" in colour.output
