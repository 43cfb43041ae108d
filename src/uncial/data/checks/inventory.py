"""The characters of the data: those that are rare, unknown to a part, private, or written in several ways."""

from collections import Counter
from collections.abc import Iterator, Sequence

from uncial.data.checks.findings import CheckedData, Finding, Severity
from uncial.text.characters import describe, split_units
from uncial.text.codec import Codec, count_unknown
from uncial.text.label_codec import describe_characters
from uncial.text.lookalikes import PUNCTUATION

RARE = 3
"""A character of the training lines that occurs less often can hardly be learned."""

UNSEEN_SHARE = 0.002
"""Share of a part's characters from which those that training lacks are a warning: they alone cost as much CER."""


def find_rare_characters(data: CheckedData, texts: Sequence[str], unit: str = "code_point") -> Iterator[Finding]:
    """Information about each character of few training lines. `texts` are the normalised ones of all rows, `unit` says
    what a model learns as a character (`split_units`)."""
    counts, first = _count_characters(data, texts, "train", unit)
    for character, count in counts.items():
        if count < RARE:
            message = f"{describe_characters(character)} occurs {_format_times(count)} in the training lines"
            yield data.finding(
                first[character],
                "information",
                "rare_character",
                message,
                "Look whether it is meant; else add examples.",
            )


def find_unseen_characters(data: CheckedData, texts: Sequence[str], unit: str = "code_point") -> Iterator[Finding]:
    """Characters of validation and test that no training line has; a warning where they are more than a few."""
    trained, _ = _count_characters(data, texts, "train", unit)
    for part in ("val", "test"):
        counts, first = _count_characters(data, texts, part, unit)
        missing = {character: count for character, count in counts.items() if character not in trained}
        many = sum(missing.values()) > max(2, UNSEEN_SHARE * sum(counts.values()))
        severity: Severity = "warning" if many and trained else "information"
        for character, count in missing.items():
            occurs = f"{describe_characters(character)} occurs {_format_times(count)}"
            message = f"{occurs} in {part} and never in train, so it cannot be read"
            yield data.finding(
                first[character], severity, "unseen_character", message, "Look whether it is meant; else add examples."
            )


def find_out_of_alphabet(data: CheckedData, texts: Sequence[str], codec: Codec) -> Iterator[Finding]:
    """Characters that the model of `checkpoint` cannot write. `texts` are those of all rows, as it learns them."""
    counts = count_unknown(codec, texts)
    many = sum(counts.values()) > UNSEEN_SHARE * sum(map(len, texts))
    first: dict[str, int] = {}
    for row, text in enumerate(texts) if counts else ():
        for piece in codec.unknown(text):
            first.setdefault(piece, row)
    for piece, count in counts.items():
        message = (
            f"{describe_characters(piece)} occurs {_format_times(count)} and is not in the alphabet of the checkpoint"
        )
        remedy = "Fine-tune the model on these data, or train a new one."
        yield data.finding(first[piece], "warning" if many else "information", "unknown_to_model", message, remedy)


def find_private_characters(data: CheckedData) -> Iterator[Finding]:
    """Information about code points that mean something only by agreement, as MUFI's do."""
    counts, first = _count_characters(data, [line.text for line in data.lines])
    for character, count in counts.items():
        if 0xE000 <= ord(character) <= 0xF8FF or ord(character) >= 0xF0000:
            message = f"{describe(character)} occurs {_format_times(count)}"
            remedy = "Say in the data's description what it stands for; no Unicode name tells."
            yield data.finding(first[character], "information", "private_character", message, remedy)


def find_mixed_codepoints(data: CheckedData) -> Iterator[Finding]:
    """Information about signs beside which the data use a more frequent one that looks nearly the same."""
    counts, first = _count_characters(data, [line.text for line in data.lines])
    for name, signs in PUNCTUATION.items():
        used = sorted((sign for sign in signs if counts.get(sign)), key=lambda sign: -counts[sign])
        for sign in used[1:]:
            message = (
                f"of the {name}, {describe(sign)} occurs {_format_times(counts[sign])} "
                f"beside {describe(used[0])}, {_format_times(counts[used[0]])}"
            )
            kind = "odd_space" if name == "spaces" else "similar_signs"
            yield data.finding(first[sign], "information", kind, message, "Use one, where no difference is meant.")


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _count_characters(
    data: CheckedData, texts: Sequence[str], part: str | None = None, unit: str = "code_point"
) -> tuple[dict[str, int], dict[str, int]]:
    """Return how often each character occurs in a part or in all lines, the most frequent first, and the first row with
    it."""
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    for line in data.lines:
        if part is None or line.part == part:
            pieces = split_units(texts[line.row], unit)
            counts.update(pieces)
            for character in pieces:
                first.setdefault(character, line.row)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))), first
