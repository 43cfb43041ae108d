"""Loghi's training layout, and that `data=loghi` reads the same lines back."""

import numpy as np
import pytest
from PIL import Image

from uncial.data.settings import SourceSettings
from uncial.data.sources import loghi
from uncial.errors import UserError
from uncial.formats.lines.loghi import ExportLine, export, format_box


def strip(seed, shape=(12, 40)):
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


LINES = [
    ExportLine("doc/side 1", "r1l1", "Håndskrift, ſå ", strip(1), "train"),
    ExportLine("doc/side 1", "r1l2", "␅u␅nder", strip(2, (9, 20, 3)), "train"),
    ExportLine("doc/side=2", "l_1", "#5", strip(3), "val"),
    ExportLine("doc__side 1", "r1l1", "a clash of names", strip(4), "val"),
    ExportLine("t", "x", "test", strip(5), "test"),
    ExportLine("t", "empty", "  ", strip(6), "train"),
]


def test_the_layout_is_loghis(tmp_path):
    assert export(LINES, tmp_path / "out").without_text == 1
    image = tmp_path / "out" / "doc__side 1" / "doc__side 1-r1l1.png"
    assert np.array_equal(np.asarray(Image.open(image)), LINES[0].strip)
    assert image.with_suffix(".txt").read_text() == "Håndskrift, ſå "
    assert image.with_suffix(".box").read_text().startswith("H 0 0 40 12 0\nå 0 0 40 12 0\n")
    train = (tmp_path / "out" / "training_all_train.txt").read_text().splitlines()
    assert train == [f"{image}\tHåndskrift, ſå ", f"{image.with_name('doc__side 1-r1l2.png')}\t␅u␅nder"]
    assert len((tmp_path / "out" / "training_all.txt").read_text().splitlines()) == 5


def test_what_is_written_is_read_back(tmp_path):
    export(LINES, tmp_path / "out")
    reading = loghi.read(SourceSettings("loghi", root=(str(tmp_path / "out"),)))
    assert reading.problems == ()
    read = {(page.subset, page.lines[0].text): page for page in reading.pages}
    assert set(read) == {
        ("train", "Håndskrift, ſå "),
        ("train", "under"),
        ("val", "#5"),
        ("val", "a clash of names"),
        ("test", "test"),
    }
    for line in LINES[:5]:
        page = read[line.subset, line.text.replace("␅", "")]
        assert np.array_equal(np.asarray(Image.open(page.image.path)), line.strip)
    assert [span.kind for span in read["train", "under"].lines[0].spans] == ["underline"]
    groups = {text: page.group for (_, text), page in read.items()}
    assert groups["Håndskrift, ſå "] == groups["under"] != groups["a clash of names"]


def test_the_box_of_every_character_is_the_line(tmp_path):
    assert format_box("e\u0301 x", 30, 10) == "e\u0301 0 0 30 10 0\n  0 0 30 10 0\nx 0 0 30 10 0\n\t 0 0 30 10 0\n"


def test_line_breaks_and_tabs_do_not_break_the_list(tmp_path):
    export([ExportLine("p", "l\t1", "a\tb\nc", strip(1), "train")], tmp_path)
    assert (tmp_path / "training_all_train.txt").read_text() == f"{tmp_path / 'p' / 'p-l_1.png'}\ta b c\n"


def test_a_stopped_export_leaves_no_lists(tmp_path):
    def lines():
        yield LINES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(lines(), tmp_path)
    assert not list(tmp_path.glob("*.txt"))


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export(LINES, tmp_path / "file")
