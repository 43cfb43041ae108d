"""From a config's data keys to the lines of each part: read, filter, compile, split."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uncial.data.compile import CompileSettings, Progress, image_hashes, refuse, store_of
from uncial.data.filters import Filters, apply_filters
from uncial.data.machine_read import with_pseudo_labels, without_machine_read
from uncial.data.settings import SourceSettings
from uncial.data.splits import PARTS, Split, fold_split, split
from uncial.data.store import Store, is_store
from uncial.errors import UserError
from uncial.formats.types import Page, Problem, Reading


@dataclass(frozen=True)
class SplitSettings:
    """`ratio` are the shares of train, val and test; `by` is page, document or hand. With `folds`, `fold` is the one to
    validate on.
    """

    ratio: tuple[float, float, float]
    by: str
    seed: int
    folds: int | None = None
    fold: int = 0

    def split(self, pages: Sequence[Page], hashes: Mapping[str, str]) -> Split:
        """The part of every page; `hashes` are those of the images' contents by page id."""
        if self.folds is None:
            return split(pages, self.ratio, self.by, self.seed, hashes)
        return fold_split(pages, self.ratio, self.by, self.seed, self.folds, self.fold, hashes)


@dataclass(frozen=True)
class GroundTruth:
    """The compiled lines, the rows of each part, and what was left out: one by one, and counted by the key that did it.

    `notes` and `warnings` speak of what is in use. `pages` are empty where a compiled store was given instead of pages.
    """

    store: Store
    rows: Mapping[str, np.ndarray]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    warnings: tuple[str, ...]
    left_out: Mapping[str, int]
    pages: tuple[Page, ...] = ()


def ground_truth(
    source: SourceSettings,
    filters: Filters,
    splitting: SplitSettings,
    compiling: CompileSettings,
    progress: Progress,
) -> GroundTruth:
    """Reads, filters, compiles (or finds compiled) and splits the data."""
    own = _own_store(source)
    if own is not None:
        return _from_store(own, filters, splitting)
    reading = read_source(source)
    if not filters.machine_read:
        reading = without_machine_read(reading)
    filtered = apply_filters(reading, filters)
    pages = filtered.reading.pages
    refuse(reading.problems, compiling.strict)
    hashes = image_hashes(pages)
    splitting.split(pages, hashes)  # What is wrong with its keys is told before all is compiled.
    store = store_of(pages, hashes, compiling, progress)
    # Pages without a usable line would fill a part in name only.
    usable = set(store.column("page"))
    parts = _split([page for page in pages if page.id in usable], store, splitting, hashes)
    problems = (*filtered.reading.problems, *parts.problems, *store.problems)
    refuse(problems, compiling.strict)
    rows = _rows(store, parts.parts)
    return GroundTruth(store, rows, problems, store.notes, parts.warnings, filtered.left_out, pages)


def _split(pages: Sequence[Page], store: Store, splitting: SplitSettings, hashes: Mapping[str, str]) -> Split:
    """The part of each page. Those that no person has transcribed decide on none, and can be in training alone."""
    if not pages:
        return Split({})
    transcribed = {page for page, reader in zip(store.column("page"), store.readers(), strict=True) if reader is None}
    if not transcribed:
        raise UserError(
            f"{pages[0].source}: every line of the data was written by a program ({store.readers()[0]}), and a model "
            "is validated on what people wrote: add transcribed pages, for instance with data=mixed."
        )
    parts = splitting.split([page for page in pages if page.id in transcribed], hashes)
    if len(transcribed) == len(pages):
        return parts
    return with_pseudo_labels(parts, pages, splitting.by, hashes)


def _own_store(source: SourceSettings) -> Store | None:
    """The store that data=compiled names, None where it is anything else."""
    if source.format != "compiled" or len(source.root) != 1 or source.train or source.val or source.test:
        return None
    path = Path(source.root[0])
    return Store(path) if path.is_file() and is_store(path) else None


def _from_store(store: Store, filters: Filters, splitting: SplitSettings) -> GroundTruth:
    if filters != Filters():
        raise UserError(f"{store.path} is compiled already: filter its pages instead, with data=xml and their folder.")
    names = ("page", "document", "hand", "group", "subset", "image_hash")
    found = dict.fromkeys(zip(*(store.column(name) for name in names), strict=True))
    pages = [
        Page(page, store.path, document=document, hand=hand, group=group, subset=subset)
        for page, document, hand, group, subset, _ in found
    ]
    hashes = {page: image_hash for page, *_, image_hash in found if image_hash}
    parts = _split(pages, store, splitting, hashes)
    problems = (*store.problems, *parts.problems)
    return GroundTruth(store, _rows(store, parts.parts), problems, store.notes, parts.warnings, {})


def _rows(store: Store, parts: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The rows of each part; what a program read is scored in none, also on a page that is a person's else."""
    sides = np.array([parts.get(page, "") for page in store.column("page")], dtype=object)
    transcribed = store.transcribed()
    return {part: np.flatnonzero((sides == part) & (transcribed | (part == "train"))) for part in PARTS}


def read_source(settings: SourceSettings) -> Reading:
    """Calls the reader that `data.format` names: a module of `uncial.data.sources`, or a dotted path."""
    address = settings.format if "." in settings.format else f"uncial.data.sources.{settings.format}"
    try:
        module = importlib.import_module(address)
    except ModuleNotFoundError as error:
        if error.name is None or not address.startswith(error.name):
            raise
        raise UserError(
            f"data.format={settings.format}: there is no module {address}; "
            "name a format of conf/data or the dotted path of your own."
        ) from None
    reading: Reading = module.read(settings)
    return reading
