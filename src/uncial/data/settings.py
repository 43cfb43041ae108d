"""The keys of `conf/data/*.yaml`, and what of them a data source is given."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from uncial.config.settings import NAME, Key, Settings
from uncial.errors import UserError

PARTS = ("train", "val", "test")
ANNOTATED = ("page", "regions", "lines")
DIRECTION = Key(choices=("ltr", "rtl", "ttb", "btt"), expected="choose ltr, rtl, ttb or btt")


@dataclass(frozen=True)
class SourceEntry(Settings):
    """What one entry of `data.sources` takes as names; it may set other keys of the group too."""

    name: Annotated[str | None, NAME] = None
    root: Annotated[tuple[str, ...], NAME] = ()
    train: Annotated[tuple[str, ...], NAME] = ()
    val: Annotated[tuple[str, ...], NAME] = ()
    test: Annotated[tuple[str, ...], NAME] = ()
    images: Annotated[tuple[str, ...], NAME] = ()
    include: Annotated[tuple[str, ...], NAME] = ()
    exclude: Annotated[tuple[str, ...], NAME] = ()


@dataclass(frozen=True)
class FormatOptions(Settings):
    """Keys of single formats that take names."""

    GROUP = "data.options"

    fonts: Annotated[str | None, NAME] = None
    text: Annotated[str | None, NAME] = None


@dataclass(frozen=True)
class DataSettings(Settings):
    """The keys of the data: what to read, which lines of it, and how its pages are divided and compiled."""

    GROUP = "data"

    name: Annotated[str, NAME]
    format: str
    root: Annotated[tuple[str, ...], NAME]
    train: Annotated[tuple[str, ...] | None, NAME]
    val: Annotated[tuple[str, ...] | None, NAME]
    test: Annotated[tuple[str, ...] | None, NAME]
    ratio: tuple[float, ...]
    split: Annotated[str, Key(choices=("page", "document", "hand"))]
    folds: Annotated[int | None, Key(least=2)]
    fold: Annotated[int, Key(least=0)]
    document_pattern: str | None
    hand_pattern: str | None
    page_pattern: str | None
    subset: Annotated[str | None, Key(choices=(*PARTS, "all"))]
    lines: Annotated[int | None, Key(least=1, unit="lines")]
    share: str | float | None
    seed: Annotated[int, Key(least=0, expected="a whole number is needed; leave the key out, and it is that of seed")]
    include: Annotated[tuple[str, ...], NAME]
    exclude: Annotated[tuple[str, ...], NAME]
    images: Annotated[tuple[str, ...], NAME]
    region_types: Annotated[tuple[str, ...], NAME]
    line_tags: Annotated[tuple[str, ...], NAME]
    languages: Annotated[tuple[str, ...], NAME]
    directions: Annotated[tuple[str, ...], DIRECTION]
    direction: Annotated[str | None, DIRECTION]
    min_confidence: Annotated[float, Key(least=0, most=1, expected="it is a fraction between 0 and 1")]
    keep_unscored: bool
    skip_unclear: bool
    text_styles: Annotated[str, Key(choices=("drop", "mark", "skip"), expected="choose drop, mark or skip")]
    strict: bool
    max_height: Annotated[int, Key(least=16, unit="pixels")]
    channels: int
    lines_seen: Annotated[int, Key(least=1, unit="lines")]
    max_pixels: Annotated[int, Key(least=1, unit="pixels")]
    compile_workers: Annotated[int | None, Key(least=1, unit="processes")]
    export: Annotated[str | None, Key(choices=("loghi",))]
    options: Mapping[str, Any]
    sources: tuple[SourceEntry, ...] = ()
    split_rule: Annotated[str, Key(choices=("quantile", "hash"))] = "hash"
    split_from: Annotated[str | None, NAME] = None
    validate_on: Annotated[str, Key(choices=("val", "train"))] = "val"
    annotated: Annotated[str, Key(choices=ANNOTATED)] = "page"
    blank: bool = False
    pages_seen: Annotated[int, Key(least=1, unit="pages")] = 3000

    def check(self) -> None:
        """Raise `UserError` for a part that names nothing, and for shares and folds that cannot be."""
        for part in PARTS:
            if getattr(self, part) == ():
                raise UserError(f"data.{part}=[] names nothing: name files or folders, or data.{part}=null for none.")
        self._check_split()
        if self.channels not in (1, 3):
            raise UserError(f"data.channels={self.channels}: 1 (grey) or 3 (colour).")
        if self.share_of_lines() is not None and self.lines is not None:
            raise UserError(
                "data.lines and data.share both say how many training lines are used: leave one of them null."
            )

    def _check_split(self) -> None:
        ratio = list(self.ratio)
        if len(ratio) != 3 or min(ratio) < 0 or abs(sum(ratio) - 1) > 1e-6 or ratio[0] == 0:
            raise UserError(
                f"data.ratio={ratio}: three shares of train, val and test are needed that add up to 1, the first "
                "above 0."
            )
        if self.folds is None and self.fold:
            raise UserError(f"data.fold={self.fold}: one of how many folds? Add data.folds=5, or another number.")
        if self.folds is not None and self.fold >= self.folds:
            raise UserError(
                f"data.fold={self.fold}: the {self.folds} folds of data.folds are numbered from 0 to {self.folds - 1}."
            )

    def share_of_lines(self) -> Fraction | None:
        """Return the share of the training lines that `share` asks for, None for all. Raises `UserError` for what is
        none."""
        return None if self.share is None else parse_share(self.share)


def parse_share(share: object) -> Fraction:
    """Return a number above 0 to 1, or a text such as 1/4, as a fraction. Raises `UserError` for what is neither."""
    try:
        parsed = Fraction(str(share))
    except (ValueError, ZeroDivisionError):
        parsed = Fraction(0)
    if not 0 < parsed <= 1:
        raise UserError(f"data.share={share}: a number above 0 to 1 is needed, or a fraction such as 1/4.")
    return parsed


Advance = Callable[[int], None]
"""To be called with how many more units are done."""

Progress = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Called with what is being done, how many units that is in all, and what they are called (`lines`, `pages`)."""


def show_no_progress(description: str, total: int, unit: str) -> AbstractContextManager[Advance]:
    """Return a context that shows nothing."""
    return nullcontext(lambda units: None)


@dataclass(frozen=True)
class SourceSettings:
    """Where ground truth lies and which of it to read.

    `root` holds folders, files or globs. `train`, `val` and `test` are explicit splits (lists, folders, globs), empty
    where the split is left to the page hash. `include` and `exclude` are globs on the path below the root. `images`
    are further folders in which a page's image is looked for. `options` are the keys that one format alone knows. `key`
    is the config key that `root` was given with, which messages name. `progress` shows how far work of minutes is.
    """

    format: str
    root: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str = "data.root"
    progress: Progress = field(default=show_no_progress, compare=False, repr=False)
