"""Which lines of the ground truth are used, and what becomes of the marks in their texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from uncial.document import Page, SourceContents, TextLine
from uncial.errors import UserError
from uncial.formats.lines.styles import MARKS, insert_marks

TextStyles = Literal["drop", "mark", "skip"]


@dataclass(frozen=True, slots=True)
class Filters:
    """The keys of `conf/data/base.yaml` that choose lines; empty tuples choose all.

    `region_types`, `line_tags`, `languages` and `directions` keep the lines that have one of these, in the file's own
    words. `min_confidence` is a fraction; lines that state none are kept or left out by `keep_unscored`, as Loghi's
    cutter keeps them. `skip_unclear` leaves out lines with an `unclear` mark. `text_styles` says what becomes of
    struck, underlined, lowered and raised characters: `drop` reads the plain text, `mark` puts Loghi's characters
    before them, which the model then learns, `skip` leaves their lines out. `direction` is that of lines that state
    none. With `machine_read`, lines that a program read stay, to be trained on.
    """

    region_types: tuple[str, ...] = ()
    line_tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    min_confidence: float = 0.0
    keep_unscored: bool = True
    skip_unclear: bool = False
    text_styles: TextStyles = "drop"
    direction: str | None = None
    machine_read: bool = False


@dataclass(frozen=True, slots=True)
class Filtered:
    """What the filters kept, and how many lines they left out for which reason."""

    reading: SourceContents
    left_out: Mapping[str, int]


def apply_filters(reading: SourceContents, filters: Filters) -> Filtered:
    """Return the reading without the lines that the filters leave out; pages that lose all their lines go too.

    A line is counted under the first reason that leaves it out. Raises `UserError` for a value that no line of the
    reading has, and where nothing is left.
    """
    _check(filters, reading.pages)
    left_out: Counter[str] = Counter()
    pages = []
    for page in reading.pages:
        lines = []
        for line, reason in _judge_lines(page, filters):
            if reason:
                left_out[reason] += 1
            else:
                lines.append(_prepare_line(line, filters))
        if lines or not page.lines:
            pages.append(replace(page, lines=tuple(lines)))
    if left_out and not any(page.lines for page in pages):
        counts = ", ".join(f"{count:,} by {reason}" for reason, count in left_out.most_common())
        raise UserError(f"The filters leave no line of the data: {counts}; loosen these keys")
    return Filtered(replace(reading, pages=tuple(pages)), dict(left_out))


def count_left_out(pages: Iterable[Page], filters: Filters) -> Counter[str]:
    """Return how many lines of these pages the filters leave out, by the key that does it."""
    return Counter(reason for page in pages for _, reason in _judge_lines(page, filters) if reason)


def _judge_lines(page: Page, filters: Filters) -> Iterator[tuple[TextLine, str | None]]:
    """Yield each line of the page with the key that leaves it out, None where it is kept."""
    types = {region.id: region.type for region in page.regions}
    for line in page.lines:
        yield line, _find_reason(line, types.get(line.region_id) if line.region_id else None, filters)


def _find_reason(line: TextLine, region_type: str | None, filters: Filters) -> str | None:
    """Return the key that leaves the line out, None where it is kept."""
    tests: list[tuple[str, Callable[[], bool]]] = [
        ("data.region_types", lambda: bool(filters.region_types) and region_type not in filters.region_types),
        ("data.line_tags", lambda: bool(filters.line_tags) and not set(line.tags) & set(filters.line_tags)),
        ("data.languages", lambda: bool(filters.languages) and line.language not in filters.languages),
        (
            "data.directions",
            lambda: bool(filters.directions) and _find_direction(line, filters) not in filters.directions,
        ),
        ("data.min_confidence", lambda: line.confidence is not None and line.confidence < filters.min_confidence),
        ("data.keep_unscored", lambda: line.confidence is None and not filters.keep_unscored),
        ("data.skip_unclear", lambda: filters.skip_unclear and any(span.kind == "unclear" for span in line.spans)),
        ("data.text_styles", lambda: filters.text_styles == "skip" and any(span.kind in MARKS for span in line.spans)),
    ]
    return next((key for key, leaves_out in tests if leaves_out()), None)


def _find_direction(line: TextLine, filters: Filters) -> str | None:
    return line.direction or filters.direction


def _prepare_line(line: TextLine, filters: Filters) -> TextLine:
    """Return the line with its direction and its text as the model shall read it.

    Spans count positions of the plain text, so a text with marks keeps none.
    """
    if line.direction is None and filters.direction:
        line = replace(line, direction=filters.direction)
    if filters.text_styles == "mark" and line.text and any(span.kind in MARKS for span in line.spans):
        line = replace(line, text=insert_marks(line.text, line.spans), spans=())
    return line


def check_direction(direction: str | None) -> None:
    """Raise `UserError` for what is no direction of writing; None states none."""
    if direction and direction not in ("ltr", "rtl", "ttb", "btt"):
        raise UserError(f"data.direction={direction}: choose ltr, rtl, ttb or btt")


def _check(filters: Filters, pages: Sequence[Page]) -> None:
    if filters.text_styles not in ("drop", "mark", "skip"):
        raise UserError(f"data.text_styles={filters.text_styles}: choose drop, mark or skip")
    if not 0 <= filters.min_confidence <= 1:
        raise UserError(f"data.min_confidence={filters.min_confidence}: it is a fraction between 0 and 1")
    for direction in (*filters.directions, filters.direction):
        check_direction(direction)
    if not any(page.lines for page in pages):
        return
    if filters.region_types:
        _check_known("data.region_types", filters.region_types, _list_region_types(pages))
    if filters.line_tags:
        _check_known(
            "data.line_tags", filters.line_tags, (tag for page in pages for line in page.lines for tag in line.tags)
        )
    if filters.languages:
        languages = (line.language for page in pages for line in page.lines)
        _check_known("data.languages", filters.languages, (language for language in languages if language))


def _list_region_types(pages: Sequence[Page]) -> Iterable[str]:
    """Return the region type of each line that has one."""
    for page in pages:
        types = {region.id: region.type for region in page.regions}
        named = (types.get(line.region_id) for line in page.lines if line.region_id)
        yield from (name for name in named if name)


def _check_known(key: str, asked: Sequence[str], present: Iterable[str]) -> None:
    """Refuse values that no line has, naming those that lines have and the nearest."""
    counts = Counter(present)
    missing = [value for value in asked if value not in counts]
    if not missing:
        return
    folded = {value.casefold(): value for value in counts}
    nearest = get_close_matches(missing[0].casefold(), folded, n=1, cutoff=0.6)
    hint = f"; did you mean {folded[nearest[0]]}?" if nearest else ""
    existing = ", ".join(f"{value} ({count:,} lines)" for value, count in counts.most_common(20)) or "none at all"
    raise UserError(f"{key}: no line has {missing[0]}; the data have {existing}{hint}")
