"""One image, one page: a second file that transcribes it would count it twice, or leak it into the evaluation."""

import glob
import os
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

from uncial.data.machine_read import (
    has_machine_text,
    has_persons_text,
    is_machine_read,
    is_written_by_person,
    make_machine_read_issue,
)
from uncial.data.sources.xml_files import LAYOUT_FOLDERS
from uncial.document import Issue, Page, of_part
from uncial.errors import IssueCode, UserError
from uncial.files import hash_content
from uncial.text.normalization import normalize

EVALUATION = ("test", "val")


def keep_one_page_per_image(pages: Sequence[Page]) -> tuple[list[Page], list[Issue]]:
    """Return the pages in their order without those whose image, by path or by content, another page transcribes too.

    What a person transcribed is kept before what a program read. Then the page of the evaluation (test before val);
    among those of one side a file with text before one without, one that a person transcribed whole before one in part,
    the file beside the image or in `page/` or its like before those elsewhere, one that is called as its image before
    others. Of files with the same text, and of those of copies of an image, the one with most lines is kept, the one
    with the shortest name, then the first by path.

    Raises UserError where none of this tells which of two texts of one image file that people wrote counts.
    """
    problems: list[Issue] = []
    dropped: set[int] = set()
    for group in _group_by_image(pages):
        kept = min(
            group,
            key=lambda page: (*_rank_page(page, group), -_count_texts(page).total(), len(page.source.name), page.id),
        )
        _check_decided(kept, group)
        for page in group:
            if page is not kept:
                dropped.add(id(page))
                problems += of_part([_make_issue(page, kept)], page.subset)
    return [page for page in pages if id(page) not in dropped], problems


def drop_extra_readings(pages: Sequence[Page]) -> tuple[list[Page], list[Issue]]:
    """Return the pages in their order without those that a program read, where another file of the same image is a
    person's or has no text yet, or where that lies with the image and this one does not."""
    problems = []
    dropped: set[int] = set()
    for group in _group_by_image(pages):
        originals = [page for page in group if not is_machine_read(page)]
        nearest = min(map(_is_elsewhere, group))
        kept = originals or [page for page in group if _is_elsewhere(page) == nearest]
        for page in group:
            if is_machine_read(page) and page not in kept:
                dropped.add(id(page))
                problems.append(make_machine_read_issue(page, "and its original is read", str(kept[0].source)))
    return [page for page in pages if id(page) not in dropped], problems


def _group_by_image(pages: Sequence[Page]) -> Iterable[list[Page]]:
    """Return the pages of each image that has several."""
    groups: dict[Hashable, list[Page]] = {}
    identities = _identify_images([page.image.path for page in pages if page.image is not None])
    for page in pages:
        if page.image is not None:
            groups.setdefault((identities[page.image.path], page.image.frame), []).append(page)
    return [group for group in groups.values() if len(group) > 1]


def _identify_images(images: Sequence[Path]) -> dict[Path, str]:
    """Return the resolved path of each image, or for images of one size in bytes the hash of their content."""
    resolved = {path: os.path.realpath(path) for path in images}
    by_size: dict[int, set[str]] = {}
    for real in set(resolved.values()):
        by_size.setdefault(_read_file_size(real), set()).add(real)
    alike = {real for size, reals in by_size.items() if size > 0 and len(reals) > 1 for real in reals}
    return {path: _hash_content(real) if real in alike else real for path, real in resolved.items()}


def _read_file_size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _hash_content(path: str) -> str:
    try:
        return hash_content(Path(path))
    except OSError:
        return path


def _rank_page(page: Page, group: Sequence[Page]) -> tuple[bool, int, bool, bool, bool, bool]:
    """Return what decides between the pages of one image, the least first."""
    loses = is_machine_read(page) and any(map(has_persons_text, group))
    side = EVALUATION.index(page.subset) if page.subset in EVALUATION else len(EVALUATION)
    has_text = any(line.text for line in page.lines)
    same_name = page.image is not None and page.source.stem == page.image.path.stem
    return loses, side, not has_text, has_machine_text(page), _is_elsewhere(page), not same_name


def _is_elsewhere(page: Page) -> bool:
    """Return whether the file lies neither beside its image nor in `page/`, `alto/` or the like there."""
    if page.image is None:
        return True
    image, folder = page.image.path.parent, page.source.parent
    places = [folder, folder.parent] if folder.name.lower() in LAYOUT_FOLDERS else [folder]
    return os.path.realpath(image) not in map(os.path.realpath, places)


def _check_decided(kept: Page, group: Sequence[Page]) -> None:
    rank, texts = _rank_page(kept, group), _count_texts(kept)
    for page in group:
        is_equal = page is not kept and not _is_copy(page, kept) and _rank_page(page, group) == rank
        if is_equal and has_persons_text(page) and _count_texts(page) != texts:
            image = page.image.path if page.image is not None else page.id
            one, other = sorted((str(kept.source), str(page.source)))
            example = f"'data.exclude=[\"{_make_glob(page, kept)}\"]'"
            raise UserError(
                f"{one} and {other} are two transcriptions of {image} that differ, and nothing tells which one counts: "
                f"leave one of them out with data.exclude or data.include, such as {example}"
            )


def _count_texts(page: Page) -> Counter[str]:
    """Return the texts in whatever order, without what one export spaces otherwise than another."""
    return Counter(normalize(line.text or "", "nfc_collapse") for line in page.lines if is_written_by_person(line))


def _make_glob(page: Page, other: Page) -> str:
    """Return a glob for data.exclude that matches the one file, and where they differ by a folder or suffix its like,
    and not the other."""
    for mine, theirs in ((page.source, other.source), (other.source, page.source)):
        if mine.stem.startswith(f"{theirs.stem}."):
            return f"*{glob.escape(mine.name.removeprefix(theirs.stem))}"
        own = [folder for folder in reversed(mine.parent.parts) if folder not in theirs.parts]
        if mine.name == theirs.name and own:
            return glob.escape(own[0])
    named = f"{page.source.parent.name}/{page.source.name}" if page.source.name == other.source.name else ""
    return f"**/{glob.escape(named)}" if named else glob.escape(page.source.name)


def _make_issue(page: Page, kept: Page) -> Issue:
    if is_machine_read(page) and has_persons_text(kept):
        reason = "and what a person transcribed of its image is used"
        return make_machine_read_issue(page, reason, str(kept.source))
    kind: IssueCode = "duplicate_page" if _is_copy(page, kept) else "second_transcription"
    return Issue(str(page.source), "", _describe_reason(page, kept), kind, str(kept.source))


def _is_copy(page: Page, kept: Page) -> bool:
    """Return whether the two state different files of the same content."""
    if page.image is None or kept.image is None:
        return False
    return os.path.realpath(page.image.path) != os.path.realpath(kept.image.path)


def _describe_reason(page: Page, kept: Page) -> str:
    image = page.image.path.name if page.image is not None else ""
    named = f"{image}, a copy of {kept.image.path}," if _is_copy(page, kept) and kept.image else f"{image},"
    reason = f"transcribes the image {named} as {kept.source} does, which is used"
    return reason if page.subset == kept.subset else f"{reason} in the {kept.subset} part"
