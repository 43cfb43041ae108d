"""Lines that were read, with everything that the scores are told apart by, and the scores of groups of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from uncial.errors import UserError
from uncial.metrics.error_rates import Counts, Scores, compare, scores
from uncial.metrics.intervals import Bootstrap, Estimate, estimate_rate, estimate_share, sum_by_cluster
from uncial.metrics.profiles import form
from uncial.text.characters import find_line_script
from uncial.text.normalization import DEFAULT_PROFILE


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


def evaluate_line(
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
        script=find_line_script(true or read),
        confidence=confidence,
        character_confidences=_select_part(prediction, read, tuple(character_confidences)),
    )


def _select_part(whole: str, part: str, confidences: tuple[float, ...]) -> tuple[float, ...]:
    start = whole.find(part)
    return confidences[start : start + len(part)] if start >= 0 and len(confidences) == len(whole) else ()


LENGTHS = (0, 10, 20, 40, 80)
"""Where the groups of lines by the number of their truth's characters end; the last is open."""

Key = Callable[[EvaluatedLine], str]


def find_length_group(characters: int) -> str:
    """Return the group of lines of that many characters, as in `11–20`."""
    below = -1
    for end in LENGTHS:
        if characters <= end:
            return f"{below + 1}–{end}" if end > below + 1 else str(end)
        below = end
    return f"{below + 1} and more"


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "page": lambda line: line.page,
        "document": lambda line: line.origin.document,
        "hand": lambda line: line.origin.hand,
        "region_type": lambda line: line.origin.region_type,
        "script": lambda line: line.script,
        "length": lambda line: find_length_group(line.counts.characters),
    }
)
"""What lines are grouped by."""

CLUSTERS = ("page", "document", "hand")
"""What may be drawn anew in a bootstrap."""


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Scores of the lines that share a `name` under `kind` (one of `KEYS`, `all`, or `profile`), with intervals."""

    kind: str
    name: str
    scores: Scores
    cer: Estimate
    wer: Estimate
    line_accuracy: Estimate


def choose_cluster_key(cluster: str) -> Key:
    """Return what names a line's cluster. Raises `UserError` for what is none."""
    if cluster not in CLUSTERS:
        raise UserError(f"metrics.cluster={cluster}: choose one of {', '.join(CLUSTERS)}.")
    key = KEYS[cluster]
    # Lines whose file names no document or hand are not all of one.
    return lambda line: key(line) or line.page


def score_group(
    lines: Sequence[EvaluatedLine], kind: str, name: str, cluster: str, bootstrap: Bootstrap, profile: str = ""
) -> GroupScore:
    """Score lines together. They are scored as they stand; `profile` is only named."""
    counts = sum((line.counts for line in lines), Counts())
    clusters = [choose_cluster_key(cluster)(line) for line in lines]
    table = sum_by_cluster(
        clusters,
        [line.counts.edits for line in lines],
        [line.counts.characters for line in lines],
        [line.counts.word_edits for line in lines],
        [line.counts.words for line in lines],
        [line.counts.correct_lines for line in lines],
        [line.counts.lines for line in lines],
    )
    edits, characters, word_edits, words, correct, number = (table[:, column] for column in range(6))
    return GroupScore(
        kind,
        name,
        scores(counts, profile or (lines[0].profile if lines else DEFAULT_PROFILE)),
        cer=estimate_rate(edits[np.newaxis], characters, bootstrap, cluster),
        wer=estimate_rate(word_edits[np.newaxis], words, bootstrap, cluster),
        line_accuracy=estimate_share(correct[np.newaxis], number, bootstrap, cluster),
    )


def group_lines(lines: Iterable[EvaluatedLine], key: Key) -> dict[str, list[EvaluatedLine]]:
    """Return the lines of each group, the groups by name."""
    found: dict[str, list[EvaluatedLine]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    return {name: found[name] for name in sorted(found, key=_make_natural_key)}


def _make_natural_key(name: str) -> tuple[bool, int, str]:
    """Lengths in their order, all other names by letters."""
    digits = name.split("–")[0].split(" ")[0]
    return (False, int(digits), name) if digits.isascii() and digits.isdigit() else (True, 0, name)


def score_groups(
    lines: Sequence[EvaluatedLine], kind: str, cluster: str, bootstrap: Bootstrap
) -> tuple[GroupScore, ...]:
    """Score each group of one kind by itself; lines without that property, for instance of no region, are left out."""
    groups = group_lines(lines, KEYS[kind])
    return tuple(score_group(members, kind, name, cluster, bootstrap) for name, members in groups.items() if name)
