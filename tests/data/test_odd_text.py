"""What is odd in transcriptions, and what only looks so."""

import pytest

from uncial.data.checks.findings import CheckedData, CheckedLine
from uncial.data.checks.odd_text import mixed_normal_forms, odd_text


def data(*texts: str) -> CheckedData:
    lines = [CheckedLine(row, "l1", "page.xml", "page", "page", "", "train", text) for row, text in enumerate(texts)]
    return CheckedData(None, lines, None, ())  # type: ignore[arg-type]


def kinds(text: str) -> list[str]:
    return [finding.kind for finding in odd_text(data(text))]


@pytest.mark.parametrize(
    "text",
    [
        "er sagte, „daß“ und „muß“ — groß—klein",
        "le mot « CAFÉ”, l'Ü“, l'Ö“ et l'É¹",
        "sieh Anmerkung Maß² und Maß³",
        "ܐ\u070fܒܓ ܕܗ",
        "سنة \u0600١٢٣ \u06dd",
        "می\u200cخواهم क्\u200dष",
    ],
)
def test_what_is_written_so_is_not_odd(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("dÃ©jÃ  vu", "damaged_text"),
        ("un cÅ“ur", "damaged_text"),
        ("lâ€™eau", "damaged_text"),
        ("Ï„Î± Ï€Î¬Î½Ï„Î±", "damaged_text"),
        ("daß\u200b", "invisible_character"),
    ],
)
def test_what_nobody_meant_is_told(text, kind):
    assert kind in kinds(text)


@pytest.mark.parametrize(
    ("usual", "stray", "told"),
    [
        ("récolte", "re\u0301colte", "is written as letter and mark here"),
        ("récolte", "il e\u0302tait", "‘ê’ is written as letter and mark here"),
        ("il e\u0302tait", "récolte", "‘é’ is written composed here"),
        ("μ\u03acλα", "μ\u1f71λα", "as another code point here"),
    ],
)
def test_a_stray_normal_form_is_told_also_where_no_other_line_has_the_letter(usual, stray, told):
    found = list(mixed_normal_forms(data(*[usual] * 30, stray)))
    assert [(finding.row, finding.kind) for finding in found] == [(30, "mixed_normalisation")]
    assert told in found[0].message


@pytest.mark.parametrize("texts", [["récolte"] * 9, ["re\u0301colte"] * 9, ["récolte", "q\u0303", "e\u0302tre"] * 9])
def test_a_habit_of_the_data_is_no_stray(texts):
    assert list(mixed_normal_forms(data(*texts))) == []
