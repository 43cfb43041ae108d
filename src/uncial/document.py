"""What every part of the program says of a page: Page, Region, TextLine and Word, what a model read in a line, and what
is wrong with any of them.

Every reader of files yields `Page`, every pipeline takes and yields it, and every writer of files takes it: nothing but
the readers knows which format a line came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from uncial.errors import IssueCode, UnusableInput

DoubtCode = Literal[
    "doubtful_orientation", "scaled_coordinates", "damaged_image", "baseline_outside_polygon", "far_vertex"
]
"""Why a page or line that is used should be looked at, by the short names that `task=inspect` reports it under."""

DOUBT_CODES = frozenset(get_args(DoubtCode))

Point = tuple[float, float]
"""(x, y) in pixels of the page image, the origin at its top left."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where the pixels of a page lie.

    `frame` counts the pages of a multi-page TIFF, or the rows of a kraken `.arrow` file, from 0.
    """

    path: Path
    frame: int = 0


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A stretch of a line's text that the file marks, for instance `unclear`, `strike`, `underline`, `superscript`.

    `offset` and `length` count code points of `TextLine.text`.
    """

    kind: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line, where the file divides the line into words.

    `polygon` is empty where the file states no place for the word, or none that can be read, `text` where it states no
    text. `confidence` is a fraction between 0 and 1.
    """

    polygon: tuple[Point, ...] = ()
    text: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Transcription:
    """The text of a line, with how sure the model is of it and where each character stands.

    `confidence` is a fraction for the whole line. `character_confidences` holds one fraction for each code point of
    `text`, and `positions` for each its (start, end) as fractions of the line image's width, left to right as the
    pixels run.
    """

    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    positions: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of writing. An empty polygon or baseline means that the file states none.

    `text` is None where the file holds no transcription, and "" where it holds an empty one. `box` is
    (left, top, right, bottom) in pixels. `direction` is `ltr`, `rtl`, `ttb` or `btt` where the file states it.
    `confidence` is a fraction between 0 and 1. `reader` names the program and model that read the text, where the file
    says so and nobody has changed the text since; None means that a person wrote it.

    `words` are in the order in which the file has them. Together they need not give `text`: the file may state both,
    and differently. `transcription` is what a model of this program read in the line since the file was read; None
    means that `text` is still the file's.
    """

    id: str
    page_id: str
    polygon: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()
    box: tuple[float, float, float, float] | None = None
    text: str | None = None
    region_id: str | None = None
    direction: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    confidence: float | None = None
    spans: tuple[TextSpan, ...] = ()
    # Stores and unfinished readings are found again by the hash of their lines' repr: fields that do not decide on how
    # a line is cut stay out of it.
    reader: str | None = field(default=None, repr=False)
    words: tuple[Word, ...] = field(default=(), repr=False)
    transcription: Transcription | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the page, in reading order. `type` is the file's own name for it, for instance `paragraph` or
    `MainZone`. `parent` is the region around it, for instance the table of a cell."""

    id: str
    type: str | None = None
    polygon: tuple[Point, ...] = ()
    order: int = 0
    parent: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, or one line image standing for a page of a single line without polygon, baseline or box.

    `id` is unique in the data set and the same on every machine: the path of the source below its root, without the
    suffix. `width` and `height` are those that the file states, 0 where it states none. `subset` is `train`, `val` or
    `test` where the data say so explicitly, `trainval` where it is either of the first two, to be split between them.
    `document` and `hand` group pages for splits; `group` names the page that a line image was cut from, empty where
    the page stands for itself.

    `regions` and `lines` stand in reading order: that of the file, else the order in which the file has them.
    `reading_order` tells the two apart: it holds the ids of those lines whose place in the order the file states
    (through the line, a region around it, or a word), in that order, and is empty where the file states none. Lines
    that it names may have been filtered out of `lines`. `annotated` is what the data set says of the page's marks:
    `page` where they are all there is, `regions` or `lines` where they are so only within regions or around lines; None
    where it says nothing. `issues` is what went wrong with the page, or was used with a doubt, on its way through a
    pipeline.
    """

    id: str
    source: Path
    image: ImageSource | None = None
    width: int = 0
    height: int = 0
    regions: tuple[Region, ...] = ()
    lines: tuple[TextLine, ...] = ()
    subset: str | None = None
    document: str = ""
    hand: str = ""
    group: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    reading_order: tuple[str, ...] = field(default=(), repr=False)
    annotated: str | None = None
    issues: tuple["Issue", ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Issue:
    """Something left out of the run, as `skipped.csv` lists it, or used with a doubt.

    `line` is empty when it concerns the whole file; `used` is the file of the same image that is used instead; `part`
    is that of the split which the data state for it, empty where they state none. `page` is the page's id and `image`
    the path of its image where a store keeps the problem: its data may lie elsewhere when it is told. `machine_read`
    counts the lines that are left out because a program wrote them, `lines` those that are concerned where these are
    some of the file's.
    """

    file: str
    line: str
    reason: str
    kind: IssueCode | DoubtCode = "left_out"
    used: str = ""
    part: str = ""
    page: str = ""
    image: str = ""
    machine_read: int = 0
    lines: int = 0

    @property
    def is_doubt(self) -> bool:
        """Whether it is about something that is used all the same."""
        return self.kind in DOUBT_CODES


def of_part(problems: Iterable[Issue], part: str | None) -> list[Issue]:
    """Return the problems of pages and lines that the data state for `part`; those that know theirs keep it."""
    return [problem if problem.part else replace(problem, part=part or "") for problem in problems]


def file_problem(file: Path, error: UnusableInput) -> Issue:
    """Return what keeps a whole file from being used; the error's sentence need not name the file once more."""
    return Issue(str(file), "", str(error).removeprefix(f"{file}: "), error.kind)


@dataclass(frozen=True, slots=True)
class PageWarning:
    """A sentence about a page that is used, but should be looked at; about one `line` of it where one is named, about
    so many `lines` of it where they are counted."""

    kind: DoubtCode
    reason: str
    line: str = ""
    lines: int = 0


@dataclass(frozen=True, slots=True)
class SourceContents:
    """What a source holds: the usable pages, and what had to be left out and why.

    `stated` names the folders or lists that state a part of the split beside the config's own keys, by part: also where
    they hold nothing that can be used.
    """

    pages: tuple[Page, ...] = ()
    problems: tuple[Issue, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)
