"""Ground truth above prediction, aligned character by character, with the differences coloured."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from rapidfuzz.distance import Levenshtein
from rich.console import Group, RenderableType
from rich.text import Text

from uncial.reports.terminal.formatting import make_visible, plural

MISSED = "bold green"
"""What the truth has and the reading lacks."""

WRONG = "bold red"
"""What the reading has and the truth lacks."""


def format_sample_lines(samples: Iterable[tuple[str, str]]) -> RenderableType:
    """Return for each (truth, prediction), both normalised, two lines of text and the number of edits."""
    return Group(*(line for truth, prediction in samples for line in _format_sample(truth, prediction)))


def format_plain_sample_lines(samples: Iterable[tuple[str, str]]) -> list[str]:
    """Return the same lines without colours, for a log."""
    return [line.plain for truth, prediction in samples for line in _format_sample(truth, prediction)]


def _format_sample(truth: str, prediction: str) -> tuple[Text, Text]:
    truth_line, reading_line = Text.assemble(("  truth    ", "dim")), Text.assemble(("  reading  ", "dim"))
    edits = 0
    for span in align(truth, prediction):
        differs = span.kind != "equal"
        edits += max(len(span.truth), len(span.prediction)) if differs else 0
        truth_line.append(_make_visible(span.truth, differs), style=MISSED if differs else "")
        reading_line.append(_make_visible(span.prediction, differs), style=WRONG if differs else "")
    if edits:
        reading_line.append(f"   ({plural(edits, 'edit')})", style="dim")
    return truth_line, reading_line


def _make_visible(text: str, differs: bool) -> str:
    # A space that is missing or too many has no colour of its own to be seen by.
    return make_visible(text).replace(" ", "␣") if differs else make_visible(text)


Kind = Literal["equal", "insert", "delete", "replace"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of both texts. `truth` is empty for an insertion, `prediction` for a deletion."""

    kind: Kind
    truth: str
    prediction: str


def align(truth: str, prediction: str) -> tuple[Span, ...]:
    """Return the spans of a cheapest alignment by code points, in order.

    The spans' truths joined are `truth`, their predictions joined `prediction`; the number of differing characters is
    the number of edits that the scores count.
    """
    return tuple(
        Span(
            cast(Kind, operation.tag),
            truth[operation.src_start : operation.src_end],
            prediction[operation.dest_start : operation.dest_end],
        )
        for operation in Levenshtein.opcodes(truth, prediction)
    )
