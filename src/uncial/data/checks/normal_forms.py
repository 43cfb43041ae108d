"""The same letter written in two ways: composed in one place, as a letter with a mark in another."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain

from uncial.data.checks.checked import CheckedData
from uncial.data.checks.findings import Finding

STRAY = 0.05
"""Lines with letters in one form, over those with letters in the other, up to which they are strays among these."""


def mixed_normal_forms(data: CheckedData) -> Iterator[Finding]:
    """A warning for each line that writes a letter in the rarer of its two forms, or a letter that no other line has in
    the form that hardly any other letter has.

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
    for letter, where in _strays(composed, apart):
        for row in where:
            rows[row].append(letter)
    for row, letters in sorted(rows.items()):
        text = data.lines[row].text
        form = _form(letters[0], text)
        other = "not so" if form == "composed" else "composed"
        verb = "is" if len(letters) == 1 else "are"
        named = ", ".join(f"‘{letter}’" for letter in letters)
        message = f"{named} {verb} written {form} here, and such letters {other} in most lines"
        remedy = "Save the texts in one form, NFC; Uncial's default normalisation does so while it reads them."
        yield data.finding(row, "warning", "mixed_normalisation", message, remedy)


def _form(letter: str, text: str) -> str:
    if letter in text:
        return "composed"
    # Some letters have a second code point, as the Greek ones with an acute and Å, the unit.
    return "as letter and mark" if unicodedata.normalize("NFD", letter)[-1] in text else "as another code point"


def _strays(composed: Mapping[str, list[int]], apart: Mapping[str, list[int]]) -> Iterator[tuple[str, list[int]]]:
    """Letters that occur in one form only, which is rare, with their rows."""
    sizes = [len(set(chain.from_iterable(form.values()))) for form in (composed, apart)]
    for own, other, share in ((composed, apart, sizes[0]), (apart, composed, sizes[1])):
        if share <= STRAY * (sum(sizes) - share):
            yield from ((letter, own[letter]) for letter in sorted(own.keys() - other.keys()))


def _taken_apart(text: str) -> set[str]:
    """The letters that NFC would compose."""
    if unicodedata.is_normalized("NFC", text):
        return set()
    return set(unicodedata.normalize("NFC", text)) - set(text)
