"""`data=page`, `data=alto`, `data=xml`: PAGE and ALTO files with their page images."""

import os
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from uncial.data.machine_read import is_machine_read, make_machine_read_issue
from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import describe_contents, find_places_by_subset, strip_suffix
from uncial.data.sources.line_pages import match_pattern
from uncial.data.sources.one_image import drop_extra_readings, keep_one_page_per_image
from uncial.data.sources.passed_over import SkippedFile, describe_skipped, report_line_pairs, report_skipped_xml
from uncial.data.sources.xml_files import LAYOUT_FOLDERS, XmlFile, find_xml_files
from uncial.document import ImageSource, Issue, Page, SourceContents, file_problem, of_part
from uncial.errors import UnusableInput, UserError
from uncial.formats.encoding import make_storable_name
from uncial.formats.image_finder import ImageFinder
from uncial.formats.transcription_files import read_transcription
from uncial.formats.xml.parsing import describe_other, find_kind, parse


def read_page(settings: SourceSettings) -> SourceContents:
    """Return the pages of all PAGE files that the settings name, no other XML. Raises UserError where there is none."""
    return read_settings(settings, ("page",))


def read_alto(settings: SourceSettings) -> SourceContents:
    """Return the pages of all ALTO files that the settings name, no other XML. Raises UserError where there is none."""
    return read_settings(settings, ("alto",))


def read_xml(settings: SourceSettings) -> SourceContents:
    """Return the pages of all PAGE and ALTO files that the settings name. Raises UserError where there is none."""
    return read_settings(settings, ("page", "alto"))


KIND_NAMES = {"page": "PAGE", "alto": "ALTO", "mets": "METS", "other": "other XML"}


@dataclass(slots=True)
class _Collected:
    pages: list[Page] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    passed: list[SkippedFile] = field(default_factory=list)


def read_settings(settings: SourceSettings, kinds: Collection[str]) -> SourceContents:
    """Return the pages of the files of these kinds (`page`, `alto`) that the settings name.

    METS files are passed over in folders; other XML, files of another kind and line images with their texts are counted
    in a problem there; each is a problem of its own where it is named itself. Of several files that transcribe one
    image one is used, but with the option `every_file`, for reading and not for training, all of them but copies with
    readings. Raises UserError where nothing usable is left, and where nothing tells which of two transcriptions counts.
    """
    files, problems = find_xml_files(settings)
    collected = _collect_pages(files, settings, kinds)
    reading = _finish_reading(collected, problems, keep_twins=bool(settings.options.get("every_file")))
    if not reading.pages:
        raise UserError(_explain_nothing(settings, collected, reading.problems))
    if settings.options.get("every_file"):
        return reading
    places = [place for _, where in find_places_by_subset(settings) for place in where]
    passed = [*report_skipped_xml(collected.passed, reading.pages, kinds), *report_line_pairs(places, reading.pages)]
    return replace(reading, problems=(*reading.problems, *passed))


def read_files(files: Sequence[XmlFile], settings: SourceSettings, kinds: Collection[str]) -> SourceContents:
    """Return the pages of these files; none where none is usable. The option `every_file` is that of
    `read_settings`."""
    keep_twins = bool(settings.options.get("every_file"))
    return _finish_reading(_collect_pages(files, settings, kinds), [], keep_twins)


def _finish_reading(collected: _Collected, problems: Sequence[Issue], keep_twins: bool = False) -> SourceContents:
    pages, twins = (drop_extra_readings if keep_twins else keep_one_page_per_image)(collected.pages)
    pages.sort(key=lambda page: page.id)
    return SourceContents(tuple(pages), (*problems, *collected.problems, *twins))


def _collect_pages(files: Sequence[XmlFile], settings: SourceSettings, kinds: Collection[str]) -> _Collected:
    collected = _Collected()
    finder = ImageFinder(settings.images)
    for file, page_id in zip(files, _make_page_ids(files), strict=True):
        try:
            _read_file(file, page_id, settings, kinds, finder, collected)
        except UnusableInput as error:
            collected.problems += of_part([file_problem(file.path, error)], file.subset)
    return collected


