"""The one form in which trained models are applied to pages, so that they can be put one after another."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from uncial.document import Issue, Page


class Pipeline(Protocol):
    """A step on the way from page images to transcriptions: it finds lines, sorts them, reads them, divides them.

    It yields one page for each that it takes, in the same order, with what it adds filled in. It is lazy: it takes no
    page before the first is asked for, and a bounded number of pages ahead of the one that it yields. What goes wrong
    with a page or one of its lines never ends the stream: the page comes out with an `Issue` for it in `Page.issues`,
    after those that earlier steps have left there, and what could not be done is left as it was. A doubt about a page
    that is used is an `Issue` whose `is_doubt` holds.
    """

    def __call__(self, pages: Iterable[Page], /) -> Iterator[Page]: ...


def apply_pipelines(pipelines: Iterable[Pipeline], pages: Iterable[Page]) -> Iterator[Page]:
    """Return the pages as they come out of all pipelines, applied one after another, as lazily as these are."""
    stream = iter(pages)
    for pipeline in pipelines:
        stream = pipeline(stream)
    return stream


def add_issues(page: Page, issues: Sequence[Issue]) -> Page:
    """Return the page with these issues behind its own."""
    return replace(page, issues=(*page.issues, *issues)) if issues else page


def group_pages(pages: Iterable[Page], max_lines: int, max_pages: int) -> Iterator[list[Page]]:
    """Yield the pages in groups, each closed as soon as it holds so many lines or pages."""
    group: list[Page] = []
    lines = 0
    for page in pages:
        group.append(page)
        lines += len(page.lines)
        if lines >= max_lines or len(group) >= max_pages:
            yield group
            group, lines = [], 0
    if group:
        yield group
