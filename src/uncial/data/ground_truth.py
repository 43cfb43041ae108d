"""From a config's data keys to the lines of each part: read, filter, compile, split."""

import hashlib
import importlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from uncial.data.filters import Filters, apply_filters
from uncial.data.machine_read import add_pseudo_labels, drop_machine_read
from uncial.data.settings import Progress, SourceSettings
from uncial.data.splits.groups import PARTS
from uncial.data.splits.split import Split, SplitRequest, Splitter
from uncial.data.splits.stated import explain_unusable_parts, find_blank_lines, find_stated_parts
from uncial.data.store.compile import CompileSettings, hash_images, open_or_compile_store, raise_if_strict
from uncial.data.store.paths import set_path_of_store, set_paths_of_pages
from uncial.data.store.store import Store, is_store
from uncial.document import Issue, Page, SourceContents
from uncial.errors import UserError

SOURCES = "uncial.data.sources"

SHARED_READERS = {"page": ("xml", "read_page"), "alto": ("xml", "read_alto"), "xml": ("xml", "read_xml")}
"""Formats that one module reads: its name, and its function for each of them."""


def read_source(settings: SourceSettings) -> SourceContents:
    """Read the pages that the settings name.

    The reader is the function `read` of the module `uncial.data.sources.FORMAT`, one of `SHARED_READERS`, or `read` of
    the module of the user's own whose dotted path `data.format` is. Raises `UserError` where there is none.
    """
    name = settings.format.removeprefix(f"{SOURCES}.")
    module_name, function = SHARED_READERS.get(name, (name, "read"))
    address = module_name if "." in module_name else f"{SOURCES}.{module_name}"
    try:
        module = importlib.import_module(address)
    except ModuleNotFoundError as error:
        if error.name is None or not address.startswith(error.name):
            raise
        raise UserError(
            f"data.format={settings.format}: there is no module {address}; "
            "name a format of conf/data or the dotted path of your own."
        ) from None
    read = getattr(module, function, None)
    if read is None:
        raise UserError(f"data.format={settings.format}: {address} has no function `{function}` that reads pages.")
    contents = read(settings)
    if not isinstance(contents, SourceContents):
        raise UserError(
            f"data.format={settings.format}: {address}.{function} returned a {type(contents).__name__}; a "
            "SourceContents of uncial.document is needed, with pages and problems."
        )
    return contents


@dataclass(frozen=True)
class GroundTruth:
    """The compiled lines, the rows of each part, and what was left out: one by one, and counted by the key that did it.

    `notes` and `warnings` speak of what is in use. `pages` are empty where a compiled store was given instead of pages.
    `split` is the part of each page, all its lines counted; `unusable` says of parts why they hold no line.
    """

    store: Store
    rows: Mapping[str, np.ndarray]
    problems: tuple[Issue, ...]
    notes: tuple[Issue, ...]
    warnings: tuple[str, ...]
    left_out: Mapping[str, int]
    pages: tuple[Page, ...] = ()
    split: Split = field(default_factory=lambda: Split({}))
    unusable: Mapping[str, str] = field(default_factory=dict)


def load_truth(
    source: SourceSettings,
    filters: Filters,
    splitter: Splitter,
    compiling: CompileSettings,
    progress: Progress,
) -> GroundTruth:
    """Reads, filters, compiles (or finds compiled) and splits the data.

    Raises `UserError` where a validation or test that is stated has no usable line: nothing takes its place.
    """
    own = _open_given_store(source)
    if own is not None:
        return _load_store(own, filters, splitter)
    reading = read_source(replace(source, progress=progress))
    stated = find_stated_parts(source, reading)
    if not filters.machine_read:
        reading = drop_machine_read(reading)
    filtered = apply_filters(reading, filters)
    pages = filtered.reading.pages
    raise_if_strict(reading.problems, compiling.strict)
    has_globs = bool(source.include or source.exclude)
    with_text = {page.subset for page in pages if any(line.text and line.text.strip() for line in page.lines)}
    faults = [*reading.problems, *find_blank_lines(pages)]
    _raise_if_unusable(explain_unusable_parts(stated, with_text, reading, filters, faults, has_globs))
    hashes = hash_images(pages)
    # What is wrong with its keys is reported before all is compiled.
    splitter.split(SplitRequest(pages, hashes, stated=stated))
    store = open_or_compile_store(pages, hashes, compiling, progress)
    # Pages without a usable line would fill a part in name only.
    with_lines = set(store.column("page"))
    usable = [page for page in pages if page.id in with_lines]
    parts = _split_pages(usable, store, splitter, hashes, stated)
    problems = (*filtered.reading.problems, *parts.problems, *set_paths_of_pages(store.problems, pages))
    raise_if_strict(problems, compiling.strict)
    filled = {page.subset for page in usable if page.id in parts.parts}
    unusable = explain_unusable_parts(stated, filled, reading, filters, problems, has_globs)
    _raise_if_unusable(unusable)
    rows = _select_rows(store, parts.parts)
    return GroundTruth(
        store,
        rows,
        problems,
        set_paths_of_pages(store.notes, pages),
        parts.warnings,
        filtered.left_out,
        pages,
        parts,
        {**parts.empty, **unusable},
    )