def _read_file(
    file: XmlFile,
    page_id: str,
    settings: SourceSettings,
    kinds: Collection[str],
    finder: ImageFinder,
    collected: _Collected,
) -> None:
    root = parse(file.path).getroot()
    kind = find_kind(root)
    collected.kinds[kind] += 1
    if kind not in kinds:
        if file.named:
            other = f"is {KIND_NAMES[kind]}; read it with data={kind}"
            raise UnusableInput(describe_other(root) if kind in ("mets", "other") else other, "other_file")
        if (passed := describe_skipped(file.path, root)) is not None:
            collected.passed.append(passed)
        return

    def image_of(stated: str) -> Path:
        return finder.find(stated, file.path, file.anchor)

    reading = read_transcription(root, file.path, page_id, image_of)
    document = match_pattern(settings, "document_pattern", page_id) or name_document(file)
    hand = match_pattern(settings, "hand_pattern", page_id) or document
    collected.problems += of_part(reading.problems, file.subset)
    for page in reading.pages:
        try:
            path = image_of(page.metadata["image"])
        except UnusableInput as error:
            if not is_machine_read(page):
                raise
            reason = str(error).removeprefix(f"{file.path}: ")
            collected.problems.append(make_machine_read_issue(page, f"and is not used: {reason}"))
            continue
        collected.pages.append(
            replace(
                page,
                image=_make_image_source(path, page),
                subset=file.subset,
                document=document,
                hand=hand,
                metadata={**page.metadata, "image_file": path.name},
            )
        )


def _make_image_source(path: Path, page: Page) -> ImageSource:
    """Return the second Page of an ALTO file is the second page of its TIFF."""
    frame = int(page.metadata.get("frame", "0"))
    if frame and path.suffix.lower() not in (".tif", ".tiff"):
        raise UnusableInput(
            f"holds several Page elements for the single image {path.name}; write one file for each page"
        )
    return ImageSource(path, frame)


def _make_page_ids(files: Sequence[XmlFile]) -> list[str]:
    """Return the path below the root without suffix, in Unicode's composed form; where two would be equal, told apart.

    By the folder of their root, else by the suffix, else by a number in the order of their paths.
    """
    ids = [unicodedata.normalize("NFC", strip_suffix(file.relative)) for file in files]
    for attempt in (
        lambda file: f"{make_storable_name(file.anchor.name)}/{strip_suffix(file.relative)}",
        lambda file: file.relative,
    ):
        counts = Counter(ids)
        ids = [own if counts[own] == 1 else attempt(file) for own, file in zip(ids, files, strict=True)]
    seen: Counter[str] = Counter()
    for place in sorted(range(len(ids)), key=lambda place: str(files[place].path)):
        seen[ids[place]] += 1
        if seen[ids[place]] > 1:
            ids[place] = f"{ids[place]}~{seen[ids[place]]}"
    return ids


def name_document(file: XmlFile) -> str:
    """Return the folder of the page below the root, `page/` and its like skipped; the root's name for pages right in
    it."""
    parts = list(PurePosixPath(file.relative).parts[:-1])
    while parts and parts[-1].lower() in LAYOUT_FOLDERS:
        parts.pop()
    if parts:
        return unicodedata.normalize("NFC", "/".join(parts))
    folder = Path(os.path.normpath(file.path.parent))
    while folder.name.lower() in LAYOUT_FOLDERS and folder != folder.parent:
        folder = folder.parent
    return unicodedata.normalize("NFC", make_storable_name(folder.name))


def _explain_nothing(settings: SourceSettings, collected: _Collected, problems: Sequence[Issue]) -> str:
    """Why there is not a single page, and what to do."""
    places = [place for _, where in find_places_by_subset(settings) for place in where]
    where = ", ".join(str(place.path) for place in places[:3])
    if problems:
        first = problems[0]
        more = f" ({len(problems)} problems in all)" if len(problems) > 1 else ""
        return f"{settings.key}: no usable page in {where}; {first.file}: {first.reason}{more}"
    wanted = {"page": "PAGE", "alto": "ALTO"}.get(settings.format, "PAGE or ALTO")
    other = next((kind for kind in ("page", "alto") if collected.kinds[kind]), None)
    if other is not None:
        count = collected.kinds[other]
        return f"{settings.key}: {where} holds no {wanted} file but {count:,} {KIND_NAMES[other]}; use data={other}"
    if collected.passed:
        other_xml = collected.passed[0]
        files = f"{len(collected.passed):,} XML file{'s' if len(collected.passed) > 1 else ''}"
        told = f"{where} holds no {wanted} file, but {files} with the root element <{other_xml.kind}>"
        return f"{settings.key}: {told} ({other_xml.path.name}); export the pages as PAGE or ALTO"
    if settings.include or settings.exclude:
        return f"{settings.key}: no {wanted} file in {where} is left by data.include, data.exclude; check these globs"
    return f"{settings.key}: {where} holds no {wanted} file, but {describe_contents(places, settings.format)}"
