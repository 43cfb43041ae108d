"""Fonts that lack characters, leave them blank, or reach beyond their own measures; right-to-left lines."""

from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from drawing_helpers import CLEAN
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from uncial.data.synthetic import typeface
from uncial.data.synthetic.page import draw_page
from uncial.data.synthetic.typeface import check_fonts, find_missing_characters, set_line
from uncial.errors import UserError

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS = FONTS / "DejaVuSans.ttf"


def font(path: Path, characters: str, blank: str = "", moved: tuple[int, int] = (0, 0)) -> Path:
    """DejaVu Sans with these characters only, some of them without ink, all of them moved by so many font units."""
    made = TTFont(SANS)
    subsetter = Subsetter(Options(layout_features=[], notdef_outline=True))
    subsetter.populate(text=characters)
    subsetter.subset(made)
    glyphs = made.getGlyphSet()
    for character in characters.replace(" ", ""):
        name = made.getBestCmap()[ord(character)]
        pen = TTGlyphPen(glyphs)
        if character not in blank:
            glyphs[name].draw(TransformPen(pen, (1, 0, 0, 1, *moved)))
        made["glyf"][name] = pen.glyph()
    made.save(path)
    return path


def page_texts(texts, fonts, **changes):
    drawn = draw_page(0, replace(CLEAN, **changes), texts, fonts)
    assert all(ink.coverage.any() for ink in drawn.inks)
    return [line.text for line in drawn.page.lines]


def test_a_character_that_a_font_leaves_blank_is_lacking(tmp_path):
    blank = font(tmp_path / "blank.ttf", "hei på", blank="å")
    assert find_missing_characters(blank, "hei på") == ["å"]
    with pytest.raises(UserError, match=r"lacks å \(U\+00E5\)"):
        check_fonts([blank], ["hei på"])


@pytest.mark.skipif(
    not (FONTS / "LastResortHE-Regular.ttf").is_file(), reason="this matplotlib has no Last Resort font"
)
def test_a_placeholder_for_all_characters_is_the_glyph_of_none():
    assert find_missing_characters(FONTS / "LastResortHE-Regular.ttf", "hei") == ["e", "h", "i"]


def test_the_long_s_is_written_where_the_font_of_the_line_has_it(tmp_path):
    with_it, without = font(tmp_path / "a.ttf", "ist hefſ"), font(tmp_path / "b.ttf", "ist дом")
    lines = ["ist дом", "ist hef"]
    assert page_texts(lines, [with_it, without], long_s=1.0) == ["ist дом", "iſt hef"]
    assert page_texts(lines, [without, with_it], long_s=1.0) == ["ist дом", "iſt hef"]


def test_a_font_without_digits_numbers_no_pages(tmp_path):
    letters = font(tmp_path / "a.ttf", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.-")
    texts = page_texts(None, [letters], furniture=1.0, languages=("latin",))
    assert not any(character.isdigit() for text in texts for character in text)


@pytest.mark.parametrize("italic", [False, True])
@pytest.mark.parametrize("moved", [(-2500, 3000), (3000, -2500)])
def test_letters_that_reach_beyond_the_fonts_measures_are_not_cut(tmp_path, moved, italic):
    far = font(tmp_path / "far.ttf", "fg", moved=moved)
    line, plain = (set_line("fg", path, 64, base="L", italic=italic) for path in (far, SANS))
    assert line.coverage.sum() == pytest.approx(plain.coverage.sum(), rel=0.03)
    edges = [line.coverage[0], line.coverage[-1], line.coverage[:, 0], line.coverage[:, -1]]
    assert not any(edge.any() for edge in edges)


def ink(text, base):
    """The columns of a line between its first and its last ink."""
    columns = set_line(text, SANS, 40, base=base).coverage.astype(int)
    used = np.flatnonzero(columns.any(axis=0))
    return columns[:, used[0] : used[-1] + 1]


def test_a_foreign_word_at_the_beginning_does_not_turn_a_right_to_left_line(monkeypatch):
    """As the reader of such lines has it, the first word stands at the right."""
    if not typeface.features.check("raqm"):
        pytest.skip("Pillow finds no Raqm here")
    bases = []
    monkeypatch.setattr(
        "uncial.data.synthetic.page.set_line", lambda *a, base, **k: bases.append(base) or set_line(*a, base=base, **k)
    )
    page_texts(["Noa אבגד הוז", "אבגד", "12 Noa", "13"], [SANS])
    assert bases == ["R", "R", "L", "R"]
    beginning = ink("Noa", "L")
    difference = np.abs(ink("Noa אבגד", "R")[:, -beginning.shape[1] :] - beginning)
    assert difference.mean() < 0.2 * beginning.mean()


def test_right_to_left_lines_are_refused_where_they_cannot_be_set(monkeypatch):
    monkeypatch.setattr(typeface.features, "check", lambda name: False)
    check_fonts([SANS], ["hei på deg"])
    with pytest.raises(UserError, match=r"'אבגד' runs from right to left.*FriBiDi"):
        check_fonts([SANS], ["אבגד"])
