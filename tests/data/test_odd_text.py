"""What is odd in a transcription, and what only looks so."""

import pytest

from uncial.data.checks.checked import CheckedData, CheckedLine
from uncial.data.checks.odd_text import odd_text


def kinds(text: str) -> list[str]:
    line = CheckedLine(0, "l1", "page.xml", "page", "page", "", "train", text)
    return [finding.kind for finding in odd_text(CheckedData(None, [line], None, ()))]  # type: ignore[arg-type]


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
