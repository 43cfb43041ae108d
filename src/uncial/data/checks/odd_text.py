"""Transcriptions that hold what nobody meant to write: damage, odd spaces, foreign letters, scraps."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from uncial.data.checks.findings import CheckedData, CheckedLine, Finding
from uncial.text.characters import describe
from uncial.text.lookalikes import find_double, find_letter_script

FORMATS_OF_SCRIPTS = "\u200c\u200d"
"""Joiner and non-joiner, which change letters in Arabic, Syriac and Indic scripts."""

DIRECTIONS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_MOJIBAKE = re.compile(
    r"[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122]+"
)
_UTF7 = re.compile(r"\+([A-Za-z0-9+/]{3,})-")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")

SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that are drawn: Arabic signs of numbers, years and verses, Syriac's of abbreviation, Kaithi's of
numbers (Unicode's property Prepended_Concatenation_Mark)."""

LAST_OF_EUROPE = "\u017f"
"""The last letter of Latin Extended-A. Accented letters of European languages come up to it."""

RARE_SCRIPT = 0.005
"""Share of the letters below which a script is no language of the data."""


def find_odd_text(data: CheckedData) -> Iterator[Finding]:
    """Findings about single lines; what is a habit of the whole data is told by `inventory`."""
    scripts = Counter(name for line in data.lines for name in map(find_letter_script, line.text) if name)
    total = sum(scripts.values())
    foreign = {name for name, count in scripts.items() if count < RARE_SCRIPT * total}
    for line in data.lines:
        for severity, kind, message, remedy in (*_find_marks(line), *_find_spaces(line), *_find_letters(line, foreign)):
            yield data.finding(line.row, severity, kind, message, remedy)  # type: ignore[arg-type]


def _find_marks(line: CheckedLine) -> Iterator[tuple[str, str, str, str]]:
    for character in dict.fromkeys(line.text):
        category = unicodedata.category(character)
        told = f"the text holds {describe(character)}"
        if category in ("Cc", "Zl", "Zp"):
            yield "warning", "control_character", told, "Delete it, or write a space."
        elif character in "\ufffd\ufffc" or category in ("Cs", "Cn"):
            yield "warning", "damaged_text", f"{told}, the trace of a conversion that failed", "Transcribe it again."
        elif (
            category == "Cf"
            and character not in SEEN
            and not (character in FORMATS_OF_SCRIPTS and _find_joins(line.text))
        ):
            severity = "information" if character in DIRECTIONS or character == "\u00ad" else "warning"
            yield severity, "invisible_character", f"{told}, which cannot be seen", "Delete it, unless it is meant."
    if found := _ENTITY.search(line.text):
        yield (
            "warning",
            "escaped_markup",
            f"the text holds {found[0]}, a character escaped once too often",
            "Unescape it.",
        )
    if damage := next(_find_damage(line.text), None):
        message = f"the text holds ‘{damage[0]}’, which is ‘{damage[1]}’ read in a wrong encoding"
        yield "warning", "damaged_text", message, "Convert the file again as UTF-8."


def _find_joins(text: str) -> bool:
    """Return whether the text has letters of a script that joins or stacks them."""
    return any(
        find_letter_script(letter) not in ("", "LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC") for letter in text
    )


