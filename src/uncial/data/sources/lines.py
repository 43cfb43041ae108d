"""`data=lines`: folders of line images with their text beside them, `X.png` and `X.gt.txt`."""

from pathlib import Path, PurePosixPath

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import (
    FoundFile,
    Place,
    describe_contents,
    find_files,
    find_places_by_subset,
    is_selected,
)
from uncial.data.sources.line_pages import LineImage, make_line_pages, report_by_folder
from uncial.data.sources.passed_over import report_xml_beside_lines
from uncial.document import Issue, SourceContents, file_problem, of_part
from uncial.errors import UnusableInput, UserError
from uncial.formats.encoding import make_storable_name
from uncial.formats.lines.pairs import IMAGE_SUFFIXES, TEXT_SUFFIX, find_text_beside, is_image, pair, read_transcription
from uncial.formats.lines.styles import split_marks

LISTS = (".txt", ".lst", ".tsv", ".csv")


def read(settings: SourceSettings) -> SourceContents:
    """Return every image with a text of its name, as a page of one line.

    `data.train`, `data.val` and `data.test` are folders, files or globs, relative to `data.root` where they lie
    there; a file named by two of them is used in the test, else the validation. Options: `page_pattern`,
    `document_pattern`, `hand_pattern` (see `line_pages`); `unlabelled=true` also yields images without text, their
    text None.
    """
    images: list[LineImage] = []
    problems: list[Issue] = []
    taken: set[Path] = set()
    roots = find_places_by_subset(settings)
    for subset, where in reversed(roots):
        found = _add_partners(where, settings)
        new = [file for file in found if file.path not in taken]
        taken.update(file.path for file in new)
        lines, faults = _read_files(new, subset, keep_bare=bool(settings.options.get("unlabelled")))
        images += lines
        problems += of_part(faults, subset)
    if not images:
        raise UserError(_explain_nothing([place for _, where in roots for place in where], problems, settings))
    where = [place for _, named in roots for place in named]
    problems += report_xml_beside_lines(where, [line.image for line in images])
    return SourceContents(make_line_pages(images, settings), tuple(problems))


def _add_partners(where: list[Place], settings: SourceSettings) -> list[FoundFile]:
    """Return the files that were named or included, and beside each image its text, beside each text its image: whoever
    names `lp/*.png`, or includes `*.png`, means lines. One whose partner is excluded is so too."""
    found = {file.path: file for file in find_files(where, _may_be_a_line, settings.include, settings.exclude)}
    paired = {path for both in pair(found).pairs for path in both}
    for file in [file for path, file in found.items() if path not in paired]:
        partner = find_text_beside(file.path) if is_image(file.path) else _find_image_beside(file.path)
        if partner is None or partner in found:
            continue
        relative = (PurePosixPath(file.relative).parent / make_storable_name(partner.name)).as_posix()
        if settings.options.get("unlabelled") and is_image(file.path):
            continue  # It is read whatever becomes of its text.
        if is_selected(relative, (), settings.exclude):
            found[partner] = FoundFile(partner, relative)
        else:
            del found[file.path]
    return sorted(found.values(), key=lambda file: file.relative)


def _find_image_beside(text: Path) -> Path | None:
    """Return an image that a text is of."""
    stem = text.name[: -len(TEXT_SUFFIX)] if text.name.lower().endswith(TEXT_SUFFIX) else text.stem
    suffixes = [form for suffix in sorted(IMAGE_SUFFIXES) for form in (suffix, suffix.upper())]
    beside = (text.with_name(f"{stem}{suffix}") for suffix in suffixes)
    return next((path for path in beside if path.is_file() and find_text_beside(path) == text), None)


def _may_be_a_line(path: Path) -> bool:
    return is_image(path) or path.suffix.lower() == ".txt"


def _read_files(found: list[FoundFile], subset: str | None, keep_bare: bool) -> tuple[list[LineImage], list[Issue]]:
    relatives = {file.path: file.relative for file in found}
    matched = pair(relatives)
    lines: list[LineImage] = []
    problems: list[Issue] = []
    for image, text in matched.pairs:
        try:
            plain, spans = split_marks(read_transcription(text))
            lines.append(LineImage(image, relatives[image], text, plain, spans, subset=subset))
        except UnusableInput as error:
            problems.append(file_problem(text, error))
    if keep_bare:
        lines += [
            LineImage(image, relatives[image], image, None, subset=subset) for image in matched.images_without_text
        ]
    else:
        bare = "no transcription X.gt.txt beside the image X"
        problems += report_by_folder(matched.images_without_text, bare, "untranscribed_image")
    problems += [
        Issue(str(text), "", "no image of this name beside the text", "missing_image")
        for text in matched.texts_without_image
    ]
    problems += [
        Issue(str(image), "", f"shares its text with {used.name}, which is used", "second_transcription")
        for image, used in matched.copies
    ]
    return lines, problems


def _explain_nothing(everything: list[Place], problems: list[Issue], settings: SourceSettings) -> str:
    named = ", ".join(str(place.path) for place in everything[:3])
    lists = [place.path for place in everything if place.path.is_file() and place.path.suffix.lower() in LISTS]
    if lists and len(lists) == len(everything):
        return (
            f"{lists[0]} is no line image; data=manifest reads lists of paths, data=loghi those that have the texts "
            "beside the paths"
        )
    held = describe_contents(everything, settings.format)
    if "data=" not in held and problems:
        first = problems[0]
        more = f" ({len(problems)} problems in all)" if len(problems) > 1 else ""
        return f"data.root: no usable line image in {named}; {first.file}: {first.reason}{more}"
    return f"data.root: {named} holds no line images X.png with their text in X.gt.txt, but {held}"
