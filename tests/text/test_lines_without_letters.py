"""Lines of digits and signs alone have no letters that tell their direction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.document import Transcription
from uncial.text.rules import TextRules

NEUTRAL = " .,-/()"
EUROPEAN, ARABIC, PERSIAN = "0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"


@pytest.mark.parametrize(
    ("text", "mixed", "shown"),
    [
        ("12 34", "L", "12 34"),
        ("12 34", "R", "34 12"),
        ("1848", "R", "1848"),
        ("3. (4)", "L", "3. (4)"),
        ("3. (4)", "R", "(4) .3"),
        ("١٢ ٣٤", "L", "٣٤ ١٢"),
        ("١٢ ٣٤", "R", "٣٤ ١٢"),
        ("١٢ 34", "L", "34 ١٢"),
        ("۱۲ ۳۴", "R", "۳۴ ۱۲"),
        ("a ١٢ ٣٤", "R", "a ٣٤ ١٢"),
        ("א 12", "L", "12 א"),
        ("a 12", "R", "a 12"),
        ("- .", "R", ". -"),
        ("", "R", ""),
    ],
)
def test_digits_alone_run_as_most_lines_do_and_arabic_ones_from_right_to_left(text, mixed, shown):
    """What is auto: letters decide where there are any, then digits of the Arabic script, then the training lines."""
    rules = TextRules(direction="auto", mixed=mixed)
    assert rules.to_visual(text) == shown
    assert rules.to_logical(Transcription(shown, 1.0)).text == text


@given(st.text(NEUTRAL + EUROPEAN + ARABIC, max_size=12), st.sampled_from("LR"))
def test_the_direction_of_a_line_is_the_same_whichever_way_it_is_looked_at(text, mixed):
    """The reader sees the line as it is shown, and has to come to the direction by which it was turned."""
    rules = TextRules(direction="auto", mixed=mixed)
    assert rules.base(text) == ("R" if set(text) & set(ARABIC) else mixed)
    assert rules.base(rules.to_visual(text)) == rules.base(text)


@pytest.mark.parametrize("direction", ["L", "R"])
def test_a_stated_direction_holds_for_digits_too(direction):
    rules = TextRules(direction=direction, mixed="L")
    assert {rules.base(text) for text in ("12 34", "١٢ ٣٤", "a", "א", "")} == {direction}
    assert TextRules(direction="none").base("١٢") is None
