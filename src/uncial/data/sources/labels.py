"""`data=labels`: folders of line images with a label file, split into `train/`, `val/`, `test/` (Thulium) or not."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import Place, describe_contents, find_files, find_places_by_subset, is_selected
from uncial.data.sources.line_pages import LineImage, check_single_line, make_line_pages, report_by_folder
from uncial.document import Issue, SourceContents, of_part
from uncial.errors import UnusableInput, UserError
from uncial.formats.image_finder import ABSOLUTE
from uncial.formats.lines.labels import LABEL_FILES, Label, read_labels
from uncial.formats.lines.pairs import is_image
from uncial.formats.lines.styles import split_marks

_SUBSET_FOLDERS = {
    "test": ("test", "testing"),
    "val": ("val", "valid", "validation", "dev", "eval"),
    "train": ("train", "training"),
}


def read(settings: SourceSettings) -> SourceContents:
    """Return every row of the label files as a page of one line.

    The images lie in `images/` beside the label file, or beside it; names may lack the suffix. `data.train`,
    `data.val` and `data.test` are folders with a label file, or label files. Options: `page_pattern`,
    `document_pattern`, `hand_pattern`.
    """
    images: dict[Path, LineImage] = {}
    problems: list[Issue] = []
    stated: dict[str, str] = {}
    roots = find_places_by_subset(settings)
    for subset, where in reversed(roots):
        for place in where:
            for labels, part in _find_label_files(place, subset):
                problems += of_part(_add_labels(images, labels, place, part, settings), part)
            stated |= {} if subset else _find_stated_folders(place)
    if not images:
        everything = [place for _, where in roots for place in where]
        if problems:
            raise UserError(f"{problems[0].file} names no usable line image: {problems[0].line} {problems[0].reason}")
        raise UserError(
            f"data.root: {everything[0].path} holds no {LABEL_FILES[0]}, .tsv or .csv with images/ beside it, but "
            f"{describe_contents(everything, settings.format)}"
        )
    return SourceContents(make_line_pages(list(images.values()), settings), tuple(problems), stated)


def _find_stated_folders(place: Place) -> dict[str, str]:
    """Return the folders that are called as a part. One without a label file states it too where it holds images, or
    where another part has a folder of its own."""
    named = {name: [place.path / folder for folder in folders] for name, folders in _SUBSET_FOLDERS.items()}
    present = {name: [folder for folder in folders if folder.is_dir()] for name, folders in named.items()}
    is_layout = any(_find_label_file(folder) for folders in present.values() for folder in folders)
    return {
        name: f"the folder {folders[0]}"
        for name, folders in present.items()
        if folders and (is_layout or find_files([Place(folder, folder) for folder in folders], is_image))
    }


def _find_label_files(place: Place, subset: str | None) -> list[tuple[Path, str | None]]:
    """Return the label files of a place with the subset that each belongs to, the strictest first."""
    if place.path.is_file():
        if is_image(place.path):
            raise UserError(
                f"data.{subset or 'root'}: {place.path} is an image; data=labels asks for the label file, or for the "
                "folder that holds it"
            )
        return [(place.path, subset)]
    found: list[tuple[Path, str | None]] = []
    if subset is None:
        for name, folders in _SUBSET_FOLDERS.items():
            present = (place.path / folder for folder in folders)
            found += [(labels, name) for folder in present if (labels := _find_label_file(folder))]
    own = _find_label_file(place.path)
    return [*found, (own, subset)] if own else found


def _find_label_file(folder: Path) -> Path | None:
    return next((folder / name for name in LABEL_FILES if (folder / name).is_file()), None)


def _add_labels(
    images: dict[Path, LineImage], labels: Path, place: Place, subset: str | None, settings: SourceSettings
) -> list[Issue]:
    """Add the rows whose image exists; what is wrong with the others, and the images without a row."""
    try:
        rows, problems = read_labels(labels)
    except UnusableInput as error:
        raise UserError(str(error)) from error
    folder = labels.parent / "images" if (labels.parent / "images").is_dir() else labels.parent
    present = [found.path for found in find_files([Place(folder, folder)], is_image)]
    index = _index_images(present, [folder, labels.parent])
    named: set[Path] = set()
    for row in rows:
        path, fault = _find_image(row, index, labels.parent)
        if path is None:
            problems.append(Issue(str(labels), f"row {row.number}", fault, "missing_image"))
            continue
        named.add(path)
        relative = place.relative(path) if path.is_relative_to(place.anchor) else path.name
        if not is_selected(relative, settings.include, settings.exclude):
            continue
        if path in images:
            problems.append(
                Issue(
                    str(labels), f"row {row.number}", f"the image {row.name} has a text already", "second_transcription"
                )
            )
            continue
        plain, spans = split_marks(row.text)
        line = LineImage(path, relative, labels, plain, spans, subset=subset)
        fault_of_text = check_single_line(line)
        if fault_of_text:
            problems.append(fault_of_text)
        else:
            images[path] = line
    unnamed = [path for path in present if path not in named and path not in images]
    return problems + report_by_folder(unnamed, f"not in {labels.name}", "untranscribed_image")


def _index_images(present: Iterable[Path], folders: list[Path]) -> dict[str, list[Path]]:
    """Return the images by every name that a row may give them: the path below the folders, with and without suffix, in
    Unicode's composed form."""
    index: dict[str, list[Path]] = {}
    for path in present:
        names = {path.name, path.stem}
        for folder in folders:
            below = path.relative_to(folder)
            names |= {below.as_posix(), below.with_suffix("").as_posix()}
        for name in names:
            index.setdefault(unicodedata.normalize("NFC", name), []).append(path)
    return index


def _find_image(row: Label, index: dict[str, list[Path]], folder: Path) -> tuple[Path | None, str]:
    name = unicodedata.normalize("NFC", row.name)
    below = name.replace("\\", "/").removeprefix("./")
    # The absolute path of another machine counts as its base name.
    tail = [PurePosixPath(below).name] if ABSOLUTE.match(below) else []
    found = next((index[one] for one in (name, below, *tail) if one in index), [])
    if len(found) == 1:
        return found[0], ""
    if len(found) > 1:
        return None, f"the name {row.name} fits {len(found)} images: give the path with its suffix"
    other = folder / row.name
    if is_image(other) and other.is_file():
        return other, ""
    remedy = "put it there or into images/, and end names that hold spaces by a tab in every row"
    return None, f"the image {row.name} does not exist; relative names count from {folder}: {remedy}"
