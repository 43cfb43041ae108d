import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.data.synthetic.text import MATERIAL, generate_lines, read_text_file, with_long_s, wrap_words
from uncial.errors import UserError


@pytest.mark.parametrize("language", sorted(MATERIAL))
def test_generated_lines_are_as_many_and_as_long_as_asked(language):
    lines = generate_lines(language, 30, 35, np.random.default_rng(1))
    assert len(lines) == 30
    assert all(line == line.strip() and "  " not in line for line in lines)
    assert max(map(len, lines)) <= 45
    assert 26 <= np.mean([len(line) for line in lines]) <= 38
    assert len(set(lines)) == 30


def test_generated_text_is_the_same_for_the_same_seed_only():
    first, same, other = (generate_lines("norwegian", 5, 30, np.random.default_rng(s)) for s in (1, 1, 2))
    assert first == same != other


def test_generated_text_has_what_manuscripts_have():
    text = " ".join(
        " ".join(generate_lines(name, 120, 40, np.random.default_rng(3)))
        for name in ("norwegian", "german", "french", "spanish")
    )
    assert set("æøåß éüñç0123456789.,;:!?()-–„“§&") <= set(text)
    assert sum(c.isupper() for c in text) / len(text) > 0.03


def test_undrawable_words_are_left_out():
    lines = generate_lines("german", 20, 30, np.random.default_rng(1), lambda word: word.isascii())
    assert all(line.isascii() for line in lines)
    with pytest.raises(UserError, match="fonts"):
        generate_lines("german", 2, 30, np.random.default_rng(1), lambda word: False)


def test_long_s_stands_everywhere_but_at_the_end_of_a_word():
    assert with_long_s("Das Haus, das sie lassen; es ist's Sonst-") == "Das Haus, das ſie laſſen; es iſt's Sonſt-"


@given(st.lists(st.text("abcé ", min_size=1, max_size=30), max_size=20), st.integers(1, 20))
def test_wrapping_keeps_every_character_and_the_length(parts, length):
    text = " ".join(parts)
    lines = wrap_words(text, length)
    assert all(0 < len(line) <= length for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_text_file_is_wrapped_or_its_lines_are_kept(tmp_path):
    path = tmp_path / "text med å.txt"
    path.write_text("\ufeffførste linje her\nandre  linje\n\n\ntredje\t avsnitt\n", encoding="utf-8")
    assert read_text_file(path, False, 40) == ["første linje her", "andre linje", "tredje avsnitt"]
    assert read_text_file(path, True, 20) == ["første linje her", "andre linje", "tredje avsnitt"]
    assert read_text_file(path, True, 60) == ["første linje her andre linje", "tredje avsnitt"]


def test_every_character_of_a_text_file_that_is_seen_is_kept(tmp_path):
    """Signs of private use (MUFI), joiners that change Persian letters, the sign round a verse's number."""
    path = tmp_path / "t.txt"
    path.write_text("a\ue665b می‌خواهم \u06dd١\n", encoding="utf-8")
    assert read_text_file(path, False, 40) == ["a\ue665b می‌خواهم \u06dd١"]
    path.write_text("one\x0ctwo so\u00adft \u200ethree\x00\n", encoding="utf-8")
    assert read_text_file(path, True, 40) == ["one two soft three"]


def test_a_word_is_not_cut_between_a_letter_and_its_marks():
    assert wrap_words("xa\u0323\u0304a\u0323\u0304a\u0323\u0304", 5) == [
        "xa\u0323\u0304",
        "a\u0323\u0304",
        "a\u0323\u0304",
    ]
    assert wrap_words("a" + "\u0323" * 7 + "b", 4) == ["a" + "\u0323" * 7, "b"]


@pytest.mark.parametrize(("content", "reason"), [(b"\n \n", "no text"), (b"bl\xe5", "not UTF-8")])
def test_an_unusable_text_file_is_named(tmp_path, content, reason):
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"t\.txt.*{reason}"):
        read_text_file(path, True, 40)
