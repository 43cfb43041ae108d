"""Train, validation and test: by page, document or hand, decided by a hash that is the same on every machine."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from uncial.data.splits.division import cut, deal
from uncial.data.splits.groups import connected_pages, position
from uncial.data.splits.sizes import Division, too_few_groups, uneven_folds, uneven_parts
from uncial.document import Issue, Page
from uncial.errors import UserError

PARTS = ("train", "val", "test")
"""From the least to the most strictly kept apart."""


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


@dataclass(frozen=True, slots=True)
class _Free:
    """The pages of a component that the hash sends to one of the `allowed` parts."""

    pages: tuple[Page, ...]
    key: str
    position: float
    allowed: tuple[str, ...]

    def stretch(self, part: str, shares: Mapping[str, float]) -> tuple[float, float]:
        """What of [0, 1) belongs to a part."""
        before = self.allowed[: self.allowed.index(part)]
        total = sum(shares[one] for one in self.allowed)
        start = sum(shares[one] for one in before) / total
        return start, start + shares[part] / total


def split(
    pages: Sequence[Page],
    ratio: tuple[float, float, float],
    by: str,
    seed: int,
    hashes: Mapping[str, str] | None = None,
    *,
    rule: str = "hash",
    lines: Mapping[str, int] | None = None,
    stated: Collection[str] = (),
) -> Split:
    """Decide the part of every page.

    `ratio` are the shares of train, val and test, `by` is `page`, `document` or `hand`, `hashes` the content hash of
    each page's image and `lines` its number of lines by page id. A group's position is a hash of its key and the seed.
    With the rule `hash` the position alone decides, so that it does not depend on the other pages; a part with a share
    that the hash leaves empty takes the group whose position lies nearest to it (from a part that keeps another), train
    first, then val, then test. With the rule `quantile` the groups are sorted by position and cut so that the lines are
    as near to the shares as can be, every part with a share at least one group.

    Parts that the data state (`Page.subset`, or `stated` where no page is left of them) are taken as given; `trainval`
    pages are split between these two by their shares. Pages that state nothing go to the parts that are not stated.
    Where only train is stated and `ratio` wants a validation, it is taken from train. Pages of the same image go to one
    side; where the data state two, the page of the stricter part (test, val, train) is used and the other is a
    `Issue`. So is a page whose image is stated for one part and whose group for another.

    Raises `UserError` for a wrong ratio or `by`, for pages without document or hand, and where all pages form one
    group.
    """
    shares = _shares(ratio)
    given = _stated(pages, shares, stated)
    kept, problems = _without_leaks(pages, given, hashes or {})
    parts = {page.id: subset for page in kept if (subset := given[page.id]) in PARTS}
    stated = {*stated, *parts.values()}
    free: list[_Free] = []
    if len(parts) < len(kept):
        for component in connected_pages(kept, by, seed, hashes or {}):
            members = [page for page in component.pages if page.id not in parts]
            around = {parts[page.id] for page in component.pages if page.id in parts}
            train_or_val = any(given[page.id] == "trainval" for page in members)
            side = strictest(around - {"test"} if train_or_val else around)
            if side is not None:
                parts.update((page.id, side) for page in members)
            elif members:
                free.append(_Free(tuple(members), component.key, component.position, _allowed(train_or_val, stated)))
    weights = [_weight(component.pages, lines) for component in free]
    decide = {"hash": _by_hash, "quantile": _by_quantile}[rule]
    sides = decide(free, weights, shares, stated)
    parts.update((page.id, side) for one, side in zip(free, sides, strict=True) for page in one.pages)
    torn = _torn(kept, parts, given, hashes or {})
    problems = (*problems, *torn.values())
    parts = {page.id: parts[page.id] for page in kept if page.id not in torn}
    kept = [page for page in kept if page.id not in torn]
    division = Division(by, rule, free, weights, sides)
    empty = too_few_groups(division, _wanted(free, shares) - set(parts.values()) - stated)
    far = () if empty else uneven_parts(division, shares)
    return Split(parts, problems, (*_shared_groups(kept, parts), *dict.fromkeys(empty.values()), *far), empty)


def fold_split(
    pages: Sequence[Page],
    ratio: tuple[float, float, float],
    by: str,
    seed: int,
    folds: int,
    fold: int,
    hashes: Mapping[str, str] | None = None,
    *,
    rule: str = "hash",
    lines: Mapping[str, int] | None = None,
    stated: Collection[str] = (),
) -> Split:
    """Decide the part of every page for one of `folds` runs that validate each other's training pages.

    The test part is that of `split`, the same in every fold: what the data state, else the last share of `ratio`. All
    other pages, those too that the data state as train or val, are dealt to the folds by groups; `fold` (0 … folds - 1)
    is the validation and the others are the training, so that every page is validated on in exactly one fold. With the
    rule `hash` a group's fold is decided by a hash of its key and the seed alone, and adding pages moves none, except
    into a fold that the hash leaves empty: that takes the group nearest to it of the fold that has most. With the rule
    `quantile` the groups are dealt in the order of that hash, so that the folds have as many lines as each other.

    Raises `UserError` as `split` does, and where there are fewer groups than folds.
    """
    hashes = hashes or {}
    # A validation is not wanted beside the folds, and must not change how large the test is.
    shares = ratio if rule == "hash" else (ratio[0] + ratio[1], 0.0, ratio[2])
    whole = split(pages, shares, by, seed, hashes, rule=rule, lines=lines, stated=stated)
    pool = [page for page in pages if whole.parts.get(page.id) in ("train", "val")]
    components = connected_pages(pool, by, seed, hashes)
    if len(components) < folds:
        number = f"{len(components)} {by}{'' if len(components) == 1 else 's'}"
        remedy = "use fewer folds" if len(components) > 1 else f"add {by}s"
        raise UserError(f"data.folds={folds}: beside the test part there is no more than {number}; {remedy}")
    warnings = (*whole.warnings, *_pooled_parts(pages))
    if rule == "hash":
        places = [position(f"fold\0{component.key}", seed) * folds for component in components]
        sides = _without_empty_folds(places, folds)
    else:
        components.sort(key=lambda one: (position(f"fold\0{one.key}", seed), one.key))
        weights = [_weight(component.pages, lines) for component in components]
        sides = deal(weights, folds)
        warnings = (*warnings, *uneven_folds(Division(by, rule, components, weights, list(map(str, sides))), folds))
    fold_of = {page.id: side for one, side in zip(components, sides, strict=True) for page in one.pages}
    parts = {page: in_fold(fold_of[page], fold) if page in fold_of else part for page, part in whole.parts.items()}
    return Split(parts, whole.problems, warnings, whole.empty, fold_of)


def in_fold(own: int, fold: int) -> str:
    """The part of a page of the fold `own` in the run that validates on `fold`."""
    return "val" if own == fold else "train"


def _without_empty_folds(places: Sequence[float], folds: int) -> list[int]:
    """The fold of each group by its place in [0, folds); the same whichever fold is asked for."""
    sides = [min(int(place), folds - 1) for place in places]
    for empty in range(folds):
        if empty not in sides:
            fullest = max(range(folds), key=sides.count)
            donors = [i for i, side in enumerate(sides) if side == fullest]
            sides[min(donors, key=lambda i: abs(places[i] - (empty + 0.5)))] = empty
    return sides


def _pooled_parts(pages: Sequence[Page]) -> tuple[str, ...]:
    stated = sum(page.subset == "val" for page in pages)
    told = f"data.folds: the {stated:,} pages that the data state as validation are dealt to the folds like the others"
    return (told,) if stated else ()


def _shares(ratio: Sequence[float]) -> dict[str, float]:
    if len(ratio) != 3 or any(share < 0 for share in ratio) or sum(ratio) <= 0:
        raise UserError(f"data.ratio={list(ratio)}: give the shares of train, val and test, for instance [.8,.1,.1]")
    return {part: share / sum(ratio) for part, share in zip(PARTS, ratio, strict=True)}


def strictest(parts: Iterable[str]) -> str | None:
    """The part that is kept apart the most, None of none."""
    return max(parts, key=PARTS.index, default=None)


def _stated(pages: Sequence[Page], shares: Mapping[str, float], stated: Collection[str]) -> dict[str, str | None]:
    """What the data say of each page; `train` is `trainval` where a validation is wanted and nothing else gives one."""
    subsets = {page.subset for page in pages}
    wrong = subsets - {None, "trainval", *PARTS}
    if wrong:
        raise UserError(f"A page says that it is in the part '{wrong.pop()}'; the parts are {', '.join(PARTS)}")
    carve = "train" in subsets and shares["val"] > 0 and not {*subsets, *stated} & {None, "trainval", "val"}
    return {page.id: "trainval" if carve and page.subset == "train" else page.subset for page in pages}


def given_parts(
    pages: Sequence[Page], hashes: Mapping[str, str], stated: Collection[str]
) -> tuple[dict[str, str | None], tuple[Issue, ...], list[Page]]:
    """What the data say of each page, where its part is decided elsewhere: a stated training may hold the validation.
    Then the pages whose image a stricter stated part has, and those that are left."""
    given = _stated(pages, dict.fromkeys(PARTS, 1.0), stated)
    kept, problems = _without_leaks(pages, given, hashes)
    return given, problems, kept


def _without_leaks(
    pages: Sequence[Page], given: Mapping[str, str | None], hashes: Mapping[str, str]
) -> tuple[list[Page], tuple[Issue, ...]]:
    """The pages without those whose image a page of a stricter stated part has."""
    strictest: dict[str, Page] = {}
    for page in pages:
        subset, content = given[page.id], hashes.get(page.id)
        if subset in PARTS and content:
            other = strictest.get(content)
            if other is None or PARTS.index(str(given[other.id])) < PARTS.index(subset):
                strictest[content] = page
    kept, problems = [], []
    for page in pages:
        other = strictest.get(hashes.get(page.id, ""))
        if other is None or not _clashes(given[page.id], str(given[other.id])):
            kept.append(page)
        else:
            reason = f"its image is also that of {other.id} in the part {given[other.id]}, which is kept there only"
            problems.append(Issue(str(page.source), "", reason, "leaking_page", part=page.subset or ""))
    return kept, tuple(problems)


def _torn(
    pages: Sequence[Page], parts: Mapping[str, str], given: Mapping[str, str | None], hashes: Mapping[str, str]
) -> dict[str, Issue]:
    """The pages that state no part and came to another one than the page of a stated part that has their image."""
    stated = {hashes[page.id]: page for page in pages if given[page.id] in PARTS and hashes.get(page.id)}
    problems = {}
    for page in pages:
        other = stated.get(hashes.get(page.id, ""))
        if other is not None and given[page.id] not in PARTS and parts[page.id] != parts[other.id]:
            reason = (
                f"its image is also that of {other.id} in the part {parts[other.id]}, and the pages that it is kept "
                f"with are in the part {parts[page.id]}"
            )
            problems[page.id] = Issue(str(page.source), "", reason, "leaking_page")
    return problems


def _clashes(subset: str | None, strictest: str) -> bool:
    """Whether a page that says `subset` cannot go to the side of its twin."""
    if subset == "trainval":
        return strictest == "test"
    return subset is not None and subset != strictest


def _allowed(train_or_val: bool, stated: set[str]) -> tuple[str, ...]:
    """The parts that the hash chooses between: a validation or test that the data state gets no further pages."""
    if train_or_val:
        return ("train", "val")
    return tuple(part for part in PARTS if part == "train" or part not in stated)


def _weight(pages: Sequence[Page], lines: Mapping[str, int] | None) -> int:
    """The lines of the pages, or how many pages they are where the lines are not known."""
    return len(pages) if lines is None else sum(lines.get(page.id, 0) for page in pages)


def _wanted(free: Sequence["_Free"], shares: Mapping[str, float]) -> set[str]:
    return {part for component in free for part in component.allowed if shares[part] > 0}


def _by_hash(free: Sequence[_Free], weights: Sequence[int], shares: Mapping[str, float], stated: set[str]) -> list[str]:
    sides = [_side(component, shares) for component in free]
    for part in PARTS:
        if shares[part] > 0 and part not in stated and part not in sides:
            _fill(part, sides, free, shares, stated)
    return sides


def _by_quantile(
    free: Sequence[_Free], weights: Sequence[int], shares: Mapping[str, float], stated: set[str]
) -> list[str]:
    """The sides of the components; those of fewer allowed parts are divided first."""
    sides = [""] * len(free)
    for allowed in sorted({component.allowed for component in free}, key=len):
        members = [i for i, component in enumerate(free) if component.allowed == allowed]
        members.sort(key=lambda i: (free[i].position, free[i].key))
        missing = [part for part in allowed if shares[part] > 0 and part not in {*stated, *sides}][: len(members)]
        few = len(members) <= len(missing)
        parts = missing if few else [part for part in allowed if shares[part] > 0] or ["train"]
        # Where parts are left out for want of groups, the others share by what was asked of them.
        asked = [shares[part] or 1.0 for part in parts]
        cuts = cut([weights[i] for i in members], asked, [int(part in missing) for part in parts])
        for i, side in zip(members, cuts, strict=True):
            sides[i] = parts[side]
    return sides


def _side(component: _Free, shares: Mapping[str, float]) -> str:
    parts = [part for part in component.allowed if shares[part] > 0]
    for part in parts:
        if component.position < component.stretch(part, shares)[1]:
            return part
    return parts[-1] if parts else "train"


def _fill(part: str, sides: list[str], free: Sequence[_Free], shares: Mapping[str, float], stated: set[str]) -> None:
    """Move the nearest component into an empty part: from a part that keeps pages, else from one that matters less."""
    movable = [i for i, component in enumerate(free) if part in component.allowed]
    donors = [i for i in movable if sides.count(sides[i]) > 1 or sides[i] in stated]
    donors = donors or [i for i in movable if PARTS.index(sides[i]) > PARTS.index(part)]

    def distance(i: int) -> tuple[float, str]:
        start, end = free[i].stretch(part, shares)
        return max(start - free[i].position, free[i].position - end, 0.0), free[i].key

    if donors:
        sides[min(donors, key=distance)] = part


def _shared_groups(pages: Sequence[Page], parts: Mapping[str, str]) -> tuple[str, ...]:
    """A warning where the stated parts cut pages in two, as lists of shuffled lines do: they are taken as given."""
    sides: dict[str, set[str]] = {}
    for page in pages:
        if page.group:
            sides.setdefault(page.group, set()).add(parts[page.id])
    cut = sorted(group for group, found in sides.items() if len(found) > 1)
    if not cut:
        return ()
    return (
        f"The data's own split puts lines of one page on several sides ({len(cut):,} pages, for instance {cut[0]}): "
        "scores will look better than on new pages",
    )
