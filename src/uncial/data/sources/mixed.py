"""`data=mixed`: several sources in one run, each read by the source of its own format."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from uncial.data.ground_truth import read_source
from uncial.data.machine_read import is_machine_read, make_machine_read_issue
from uncial.data.settings import ANNOTATED, SourceSettings
from uncial.data.sources.finding import SUBSETS
from uncial.document import ImageSource, Issue, Page, SourceContents, of_part
from uncial.errors import UserError
from uncial.formats.encoding import make_storable_name

_OWN_KEYS = {field.name for field in fields(SourceSettings)} - {"format", "options", "images", "key", "progress"}


def read(settings: SourceSettings) -> SourceContents:
    """Return the pages of all of `data.sources`, a list of `{format: page, root: DIR, ...}`.

    An entry may hold the keys of its data group, and `name`, which goes before the ids of its pages (else the name of
    its root, else its format); its `annotated` goes before `data.annotated`. `data.include`, `data.exclude` and
    `data.images` hold for all entries beside their own. An image that two sources hold is used in the first, or in the
    one that puts it into the stricter part (test, val, train), and reported; what a person transcribed is used before
    what a program read, whatever their order.
    """
    entries = settings.options.get("sources")
    if not entries or not isinstance(entries, Sequence) or isinstance(entries, str):
        raise UserError("data.sources is empty: give a list, for instance 'data.sources=[{format: page, root: DIR}]'")
    if part := next((part for part in SUBSETS if getattr(settings, part)), None):
        raise UserError(
            f"data.{part} says nothing beside data.sources: give it to an entry, "
            f"{{format: page, root: DIR, {part}: DIR}}"
        )
    pages: list[list[Page]] = []
    problems: list[Issue] = []
    stated: dict[str, str] = {}
    own_settings = [_make_settings(entry, settings) for entry in entries]
    for entry, own, name in zip(entries, own_settings, _make_names(entries), strict=True):
        annotated = _read_annotated(entry, name)
        reading = read_source(own)
        pages.append([replace(_rename_page(page, name), annotated=annotated) for page in reading.pages])
        problems += reading.problems
        stated = {**_name_stated_parts(own, reading, name), **stated}
    kept, twins = _drop_twins(pages)
    return SourceContents(tuple(kept), (*problems, *twins), stated)


def _name_stated_parts(own: SourceSettings, reading: SourceContents, name: str) -> dict[str, str]:
    """Return the parts that an entry states, and by what."""
    keys = {part: f"{part} of the entry {name} in data.sources" for part in SUBSETS if getattr(own, part)}
    return {**reading.stated, **keys}


def _make_settings(entry: Mapping[str, Any], shared: SourceSettings) -> SourceSettings:
    if not isinstance(entry, Mapping) or "format" not in entry:
        raise UserError(f"data.sources: {entry!r} has no format; each entry is like {{format: page, root: DIR}}")
    own: dict[str, Any] = {key: _to_tuple(entry.get(key)) for key in _OWN_KEYS}
    own["include"] += shared.include
    own["exclude"] += shared.exclude
    images = (*map(Path, _to_tuple(entry.get("images"))), *shared.images)
    known = {*_OWN_KEYS, "format", "name", "images", "options", "annotated"}
    further = {key: value for key, value in entry.items() if key not in known}
    common = {key: value for key, value in shared.options.items() if key != "sources"}
    options = {**common, **dict(entry.get("options") or {}), **further}
    key = "root of an entry of data.sources"
    return SourceSettings(
        str(entry["format"]), images=images, options=options, key=key, progress=shared.progress, **own
    )


def _read_annotated(entry: Mapping[str, Any], name: str) -> str | None:
    """Return how far the pages of an entry are annotated; None where the entry does not tell."""
    annotated = entry.get("annotated")
    if annotated is not None and annotated not in ANNOTATED:
        raise UserError(
            f"data.sources: annotated is {annotated} in the entry {name}: choose one of {', '.join(ANNOTATED)}."
        )
    return annotated


def _to_tuple(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)


def _make_names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what goes before the ids of each entry's pages, numbered where two entries share a name."""
    taken: Counter[str] = Counter()
    names = []
    for entry in entries:
        roots = _to_tuple(entry.get("root"))
        name = make_storable_name(str(entry.get("name") or (Path(roots[0]).name if roots else "") or entry["format"]))
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name}~{taken[name]}")
    return names


def _rename_page(page: Page, name: str) -> Page:
    identity = f"{name}/{page.id}"
    return replace(
        page,
        id=identity,
        lines=tuple(replace(line, page_id=identity) for line in page.lines),
        document=f"{name}/{page.document}" if page.document else "",
        group=f"{name}/{page.group}" if page.group else "",
    )


def _drop_twins(sources: Sequence[Sequence[Page]]) -> tuple[list[Page], list[Issue]]:
    """Return the pages without those whose image an earlier or stricter page of another source has."""
    strictness = {"test": 0, "val": 1}
    numbered = [(number, page) for number, pages in enumerate(sources) for page in pages]
    ranked = sorted(
        numbered, key=lambda pair: (is_machine_read(pair[1]), strictness.get(pair[1].subset or "", 2), pair[0])
    )
    identities = _identify_images(page.image for _, page in numbered)
    owner: dict[object, tuple[int, Page]] = {}
    left_out: set[str] = set()
    problems: list[Issue] = []
    for number, page in ranked:
        identity = identities.get(page.image) if page.image else None
        first = owner.setdefault(identity, (number, page)) if identity is not None else (number, page)
        if first[0] != number:
            left_out.add(page.id)
            problems += of_part([_make_twin_issue(page, first[1])], page.subset)
    return [page for _, page in numbered if page.id not in left_out], problems


def _make_twin_issue(page: Page, used: Page) -> Issue:
    if is_machine_read(page) and not is_machine_read(used):
        return make_machine_read_issue(page, "and what a person transcribed of its image is used", str(used.source))
    return Issue(str(page.source), "", f"its image is also that of {used.id}, which is used", "duplicate_page")


def _identify_images(images: Iterable[ImageSource | None]) -> dict[ImageSource, object]:
    """Return what two images of the same content share: the hash where files have one size, else the file itself."""
    present = list(dict.fromkeys(image for image in images if image is not None))
    sizes = {path: path.stat().st_size for path in {image.path for image in present} if path.is_file()}
    shared = {size for size, count in Counter(sizes.values()).items() if count > 1}
    hashes = {path: _hash_file(path) for path, size in sizes.items() if size in shared}
    return {image: (hashes.get(image.path, str(image.path)), image.frame) for image in present}


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
