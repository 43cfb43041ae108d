"""Train, validation and test: by page, document or hand, decided by a hash that is the same on every machine."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from uncial.data.splits.division import FreeGroup, deal_by_hash, deal_evenly, divide_by_hash, divide_by_quantile
from uncial.data.splits.groups import PARTS, choose_strictest_part, connect_pages, hash_position
from uncial.data.splits.sizes import Division, explain_empty_parts, warn_of_uneven_folds, warn_of_uneven_parts
from uncial.data.splits.stated import (
    drop_leaking_pages,
    find_divided_images,
    read_stated_parts,
    warn_of_divided_groups,
    warn_of_pooled_validation,
)
from uncial.document import Issue, Page
from uncial.errors import UserError


@dataclass(frozen=True)
class SplitRequest:
    """The pages to be divided, and what is known of them.

    `hashes` are those of the images' contents by page id, also of usable pages that are not to be divided, `lines` the
    numbers of lines by page id, None where they are not known; `stated` are the parts that the data state, also where
    no page is left of them.
    """

    pages: Sequence[Page]
    hashes: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] | None = None
    stated: Collection[str] = ()

    def count_lines(self, pages: Iterable[Page]) -> int:
        """Return the lines of these pages, or how many pages they are where the lines are not known."""
        return sum(1 if self.lines is None else self.lines.get(page.id, 0) for page in pages)


@dataclass(frozen=True, slots=True)
class Split:
    """The part of each page by its id, pages left out absent; what was left out, and what a user should know.

    `empty` says of parts why they got no page, `folds` are the folds of pages by their ids, `origin` says where the
    parts are taken from if not from the pages. `apart` says of images, by the hash of their content, and of pages, by
    their ids, for which part they are kept, whether or not they are among the pages that were divided.
    """

    parts: Mapping[str, str]
    problems: tuple[Issue, ...] = ()
    warnings: tuple[str, ...] = ()
    empty: Mapping[str, str] = field(default_factory=dict)
    folds: Mapping[str, int] = field(default_factory=dict)
    origin: str = ""
    apart: Mapping[str, str] = field(default_factory=dict)


class Splitter(Protocol):
    """What decides on the part of every page. `by` is page, document or hand."""

    @property
    def by(self) -> str: ...

    def split(self, request: SplitRequest) -> Split:
        """Return the part of every page of the request. Raises `UserError` where the pages cannot be divided."""


@dataclass(frozen=True)
class SplitSettings:
    """`ratio` are the shares of train, val and test; `by` is page, document or hand; `rule` is hash or quantile. With
    `folds`, `fold` is the one to validate on.
    """

    ratio: tuple[float, float, float]
    by: str
    seed: int
    folds: int | None = None
    fold: int = 0
    rule: str = "hash"

    def split(self, request: SplitRequest) -> Split:
        """Return the part of every page, decided by `split_pages` or, with folds, by `split_folds`."""
        return split_pages(request, self) if self.folds is None else split_folds(request, self)


def split_pages(request: SplitRequest, settings: SplitSettings) -> Split:
    """Decide the part of every page by the ratio of the settings, without folds.

    A group's position is a hash of its key and the seed. With the rule `hash` the position alone decides, so that it
    does not depend on the other pages; a part with a share that the hash leaves empty takes the group whose position
    lies nearest to it (from a part that keeps another), train first, then val, then test. With the rule `quantile` the
    groups are sorted by position and cut so that the lines are as near to the shares as can be, every part with a share
    at least one group.

    Parts that the data state (`Page.subset`, or `request.stated` where no page is left of them) are taken as given;
    `trainval` pages are split between these two by their shares. Pages that state nothing go to the parts that are not
    stated. Where only train is stated and the ratio wants a validation, it is taken from train. Pages of the same image
    go to one side; where the data state two, the page of the stricter part (test, val, train) is used and the other is
    an `Issue`. So is a page whose image is stated for one part and whose group for another.

    Raises `UserError` for a wrong ratio or `by`, for pages without document or hand, and where all pages form one
    group.
    """
    shares = _normalize_ratio(settings.ratio)
    given = read_stated_parts(request.pages, shares, request.stated)
    kept, leaking = drop_leaking_pages(request.pages, given, request.hashes)
    parts, free = _assign_stated(kept, given, request, settings)
    stated = {*request.stated, *(str(given[page.id]) for page in kept if given[page.id] in PARTS)}
    weights = [request.count_lines(group.pages) for group in free]
    divide = {"hash": divide_by_hash, "quantile": divide_by_quantile}[settings.rule]
    sides = divide(free, weights, shares, stated)
    parts.update((page.id, side) for group, side in zip(free, sides, strict=True) for page in group.pages)
    divided = find_divided_images(kept, parts, given, request.hashes)
    kept = [page for page in kept if page.id not in divided]
    parts = {page.id: parts[page.id] for page in kept}
    division = Division(settings.by, settings.rule, free, weights, sides)
    wanted = {part for group in free for part in group.allowed if shares[part] > 0}
    empty = explain_empty_parts(division, wanted - set(parts.values()) - stated)
    uneven = () if empty else warn_of_uneven_parts(division, shares)
    warnings = (*warn_of_divided_groups(kept, parts), *dict.fromkeys(empty.values()), *uneven)
    return Split(parts, (*leaking, *divided.values()), warnings, empty)


def _assign_stated(
    pages: Sequence[Page], given: Mapping[str, str | None], request: SplitRequest, settings: SplitSettings
) -> tuple[dict[str, str], list[FreeGroup]]:
    """Return the parts of the pages that state one or are kept together with one that does, and the other groups."""
    parts = {page.id: subset for page in pages if (subset := given[page.id]) in PARTS}
    if len(parts) == len(pages):
        return parts, []
    stated = {*request.stated, *parts.values()}
    free: list[FreeGroup] = []
    for component in connect_pages(pages, settings.by, settings.seed, request.hashes):
        members = [page for page in component.pages if page.id not in parts]
        around = {parts[page.id] for page in component.pages if page.id in parts}
        is_train_or_val = any(given[page.id] == "trainval" for page in members)
        side = choose_strictest_part(around - {"test"} if is_train_or_val else around)
        if side is not None:
            parts.update((page.id, side) for page in members)
        elif members:
            allowed = _allow_parts(is_train_or_val, stated)
            free.append(FreeGroup(tuple(members), component.key, component.position, allowed))
    return parts, free


def split_folds(request: SplitRequest, settings: SplitSettings) -> Split:
    """Decide the part of every page for one of several runs that validate each other's training pages.

    The test part is that of `split_pages`, the same in every fold: what the data state, else the last share of the
    ratio. All other pages, those too that the data state as train or val, are dealt to the folds by groups;
    `settings.fold` (0 … folds - 1) is the validation and the others are the training, so that every page is validated
    on in exactly one fold. With the rule `hash` a group's fold is decided by a hash of its key and the seed alone, and
    adding pages moves none, except into a fold that the hash leaves empty: that takes the group nearest to it of the
    fold that has most. With the rule `quantile` the groups are dealt in the order of that hash, so that the folds have
    as many lines as each other.

    Raises `UserError` as `split_pages` does, and where there are fewer groups than folds.
    """
    by, seed, folds, ratio = settings.by, settings.seed, settings.folds or 1, settings.ratio
    # A validation is not wanted beside the folds, and must not change how large the test is.
    shares = ratio if settings.rule == "hash" else (ratio[0] + ratio[1], 0.0, ratio[2])
    whole = split_pages(request, replace(settings, ratio=shares))
    pool = [page for page in request.pages if whole.parts.get(page.id) in ("train", "val")]
    components = connect_pages(pool, by, seed, request.hashes)
    if len(components) < folds:
        number = f"{len(components)} {by}{'' if len(components) == 1 else 's'}"
        remedy = "use fewer folds" if len(components) > 1 else f"add {by}s"
        raise UserError(f"data.folds={folds}: beside the test part there is no more than {number}; {remedy}")
    warnings = (*whole.warnings, *warn_of_pooled_validation(request.pages))
    positions = {component.key: hash_position(f"fold\0{component.key}", seed) for component in components}
    if settings.rule == "hash":
        sides = deal_by_hash([positions[component.key] * folds for component in components], folds)
    else:
        components.sort(key=lambda component: (positions[component.key], component.key))
        weights = [request.count_lines(component.pages) for component in components]
        sides = deal_evenly(weights, folds)
        division = Division(by, settings.rule, components, weights, [str(side) for side in sides])
        warnings = (*warnings, *warn_of_uneven_folds(division, folds))
    fold_of = {page.id: side for group, side in zip(components, sides, strict=True) for page in group.pages}
    parts = {
        page: find_part_in_fold(fold_of[page], settings.fold) if page in fold_of else part
        for page, part in whole.parts.items()
    }
    return Split(parts, whole.problems, warnings, whole.empty, fold_of)


def find_part_in_fold(own: int, fold: int) -> str:
    """Return the part of a page of the fold `own` in the run that validates on `fold`."""
    return "val" if own == fold else "train"


def _normalize_ratio(ratio: Sequence[float]) -> dict[str, float]:
    if len(ratio) != 3 or any(share < 0 for share in ratio) or sum(ratio) <= 0:
        raise UserError(f"data.ratio={list(ratio)}: give the shares of train, val and test, for instance [.8,.1,.1]")
    return {part: share / sum(ratio) for part, share in zip(PARTS, ratio, strict=True)}


def _allow_parts(is_train_or_val: bool, stated: set[str]) -> tuple[str, ...]:
    """Return the parts that pages may go to: a validation or test that the data state gets no further pages."""
    if is_train_or_val:
        return ("train", "val")
    return tuple(part for part in PARTS if part == "train" or part not in stated)
