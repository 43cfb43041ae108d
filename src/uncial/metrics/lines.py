"""One line that was read, with everything that the scores are told apart by."""

from collections.abc import Sequence
from dataclasses import dataclass

from uncial.metrics.error_rates import Counts, compare
from uncial.metrics.profiles import form
from uncial.text.normalization import DEFAULT_PROFILE
from uncial.text.scripts import line_script


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """Where a line comes from. `page` and `line` are its ids as every file of a run names it.

    `sheet` is the page that a line image was cut from; empty where `page` is that page. `row` is the line's row of the
    compiled store, where there is one.
    """

    page: str
    line: str
    sheet: str = ""
    document: str = ""
    hand: str = ""
    region_type: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class EvaluatedLine:
    """A line's ground truth and reading, both in the form of `profile`, and what they count.

    `confidence` is the fraction that the model gives for the line, None where it is not known. `character_confidences`
    has one fraction for each code point of `prediction`, or is empty. `script` is the one that most letters of the
    truth belong to (of the reading, where the truth is empty).
    """

    origin: LineOrigin
    truth: str
    prediction: str
    counts: Counts
    profile: str
    script: str
    confidence: float | None = None
    character_confidences: tuple[float, ...] = ()

    @property
    def page(self) -> str:
        """The page that the line is written on: what lines are grouped by."""
        return self.origin.sheet or self.origin.page

    @property
    def cer(self) -> float:
        """The line's own error rate; the number of insertions where the truth is empty."""
        return self.counts.edits / max(self.counts.characters, 1)


def evaluated(
    origin: LineOrigin,
    truth: str,
    prediction: str,
    profile: str = DEFAULT_PROFILE,
    confidence: float | None = None,
    character_confidences: Sequence[float] = (),
) -> EvaluatedLine:
    """Bring both texts to the form of `profile` and compare them.

    `character_confidences` are those of `prediction` as given; where the profile changes more of it than its ends they
    are left out. Raises `UserError` for an unknown profile.
    """
    bring = form(profile)
    true, read = bring(truth), bring(prediction)
    return EvaluatedLine(
        origin=origin,
        truth=true,
        prediction=read,
        counts=compare(true, read),
        profile=profile,
        script=line_script(true or read),
        confidence=confidence,
        character_confidences=_of_part(prediction, read, tuple(character_confidences)),
    )


def _of_part(whole: str, part: str, confidences: tuple[float, ...]) -> tuple[float, ...]:
    start = whole.find(part)
    return confidences[start : start + len(part)] if start >= 0 and len(confidences) == len(whole) else ()
