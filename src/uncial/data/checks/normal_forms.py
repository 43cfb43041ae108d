"""The same letter written in two ways: composed in one place, as a letter with a mark in another."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from uncial.data.checks.checked import CheckedData
from uncial.data.checks.findings import Finding


def mixed_normal_forms(data: CheckedData) -> Iterator[Finding]:
    """A warning for each line that writes a letter in the rarer of its two forms.

    Where the data use one form throughout, whichever it is, there is nothing to say.
    """
    composed: dict[str, list[int]] = defaultdict(list)
    apart: dict[str, list[int]] = defaultdict(list)
    for line in data.lines:
        if line.text.isascii():
            continue
        for letter in dict.fromkeys(line.text):
            if unicodedata.normalize("NFD", letter) != letter and unicodedata.normalize("NFC", letter) == letter:
                composed[letter].append(line.row)
        for letter in _taken_apart(line.text):
            apart[letter].append(line.row)
    rows: dict[int, list[str]] = defaultdict(list)
    for letter in sorted(composed.keys() & apart.keys()):
        for row in min(composed[letter], apart[letter], key=len):
            rows[row].append(letter)
    for row, letters in sorted(rows.items()):
        form = "composed" if letters[0] in data.lines[row].text else "as letter and mark"
        other = "as letter and mark" if form == "composed" else "composed"
        message = f"{', '.join(f'‘{letter}’' for letter in letters)} is written {form} here, and {other} in most lines"
        remedy = "Save the texts in one form, NFC; Uncial's default normalisation does so while it reads them."
        yield data.finding(row, "warning", "mixed_normalisation", message, remedy)


def _taken_apart(text: str) -> set[str]:
    """The letters that NFC would compose."""
    if unicodedata.is_normalized("NFC", text):
        return set()
    return set(unicodedata.normalize("NFC", text)) - set(text)
