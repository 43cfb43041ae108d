import errno
import json
import threading
from dataclasses import fields
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from omegaconf import OmegaConf

from uncial.data.settings import SourceSettings
from uncial.data.sources import synthetic
from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.page import draw_page
from uncial.errors import UserError

OPTIONS = {"pages": 3, "lines": [3, 4], "characters": [14, 20], "hands": 2, "seed": 5, "workers": 1}
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS = FONTS / "DejaVuSans.ttf"


def read(root, **changes):
    return synthetic.read(SourceSettings("synthetic", (str(root),), options={**OPTIONS, **changes}))


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def folders(root):
    return [p for p in root.iterdir() if p.is_dir()]


def texts(reading):
    return [line.text for page in reading.pages for line in page.lines]


def test_pages_are_drawn_and_read_back_as_they_were_drawn(tmp_path):
    reading = read(tmp_path)
    assert not reading.problems
    assert [page.id for page in reading.pages] == [f"page/drawn_000{n}" for n in (1, 2, 3)]
    assert [page.hand for page in reading.pages] == ["hand_01", "hand_02", "hand_01"]
    options = DrawingOptions(pages=3, lines=(3, 4), characters=(14, 20), hands=2, seed=5)
    for number, page in enumerate(reading.pages):
        truth = draw_page(number, options).page
        assert [line.text for line in page.lines] == [line.text for line in truth.lines]
        assert [line.polygon for line in page.lines] == [line.polygon for line in truth.lines]
        assert [r.type for r in page.regions] == [r.type for r in truth.regions]
        for line, true in zip(page.lines, truth.lines, strict=True):
            assert np.abs(np.array(line.baseline) - np.array(true.baseline)).max() <= 0.5
        assert cv2.imread(str(page.image.path)).shape[:2] == (truth.height, truth.width)


def test_pages_are_drawn_once_for_each_choice_of_options(tmp_path, monkeypatch):
    first = read(tmp_path)
    drawn = files(tmp_path)
    monkeypatch.setattr(synthetic, "draw_collection", lambda *_: pytest.fail("drawn again"))
    assert read(tmp_path, workers=2) == first
    assert files(tmp_path) == drawn
    monkeypatch.undo()
    assert texts(read(tmp_path, seed=6)) != texts(first)
    assert len(folders(tmp_path)) == 2
    assert read(tmp_path) == first


def test_two_processes_draw_the_same_bytes_as_one(tmp_path):
    read(tmp_path / "one", workers=1)
    read(tmp_path / "two", workers=2)
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert len(one) == 8
    assert one == two


def test_pages_taken_away_are_drawn_again(tmp_path):
    first = read(tmp_path)
    first.pages[1].image.path.unlink()
    again = read(tmp_path)
    assert again == first
    assert again.pages[1].image.path.is_file()


