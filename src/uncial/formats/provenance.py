"""Who read the text of a line, as the file itself says it: program, model, time, and a hash of each line's text.

A line whose text is still what a program read counts as read by it. A line that was changed since, and every line
without a statement, counts as a person's: other programs drop what they do not know.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

PROGRAM = "uncial"
STATEMENT = re.compile(rf"\[{PROGRAM}-reading\s+([^\[\]]*)\]")
"""Where it stands in a text of any length, among what other programs wrote there."""

HASH_DIGITS = 10
MIN_TELLING = 5
"""Characters from which a text is hardly that of two lines by chance."""

INVISIBLE = dict.fromkeys([0xFEFF, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks of direction and of nothing, which programs put in and take out."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A program with a model: the name of the model's file, and a hash of its weights."""

    model: str
    weights: str
    version: str
    program: str = PROGRAM

    def __str__(self) -> str:
        return f"{self.program} {self.version} with {self.model} ({self.weights[:8]})"


@dataclass(frozen=True, slots=True)
class ReadingStep:
    """What one program read at one time: the hash of each line's text by line id. `time` is in UTC, as XML has it."""

    reader: Reader
    time: str
    lines: Mapping[str, str]


def format_utc_now() -> str:
    """Return the time as XML has it, in whole seconds: that of SOURCE_DATE_EPOCH where it is set, so that reading again
    can give the same bytes."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(stated), UTC) if stated.isdecimal() else datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def hash_text(text: str) -> str:
    """Tells texts apart, but not their Unicode forms, white space, and marks that nobody sees."""
    return hashlib.sha256(_keep_visible(text).encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]


def format_step(step: ReadingStep) -> str:
    """Return the statement as one text without characters that mean something to XML or to a list."""
    reader = step.reader
    stated = {"program": reader.program, "version": reader.version, "model": reader.model, "weights": reader.weights}
    fields = [f"{name}={_quote(value, ':')}" for name, value in (stated | {"time": step.time}).items()]
    lines = [f"{_quote(line)}:{digest}" for line, digest in step.lines.items()]
    return f"[{PROGRAM}-reading {' '.join([*fields, *lines])}]"


def parse_steps(text: str) -> list[ReadingStep]:
    """Return all statements in a text; what is none, or is torn, is passed over."""
    return [_parse(found[1]) for found in STATEMENT.finditer(text)]


def drop_steps(text: str) -> str:
    """Return the text as others wrote it."""
    return STATEMENT.sub("", text)


def find_superseded(steps: Sequence[ReadingStep], lines: Iterable[str]) -> list[ReadingStep]:
    """Return the steps without these lines, which are read anew; a step that has no other goes."""
    anew = set(lines)
    left = [
        ReadingStep(step.reader, step.time, {line: one for line, one in step.lines.items() if line not in anew})
        for step in steps
    ]
    return [step for step in left if step.lines]


def list_readers(texts: Mapping[str, str | None], steps: Sequence[ReadingStep]) -> dict[str, str]:
    """Return the reader of each line whose text is still what it read, by line id.

    Lines that were given other ids are known by their text: where neither the old id nor the new one is that of
    another line, or where the text is long enough to tell.
    """
    marks = {line: (digest, str(step.reader)) for step in steps for line, digest in step.lines.items()}
    hashes = {line: hash_text(text) for line, text in texts.items() if text is not None} if marks else {}
    found = {line: marks[line][1] for line, own in hashes.items() if line in marks and marks[line][0] == own}
    left: dict[str, list[tuple[str, str]]] = {}
    for line, (digest, reader) in marks.items():
        if line not in found:
            left.setdefault(digest, []).append((line, reader))
    for line, own in hashes.items():
        if line in found:
            continue
        length = len(_keep_visible(texts[line] or ""))
        moved = [
            mark
            for mark in left.get(own, ())
            if length >= MIN_TELLING or (length and line not in marks and mark[0] not in texts)
        ]
        if moved:
            left[own].remove(moved[0])
            found[line] = moved[0][1]
    return found


def _keep_visible(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text.translate(INVISIBLE)).split())


def _quote(value: str, safe: str = "") -> str:
    return quote(value, safe=f"~+@{safe}", errors="surrogatepass")


def _parse(stated: str) -> ReadingStep:
    fields: dict[str, str] = {}
    lines: dict[str, str] = {}
    for token in stated.split():
        name, mark, value = token.partition("=")
        if mark:
            fields[name] = unquote(value)
            continue
        line, mark, digest = token.rpartition(":")
        if mark:
            lines[unquote(line, errors="surrogatepass")] = digest
    reader = Reader(
        fields.get("model", ""), fields.get("weights", ""), fields.get("version", ""), fields.get("program", PROGRAM)
    )
    return ReadingStep(reader, fields.get("time", ""), lines)
