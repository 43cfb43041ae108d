"""Findings about what the readers and the cutter left out, or used with doubts."""

import re
from collections.abc import Iterable, Iterator

from uncial.data.checks.findings import Finding, Severity
from uncial.formats.types import Problem

_KINDS: tuple[tuple[str, str, Severity | None], ...] = (
    (r"transcription, but an empty one|has no text after the name|holds no text", "empty_text", "information"),
    (r"no transcription X\.gt\.txt", "untranscribed_image", "information"),
    (r"^transcribes the image .*, a copy of", "duplicate_page", "warning"),
    (r"^transcribes the image|shares its text with|has a text already|is already used", "second_transcription", None),
    (r"is kept there only|named for \w+ and \w+", "leaking_page", "warning"),
    (r"its image is also that of|is named again", "duplicate_page", "warning"),
    (
        r"its image '[^']*' is not in|states no image|image is missing|image was not found|no image of this name|"
        r"holds no image|the image .* does not exist|names no image|lies outside of|its image .* may be",
        "missing_image",
        "error",
    ),
    (r"the image has .* pixels, but the ground truth states", "wrong_image_size", "error"),
    (r"outside the image", "outside_image", "warning"),
    (
        r"no area and its baseline no length|its place on the page is unknown|it is only \d+ x \d+ pixels",
        "no_outline",
        "warning",
    ),
    (r"over the limit of .* pixels", "too_large_image", "error"),
    (
        r"is no readable image|is no file that can be read|image is damaged|image is truncated|image file is empty|"
        r"not an image in a known|may not be read|but it is a folder|pages? .* is asked for|is no jpg",
        "unreadable_image",
        "error",
    ),
    (r"correct the line's coordinates|it is read without an outline", "wrong_coordinates", "warning"),
    (r"lines of text for one line image|holds a line break", "several_lines", "warning"),
    (r"is METS|is no PAGE|is other XML|read it with data=", "other_file", "information"),
)
"""What reasons say, the kind of finding that they are, and its severity; None: by what the reason concerns."""

_NOTES: tuple[tuple[str, str], ...] = (
    (r"EXIF orientation", "doubtful_orientation"),
    (r"its coordinates were scaled", "scaled_coordinates"),
    (r"its JPEG data are damaged", "damaged_image"),
)

_REMEDIES = {
    "empty_text": "Nothing, where it is meant so; else transcribe it.",
    "untranscribed_image": "Nothing, where it is meant so; else put the transcription beside it.",
    "second_transcription": "Leave one of them out, for instance with 'data.exclude=[\"*.NAME.xml\"]'.",
    "leaking_page": "Leave the page out of one of the two parts.",
    "duplicate_page": "Keep one of the two.",
    "several_lines": "Write one line of text for one line image.",
}


def findings_of_problems(problems: Iterable[Problem]) -> Iterator[Finding]:
    """One finding for each page or line that was left out: an error for a page, a warning for a line, but for what is
    known to be harmless."""
    for problem in problems:
        kind, severity = "left_out", None
        for pattern, name, known in _KINDS:
            if re.search(pattern, problem.reason):
                kind, severity = name, known
                break
        if severity is None:
            severity = "warning" if problem.line or kind == "second_transcription" else "error"
        message, remedy = _parted(problem.reason)
        yield Finding(severity, kind, message, problem.file, problem.line, _REMEDIES.get(kind, remedy))


def findings_of_notes(notes: Iterable[Problem]) -> Iterator[Finding]:
    """One warning for each page that is used with a doubt."""
    for note in notes:
        kind = next((name for pattern, name in _NOTES if re.search(pattern, note.reason)), "doubtful")
        message, remedy = _parted(note.reason)
        remedy = remedy or "Look at its lines; they are right if the image is a scaled copy of the one transcribed."
        yield Finding("warning", kind, message, note.file, note.line, remedy)


def _parted(reason: str) -> tuple[str, str]:
    """What is wrong, and what to do: reasons have it behind their last semicolon."""
    message, separator, remedy = reason.rpartition("; ")
    if not separator:
        return reason, ""
    return message, f"{remedy[:1].upper()}{remedy[1:]}."
