"""List files: which ones there are, and which files the paths in them mean."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import SUBSETS, describe_contents, find_places
from uncial.errors import UserError
from uncial.formats.encoding import list_unicode_forms, make_storable_name
from uncial.formats.lines.pairs import is_image


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list, the subset of its rows (None: the page hash decides), and the folders that its paths are relative to."""

    path: Path
    subset: str | None
    bases: tuple[Path, ...]


def find_list_files(
    settings: SourceSettings, usual: Mapping[str, Sequence[str]], whole: Sequence[str]
) -> list[ListFile]:
    """Return the lists that the settings name, the strictest subset (test, val, train) first.

    Where only `data.root` is given it is a list itself, or a folder with lists of the `usual` names, else one of the
    `whole` data set. Paths in a list are relative to the folders of `data.root` where it is given, else to its own.
    """
    if not any(getattr(settings, name) for name in SUBSETS):
        return _find_lists_below_root(settings, usual, whole)
    roots = [place.path for place in find_places(settings.root, "data.root")] if settings.root else []
    folders = tuple(root for root in roots if root.is_dir())
    lists = []
    for subset in reversed(SUBSETS):
        entries = getattr(settings, subset)
        for place in find_places(entries, f"data.{subset}", folders) if entries else ():
            path = _find_list_in(place.path, usual.get(subset, ())) if place.path.is_dir() else place.path
            if path is None:
                raise UserError(f"data.{subset}: {place.path} is a folder; data={settings.format} expects a list file")
            _check_is_list(path, f"data.{subset}")
            lists.append(ListFile(path, subset, folders or (path.parent,)))
    return lists


def name_stated_parts(lists: Sequence[ListFile]) -> dict[str, str]:
    """Return the lists that state a part, by part."""
    return {entry.subset: f"the list {entry.path}" for entry in reversed(lists) if entry.subset}


def _find_list_in(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the list in a folder that was named for one part: the part's own, else the only one."""
    texts = sorted(path for path in folder.glob("*.txt") if path.is_file())
    return _find_first(folder, names) or (texts[0] if len(texts) == 1 else None)


def _check_is_list(path: Path, key: str) -> None:
    """Raise `UserError` for a file that holds data itself, with the format that reads it."""
    suffix = path.suffix.lower()
    data = {".xml": "xml", ".arrow": "compiled"}.get(suffix, "lines" if is_image(path) else None)
    if data is not None:
        raise UserError(f"{key}: {path} is no list of files; data={data} reads such files themselves")


def resolve_path(name: str, bases: Sequence[Path]) -> Path | None:
    """Return the file that a path in a list means, in whatever Unicode form its name is, None where there is none.

    An absolute path of another machine falls back to the longest tail of it that exists below a base.
    """
    return next(
        (found for form in list_unicode_forms(name) if (found := _find_existing(form, bases)) is not None), None
    )


def format_bases(bases: Sequence[Path]) -> str:
    """Return the folders that relative paths in a list count from, as messages name them."""
    return " or ".join(map(str, bases))


def resolve_folder(name: str, bases: Sequence[Path]) -> Path | None:
    """Return the folder that a path in a list means, by the same rules."""
    forms = list_unicode_forms(name)
    return next((found for form in forms if (found := _find_existing(form, bases, Path.is_dir)) is not None), None)


def _find_existing(name: str, bases: Sequence[Path], exists: Callable[[Path], bool] = Path.is_file) -> Path | None:
    foreign = PureWindowsPath(name) if "\\" in name and "/" not in name else PurePosixPath(name)
    path = Path(*foreign.parts).expanduser()
    candidates = [path] if path.is_absolute() else [base / path for base in bases]
    if path.is_absolute() or foreign.is_absolute():
        tails = [Path(*foreign.parts[start:]) for start in range(1, len(foreign.parts))]
        candidates += [base / tail for tail in tails for base in bases]
    found = next((candidate for candidate in candidates if exists(candidate)), None)
    return Path(os.path.normpath(found)) if found else None


def make_relative_paths(paths: Sequence[Path], bases: Sequence[Path]) -> dict[Path, str]:
    """Return the path of each file below the base that holds it; files elsewhere are named below the folder they
    share."""
    outside = [path for path in paths if not any(path.is_relative_to(base) for base in bases)]
    shared = Path(os.path.commonpath([path.parent for path in outside])) if outside else None
    named = {}
    for path in paths:
        base = next((base for base in bases if path.is_relative_to(base)), shared)
        named[path] = make_storable_name(path.relative_to(base).as_posix() if base else path.name)
    return named


def _find_lists_below_root(
    settings: SourceSettings, usual: Mapping[str, Sequence[str]], whole: Sequence[str]
) -> list[ListFile]:
    lists: list[ListFile] = []
    roots = find_places(settings.root, "data.root")
    for place in roots:
        if place.path.is_file():
            _check_is_list(place.path, "data.root")
            lists.append(ListFile(place.path, None, (place.path.parent,)))
            continue
        found = [(_find_first(place.path, usual.get(subset, ())), subset) for subset in reversed(SUBSETS)]
        named = [ListFile(path, subset, (place.path,)) for path, subset in found if path]
        everything = _find_first(place.path, whole)
        if any(entry.subset == "train" for entry in named) or everything is None:
            lists += named
        else:
            lists += [*named, ListFile(everything, None, (place.path,))]
    if not lists:
        names = ", ".join([*(names[0] for names in usual.values()), *whole])
        named_roots = ", ".join(str(place.path) for place in roots[:3])
        raise UserError(
            f"data.root: {named_roots} holds none of the lists {names}, but "
            f"{describe_contents(roots, settings.format)}; "
            "name the lists with data.train and data.val"
        )
    return lists


def _find_first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
