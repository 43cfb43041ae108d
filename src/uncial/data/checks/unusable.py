"""Findings about what the readers and the cutter left out, or used with doubts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from uncial.data.checks.findings import Finding, Severity
from uncial.document import Issue
from uncial.errors import UnusableInput
from uncial.formats.transcription_files import read_transcription
from uncial.formats.xml.parsing import parse
from uncial.text.normalization import normalize

_SEVERITIES: dict[str, Severity] = {
    "empty_text": "information",
    "untranscribed_image": "information",
    "second_transcription": "warning",
    "duplicate_page": "warning",
    "leaking_page": "warning",
    "missing_image": "error",
    "unreadable_image": "error",
    "too_large_image": "error",
    "wrong_image_size": "error",
    "outside_image": "warning",
    "no_outline": "warning",
    "wrong_coordinates": "warning",
    "several_lines": "warning",
    "other_file": "warning",
    "machine_read": "information",
    "passed_over": "warning",
    "other_format": "information",
    "text_without_lines": "error",
    "region_without_lines": "warning",
}
"""How grave each kind is. What is not named here is an error where it costs a page, a warning where it costs a line."""

_REMEDIES = {
    "empty_text": "Nothing, where it is meant so; else transcribe it.",
    "untranscribed_image": "Nothing, where it is meant so; else put the transcription beside it.",
    "second_transcription": "Leave one of them out, for instance with 'data.exclude=[\"*.NAME.xml\"]'.",
    "leaking_page": "Leave the page out of one of the two parts.",
    "duplicate_page": "Keep one of the two.",
    "machine_read": "Nothing, where transcriptions of people are in use; else correct them, or train on them with "
    "data.min_confidence or data=mixed.",
    "several_lines": "Write one line of text for one line image.",
}


def report_problems(problems: Iterable[Issue]) -> Iterator[Finding]:
    """One finding for each page or line that was left out."""
    for problem in problems:
        severity = _SEVERITIES.get(problem.kind, "warning" if problem.line else "error")
        message, remedy = _split_by_kind(problem.reason)
        remedy = _REMEDIES.get(problem.kind, remedy)
        finding = Finding(severity, problem.kind, message, problem.file, problem.line, remedy)
        is_second = problem.used and problem.kind != "machine_read"
        yield grade_duplicate(finding, problem.used) if is_second else finding


def report_notes(notes: Iterable[Issue]) -> Iterator[Finding]:
    """One warning for each page that is used with a doubt."""
    for note in notes:
        message, remedy = _split_by_kind(note.reason)
        remedy = remedy or "Look at its lines; they are right if the image is a scaled copy of the one transcribed."
        yield Finding("warning", note.kind, message, note.file, note.line, remedy)


def _split_by_kind(reason: str) -> tuple[str, str]:
    """Return what is wrong, and what to do: reasons have it behind their last semicolon."""
    message, separator, remedy = reason.rpartition("; ")
    if not separator:
        return reason, ""
    return message, f"{remedy[:1].upper()}{remedy[1:]}."


def grade_duplicate(finding: Finding, used: str) -> Finding:
    """Return a finding about a file whose image the file `used` transcribes too, which is used.

    Second transcriptions that say the same become information: a page exported as PAGE and as ALTO contradicts nothing.
    The others, and those about copies of an image, say how many lines differ.
    """
    mine, theirs = _list_texts(Path(finding.file)), _list_texts(Path(used))
    if mine is None or theirs is None:
        return finding
    if mine == theirs:
        severity: Severity = "information" if finding.kind == "second_transcription" else finding.severity
        return replace(finding, severity=severity, message=f"{finding.message}, with the same text")
    different = max((mine - theirs).total(), (theirs - mine).total())
    lines = max(mine.total(), theirs.total())
    return replace(finding, message=f"{finding.message}; {different} of {lines} lines differ")


def _list_texts(path: Path) -> Counter[str] | None:
    """Return the texts of a file's lines, in whatever order; None where it cannot be told."""

    def no_image(stated: str) -> Path:
        raise UnusableInput(stated)

    try:
        reading = read_transcription(parse(path).getroot(), path, "", no_image)
    except UnusableInput:
        return None
    return Counter(normalize(line.text) for page in reading.pages for line in page.lines if line.text)
