"""A store is found by what the data are, not by where they lie: it is told with the paths of today."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from uncial.document import Issue, Page


def make_paths_relative(problems: Iterable[Issue], page: Page) -> list[Issue]:
    """Return the problems of a page with what finds it again when its files have moved."""
    image = str(page.image.path) if page.image else ""
    return [replace(problem, page=page.id, image=image) for problem in problems]


def set_paths_of_pages(problems: Sequence[Issue], pages: Sequence[Page]) -> tuple[Issue, ...]:
    """Return what a store says of these pages, with their paths instead of those that were compiled."""
    if not problems:
        return ()
    by_id = {page.id: page for page in pages}
    by_name: dict[str, list[Page]] = {}
    for page in pages:
        by_name.setdefault(page.source.name, []).append(page)
    return tuple(_set_path_of_page(problem, by_id, by_name) for problem in problems)


def set_path_of_store(problems: Sequence[Issue], store: Path) -> tuple[Issue, ...]:
    """Return what a store says where it was given itself: its pages may be gone, so that it names them by their ids."""
    told = []
    for problem in problems:
        page = problem.page or PurePath(problem.file).stem
        reason = problem.reason
        for path in (problem.image, problem.file):
            reason = reason.replace(path, PurePath(path).name) if path else reason
        head, colon, rest = reason.partition(": ")
        if colon and PurePath(head).is_absolute():  # Of a store whose problems do not state their image.
            reason = f"{PurePath(head).name}: {rest}"
        told.append(replace(problem, file=str(store), line=f"{page} {problem.line}".rstrip(), reason=reason))
    return tuple(told)


def _set_path_of_page(problem: Issue, by_id: Mapping[str, Page], by_name: Mapping[str, Sequence[Page]]) -> Issue:
    page = by_id.get(problem.page) or _index_by_tail(problem.file, by_name)
    if page is None:
        return problem
    reason = problem.reason
    if problem.image and page.image:
        reason = reason.replace(problem.image, str(page.image.path))
    was, now = problem.file, str(page.source)
    if not problem.page:  # Of a store whose problems do not state their image: it lay beside the file, or near it.
        was, now = _find_differing_heads(was, now)
    reason = reason.replace(was, now) if was and was != now else reason
    return replace(problem, file=str(page.source), reason=reason, part=page.subset or "")


def _index_by_tail(file: str, by_name: Mapping[str, Sequence[Page]]) -> Page | None:
    """Return the page whose file has the longest end of its path in common with `file`, None where several have."""
    candidates = by_name.get(PurePath(file).name, ())
    lengths = [_find_common_tail(file, str(page.source)) for page in candidates]
    longest = max(lengths, default=0)
    return candidates[lengths.index(longest)] if lengths.count(longest) == 1 else None


def _find_common_tail(one: str, other: str) -> int:
    parts = zip(reversed(PurePath(one).parts), reversed(PurePath(other).parts), strict=False)
    return next((length for length, (mine, theirs) in enumerate(parts) if mine != theirs), len(PurePath(one).parts))


def _find_differing_heads(one: str, other: str) -> tuple[str, str]:
    """Return what stands before the end that two paths have in common."""
    tail = _find_common_tail(one, other)
    heads = [str(PurePath(*PurePath(path).parts[: len(PurePath(path).parts) - tail])) for path in (one, other)]
    return (f"{heads[0]}/", f"{heads[1]}/") if heads[0] != heads[1] else ("", "")