def _find_damage(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a wrong encoding made of letters, and these letters; not what a letter with a quotation mark, a dash
    or the number of a note behind it, as in „daß“ or É², would come to by chance."""
    for match in _UTF7.finditer(text):
        meant = _decode_utf7(match[0])
        if meant is not None:
            yield match[0], meant
    for found in _MOJIBAKE.findall(text):
        meant = _decode_again(found)
        chance = len(found) == 2 and (
            unicodedata.category(found[1]) == "No" or unicodedata.category(found[1])[0] == "P"
        )
        if meant is not None and not (chance and meant > LAST_OF_EUROPE):
            yield found, meant


def _decode_utf7(text: str) -> str | None:
    """Return the letters that `+…-` stands for in UTF-7; None where it stands for none beyond ASCII."""
    try:
        meant = text.encode("ascii").decode("utf-7")
    except UnicodeError:
        return None
    return meant if meant.isprintable() and meant.isalpha() and not meant.isascii() and len(meant) < 4 else None


def _decode_again(text: str) -> str | None:
    try:
        meant = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
    return meant if len(meant) < len(text) and meant.isprintable() else None


def _find_spaces(line: CheckedLine) -> Iterator[tuple[str, str, str, str]]:
    text = line.text
    if text != text.strip():
        where = "begins and ends" if text != text.lstrip() and text != text.rstrip() else "begins"
        where = "ends" if text == text.lstrip() else where
        remedy = "Nothing: outer white space is left out of training and scores."
        yield "information", "edge_white_space", f"the text {where} with white space", remedy
    if "  " in text.strip():
        yield "information", "repeated_space", "the text holds several spaces in a row", "Write one space."


def _find_letters(line: CheckedLine, foreign: set[str]) -> Iterator[tuple[str, str, str, str]]:
    """Letters that stand for those of another script which look the same."""
    of_line = Counter(name for name in map(find_letter_script, line.text) if name)
    if len(of_line) < 2:
        return
    for word in dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", line.text))):
        of_word = Counter(name for name in map(find_letter_script, word) if name)
        if len(of_word) > 1:
            wanted = max(of_word, key=lambda name: (of_word[name], of_line[name]))
        else:
            own = next(iter(of_word), "")
            wanted = of_line.most_common(1)[0][0] if own in foreign else own
        strangers = [letter for letter in dict.fromkeys(word) if find_letter_script(letter) not in ("", wanted)]
        meant = [find_double(letter, wanted) for letter in strangers]
        if strangers and all(meant):
            pairs = ", ".join(
                f"{describe(letter)} for ‘{other}’" for letter, other in zip(strangers, meant, strict=True)
            )
            message = f"the word ‘{word}’ mixes scripts: {pairs}"
            yield "warning", "foreign_letter", message, f"Type the letter of the {wanted.capitalize()} script."


STRAY = 0.05
"""Lines with letters in one form, over those with letters in the other, up to which they are strays among these."""


def find_mixed_normal_forms(data: CheckedData) -> Iterator[Finding]:
    """Yield a warning for each line that writes a letter in the rarer of its two forms, or a letter that no other line
    has in the form that hardly any other letter has.

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
        for letter in _take_apart(line.text):
            apart[letter].append(line.row)
    rows: dict[int, list[str]] = defaultdict(list)
    for letter in sorted(composed.keys() & apart.keys()):
        for row in min(composed[letter], apart[letter], key=len):
            rows[row].append(letter)
    for letter, where in _find_strays(composed, apart):
        for row in where:
            rows[row].append(letter)
    for row, letters in sorted(rows.items()):
        text = data.lines[row].text
        form = _find_form(letters[0], text)
        other = "not so" if form == "composed" else "composed"
        verb = "is" if len(letters) == 1 else "are"
        named = ", ".join(f"‘{letter}’" for letter in letters)
        message = f"{named} {verb} written {form} here, and such letters {other} in most lines"
        remedy = "Save the texts in one form, NFC; Uncial's default normalisation does so while it reads them."
        yield data.finding(row, "warning", "mixed_normalisation", message, remedy)


def _find_form(letter: str, text: str) -> str:
    if letter in text:
        return "composed"
    # Some letters have a second code point, as the Greek ones with an acute and Å, the unit.
    return "as letter and mark" if unicodedata.normalize("NFD", letter)[-1] in text else "as another code point"


def _find_strays(composed: Mapping[str, list[int]], apart: Mapping[str, list[int]]) -> Iterator[tuple[str, list[int]]]:
    """Letters that occur in one form only, which is rare, with their rows."""
    sizes = [len(set(chain.from_iterable(form.values()))) for form in (composed, apart)]
    for own, other, share in ((composed, apart, sizes[0]), (apart, composed, sizes[1])):
        if share <= STRAY * (sum(sizes) - share):
            yield from ((letter, own[letter]) for letter in sorted(own.keys() - other.keys()))


def _take_apart(text: str) -> set[str]:
    """Return the letters that NFC would compose."""
    if unicodedata.is_normalized("NFC", text):
        return set()
    return set(unicodedata.normalize("NFC", text)) - set(text)


LEFT_BY = ("no_ink", "crowded_line", "infeasible_line")
"""Kinds of finding that a scrap gives rise to."""

LONG = 12
"""Characters from which two lines of a page hardly say the same."""


def drop_explained_findings(data: CheckedData, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, those about scraps replaced by one piece of information for each.

    A scrap is a line too small for its text whose whole text another line of the page has that is in order: nothing is
    lost by it, and no model can learn it.
    """
    findings = list(findings)
    doubtful = {finding.row for finding in findings if finding.kind in LEFT_BY}
    told: set[int] = set()
    for finding in findings:
        row = finding.row
        whole = None if row is None or finding.kind not in LEFT_BY else _get_whole_line(data, row, doubtful)
        if row is None or whole is None:
            yield finding
        elif row not in told:
            told.add(row)
            message = f"a scrap of a line with the text of line {data.lines[whole].line}, which has it whole"
            yield replace(
                finding, severity="information", kind="leftover_line", message=message, remedy="Delete the scrap."
            )


def _get_whole_line(data: CheckedData, row: int, doubtful: set[int | None]) -> int | None:
    text = data.lines[row].text.strip()
    if len(text) < LONG:
        return None
    for other in data.by_sheet[data.lines[row].sheet].tolist():
        if other != row and other not in doubtful and data.lines[other].text.strip() == text:
            return int(other)
    return None
