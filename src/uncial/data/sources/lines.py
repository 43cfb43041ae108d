"""`data=lines`: folders of line images with their text beside them, `X.png` and `X.gt.txt`."""

from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import Found, Place, contents, files, places_by_subset
from uncial.data.sources.line_pages import LineImage, folder_problems, line_pages
from uncial.data.sources.passed_over import beside_lines
from uncial.errors import LineError, UserError
from uncial.formats.lines import is_image, pair, read_transcription
from uncial.formats.styles import split_marks
from uncial.formats.types import Problem, Reading, file_problem


def read(settings: SourceSettings) -> Reading:
    """Every image with a text of its name, as a page of one line.

    `data.train`, `data.val` and `data.test` are folders, files or globs, relative to `data.root` where they lie
    there; a file named by two of them is used in the test, else the validation. Options: `page_pattern`,
    `document_pattern`, `hand_pattern` (see `line_pages`); `unlabelled=true` also yields images without text, their
    text None.
    """
    images: list[LineImage] = []
    problems: list[Problem] = []
    taken: set[Path] = set()
    roots = places_by_subset(settings)
    for subset, where in reversed(roots):
        found = files(where, _may_be_a_line, settings.include, settings.exclude)
        new = [file for file in found if file.path not in taken]
        taken.update(file.path for file in new)
        lines, faults = _read_files(new, subset, keep_bare=bool(settings.options.get("unlabelled")))
        images += lines
        problems += faults
    if not images:
        raise UserError(_nothing([place for _, where in roots for place in where], problems))
    where = [place for _, named in roots for place in named]
    problems += beside_lines(where, [line.image for line in images])
    return Reading(line_pages(images, settings), tuple(problems))


def _may_be_a_line(path: Path) -> bool:
    return is_image(path) or path.suffix.lower() == ".txt"


def _read_files(found: list[Found], subset: str | None, keep_bare: bool) -> tuple[list[LineImage], list[Problem]]:
    relatives = {file.path: file.relative for file in found}
    matched = pair(relatives)
    lines: list[LineImage] = []
    problems: list[Problem] = []
    for image, text in matched.pairs:
        try:
            plain, spans = split_marks(read_transcription(text))
            lines.append(LineImage(image, relatives[image], text, plain, spans, subset=subset))
        except LineError as error:
            problems.append(file_problem(text, error))
    if keep_bare:
        lines += [
            LineImage(image, relatives[image], image, None, subset=subset) for image in matched.images_without_text
        ]
    else:
        bare = "no transcription X.gt.txt beside the image X"
        problems += folder_problems(matched.images_without_text, bare, "untranscribed_image")
    problems += [
        Problem(str(text), "", "no image of this name beside the text", "missing_image")
        for text in matched.texts_without_image
    ]
    problems += [
        Problem(str(image), "", f"shares its text with {used.name}, which is used", "second_transcription")
        for image, used in matched.copies
    ]
    return lines, problems


def _nothing(everything: list[Place], problems: list[Problem]) -> str:
    named = ", ".join(str(place.path) for place in everything[:3])
    held = contents(everything)
    if "data=" not in held.replace("data=lines", "") and problems:
        first = problems[0]
        return f"data.root: no usable line image in {named}; {first.file}: {first.reason} ({len(problems)} problems)"
    return f"data.root: {named} holds no line images X.png with their text in X.gt.txt, but {held}"
