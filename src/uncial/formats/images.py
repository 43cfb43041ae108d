"""Finding the image that a PAGE or ALTO file was made for."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from uncial.errors import LineError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".jp2", ".j2k")
OTHER_SUFFIXES = (".pdf", ".gif", ".bmp", ".jpx", ".heic", ".djvu", ".svg", ".xml", ".json")
ABSOLUTE = re.compile(r"^(?:[a-zA-Z]:|/|[a-zA-Z][a-zA-Z0-9+.-]*://)")


class ImageFinder:
    """Looks for page images, and lists each folder only once.

    A folder of `folders` that is not absolute lies below the working folder, else below the root of the data.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = tuple(folders)
        self._listings: dict[Path, tuple[str, ...]] = {}

    def find(self, stated: str, source: Path, root: Path) -> Path:
        """The image that `source`, a file below `root`, calls `stated`. Raises LineError.

        Looked for are the relative path as it stands, then its base name beside the file, one folder up, and in
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
                if is_image(Path(one)) and one in self._list(folder) and _is_file(folder / one):
                    return folder / one
        searches = [self._named_alike(folders, names), self._of_stem(folders, _stems(names))]
        for candidates in [*searches, self._of_stem(folders, [source.stem])]:
            if len(candidates) > 1:
                several = " or ".join(str(one) for one in candidates)
                raise LineError(f"{source}: its image {name!r} may be {several}; keep one, or name it in the file")
            if candidates:
                return candidates[0]
        raise LineError(f"{source}: {self._missing(names, folders)}")

    def _as_stated(self, path: str, stated: str, source: Path, root: Path) -> Path | None:
        if "/" not in path or ABSOLUTE.match(path):
            return None
        below = Path(os.path.normpath(source.parent / path))
        if not below.is_relative_to(os.path.normpath(root.parent)):
            raise LineError(f"{source}: its image {stated!r} lies outside of {root.parent}; put it beside the file")
        return below if is_image(below) and _is_file(below) else None

    def _places(self, source: Path, root: Path) -> list[Path]:
        given = [folder if folder.is_absolute() or folder.is_dir() else root / folder for folder in self.folders]
        return list(dict.fromkeys([source.parent, source.parent.parent, *given]))

    def _named_alike(self, folders: Iterable[Path], names: list[str]) -> list[Path]:
        wanted = {_key(name) for name in names}
        return self._first_folder(folders, lambda name: _key(name) in wanted)

    def _of_stem(self, folders: Iterable[Path], stems: Iterable[str]) -> list[Path]:
        wanted = {_key(stem) for stem in stems}
        return self._first_folder(folders, lambda name: _key(Path(name).stem) in wanted)

    def _first_folder(self, folders: Iterable[Path], fits: Callable[[str], bool]) -> list[Path]:
        """The fitting images of the first folder that has any."""
        for folder in folders:
            found = [folder / name for name in self._list(folder) if is_image(Path(name)) and fits(name)]
            if found := [path for path in found if _is_file(path)]:
                return found
        return []

    def _list(self, folder: Path) -> tuple[str, ...]:
        if folder not in self._listings:
            try:
                self._listings[folder] = tuple(sorted(path.name for path in folder.iterdir()))
            except OSError:
                self._listings[folder] = ()
        return self._listings[folder]

    def _missing(self, names: list[str], folders: list[Path]) -> str:
        where = ", ".join(str(folder) for folder in folders)
        if not names:
            return f"states no image, and none of its own name is in {where}; put one there or set data.images"
        present = next((folder / name for folder in folders for name in names if name in self._list(folder)), None)
        if present is not None and is_image(present):
            return f"its image {present} is no file that can be read; put the image itself there"
        if present is not None:
            return f"its image {present} is no {', '.join(s[1:] for s in IMAGE_SUFFIXES)} file; convert it"
        return f"its image {names[0]!r} is not in {where}; put it there or name its folder with data.images"


def is_image(path: Path) -> bool:
    """Whether the name is that of an image which can be read."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def _stems(names: Iterable[str]) -> list[str]:
    """A name without its suffix, where that is one; `scan.17` states none."""
    known = (*IMAGE_SUFFIXES, *OTHER_SUFFIXES)
    return [Path(name).stem if Path(name).suffix.lower() in known else name for name in names]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
