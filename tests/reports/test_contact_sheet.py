import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from uncial.reports.plots import text_drawing as fonts
from uncial.reports.plots.sheets import Sample, contact_sheet
from uncial.reports.plots.text_drawing import Lettering, clusters, is_right_to_left, visual_order

BLACK = (0, 0, 0)
any_text = st.text(st.sampled_from("ab ſ\u0303é\uf1acאבش\u200d\n\t中"), max_size=30)


@pytest.fixture(autouse=True, scope="module")
def bundled_fonts_alone():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fonts, "_system_fonts", lambda: ())
        yield


def drawn(text, texts=()):
    lettering = Lettering([text, *texts], 24)
    image = Image.new("RGB", (600, 48), "white")
    lettering.draw(ImageDraw.Draw(image), 4, 24, text, BLACK)
    return np.asarray(image).astype(int)


def ink(pixels):
    columns = np.flatnonzero((pixels < 128).any(axis=(0, 2)))
    return pixels[:, columns[0] : columns[-1] + 1]


def strip(height=40, width=300, *channels):
    return np.full((height, width, *channels), 200, np.uint8)


def test_right_to_left_text_is_not_turned_round():
    first, last = ink(drawn("א")), ink(drawn("ב"))
    word = ink(drawn("אב"))
    assert np.array_equal(word[:, -first.shape[1] :], first), "the first letter stands on the right"
    assert np.array_equal(word[:, : last.shape[1]], last)


def test_left_to_right_text_runs_to_the_right():
    assert np.array_equal(ink(drawn("il"))[:, -ink(drawn("l")).shape[1] :], ink(drawn("l")))


def test_a_mark_sits_on_its_letter():
    assert ink(drawn("x\u0304")).shape[1] <= ink(drawn("x")).shape[1] + 4


def test_what_no_font_has_is_written_as_its_code_point_in_another_colour():
    pixels = drawn("a\U0010fffdb")
    orange = (pixels[..., 0] > 140) & (pixels[..., 2] < 60)
    black = (pixels < 60).all(axis=-1)
    assert orange.sum() > 50
    columns = np.flatnonzero(black.any(axis=0))
    assert columns[0] < np.flatnonzero(orange.any(axis=0))[0] < columns[-1]


def test_a_letter_shows_where_only_its_mark_is_missing():
    runs = Lettering(["g\U000e0100"], 20).runs("g\U000e0100")
    assert [(run.text, run.is_missing) for run in runs] == [("g", False), ("[U+E0100]", True)]


def test_control_characters_are_shown_and_not_obeyed():
    assert [run.text for run in Lettering(["a\nb"], 20).runs("a\nb")] == ["a", "[U+000A]", "b"]


@given(any_text)
def test_wrapping_loses_nothing_but_white_space(text):
    lettering = Lettering([text], 20)
    rows = lettering.wrap(text, 120)
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(lettering.width(row) <= 120 or len(clusters(row)) == 1 for row in rows)


def test_rows_break_at_spaces():
    lettering = Lettering(["one two three"], 20)
    assert lettering.wrap("one two three", lettering.width("one two") + 1) == ["one two", "three"]


@given(any_text)
def test_clusters_join_to_the_text(text):
    assert "".join(clusters(text)) == text


def test_visual_order_without_a_shaping_library():
    assert visual_order("abc (1)") == "abc (1)"
    assert visual_order("אבג") == "גבא"
    assert visual_order("אב abc def 12 גד") == "דג abc def 12 בא"
    assert visual_order("א (ב)") == "(ב) א"
    assert visual_order("abc אב") == "abc בא"
    assert visual_order("ב\u05b0א") == "אב\u05b0"


def test_the_first_letter_with_a_direction_decides():
    assert is_right_to_left("1. שלום abc")
    assert not is_right_to_left("1. abc שלום")
    assert not is_right_to_left("12 –")


def size_of(png):
    with Image.open(png) as image:
        return image.size


def test_cells_stand_in_columns(tmp_path):
    png = tmp_path / "new" / "sheet.png"
    assert contact_sheet([Sample(strip(), "text", "page l1")] * 5, png, columns=2, cell_width=400)
    width, height = size_of(png)
    assert contact_sheet([Sample(strip(), "text", "page l1")] * 5, png, columns=1, cell_width=400)
    assert width > 2 * 400 > size_of(png)[0]
    assert size_of(png)[1] > 1.5 * height


def test_every_kind_of_line_image_is_drawn_with_its_aspect_ratio(tmp_path):
    png = tmp_path / "sheet.png"
    wide = np.full((40, 3000), 10, np.uint8)
    for image in (strip(), strip(40, 300, 1), strip(40, 300, 3), strip(1, 1), strip(900, 3), wide):
        assert contact_sheet([Sample(image, "x")], png, cell_width=500)
    with Image.open(png) as sheet:
        dark = (np.asarray(sheet.convert("L"))[:40] < 40).any(axis=1)
    assert 4 <= dark.sum() <= 8, "3000 by 40 pixels fit 472 as 6 rows"


def test_long_texts_captions_and_no_text_fit(tmp_path):
    png = tmp_path / "sheet.png"
    samples = [Sample(strip(), "word " * 100, "folder/" * 100), Sample(strip(), ""), Sample(strip(), "ܐܠܗܐ\uf1ac")]
    assert contact_sheet(samples, png, columns=1, cell_width=300)
    assert size_of(png)[0] < 400
    assert size_of(png)[1] > 600


@pytest.mark.parametrize("columns", [1, 9])
def test_nothing_to_show_makes_no_picture(tmp_path, columns):
    assert not contact_sheet([], tmp_path / "sheet.png", columns)
    assert not (tmp_path / "sheet.png").exists()
