"""Folders, files and globs of `data.root`, `data.train`, ... become files with ids that are the same everywhere."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path, PurePosixPath

from uncial.config.overrides import format_override
from uncial.data.settings import SourceSettings
from uncial.errors import UserError
from uncial.formats.encoding import make_storable_name

SUBSETS = ("train", "val", "test")

PACKED = {".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"}


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file that the user named. Ids are paths below `anchor`, with `prefix` before them."""

    path: Path
    anchor: Path
    prefix: str = ""

    def relative(self, path: Path) -> str:
        """Return the path below the anchor, with forward slashes: what ids are made of and what globs are matched
        with."""
        below = path.relative_to(self.anchor).as_posix() if path != self.anchor else path.name
        return make_storable_name(f"{self.prefix}/{below}" if self.prefix else below)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file and its path below the root, with suffix and forward slashes."""

    path: Path
    relative: str


def find_places(entries: Sequence[str], key: str, bases: Sequence[Path] = ()) -> list[Place]:
    """Return the folders and files that `entries` name.

    A relative entry lies below the first of `bases` where it exists, else below the working folder. `key` is the
    config key that an error names. Raises `UserError` for an entry that does not exist.
    """
    if not entries:
        raise UserError(f"{key} is not set: give the folder, file or glob that holds the ground truth")
    return _distinguish_places([place for entry in entries for place in _expand_entry(str(entry), key, bases)])


def find_places_by_subset(settings: SourceSettings) -> list[tuple[str | None, list[Place]]]:
    """Return the places of `data.train`, `data.val`, `data.test`, and those of `data.root` with None: the page hash
    decides.

    Where `data.train` is given, `data.root` is only the folder that the others are relative to.
    """
    explicit = [(name, entries) for name in SUBSETS if (entries := getattr(settings, name))]
    bases = [path for path in map(_make_absolute, settings.root) if path.is_dir()] if explicit else []
    named: list[tuple[str | None, list[Place]]] = []
    if not settings.train and (settings.root or not explicit):
        named.append((None, find_places(settings.root, settings.key)))
    named += [(name, find_places(entries, f"data.{name}", bases)) for name, entries in explicit]
    apart = iter(_distinguish_places([place for _, where in named for place in where]))
    return [(name, [next(apart) for _ in where]) for name, where in named]


def find_files(
    roots: Iterable[Place],
    wanted: Callable[[Path], bool],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[FoundFile]:
    """Return the wanted files in and below the places, sorted by their relative path, each once.

    Hidden files and folders are passed over and symbolic links are followed.
    """
    found: dict[Path, FoundFile] = {}
    for place in roots:
        below = ([folder / name for name in names] for folder, names in _walk(place.path))
        candidates = chain.from_iterable(below) if place.path.is_dir() else [place.path]
        for path in candidates:
            relative = place.relative(path)
            if wanted(path) and is_selected(relative, include, exclude):
                found.setdefault(path, FoundFile(path, relative))
    return sorted(found.values(), key=lambda file: file.relative)


def is_selected(relative: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Return whether a path below the root is included (all are where `include` is empty) and not excluded.

    A glob without a slash is matched with the name of the file and of every folder above it, one with a slash with the
    whole path and those of the folders above; `*` also crosses slashes.
    """
    return (not include or any(_is_match(relative, pattern) for pattern in include)) and not any(
        _is_match(relative, pattern) for pattern in exclude
    )


def describe_contents(roots: Iterable[Place], typed: str | None = None) -> str:
    """Return what lies in the places, for the error that finds nothing usable; and, where `typed` says what `data=`
    was, which format that suggests, with the folder to name where it is another one."""
    roots = list(roots)
    found = find_files(roots, lambda path: True)
    suffixes = Counter(file.path.suffix.lower() or "other" for file in found)
    if not suffixes:
        return "no files"
    named = ", ".join(f"{n:,} {suffix} file{'s' if n > 1 else ''}" for suffix, n in suffixes.most_common(4))
    if typed is not None:
        for data, fits in _SIGNS.items():
            first = next((file.path for file in found if fits(file.path.name.lower())), None)
            if first is not None and not (data == typed or (data == "xml" and typed in ("page", "alto"))):
                return f"{named}: did you mean data={data}{_suggest_folder(first, roots, data)}?"
            if first is not None and data == typed and (folder := _suggest_folder(first, roots, data)):
                return f"{named}; {first.name} lies deeper, so give its folder:{folder}"
    packed = next((file.path.name for file in found if file.path.suffix.lower() in PACKED), None)
    return f"{named}: unpack {packed} first" if packed else named


