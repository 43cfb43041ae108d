"""One image, one page: a second file that transcribes it would count it twice, or leak it into the evaluation."""

import os
from collections.abc import Hashable, Sequence
from pathlib import Path

from uncial.data.hashing import content_hash
from uncial.errors import Fault
from uncial.formats.types import Page, Problem, of_part

EVALUATION = ("test", "val")


def one_page_an_image(pages: Sequence[Page]) -> tuple[list[Page], list[Problem]]:
    """The pages in their order without those whose image, by path or by content, another page transcribes too.

    Kept is the page of the evaluation (test before val); among those of one side a file with text before one without,
    then one that is called as its image, then the shortest name, then the first by path.
    """
    groups: dict[Hashable, list[Page]] = {}
    identities = _identities([page.image.path for page in pages if page.image is not None])
    for page in pages:
        if page.image is not None:
            groups.setdefault((identities[page.image.path], page.image.frame), []).append(page)
    problems: list[Problem] = []
    dropped: set[int] = set()
    for group in groups.values():
        kept = min(group, key=_preference)
        for page in group:
            if page is not kept:
                dropped.add(id(page))
                kind: Fault = "duplicate_page" if _is_copy(page, kept) else "second_transcription"
                left_out = Problem(str(page.source), "", _reason(page, kept), kind, str(kept.source))
                problems += of_part([left_out], page.subset)
    return [page for page in pages if id(page) not in dropped], problems


def _identities(images: Sequence[Path]) -> dict[Path, str]:
    """The resolved path of each image, or for images of one size in bytes the hash of their content."""
    resolved = {path: os.path.realpath(path) for path in images}
    by_size: dict[int, set[str]] = {}
    for real in set(resolved.values()):
        by_size.setdefault(_size(real), set()).add(real)
    alike = {real for size, reals in by_size.items() if size > 0 and len(reals) > 1 for real in reals}
    return {path: _content(real) if real in alike else real for path, real in resolved.items()}


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _content(path: str) -> str:
    try:
        return content_hash(Path(path))
    except OSError:
        return path


def _preference(page: Page) -> tuple[int, bool, bool, int, str]:
    side = EVALUATION.index(page.subset) if page.subset in EVALUATION else len(EVALUATION)
    has_text = any(line.text for line in page.lines)
    same_name = page.image is not None and page.source.stem == page.image.path.stem
    return side, not has_text, not same_name, len(page.source.name), page.id


def _is_copy(page: Page, kept: Page) -> bool:
    """Whether the two state different files of the same content."""
    if page.image is None or kept.image is None:
        return False
    return os.path.realpath(page.image.path) != os.path.realpath(kept.image.path)


def _reason(page: Page, kept: Page) -> str:
    image = page.image.path.name if page.image is not None else ""
    named = f"{image}, a copy of {kept.image.path}," if _is_copy(page, kept) and kept.image else f"{image},"
    reason = f"transcribes the image {named} as {kept.source} does, which is used"
    return reason if page.subset == kept.subset else f"{reason} in the {kept.subset} part"
