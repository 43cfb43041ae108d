"""The pages that a layout model learns from: read, divided and compiled, whether or not they have text."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import build_settings
from uncial.data.config import build_source_settings, compile_settings
from uncial.data.ground_truth import read_source
from uncial.data.pages.compile import open_or_compile_pages
from uncial.data.pages.store import PageStore
from uncial.data.settings import DataSettings
from uncial.data.splits.groups import PARTS
from uncial.data.splits.split import Split, SplitRequest, Splitter
from uncial.data.splits.stated import find_stated_parts
from uncial.data.store.compile import hash_images, raise_if_strict
from uncial.data.store.paths import set_paths_of_pages
from uncial.document import Issue, Page
from uncial.errors import UserError
from uncial.problems.splitting import choose_split
from uncial.reports.terminal.formatting import make_visible, plural
from uncial.reports.terminal.progress_bar import show_progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageTruth:
    """The compiled pages, the rows of each part, and what was left out. `empty` says of parts why they hold no page."""

    store: PageStore
    rows: Mapping[str, np.ndarray]
    split: Split
    problems: tuple[Issue, ...] = ()
    warnings: tuple[str, ...] = ()
    empty: Mapping[str, str] = field(default_factory=dict)


def load_pages(config: DictConfig, divided: Splitter | None = None) -> PageTruth:
    """Read and compile the pages with a progress bar, and say how many there are. They are `divided` as the config says
    where nothing else does. Raises `UserError` where no page can be used, or a stated part has none."""
    data = build_settings(DataSettings, config)
    source = build_source_settings(data)
    reading = read_source(replace(source, options={**source.options, "unlabelled": True}, progress=show_progress))
    raise_if_strict(reading.problems, data.strict)
    stated = find_stated_parts(source, reading)
    usable, unmarked = _select_marked(reading.pages, data.blank)
    if not usable:
        raise UserError(_explain_nothing(reading.pages, reading.problems, data.name))
    hashes = hash_images(usable)
    splitter = divided or choose_split(config)
    request = SplitRequest(usable, hashes, _count_lines(usable), stated)
    splitter.split(request)  # What is wrong with its keys is told before all is decoded.
    store = open_or_compile_pages(usable, hashes, compile_settings(data, Path(str(config.paths.store))), show_progress)
    held = set(store.column("page"))
    kept = [page for page in usable if page.id in held]
    if not kept:
        raise UserError(_explain_nothing((), store.problems, data.name))
    split = splitter.split(replace(request, pages=kept, lines=_count_lines(kept)))
    _raise_if_unusable(stated, {page.subset for page in kept if page.id in split.parts}, store.problems)
    problems = (*reading.problems, *unmarked, *split.problems, *set_paths_of_pages(store.problems, usable))
    sides = np.array([split.parts.get(page, "") for page in store.column("page")], dtype=object)
    rows = {part: np.flatnonzero(sides == part) for part in PARTS}
    truth = PageTruth(store, rows, split, problems, split.warnings, split.empty)
    _report(truth)
    return truth


def _count_lines(pages: Sequence[Page]) -> dict[str, int]:
    return {page.id: max(1, len(page.lines)) for page in pages}


def _select_marked(pages: Sequence[Page], keep_blank: bool) -> tuple[list[Page], list[Issue]]:
    """Return the pages on which something is marked; with `keep_blank` also those on which nothing is."""
    reason = (
        "no line and no region is marked on the page, and nothing says whether it is blank; with data.blank=true pages "
        "without marks teach that there is nothing"
    )
    marked = [
        page
        for page in pages
        if keep_blank or page.regions or any(line.baseline or line.polygon or line.box for line in page.lines)
    ]
    kept = {page.id for page in marked}
    left = [page for page in pages if page.id not in kept]
    return marked, [Issue(str(page.source), "", reason, "left_out", part=page.subset or "") for page in left]


def _explain_nothing(pages: Sequence[Page], problems: Sequence[Issue], name: str) -> str:
    if pages:
        return (
            f"data={name}: on none of {plural(len(pages), 'page')} a line or region is marked, as with line images; a "
            "layout model learns from pages with PAGE or ALTO files that mark them."
        )
    if problems:
        first = problems[0]
        place = make_visible(f"{first.file} {first.line}".strip())
        return f"No page could be used, the first because of this: {place}: {make_visible(first.reason)}"
    return f"data={name}: there is no page."


def _raise_if_unusable(stated: Mapping[str, str], filled: set[str | None], problems: Sequence[Issue]) -> None:
    for part, name in stated.items():
        if part not in filled and part in ("val", "test"):
            why = f", the first because of this: {problems[0].file}: {problems[0].reason}" if problems else ""
            raise UserError(f"{name} has no usable page{why}; mend it, or leave it out.")


def _report(truth: PageTruth) -> None:
    sizes = ", ".join(f"{len(rows):,} {part}" for part, rows in truth.rows.items() if len(rows))
    log.info(f"{plural(len(truth.store), 'page')}: {sizes} (compiled in {truth.store.path})")
    if truth.split.origin:
        log.info(truth.split.origin)
    if truth.problems:
        first = truth.problems[0]
        log.warning(
            f"{plural(len(truth.problems), 'page')} not used, skipped.csv lists them, the "
            f"first: {make_visible(first.file)}: {make_visible(first.reason)}"
        )
    for note in truth.store.notes[:3]:
        log.warning(f"{make_visible(note.file)}: {make_visible(note.reason)}")
    for warning in truth.warnings:
        log.warning(warning)


def compute_fingerprint(truth: PageTruth) -> dict[str, str]:
    """Return what the pages of training and validation are, told apart by what decides on each of them."""
    sides = {part: hashlib.sha256(truth.rows[part].tobytes()).hexdigest() for part in ("train", "val")}
    return {"store": truth.store.digest, **sides}


def list_split_rows(truth: PageTruth) -> list[tuple[str, ...]]:
    """Return the rows of splits.csv in the order of the store."""
    found = []
    for row, page in enumerate(truth.store.column("page")):
        if page in truth.split.parts:
            fold = truth.split.folds.get(page)
            about = (str(truth.store.value(row, name) or "") for name in ("group", "document", "hand"))
            number, lines = "" if fold is None else str(fold), str(truth.store.value(row, "lines"))
            key = str(truth.store.value(row, "image_hash") or "")
            found.append((page, *about, truth.split.parts[page], number, lines, key))
    return found
