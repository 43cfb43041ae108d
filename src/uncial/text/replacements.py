"""Tables of characters and strings that are learned as others, from a config or a file."""

import csv
import functools
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from uncial.errors import UserError
from uncial.text.normalization import build_unicode_form

Replacements = tuple[tuple[str, str], ...]
"""(from, to) pairs."""

_CODE_POINTS = re.compile(r"U\+[0-9A-Fa-f]{4,6}( U\+[0-9A-Fa-f]{4,6})*")

HEADINGS = ("char", "replacement")
"""The columns that make a table one of chocoMufin."""

DOTTED_CIRCLE = "\N{DOTTED CIRCLE}"
"""What bears a combining mark in chocoMufin's tables, where it stands for nothing itself."""


def replace_in(text: str, replacements: Replacements) -> str:
    """Return `text` with all replacements made at once: the longest match first, and nothing is replaced twice."""
    pattern, table = _compile_pattern(replacements)
    return pattern.sub(lambda found: table[found[0]], text)


@functools.lru_cache(maxsize=8)
def _compile_pattern(replacements: Replacements) -> tuple[re.Pattern[str], dict[str, str]]:
    table = dict(replacements)
    longest_first = sorted(table, key=lambda old: (-len(old), old))
    return re.compile("|".join(map(re.escape, longest_first))), table


def read_replacements(value: Any, key: str, profile: str) -> Replacements:
    """Make a table of what a config says: null, a mapping, a list of pairs, or the path of a file. What is replaced is
    looked for in the Unicode form of `profile`, the normalisation of the text.

    A side written as `U+017F`, or several such with spaces between, stands for these code points. A file is UTF-8: a
    JSON object; a `.csv` of two columns, or with the headings of chocoMufin's tables, whose rows that `allow` a
    character replace nothing; any other with `from<TAB>to` in each line, where blank lines, and those that begin with #
    and hold no tab, are left out.

    Raises `UserError` for anything else, with the config's `key`, and where a string is to become two different ones.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return _check(_read(Path(value), key), f"{key}={value}", profile)
    if isinstance(value, Mapping):
        return _check(value.items(), key, profile)
    if isinstance(value, list | tuple) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in value):
        return _check(value, key, profile)
    raise UserError(f"{key}: give a table {{from: to}}, a list of [from, to] pairs, or the path of a file.")


def _read(path: Path, key: str) -> Iterable[tuple[Any, Any]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UserError(f"{key}={path}: the table cannot be read ({reason}).") from None
    if path.suffix.lower() == ".json":
        return _from_json(content, f"{key}={path}")
    if path.suffix.lower() == ".csv":
        return _from_csv(content, f"{key}={path}")
    return _from_lines(content, f"{key}={path}")


def _from_json(content: str, where: str) -> list[tuple[Any, Any]]:
    try:
        pairs = json.loads(content, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: it is no JSON ({error}).") from None
    if not isinstance(pairs, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise UserError(f'{where}: a JSON object is expected, {{"from": "to", …}}.')
    return [(old, new) for old, new in pairs]


def _from_csv(content: str, where: str) -> list[tuple[Any, Any]]:
    rows = [row for row in csv.reader(io.StringIO(content)) if row]
    headings = [heading.strip().lower() for heading in rows[0]] if rows else []
    if set(HEADINGS) <= set(headings):
        return list(_from_chocomufin(headings, rows[1:], where))
    if any(len(row) != 2 for row in rows):
        raise UserError(f"{where}: two columns are expected, or the headings {' and '.join(HEADINGS)}.")
    return [(old, new) for old, new in rows]


def _from_chocomufin(headings: Sequence[str], rows: Iterable[Sequence[str]], where: str) -> Iterator[tuple[str, str]]:
    """Yield the rows that replace something. Those marked `allow` only say that a character is known, whatever stands
    beside it; https://github.com/PonteIneptique/choco-mufin explains the columns."""
    for row in rows:
        cells = dict(zip(headings, row, strict=False))
        if not set(HEADINGS) <= set(cells):
            raise UserError(f"{where}: a row has no {HEADINGS[1]}.")
        if cells.get("allow", "").strip().lower() == "true":
            continue
        if cells.get("regex", "").strip().lower() == "true" or cells["char"].startswith("#r#"):
            raise UserError(
                f"{where}: {cells['char']!r} is a regular expression, which is not applied here; write a row for each "
                "string that it replaces, or let chocoMufin convert the files."
            )
        yield _find_without_bearer(cells["char"]), _find_without_bearer(cells["replacement"])


def _find_without_bearer(text: str) -> str:
    return text if text == DOTTED_CIRCLE else text.replace(DOTTED_CIRCLE, "")


def _from_lines(content: str, where: str) -> list[tuple[Any, Any]]:
    pairs = []
    for number, line in enumerate(content.split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip() or (line.startswith("#") and "\t" not in line):
            continue
        if line.count("\t") != 1:
            raise UserError(f"{where}, line {number}: what is replaced and what it becomes are expected, with one tab.")
        old, new = line.split("\t")
        pairs.append((old, new))
    return pairs


def _check(pairs: Iterable[tuple[Any, Any]], where: str, profile: str) -> Replacements:
    table: dict[str, str] = {}
    for old, new in pairs:
        if new is None or isinstance(new, list | dict | tuple):
            raise UserError(f'{where}: {old!r} becomes no text; write "" to leave it out.')
        source, target = build_unicode_form(_describe_meant(str(old), where), profile), _describe_meant(str(new), where)
        if not source:
            raise UserError(f"{where}: nothing cannot be replaced; write what becomes {target!r}.")
        if table.setdefault(source, target) != target:
            raise UserError(f"{where}: {source!r} is to become both {table[source]!r} and {target!r}; keep one.")
    return tuple((old, new) for old, new in table.items() if old != new)


def _describe_meant(text: str, where: str) -> str:
    if not _CODE_POINTS.fullmatch(text):
        return text
    numbers = [int(part[2:], 16) for part in text.split(" ")]
    if max(numbers) > 0x10FFFF:
        raise UserError(f"{where}: {text} is no code point; the last is U+10FFFF.")
    return "".join(map(chr, numbers))