_SIGNS: dict[str, Callable[[str], bool]] = {
    "labels": lambda name: name in ("labels.txt", "labels.tsv", "labels.csv"),
    "loghi": lambda name: name.startswith("training_all"),
    "lines": lambda name: name.endswith(".gt.txt"),
    "compiled": lambda name: name.endswith(".arrow"),
    "xml": lambda name: name.endswith(".xml"),
}
"""The names, in small letters, by which the data of each format are told."""


def _suggest_folder(path: Path, roots: Sequence[Place], data: str) -> str:
    """Return the argument that names the folder of a list, with a space before it; nothing where it is a root already,
    and for formats that are looked for in all folders."""
    if data not in ("labels", "loghi") or any(path.parent == place.path for place in roots):
        return ""
    return f" {format_override('data.root', path.parent)}"


def strip_suffix(relative: str) -> str:
    """Return a relative path without the last suffix of its name."""
    return PurePosixPath(relative).with_suffix("").as_posix()


def _make_absolute(entry: str) -> Path:
    return Path(os.path.abspath(Path(entry).expanduser()))  # noqa: PTH100 - resolve() would follow links


def _expand_entry(entry: str, key: str, bases: Sequence[Path]) -> list[Place]:
    candidates = [(_make_absolute(os.path.join(base, Path(entry).expanduser())), base) for base in bases]  # noqa: PTH118
    for path, base in [*candidates, (_make_absolute(entry), None)]:
        if path.exists():
            if path.suffix.lower() in PACKED and path.is_file():
                raise UserError(f"{key}: {path} is packed; unpack it first, and give the folder with what was in it")
            anchor = base if base is not None and path.is_relative_to(base) else path
            return [Place(path, anchor if anchor.is_dir() else anchor.parent)]
        matches = find_by_pattern(path) if glob.has_magic(entry) else []
        if matches:
            fixed = _split_off_fixed_part(path)
            anchor = base if base is not None and fixed.is_relative_to(base) else fixed
            return [Place(match, anchor) for match in matches]
    tried = _make_absolute(entry) if not candidates else " or ".join(str(path) for path, _ in candidates)
    if glob.has_magic(entry):
        raise UserError(f"{key}: no file or folder matches {tried}; check the glob, and quote it against the shell")
    raise UserError(f"{key}: {tried} does not exist; give a folder, a file or a glob")


def find_by_pattern(pattern: Path) -> list[Path]:
    """Return the files and folders that a glob matches, sorted.

    `**` enters each folder once, since links may lead in circles. At the end of a glob it is the folder with all below.
    """
    parts = pattern.parts
    if "**" not in parts:
        return sorted(Path(match) for match in glob.glob(str(pattern)))  # noqa: PTH207
    place = parts.index("**")
    tops, rest = find_by_pattern(Path(*parts[:place])), parts[place + 1 :]
    if not rest:
        return tops
    folders = [folder for top in tops for folder, _ in _walk(top)]
    return sorted({match for folder in folders for match in find_by_pattern(Path(glob.escape(str(folder)), *rest))})


def _split_off_fixed_part(pattern: Path) -> Path:
    """Return the folder above the first part with a wildcard."""
    fixed: list[str] = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)


def _distinguish_places(found: list[Place]) -> list[Place]:
    """Places with the names of their anchors before the ids where there are several, numbered where names repeat."""
    anchors = list(dict.fromkeys(place.anchor for place in found))
    if len(anchors) <= 1:
        return found
    prefixes: dict[Path, str] = {}
    taken: Counter[str] = Counter()
    for anchor in anchors:
        name = anchor.name or "root"
        taken[name] += 1
        prefixes[anchor] = name if taken[name] == 1 else f"{name}~{taken[name]}"
    return [Place(place.path, place.anchor, prefixes[place.anchor]) for place in found]


def _walk(top: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folder and those below it, each once and with the names of its files, hidden ones passed over."""
    visited: set[str] = set()
    for parent, folders, names in os.walk(top, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(parent), [name for name in sorted(names) if not name.startswith(".")]


def _is_match(relative: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./").rstrip("/")
    if "/" in pattern:
        collapsed = pattern.replace("**/", "*") if pattern.startswith("**/") else pattern
        parents = [parent.as_posix() for parent in PurePosixPath(relative).parents]
        return any(fnmatchcase(name, form) for name in [relative, *parents] for form in (pattern, collapsed))
    return any(fnmatchcase(part, pattern) for part in PurePosixPath(relative).parts)
