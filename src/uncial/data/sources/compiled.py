"""`data=compiled`: line images that were cut and packed into an Arrow file before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.finding import describe_contents, find_files, find_places_by_subset, strip_suffix
from uncial.document import ImageSource, Issue, Page, SourceContents, TextLine, of_part
from uncial.errors import UserError
from uncial.formats.lines.kraken_arrow import read_rows


def read(settings: SourceSettings) -> SourceContents:
    """Return every row of kraken's `.arrow` files as a page of one line; `ImageSource.frame` is the row of its image.

    kraken's own split is taken where the file states one. Else the group of a line is its record batch, which kraken
    fills with whole pages; rows of a file with a single batch stand for themselves, for nothing in it tells the
    pages.
    """
    pages: list[Page] = []
    problems: list[Issue] = []
    stated: dict[str, str] = {}
    roots = find_places_by_subset(settings)
    taken: set[Path] = set()
    for subset, where in reversed(roots):
        for found in find_files(
            where, lambda path: path.suffix.lower() == ".arrow", settings.include, settings.exclude
        ):
            if found.path not in taken:
                taken.add(found.path)
                reading = read_file(found.path, strip_suffix(found.relative), subset)
                pages += reading.pages
                problems += of_part(reading.problems, subset)
                stated |= reading.stated
    if not pages:
        everything = [place for _, where in roots for place in where]
        reason = "no usable line" if taken else f"no .arrow file, but {describe_contents(everything, settings.format)}"
        raise UserError(f"data.root: {everything[0].path} holds {reason}")
    return SourceContents(tuple(pages), tuple(problems), stated)


def read_file(path: Path, identity: str, subset: str | None = None) -> SourceContents:
    """Return the rows of one of kraken's files; `subset`, where given, counts more than the file's own split."""
    pages: list[Page] = []
    problems: list[Issue] = []
    stated: dict[str, str] = {}
    for row in read_rows(path):
        part = subset or row.subset
        if part:
            stated.setdefault(part, f"the split of {path}")
        if row.text is None or not row.has_image:
            place = (str(path), f"row {row.row}")
            no_text = Issue(*place, "holds no text", "empty_text")
            fault = no_text if row.has_image else Issue(*place, "holds no image", "missing_image")
            problems += of_part([fault], part)
            continue
        name = f"{identity}/{row.row:06d}"
        line = TextLine(id=f"{row.row:06d}", page_id=name, text=row.text, language=row.language)
        group = f"{identity}/batch{row.batch:05d}"
        pages.append(
            Page(name, path, ImageSource(path, row.row), lines=(line,), subset=part, document=identity, group=group)
        )
    return SourceContents(tuple(_drop_single_batch(pages)), tuple(problems), stated)


def _drop_single_batch(pages: Sequence[Page]) -> Iterator[Page]:
    single = len({page.group for page in pages}) <= 1
    yield from (replace(page, group="") if single else page for page in pages)
