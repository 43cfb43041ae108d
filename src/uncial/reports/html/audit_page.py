"""What an audit found, as audit.json and as audit.html."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uncial.metrics.label_errors import Place, convert_odds
from uncial.reports.html.rendering import encode_picture, write_page
from uncial.reports.terminal.formatting import plural
from uncial.reports.terminal.sample_lines import Span, align
from uncial.runs.tables import write_json


@dataclass(frozen=True, slots=True)
class AuditedLine:
    """A judged line. Likelihoods are natural logarithms for each character, `log_odds` those that its truth is wrong.

    `suspect` says that it is shown and exported, `exported` is the PAGE file, empty where there is none. `text_of`
    names the line of the page whose truth was read in its image instead of its own, empty where there is none.
    """

    row: int
    page: str
    line: str
    hand: str
    file: str
    truth: str
    reading: str
    confidence: float
    log_odds: float
    truth_likelihood: float
    reading_likelihood: float
    model: str
    places: tuple[Place, ...]
    suspect: bool
    exported: str
    text_of: str

    @property
    def probability(self) -> float:
        """That the ground truth is wrong."""
        return convert_odds(self.log_odds)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where the reading differs from the truth, character by character."""
        return align(self.truth, self.reading)


@dataclass(frozen=True, slots=True)
class ShiftedTexts:
    """Lines of a page, from `first` to `last`, whose texts stand so many lines (`offset`) after the image that they
    belong to, before it where negative. `lines` counts those that were seen to be off."""

    page: str
    first: str
    last: str
    lines: int
    offset: int

    @property
    def sentence(self) -> str:
        """What a person is told."""
        by, side = plural(abs(self.offset), "line"), "late" if self.offset > 0 else "early"
        cause = (
            "a line of writing has no line there, or a text stands twice"
            if self.offset > 0
            else "a line without writing has a text there, or the text of one is missing"
        )
        return (
            f"{self.page}: from line {self.first} to line {self.last} the texts stand {by} too {side} "
            f"({plural(self.lines, 'line')} read so). Look just before them: {cause}."
        )


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`lines` are the judged ones, the most suspect first; `unjudged` counts those that every model was trained on.

    `temperatures` and `judged_by` say by the model's file at which temperature it judged and how many lines. `prior` is
    the share of lines that was expected to be wrong. `shifts` are in the order of the pages.
    """

    source: str
    lines: Sequence[AuditedLine]
    unjudged: int
    temperatures: Mapping[str, float]
    judged_by: Mapping[str, int]
    prior: float
    shifts: Sequence[ShiftedTexts]


def write_audit(path: Path, report: AuditReport) -> None:
    """Write audit.json: the models, the shifted texts, and all judged lines with their rank."""
    models = [
        {"file": file, "lines": lines, "temperature": report.temperatures[file]}
        for file, lines in report.judged_by.items()
    ]
    lines = [_line_to_json(rank, line) for rank, line in enumerate(report.lines, start=1)]
    write_json(
        path,
        {
            "source": report.source,
            "prior": report.prior,
            "judged": len(lines),
            "unjudged": report.unjudged,
            "models": models,
            "shifts": [asdict(shift) for shift in report.shifts],
            "lines": lines,
        },
    )


def write_audit_page(path: Path, report: AuditReport, strip_of: Callable[[int], np.ndarray]) -> None:
    """Write audit.html: the suspect lines with picture, truth and reading. `strip_of` gives a row's line image."""
    suspects = [line for line in report.lines if line.suspect]
    write_page(
        path,
        "audit.html",
        report=report,
        entries=[(line, encode_picture(strip_of(line.row))) for line in suspects],
        hands=sorted({line.hand for line in suspects if line.hand}),
        pages=sorted({line.page for line in suspects}),
    )


def _line_to_json(rank: int, line: AuditedLine) -> dict[str, Any]:
    plain = asdict(line)
    return {
        "rank": rank,
        **plain,
        "log_odds": line.log_odds if math.isfinite(line.log_odds) else None,
        "probability": line.probability,
    }
