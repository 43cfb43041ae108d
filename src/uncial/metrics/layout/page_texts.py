"""Pages whose lines were found and read, against a truth with lines of its own: line by line, so that all that scores
and compares lines does so here too.

The lines of a page are paired as `text_alignment` has it. A line of the truth that is left over was read as nothing,
one read too many is a line of its own whose truth is empty: so the error rate of the lines is hCER.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from uncial.metrics.layout.text_alignment import align_lines
from uncial.metrics.lines import EvaluatedLine, LineOrigin, evaluate_line
from uncial.metrics.profiles import form


@dataclass(frozen=True, slots=True)
class TruthLine:
    """A line of the truth: where it comes from, and its text."""

    origin: LineOrigin
    text: str


@dataclass(frozen=True, slots=True)
class PageTexts:
    """What one system read on a page, its lines in their order: `by_id` by the ids of the truth where its lines are the
    given ones, else None, and then `texts` of lines that it found."""

    texts: Sequence[str]
    by_id: Mapping[str, str] | None = None


def evaluate_page(truth: Sequence[TruthLine], systems: Sequence[PageTexts], profile: str) -> list[list[EvaluatedLine]]:
    """Return the lines of a page as each system read them: as many for each, in the same order. Raises `UserError` for
    an unknown profile."""
    normalise = form(profile)
    wanted = [normalise(line.text) for line in truth]
    read: list[list[str]] = []
    left: list[list[str]] = []
    for system in systems:
        if system.by_id is not None:
            read.append([system.by_id.get(line.origin.line, "") for line in truth])
            left.append([])
            continue
        pairs = dict(align_lines(wanted, [normalise(text) for text in system.texts]).pairs)
        read.append([system.texts[pairs[place]] if place in pairs else "" for place in range(len(truth))])
        kept = set(pairs.values())
        left.append([text for number, text in enumerate(system.texts) if number not in kept and normalise(text)])
    evaluated = [
        [evaluate_line(line.origin, line.text, text, profile) for line, text in zip(truth, texts, strict=True)]
        for texts in read
    ]
    for number, texts in enumerate(zip_longest(*left, fillvalue=""), 1):
        for lines, text in zip(evaluated, texts, strict=True):
            lines.append(_evaluate_extra(truth[0].origin, number, text, profile))
    return evaluated


def _evaluate_extra(beside: LineOrigin, number: int, text: str, profile: str) -> EvaluatedLine:
    """Return a line that the truth has not: its characters count as inserted, and it is no line."""
    origin = replace(beside, line=f"not in the truth {number}", region_type="", row=None)
    line = evaluate_line(origin, "", text, profile)
    return replace(line, counts=replace(line.counts, correct_lines=0, lines=0, macro=0))
