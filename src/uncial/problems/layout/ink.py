"""What becomes of the ink of lines: measured on the images of pages, where they are at hand."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import build_settings
from uncial.data.config import compile_settings
from uncial.data.pages.compile import USUAL_LINES, compile_page
from uncial.data.pages.store import PageStore
from uncial.data.settings import DataSettings
from uncial.document import ImageSource, Page
from uncial.errors import UnusableInput
from uncial.formats.image_finder import ImageFinder
from uncial.imaging.ink import find_ink
from uncial.metrics.layout.ink import measure_page_ink
from uncial.metrics.layout.layout_metric import PageLayout, PageResult
from uncial.reports.terminal.formatting import plural

log = logging.getLogger(__name__)

NO_POLYGONS = "No share of lost ink is told: the ground truth has no polygons of the lines that were found."

Results = list[PageResult[PageLayout]]


@dataclass(frozen=True, slots=True, eq=False)
class PageInk:
    """Where ink is on the image of a page, (h, w) bool, and how many of its pixels (x, y) are one unit of the page's
    coordinates."""

    ink: np.ndarray
    scale: tuple[float, float]


class PageInks:
    """The ink of pages whose images lie where their files say, or in `data.images`: brought to the scale at which pages
    are compiled, so that the figures are those of task=test. Keeps count of pages without an image."""

    def __init__(self, config: DictConfig, root: str) -> None:
        """`root` is the folder that the pages were read from."""
        data = build_settings(DataSettings, config)
        self._settings = compile_settings(data, Path())
        self._root, self._finder = Path(root).expanduser(), ImageFinder(tuple(map(Path, data.images)))
        self._missing: list[str] = []
        self._num_found = 0

    def find(self, page: Page) -> PageInk | None:
        """Return the ink of a page; None where no line has a polygon, or the image cannot be read."""
        if not any(len(line.polygon) > 2 for line in page.lines):
            return None
        try:
            path = self._finder.find(page.metadata.get("image", ""), page.source, self._root)
        except UnusableInput as error:
            self._missing.append(str(error))
            return None
        compiled = compile_page(replace(page, image=ImageSource(path)), USUAL_LINES, self._settings)
        if compiled.stored is None:
            self._missing += [f"{problem.file}: {problem.reason}" for problem in compiled.problems]
            return None
        self._num_found += 1
        stored = compiled.stored
        return PageInk(find_ink(stored.pixels, stored.shapes.interline), stored.scale)

    def report(self) -> None:
        """Say of how many pages the ink was not measured, and why."""
        if self._missing:
            log.warning(
                f"The ink of the lines of {plural(len(self._missing), 'page')} is not measured, for want of the image; "
                f"the first: {self._missing[0]}"
            )
        elif not self._num_found:
            log.info(NO_POLYGONS)


def measure_ink_of_store(store: PageStore, results: Sequence[PageResult[PageLayout]], found: Sequence[Page]) -> Results:
    """Return the results of pages of a store with what became of the ink of their lines."""
    rows = {name: row for row, name in enumerate(store.column("page"))}
    pages = {page.id: page for page in found}
    measured = []
    for result in results:
        row = rows[result.page]
        ink = find_ink(store.pixels(row), store.shapes(row).interline)
        measured.append(add_ink(result, ink, store.scale(row), store.page(row), pages[result.page]))
    return measured


def add_ink(
    result: PageResult[PageLayout], ink: np.ndarray, scale: tuple[float, float], truth: Page, found: Page
) -> PageResult[PageLayout]:
    """Return the result of a page with what became of the ink of its lines (see `measure_page_ink`)."""
    measured = measure_page_ink(ink, scale, truth, found, result.scores.lines)
    return replace(result, scores=replace(result.scores, ink=measured))
