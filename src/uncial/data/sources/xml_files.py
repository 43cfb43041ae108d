"""The XML files that the settings name, each once, with the subset that they were named for."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import FoundFile, Place, find_files, find_places_by_subset, is_selected
from uncial.data.sources.lists import format_bases, make_relative_paths, resolve_folder, resolve_path
from uncial.document import Issue, of_part
from uncial.errors import UnusableInput, UserError
from uncial.formats.image_finder import is_image
from uncial.formats.lines.labels import read_manifest

LAYOUT_FOLDERS = ("page", "alto", "pagexml", "page_xml", "page-xml", "xml")


@dataclass(frozen=True, slots=True)
class XmlFile:
    """An XML file, its path below the root with forward slashes, the root itself, and the subset that was asked for.

    `named` is true where the user named the very file, not a folder that holds it.
    """

    path: Path
    relative: str
    anchor: Path
    subset: str | None = None
    named: bool = False


def find_xml_files(settings: SourceSettings) -> tuple[list[XmlFile], list[Issue]]:
    """Return all files, those of the evaluation first. A file named for two subsets is kept for test, else val.

    An entry that is neither a folder nor an XML file is a list of paths. Raises UserError for one that does not exist.
    """
    found: dict[str, XmlFile] = {}
    problems: list[Issue] = []
    for subset, places in reversed(find_places_by_subset(settings)):
        entries = settings.root if subset is None else getattr(settings, subset)
        named = not any(glob.has_magic(entry) for entry in entries)
        for place in places:
            listed, faults = _find_files_of(place, settings, subset, named)
            problems += of_part(faults, subset)
            for file in listed:
                kept = found.setdefault(os.path.realpath(file.path), file)
                if kept.subset != file.subset and file.subset is not None:
                    reason = f"named for {file.subset} and {kept.subset}; used for {kept.subset}"
                    problems.append(Issue(str(file.path), "", reason, "leaking_page", part=file.subset))
    return list(found.values()), problems


def find_files_in_folder(folder: Path, anchor: Path, settings: SourceSettings, subset: str | None) -> list[XmlFile]:
    """Return the selected XML files in and below a folder, named by their paths below `anchor`."""
    return _find_below(Place(folder, anchor), settings, subset, False)


def _find_files_of(
    place: Place, settings: SourceSettings, subset: str | None, named: bool
) -> tuple[list[XmlFile], list[Issue]]:
    if place.path.is_dir() or _is_xml(place.path):
        return _find_below(place, settings, subset, named and place.path.is_file()), []
    if is_image(place.path):
        beside = find_xml_beside(place.path)
        if beside is None:
            return [], [Issue(str(place.path), "", "has no XML file of its name beside it or in page/ or alto/")]
        return [XmlFile(beside, place.relative(beside), place.anchor, subset)], []
    return _read_list(place, settings, subset)


def _find_below(place: Place, settings: SourceSettings, subset: str | None, named: bool) -> list[XmlFile]:
    found = find_files([place], _is_xml, settings.include, settings.exclude)
    if place.path.is_dir() and (settings.include or settings.exclude):
        found = _filter_by_images(found, place, settings)
    return [XmlFile(file.path, file.relative, place.anchor, subset, named) for file in found]


def _filter_by_images(found: Sequence[FoundFile], place: Place, settings: SourceSettings) -> list[FoundFile]:
    """Return the files with those whose image is included by its name, and without those whose image is excluded by its
    own.

    A glob that excludes every image, as `*.jpg`, means none of the pages."""
    images = [(image, path) for image in find_files([place], is_image) if (path := find_xml_beside(image.path))]
    left = [(image, path) for image, path in images if is_selected(image.relative, (), settings.exclude)]
    taken = {file.path: file for file in found}
    if left:
        gone = {path for _, path in images} - {path for _, path in left}
        taken = {path: file for path, file in taken.items() if path not in gone}
    for image, path in left:
        if settings.include and is_selected(image.relative, settings.include, ()) and path not in taken:
            relative = place.relative(path)
            if is_selected(relative, (), settings.exclude):
                taken[path] = FoundFile(path, relative)
    return sorted(taken.values(), key=lambda file: file.relative)


def _read_list(place: Place, settings: SourceSettings, subset: str | None) -> tuple[list[XmlFile], list[Issue]]:
    """Return the rows of a list: paths of XML files, or of images with their XML file beside them."""
    try:
        rows = read_manifest(place.path)
    except UnusableInput as error:
        raise UserError(str(error)) from None
    roots = [Path(os.path.abspath(Path(root).expanduser())) for root in settings.root]  # noqa: PTH100
    bases = [root for root in roots if root.is_dir()] or [place.path.parent]
    found: list[Path] = []
    problems = []
    for number, row in rows:
        path = resolve_path(row, bases)
        if path is None and (folder := resolve_folder(row, bases)) is not None:
            found += [file.path for file in find_files([Place(folder, folder)], _is_xml)]
            continue
        if path is not None and is_image(path):
            path = find_xml_beside(path)
        if path is None or not _is_xml(path):
            reason = "is not there" if path is None else "is no XML file"
            whence = f"relative paths count from {format_bases(bases)}"
            problems.append(Issue(str(place.path), "", f"row {number}: {row} {reason}; {whence}"))
            continue
        found.append(path)
    names = make_relative_paths(found, bases)
    listed = [
        XmlFile(path, names[path], _find_anchor(path, bases), subset, True)
        for path in dict.fromkeys(found)
        if is_selected(names[path], settings.include, settings.exclude)
    ]
    return listed, problems


def _find_anchor(path: Path, bases: Sequence[Path]) -> Path:
    return next((base for base in bases if path.is_relative_to(base)), path.parent)


def find_xml_beside(image: Path) -> Path | None:
    """Return the XML file of an image's name beside it or in a folder that layouts call `page` or `alto`."""
    folders = [image.parent, *(image.parent / name for name in LAYOUT_FOLDERS)]
    names = (f"{image.stem}.xml", f"{image.stem}.XML")
    return next((path for folder in folders for name in names if (path := folder / name).is_file()), None)


def _is_xml(path: Path) -> bool:
    return path.suffix.lower() == ".xml"
