"""Where copies of PAGE and ALTO files go, and where they must not: into the place of a person's work."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from uncial.data.machine_read import is_written_by_person
from uncial.data.sources.xml_files import LAYOUT_FOLDERS
from uncial.document import Issue, Page
from uncial.errors import UnusableInput, UserError
from uncial.formats.transcription_files import read_texts

log = logging.getLogger(__name__)


def copy_places(pages: Sequence[Page], target: Path) -> dict[Path, Path]:
    """Return where the copy of each file of the pages goes below `target`: as the files lie below the folder that all
    images have in common, so that `X.jpg` with `page/X.xml` gives `page/X.xml`."""
    folders = {page.source: find_document_folder(page) for page in reversed(pages)}
    common = Path(os.path.commonpath(folders.values())) if folders else Path()
    return {source: target / source.relative_to(common) for source in dict.fromkeys(page.source for page in pages)}


def find_document_folder(page: Page) -> Path:
    """Return the folder that a page's file and its image are found from: that of the file, or the one above it where
    the image lies there or where the folder is one of those that layouts call `page` or `alto`."""
    folder = page.source.parent
    has_image_above = page.image is not None and page.image.path.parent == folder.parent
    return folder.parent if has_image_above or folder.name.lower() in LAYOUT_FOLDERS else folder


def check_output(output: Path, inputs: Iterable[Path], pages: Sequence[Page], key: str) -> None:
    """Raise `UserError` for an output folder that is one of those that are read, or holds one; warns of one in them.

    `inputs` are the folders and files that the user named, `pages` those of files outside of the output, `key` is the
    config key of the output. Links are followed."""
    target = Path(os.path.realpath(output))
    folders = {*(path for path in inputs if path.is_dir()), *map(find_document_folder, pages)}
    areas = sorted({Path(os.path.realpath(folder)) for folder in folders})
    if (inner := next((area for area in areas if area.is_relative_to(target)), None)) is not None:
        what = "is a folder that is read" if inner == target else f"holds {inner}, which is read"
        raise UserError(
            f"{key}={output}: {what}, and readings do not belong among transcriptions; name a folder "
            f"elsewhere, for instance {inner.with_name(f'{inner.name}_read')}."
        )
    if (outer := next((area for area in areas if target.is_relative_to(area)), None)) is not None:
        log.warning(
            f"The output {output} lies in {outer}, which is read: this program knows its readings by what their files "
            f"say, other programs may take them for transcriptions; {key} names a folder elsewhere."
        )


def keep_originals(
    read: Iterable[Path | str], written: Iterable[Path], output: Path, key: str = "predict.output"
) -> None:
    """Raise `UserError` where one of the files to write would take the place of one that is read. `output` is what
    the user named with `key`."""
    originals = {os.path.realpath(path) for path in read}
    for path in written:
        if os.path.realpath(path) in originals:
            raise UserError(
                f"{key}={output}: {path} is one of the files to read; name another place, or leave that file "
                "out of the input with data.exclude."
            )


def keep_corrections(copies: Mapping[Path, Path], output: Path, key: str) -> None:
    """Raise `UserError` where a file that would be written anew holds what a person wrote there: text that the program
    is not said to have read, and that is not the original's. `copies` are the files to write by their originals."""
    for source, copy in copies.items():
        if not copy.is_file():
            continue
        try:
            before = read_texts(copy)
            original = read_texts(source)
        except UnusableInput:
            raise UserError(
                f"{key}={output}: {copy} is in the place of a file to write and cannot be read: move it away, or name "
                "another folder."
            ) from None
        known = {line.id: (line.text or "").strip() for line in original}
        texts = set(known.values())
        for line in filter(is_written_by_person, before):
            text = (line.text or "").strip()
            # An excerpt may have other ids.
            if text != known[line.id] if line.id in known else text not in texts:
                raise UserError(
                    f"{key}={output}: {copy} holds text that a person wrote or corrected (line {line.id}) and is not "
                    "overwritten: name another folder, or move the file away."
                )


def drop_output(pages: Sequence[Page], problems: Sequence[Issue], output: Path) -> tuple[list[Page], list[Issue]]:
    """Return the pages and problems of files that do not lie in the output folder: what was written there before is not
    read again."""
    target = Path(os.path.realpath(output))

    def is_elsewhere(file: Path | str) -> bool:
        return not Path(os.path.realpath(file)).is_relative_to(target)

    left = [page for page in pages if is_elsewhere(page.source)]
    return left, [problem for problem in problems if is_elsewhere(problem.file)]
