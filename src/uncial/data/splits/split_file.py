"""splits.csv: the part of each page in a run, and how another run takes the parts over."""

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uncial.data.splits.groups import PARTS, choose_strictest_part, connect_pages
from uncial.data.splits.split import Split, SplitRequest, find_part_in_fold
from uncial.data.splits.stated import resolve_stated_parts
from uncial.data.store.store import Store
from uncial.document import Page
from uncial.errors import UserError
from uncial.runs.files import RunFolder

COLUMNS = ("page", "group", "document", "hand", "part", "fold", "lines", "key")


@dataclass(frozen=True, slots=True)
class ListedPage:
    """What splits.csv says of a page. `fold` is None for a page that is in no fold; `key` tells its image, empty where
    that is not known."""

    page: str
    part: str
    fold: int | None
    key: str


@dataclass(frozen=True, slots=True)
class SplitFile:
    """The pages of a splits.csv. `path` is what messages call it."""

    path: Path
    pages: tuple[ListedPage, ...]

    def find_listed(self, pages: Sequence[Page], hashes: Mapping[str, str]) -> dict[str, ListedPage]:
        """Return what is listed of these pages, by id: found by the content of their image, else by the id itself."""
        by_key = {one.key: one for one in self.pages if one.key}
        by_page = {one.page: one for one in self.pages}
        found = {page.id: by_key.get(hashes.get(page.id, "")) or by_page.get(page.id) for page in pages}
        return {page: one for page, one in found.items() if one is not None}

    @property
    def folds(self) -> int | None:
        """The number of folds, None where the pages are in none."""
        numbers = [one.fold for one in self.pages if one.fold is not None]
        return max(numbers) + 1 if numbers else None


@dataclass(frozen=True, slots=True)
class ListedSplit:
    """Takes the parts over that a splits.csv lists. `by` says with which pages new ones are kept together; with
    `folds`, `fold` is the one to validate on."""

    file: SplitFile
    by: str
    folds: int | None = None
    fold: int = 0

    def split(self, request: SplitRequest) -> Split:
        """Return the part of every page: that which is listed; of new pages that of the known ones they are kept
        together with, else train.

        Raises `UserError` where the data state other parts, where pages that are kept together are listed in several,
        where there are other folds, and where no page is listed.
        """
        pages, hashes = request.pages, request.hashes
        listed = self.file.find_listed(pages, hashes)
        if not listed:
            raise UserError(
                f"{self.file.path} lists none of the {len(pages):,} pages of the data, by name or by image."
            )
        if self.folds is not None and self.folds != self.file.folds:
            held = "no folds" if self.file.folds is None else f"{self.file.folds} folds"
            raise UserError(
                f"data.folds={self.folds}: {self.file.path} lists {held}; leave data.folds out, or this file."
            )
        given, problems, kept = resolve_stated_parts(pages, hashes, request.stated)
        parts = {page.id: self._part(listed[page.id]) for page in kept if page.id in listed}
        self._check_stated(given, parts, kept)
        new = [page for page in kept if page.id not in parts]
        parts |= {page.id: str(given[page.id]) for page in new if given[page.id] in PARTS}
        for component in connect_pages(kept, self.by, 0, hashes):
            known = {parts[page.id] for page in component.pages if page.id in parts}
            self._check_together(known, component.key)
            side = choose_strictest_part(known) or "train"
            parts |= {page.id: side for page in component.pages if page.id not in parts}
        folds = {page: one.fold for page, one in listed.items() if one.fold is not None and page in parts}
        kept_apart = [one for one in self.file.pages if self._part(one) != "train"]
        apart = {name: self._part(one) for one in kept_apart for name in (one.page, one.key) if name}
        there = {*(one.page for one in listed.values()), *hashes, *hashes.values()}
        return Split(parts, problems, self._gone(there), folds=folds, origin=self._origin(len(new)), apart=apart)

    def _part(self, one: ListedPage) -> str:
        return one.part if self.folds is None or one.fold is None else find_part_in_fold(one.fold, self.fold)

    def _check_stated(self, given: Mapping[str, str | None], parts: Mapping[str, str], pages: Sequence[Page]) -> None:
        for page in pages:
            own = given[page.id]
            if own in PARTS and parts.get(page.id, own) != own:
                raise UserError(
                    f"{page.source}: the data state the part {own} for it, and {self.file.path} lists it as "
                    f"{parts[page.id]}; leave data.split_from out, or give data that state no parts."
                )

    def _check_together(self, known: Collection[str], key: str) -> None:
        if self.by != "page" and len(known) > 1:
            raise UserError(
                f"data.split={self.by}: {self.file.path} lists pages of the {self.by} {key} as "
                f"{' and '.join(part for part in PARTS if part in known)}; leave data.split out, or data.split_from."
            )

    def _gone(self, there: Collection[str]) -> tuple[str, ...]:
        gone = [one for one in self.file.pages if one.page not in there and one.key not in there]
        if not gone:
            return ()
        counts = Counter(one.part for one in gone)
        of_parts = ", ".join(f"{counts[part]:,} of {part}" for part in PARTS if counts[part])
        return (
            f"{len(gone):,} of the {len(self.file.pages):,} pages in {self.file.path} are not among the usable pages "
            f"of the data ({of_parts}), the first: {gone[0].page}",
        )

    def _origin(self, new: int) -> str:
        more = f"; {new:,} pages that it does not list are new" if new else ""
        return f"The parts of the pages are those of {self.file.path}{more}"