def test_runs_that_start_at_once_draw_once(tmp_path, monkeypatch):
    calls, real = [], synthetic.draw_collection
    monkeypatch.setattr(synthetic, "draw_collection", lambda *a: calls.append(1) or real(*a))
    readings = []
    threads = [threading.Thread(target=lambda: readings.append(read(tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(readings) == 3
    assert readings[0] == readings[1] == readings[2]


def test_a_full_disk_leaves_nothing_and_is_said(tmp_path, monkeypatch):
    real = synthetic.draw_collection

    def full(folder, *rest):
        real(folder, *rest)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(synthetic, "draw_collection", full)
    with pytest.raises(UserError, match="No space left"):
        read(tmp_path)
    assert folders(tmp_path) == []
    monkeypatch.undo()
    assert len(read(tmp_path).pages) == 3


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    read(tmp_path)
    (folder,) = folders(tmp_path)
    (tmp_path / f".{folder.name}.drawing-abc").mkdir()
    next(folder.glob("*.jpg")).unlink()
    read(tmp_path)
    assert folders(tmp_path) == [folder]


def test_a_text_file_is_written_once_from_beginning_to_end(tmp_path):
    path = tmp_path / "brev, ny = å.txt"
    path.write_text("Kjære søster!\nJeg skriver nå\nog sender p̄ brevet\nin der Straße\n", encoding="utf-8")
    reading = read(tmp_path / "out", text=str(path), wrap=False, lines=[3, 3], pages=20, long_s=0)
    assert texts(reading) == path.read_text(encoding="utf-8").splitlines()
    assert [len(p.lines) for p in reading.pages] == [3, 1]
    path.write_text("Et annet brev\n", encoding="utf-8")
    assert texts(read(tmp_path / "out", text=str(path), wrap=False, long_s=0)) == ["Et annet brev"]


def test_characters_that_cannot_be_drawn_are_named(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("abc Щ λόγος", encoding="utf-8")
    with pytest.raises(UserError, match=r"t\.txt.*Щ \(U\+0429\).*fonts"):
        read(tmp_path / "out", text=str(path))
    assert folders(tmp_path / "out") == []


def test_fonts_set_what_strokes_cannot(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("Щука и λόγος\nплывёт", encoding="utf-8")
    reading = read(tmp_path / "out", text=str(path), wrap=False, fonts=str(SANS))
    assert texts(reading) == ["Щука и λόγος", "плывёт"]


def test_a_font_without_the_characters_is_not_used(tmp_path):
    """One of matplotlib's fonts holds symbols only: text falls to the other."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    for name in ("STIXSizFiveSymReg.ttf", "DejaVuSans.ttf"):
        (folder / name).write_bytes((FONTS / name).read_bytes())
    path = tmp_path / "t.txt"
    path.write_text("hei på deg\n", encoding="utf-8")
    both = read(tmp_path / "out", text=str(path), fonts=str(folder), long_s=0)
    (folder / "STIXSizFiveSymReg.ttf").unlink()
    one = read(tmp_path / "out", text=str(path), fonts=str(folder), long_s=0)
    assert texts(both) == texts(one) == ["hei på deg"]
    assert both.pages[0].image.path.read_bytes() == one.pages[0].image.path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ttf", SANS.read_bytes(), "no font there has all characters.*字"),
        ("a.ttf", b"no font", r"a\.ttf cannot be read as a font"),
        ("a.doc", b"", "no font .* is found"),
    ],
)
def test_unusable_fonts_are_named(tmp_path, name, content, message):
    folder = tmp_path / "fonts"
    folder.mkdir()
    (folder / name).write_bytes(content)
    path = tmp_path / "t.txt"
    path.write_text("漢字 abc", encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read(tmp_path / "out", text=str(path), fonts=str(folder))


def test_generated_text_is_set_in_fonts_with_their_styles(tmp_path):
    plain = read(tmp_path, pages=1, fonts=str(SANS), languages=["german"])
    assert len(plain.pages[0].lines) >= 3
    for style in ("italic", "bold", "underline"):
        styled = read(tmp_path, pages=1, fonts=str(SANS), languages=["german"], **{style: 1.0})
        assert texts(styled) == texts(plain)
        first, second = (cv2.imread(str(r.pages[0].image.path), 0) for r in (plain, styled))
        assert first.shape != second.shape or np.abs(first.astype(int) - second).mean() > 0.5


@pytest.mark.parametrize("changes", [{"text": "nowhere.txt"}, {"fonts": "nowhere"}, {"workers": 0}, {"pagse": 1}])
def test_what_is_missing_or_unknown_is_named(tmp_path, changes):
    with pytest.raises(UserError, match=next(iter(changes))):
        read(tmp_path, **changes)


def test_complete_pages_are_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    first = read(tmp_path)

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(synthetic, "FileLock", refuse)
    assert read(tmp_path) == first
    with pytest.raises(UserError, match="cannot be written below"):
        read(tmp_path, seed=6)


def test_lines_of_a_text_that_are_left_over_are_told(tmp_path, caplog):
    path = tmp_path / "t.txt"
    path.write_text("en\nto\ntre\nfire\nfem\n", encoding="utf-8")
    with caplog.at_level("INFO"):
        assert texts(read(tmp_path / "out", text=str(path), wrap=False, lines=1)) == ["en", "to", "tre"]
    assert "data.options.pages=3: 2 lines of" in caplog.text


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written below"):
        read(tmp_path / "file" / "below")


def test_the_record_says_with_which_options_pages_were_drawn(tmp_path):
    read(tmp_path)
    record = json.loads((folders(tmp_path)[0] / "drawn.json").read_text())
    assert record["inputs"]["seed"] == 5
    assert record["inputs"]["size"] == [50, 62]
    assert [p["name"] for p in record["pages"]] == ["drawn_0001", "drawn_0002", "drawn_0003"]


def test_the_config_lists_every_option_with_its_default():
    path = Path(__file__).resolve().parents[2] / "conf" / "data" / "synthetic.yaml"
    listed = OmegaConf.to_container(OmegaConf.load(path).options, resolve=False)
    defaults = {f.name: f.default for f in fields(DrawingOptions)}
    assert listed.keys() == {*defaults, "workers"}
    for key, default in defaults.items():
        if key != "seed":
            assert listed[key] == (list(default) if isinstance(default, tuple) else default), key
