import itertools
import string
import unicodedata

import cv2
import numpy as np
import pytest
from drawing_helpers import CLEAN
from hypothesis import given
from hypothesis import strategies as st

from uncial.data.synthetic.glyphs import Face, graphemes, undrawable
from uncial.data.synthetic.line_ink import curved, ink_line
from uncial.data.synthetic.text import MATERIAL
from uncial.data.synthetic.writing import draw_hand, write_line

FACES = [Face("cursive", "cursive"), Face("cursive", "plain"), Face("plain", "plain")]
SMALL_LETTERS = string.ascii_lowercase + "æœøåäöüßſçñáàâéèêëíìîïóòôõúùûýÿąęčšžłđðþ"
CAPITALS = string.ascii_uppercase + "ÆŒØÅÄÖÜÇÑÁÀÂÉÈÊËÍÎÏÓÔÚÛÝČŠŽŁĐÞ"


def shapes(letters, face):
    """A softened picture of each letter in the same place."""
    pictures = {}
    for letter in letters:
        canvas = np.zeros((130, 100), np.uint8)
        for stroke in face.glyph(letter).strokes:
            points = np.round(([30, 90] + stroke * [2, -2]) * 16).astype(np.int32)
            cv2.polylines(canvas, [points], False, 255, 3, cv2.LINE_AA, 4)
        pictures[letter] = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), 1.0)
    return pictures


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("letters", [SMALL_LETTERS, CAPITALS, string.digits + ".,;:!?'-–()/&§„“"])
def test_no_two_letters_look_alike(face, letters):
    for (a, first), (b, second) in itertools.combinations(shapes(letters, face).items(), 2):
        difference = np.abs(first - second).sum()
        assert difference > 25, f"{a} and {b} differ by {difference:.1f} pixels of ink"


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("letter", "åäéñçžůıø")
def test_a_diacritic_adds_ink_to_its_letter_and_leaves_the_letter(face, letter):
    base = {"ı": "i", "ø": "o"}.get(letter) or unicodedata.normalize("NFD", letter)[0]
    bare, marked = face.glyph(base), face.glyph(letter)
    assert len(marked.strokes) == len(bare.strokes) + (-1 if letter == "ı" else 2 if letter == "ä" else 1)
    assert marked.width == bare.width


def test_dots_of_i_and_j_give_way_to_other_marks():
    face = Face()
    assert len(face.glyph("í").strokes) == len(face.glyph("i").strokes)
    assert len(face.glyph("ĵ").strokes) == len(face.glyph("j").strokes)


def test_marks_are_stacked_and_composed_and_decomposed_text_is_drawn_alike():
    face = Face()
    assert max(s[:, 1].max() for s in face.glyph("ü\u0304").strokes) > max(
        s[:, 1].max() for s in face.glyph("ü").strokes
    )
    for letter in SMALL_LETTERS:
        whole, parts = face.glyph(letter), face.glyph(unicodedata.normalize("NFD", letter))
        assert all(np.array_equal(a, b) for a, b in zip(whole.strokes, parts.strokes, strict=True))


def test_undrawable_names_what_has_no_strokes():
    assert undrawable("Hus på øya, ſtraße; p̄ uͤ ꝑ") == []
    assert undrawable("aБ字 b\u0489") == ["b\u0489", "Б", "字"]


def test_all_word_material_can_be_drawn_in_every_face():
    for material, face in itertools.product(MATERIAL.values(), FACES):
        text = material.words + material.words.upper() + material.onsets + material.nuclei + material.endings
        assert undrawable(text, face) == []


@given(st.text())
def test_graphemes_lose_nothing(text):
    assert "".join(graphemes(text)) == text


def test_letters_of_one_hand_are_joined_and_the_pen_is_lifted_without_connection():
    """Counts connected pieces of ink of a word whose letters can all be joined."""
    from dataclasses import replace

    def pieces(connected):
        number = next(n for n in range(20) if draw_hand(n, CLEAN).face.small == "cursive")
        hand = replace(draw_hand(number, CLEAN), connected=connected, letter_space=2.5)
        path = write_line("nunnennum", hand, np.random.default_rng(1))
        ink = ink_line(path, curved((20, 60), 400, 0, 0), 3)
        return cv2.connectedComponents((ink.coverage > 100).astype(np.uint8))[0] - 1

    assert pieces(1.0) == 1
    assert pieces(0.0) >= 6