def make_split_rows(store: Store, split: Split) -> Iterator[tuple[str, ...]]:
    """Yield the rows of splits.csv in the order of the store: a page each, with all its lines."""
    names = ("page", "group", "document", "hand", "image_hash")
    counts = Counter(zip(*(store.column(name) for name in names), strict=True))
    for (page, group, document, hand, key), lines in counts.items():
        if page in split.parts:
            fold = split.folds.get(page)
            part, number = split.parts[page], "" if fold is None else str(fold)
            yield page, group or "", document or "", hand or "", part, number, str(lines), key or ""


def read_split_file(given: Path) -> SplitFile:
    """Return the splits.csv that `given` is, or that lies in this run's folder. Raises `UserError` where there is none,
    and for rows that say no part."""
    path = RunFolder(given).splits if given.is_dir() else given
    if not path.is_file():
        raise UserError(f"data.split_from={given}: {_explain_missing(given)}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("page", "part") if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(
                    f"{path}: its first row names no column {missing[0]}; its columns are {','.join(COLUMNS)}."
                )
            pages = [_parse_row(path, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV in UTF-8: {error}.") from None
    if not pages:
        raise UserError(f"{path} lists no page.")
    return SplitFile(path, tuple(pages))


def _explain_missing(given: Path) -> str:
    if not given.exists():
        return "there is no such folder or file; give the folder of a run, or its splits.csv."
    if RunFolder(given).config.is_file():
        return (
            f"this run left no {RunFolder.splits}, as those of earlier versions; data.split_rule=hash, with the ratio "
            "and the seed that it had, is how its pages were divided."
        )
    return f"it holds no {RunFolder.splits}; give the folder of a run, or its {RunFolder.splits}."


def _parse_row(path: Path, number: int, row: Mapping[str, str | None]) -> ListedPage:
    part, fold = str(row.get("part") or "").strip(), str(row.get("fold") or "").strip()
    if part not in PARTS:
        raise UserError(f"{path}, row {number}: '{part}' is no part; the parts are {', '.join(PARTS)}.")
    if fold and not fold.isdecimal():
        raise UserError(f"{path}, row {number}: '{fold}' is no fold; the folds are numbered from 0.")
    return ListedPage(str(row.get("page") or ""), part, int(fold) if fold else None, str(row.get("key") or ""))
