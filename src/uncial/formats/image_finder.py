"""Finding the image that a PAGE or ALTO file was made for, and opening it to read its header."""

import os
import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from PIL import Image

from uncial.errors import IssueCode, UnusableInput

_limit_lock = threading.Lock()


def open_header(file: IO[bytes] | Path, limit: int | None = None, formats: list[str] | None = None) -> Image.Image:
    """Return the image as Pillow opens it, nothing decoded yet.

    Pillow warns of more pixels than a module variable of its own allows and refuses at twice as many, which would
    stand in the way of a higher `data.max_pixels`; here `limit` takes its place, and None is no limit. Raises what
    Pillow raises.
    """
    with _limit_lock:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, limit
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before


IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".jp2", ".j2k")
OTHER_SUFFIXES = (".pdf", ".gif", ".bmp", ".jpx", ".heic", ".djvu", ".svg", ".xml", ".json")
ABSOLUTE = re.compile(r"^(?:[a-zA-Z]:|/|[a-zA-Z][a-zA-Z0-9+.-]*://)")


@dataclass(frozen=True, slots=True)
class _Listing:
    """All names in a folder, and its images by the key of their name and of their stem."""

    names: frozenset[str]
    by_name: Mapping[str, Sequence[str]]
    by_stem: Mapping[str, Sequence[str]]

    def alike(self, folder: Path, names: Iterable[str]) -> list[Path]:
        """Return the images called like one of the names but for capitals and Unicode form."""
        return [folder / one for key in dict.fromkeys(map(_make_key, names)) for one in self.by_name.get(key, ())]

    def of_stem(self, folder: Path, stems: Iterable[str]) -> list[Path]:
        """Return the images called like one of the stems, with whatever suffix."""
        return [folder / one for key in dict.fromkeys(map(_make_key, stems)) for one in self.by_stem.get(key, ())]


class ImageFinder:
    """Looks for page images, and lists each folder only once.

    A folder of `folders` that is not absolute lies below the working folder, else below the root of the data.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = tuple(folder.expanduser() for folder in folders)
        self._listings: dict[Path, _Listing] = {}

    def find(self, stated: str, source: Path, root: Path) -> Path:
        """Return the image that `source`, a file below `root`, calls `stated`. Raises `UnusableInput`.

        Looked for are the relative path as it stands, seen from the file, from one folder up (as OCR-D means it, whose
        paths begin beside the METS file) and from the root; then its base name beside the file, one folder up, and in
        `folders`; then the same name in other capitals, Unicode form or percent-encoding, or with another suffix; at
        last an image with the name of the XML file. Of the last three only what is unambiguous is taken. An absolute
        path of another machine counts as its base name; a relative one that leads above the parent of the root is
        refused.
        """
        path = stated.strip().replace("\\", "/")
        if (found := self._as_stated(path, stated, source, root)) is not None:
            return found
        name = path.rsplit("/", 1)[-1]
        names = list(dict.fromkeys(one for one in (name, unquote(name)) if one not in ("", ".", "..")))
        folders = self._places(source, root)
        for folder in folders:
            for one in names:
                if is_image(Path(one)) and one in self._list(folder).names and _is_file(folder / one):
                    return folder / one
        searches = (
            [self._list(folder).alike(folder, names) for folder in folders],
            [self._list(folder).of_stem(folder, _list_stems(names)) for folder in folders],
            [self._list(folder).of_stem(folder, [source.stem]) for folder in folders],
        )
        for candidates in map(_find_first, searches):
            if len(candidates) > 1:
                several = " or ".join(str(one) for one in candidates)
                raise UnusableInput(
                    f"{source}: its image {name!r} may be {several}; keep one, or name it in the file", "missing_image"
                )
            if candidates:
                return candidates[0]
        reason, kind = self._missing(names, folders)
        raise UnusableInput(f"{source}: {reason}", kind)

    def _as_stated(self, path: str, stated: str, source: Path, root: Path) -> Path | None:
        if "/" not in path or ABSOLUTE.match(path):
            return None
        limit = os.path.normpath(root.parent)
        places = dict.fromkeys([source.parent, source.parent.parent, root])
        candidates = [Path(os.path.normpath(place / name)) for place in places for name in (path, unquote(path))]
        if not candidates[0].is_relative_to(limit):
            raise UnusableInput(
                f"{source}: its image {stated!r} lies outside of {root.parent}; put it beside the file", "missing_image"
            )
        return next((one for one in candidates if one.is_relative_to(limit) and is_image(one) and _is_file(one)), None)

    def _places(self, source: Path, root: Path) -> list[Path]:
        given = [folder if folder.is_absolute() or folder.is_dir() else root / folder for folder in self.folders]
        return list(dict.fromkeys([source.parent, source.parent.parent, *given]))

    def _list(self, folder: Path) -> "_Listing":
        if folder not in self._listings:
            self._listings[folder] = _list_folder(folder)
        return self._listings[folder]

    def _missing(self, names: list[str], folders: list[Path]) -> tuple[str, IssueCode]:
        where = ", ".join(str(folder) for folder in folders)
        if not names:
            reason = f"states no image, and none of its own name is in {where}; put one there or set data.images"
            return reason, "missing_image"
        present = next(
            (folder / name for folder in folders for name in names if name in self._list(folder).names), None
        )
        if present is not None and is_image(present):
            reason = f"its image {present} is no file that can be read; put the image itself there"
            return reason, "unreadable_image"
        if present is not None:
            reason = f"its image {present} is no {', '.join(s[1:] for s in IMAGE_SUFFIXES)} file; convert it"
            return reason, "unreadable_image"
        reason = f"its image {names[0]!r} is not in {where}; put it there or name its folder with data.images"
        return reason, "missing_image"


def is_image(path: Path) -> bool:
    """Return whether the name is that of an image which can be read."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def _list_stems(names: Iterable[str]) -> list[str]:
    """Return a name without its suffix, where that is one; `scan.17` states none."""
    known = (*IMAGE_SUFFIXES, *OTHER_SUFFIXES)
    return [Path(name).stem if Path(name).suffix.lower() in known else name for name in names]


def _make_key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _list_folder(folder: Path) -> _Listing:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        names = []
    by_name: dict[str, list[str]] = {}
    by_stem: dict[str, list[str]] = {}
    for name in names:
        if is_image(Path(name)):
            by_name.setdefault(_make_key(name), []).append(name)
            by_stem.setdefault(_make_key(Path(name).stem), []).append(name)
    return _Listing(frozenset(names), by_name, by_stem)


def _find_first(folders: Iterable[Iterable[Path]]) -> list[Path]:
    """Return the candidates of the first folder that has any."""
    existing = ([path for path in candidates if _is_file(path)] for candidates in folders)
    return next((found for found in existing if found), [])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