def _split_pages(
    pages: Sequence[Page],
    store: Store,
    splitter: Splitter,
    hashes: Mapping[str, str],
    stated: Collection[str] = (),
) -> Split:
    """Return the part of each page. Those that no person has transcribed decide on none, and can be in training
    alone."""
    if not pages:
        return Split({})
    hashes = {page.id: hashes[page.id] for page in pages if page.id in hashes}
    by_person = zip(store.column("page"), store.readers(), strict=True)
    transcribed = Counter(page for page, reader in by_person if reader is None)
    if not transcribed:
        raise UserError(
            f"{pages[0].source}: every line of the data was written by a program ({store.readers()[0]}), and a model "
            "is validated on what people wrote: add transcribed pages, for instance with data=mixed."
        )
    own = [page for page in pages if page.id in transcribed]
    parts = splitter.split(SplitRequest(own, hashes, transcribed, stated))
    if len(transcribed) == len(pages):
        return parts
    return add_pseudo_labels(parts, pages, splitter.by, hashes)


def _raise_if_unusable(unusable: Mapping[str, str]) -> None:
    """Nothing takes the place of a stated test or validation; without a training only a training cannot go on."""
    for part in ("test", "val"):
        if part in unusable:
            raise UserError(unusable[part])


def _open_given_store(source: SourceSettings) -> Store | None:
    """Return the store that data=compiled names, None where it is anything else."""
    if source.format != "compiled" or len(source.root) != 1 or source.train or source.val or source.test:
        return None
    path = Path(source.root[0])
    return Store(path) if path.is_file() and is_store(path) else None


def _load_store(store: Store, filters: Filters, splitter: Splitter) -> GroundTruth:
    if filters != Filters():
        raise UserError(f"{store.path} is compiled already: filter its pages instead, with data=xml and their folder.")
    names = ("page", "document", "hand", "group", "subset", "image_hash")
    found = dict.fromkeys(zip(*(store.column(name) for name in names), strict=True))
    pages = [
        Page(page, store.path, document=document, hand=hand, group=group, subset=subset)
        for page, document, hand, group, subset, _ in found
    ]
    hashes = {page: image_hash for page, *_, image_hash in found if image_hash}
    parts = _split_pages(pages, store, splitter, hashes)
    problems = (*set_path_of_store(store.problems, store.path), *parts.problems)
    notes = set_path_of_store(store.notes, store.path)
    rows = _select_rows(store, parts.parts)
    return GroundTruth(store, rows, problems, notes, parts.warnings, {}, split=parts, unusable=dict(parts.empty))


def _select_rows(store: Store, parts: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the rows of each part; what a program read is scored in none, also on a page that is a person's else."""
    sides = np.array([parts.get(page, "") for page in store.column("page")], dtype=object)
    transcribed = store.transcribed()
    return {part: np.flatnonzero((sides == part) & (transcribed | (part == "train"))) for part in PARTS}


def subsample_lines(truth: GroundTruth, count: int, seed: int) -> GroundTruth:
    """Return the ground truth with `count` of its training lines, in the order of the store.

    A line's place in the draw is a hash of its page, its name and the seed: the draw is the same on every machine, and
    a smaller one is part of a larger one. Raises `UserError` where there are fewer lines.
    """
    rows = truth.rows["train"]
    if count > len(rows):
        raise UserError(f"data.lines={count}, but the train part holds {len(rows)} lines; data.lines=null takes all.")
    pages, lines = truth.store.column("page"), truth.store.column("line")
    places = {row: _hash_place(seed, pages[row], lines[row]) for row in rows.tolist()}
    drawn = np.array(sorted(sorted(places, key=places.__getitem__)[:count]), dtype=rows.dtype)
    return replace(truth, rows={**truth.rows, "train": drawn})


def subsample_share(truth: GroundTruth, share: Fraction, seed: int) -> GroundTruth:
    """Return the ground truth with that share of its training lines, drawn as `subsample_lines` draws them, and at
    least one where there is any."""
    lines = len(truth.rows["train"])
    return subsample_lines(truth, min(lines, max(1, round(share * lines))), seed)


def validate_on_training_lines(truth: GroundTruth) -> GroundTruth:
    """Return the ground truth whose validation part is its training part, line for line."""
    unusable = {part: reason for part, reason in truth.unusable.items() if part != "val"}
    return replace(truth, rows={**truth.rows, "val": truth.rows["train"]}, unusable=unusable)


def _hash_place(seed: int, page: str, line: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{page}\0{line}".encode("utf-8", "surrogatepass")).digest()
