"""A layout model as a pipeline: pages with an image in, the same pages with their lines and regions out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch

from uncial.data.filters import check_direction
from uncial.document import Issue, Page, Point, Region, TextLine
from uncial.errors import UnusableInput
from uncial.imaging.images import MAX_PIXELS, PageImage, read_image
from uncial.imaging.line_geometry import resolve_geometry
from uncial.models.layout.outlines import outline_lines
from uncial.models.layout.pages import Layout, make_found_page
from uncial.models.layout.region_cuts import LinePart, cut_lines
from uncial.models.precision import enter_inference_autocast
from uncial.models.segmenter import Segmenter
from uncial.pipelines.pipeline import add_issues

MAX_PAGES_IN_FLIGHT = 2
"""Pages whose images are decoded at once: that in which lines are found, and the next."""

LEAST_SIDE = 16
"""Pixels of a side of a page below which it holds no writing."""

Look = Callable[[Page, PageImage], object]
"""Is shown each page in which was looked for lines, with its image."""


@dataclass(frozen=True)
class FindingSettings:
    """What is found anew, and what stays as the file has it.

    `regions` is `find` or `keep`: with the latter the regions that a page has stay, and its lines are cut at their
    borders; a page without any gets those that are found. `lines` is `keep` or `find`: with the former a page that has
    lines is left as it is. `direction` is that of the writing (`ltr`, `rtl`, `ttb`, `btt`; None: not stated). Images of
    more than `max_pixels` are refused.
    """

    regions: str = "find"
    lines: str = "keep"
    direction: str | None = None
    max_pixels: int = MAX_PIXELS

    def keeps(self, page: Page) -> bool:
        """Return whether nothing is looked for on a page."""
        return self.lines == "keep" and bool(page.lines)


class LayoutPipeline:
    """Finds the lines and regions of pages: a `Pipeline`.

    A page without an image comes out as it was; one whose image cannot be used, with an issue. The image of the next
    page is decoded while lines are found on one; `look` is shown both the page that was found and its image.
    """

    def __init__(self, segmenter: Segmenter, settings: FindingSettings, look: Look | None = None) -> None:
        check_direction(settings.direction)
        self.segmenter = segmenter.eval()
        self.settings = settings
        self.look = look

    def __call__(self, pages: Iterable[Page], /) -> Iterator[Page]:
        """Yield the pages, in order, with what is found on them."""
        for page, image in self._read_ahead(pages):
            if image is None:
                yield page
            elif isinstance(image, Issue):
                yield add_issues(page, [image])
            else:
                yield self._find(page, image)

    def _read_ahead(self, pages: Iterable[Page]) -> Iterator[tuple[Page, PageImage | Issue | None]]:
        waiting: deque[tuple[Page, Future[PageImage | Issue | None]]] = deque()
        with ThreadPoolExecutor(1) as reader:
            try:
                for page in pages:
                    waiting.append((page, reader.submit(self._read, page)))
                    if len(waiting) == MAX_PAGES_IN_FLIGHT:
                        earlier, reading = waiting.popleft()
                        yield earlier, reading.result()
                for earlier, reading in waiting:
                    yield earlier, reading.result()
            finally:
                reader.shutdown(cancel_futures=True)

    def _read(self, page: Page) -> PageImage | Issue | None:
        if page.image is None or self.settings.keeps(page):
            return None
        stated = page.width, page.height
        try:
            image = read_image(page.image, self.segmenter.channels, stated, self.settings.max_pixels)
        except UnusableInput as error:
            return Issue(str(page.source), "", str(error), error.kind)
        height, width = image.pixels.shape[:2]
        if min(height, width) < LEAST_SIDE:
            reason = f"{page.image.path}: it is only {width} x {height} pixels, too small for a page"
            return Issue(str(page.source), "", reason, "unreadable_image")
        if not (page.width and page.height):
            # A file that is turned by its EXIF orientation is shown so everywhere: there is nothing to guess.
            image = replace(image, notes=tuple(one for one in image.notes if one.kind != "doubtful_orientation"))
        return image

    def _find(self, page: Page, image: PageImage) -> Page:
        height, width = image.pixels.shape[:2]
        if not (page.width and page.height):
            page = replace(page, width=width, height=height)
        with torch.inference_mode(), enter_inference_autocast(next(self.segmenter.parameters()).device.type):
            layout = self.segmenter.find(image.pixels)
        found = self._fill(page, layout, image.scale)
        lines = tuple(set_line_direction(line, self.settings.direction) for line in found.lines)
        notes = [Issue(str(page.source), note.line, note.reason, note.kind) for note in image.notes]
        found = add_issues(replace(found, lines=lines), notes)
        if self.look is not None:
            self.look(found, image)
        return found

    def _fill(self, page: Page, layout: Layout, scale: tuple[float, float]) -> Page:
        kept = [region for region in page.regions if len(region.polygon) > 2] if self.settings.regions == "keep" else []
        if not kept:
            return make_found_page(layout, page, scale)
        outlines = [np.array(region.polygon) * scale for region in kept]
        parts = cut_lines(layout.lines, outlines, layout.interline)
        return _fill_regions(page, kept, [part for part in parts if part.region is not None], layout.interline, scale)


def _fill_regions(
    page: Page, regions: Sequence[Region], parts: Sequence[LinePart], interline: float, scale: tuple[float, float]
) -> Page:
    """Return the page with its own regions and the parts of lines that lie in `regions`, region by region."""
    ranks = {region.id: rank for rank, region in enumerate(page.regions)}
    owners = [regions[part.region or 0].id for part in parts]
    polygons = outline_lines([part.line for part in parts], interline)

    def rank(number: int) -> tuple[float, float, float]:
        baseline = parts[number].line.baseline
        return ranks[owners[number]], float(baseline[:, 1].min()), float(baseline[:, 0].min())

    lines = tuple(
        TextLine(
            id=f"l{place}",
            page_id=page.id,
            polygon=_to_points(polygons[number], scale),
            baseline=_to_points(parts[number].line.baseline, scale),
            region_id=owners[number],
            confidence=round(float(np.clip(parts[number].line.confidence, 0.0, 1.0)), 4),
        )
        for place, number in enumerate(sorted(range(len(parts)), key=rank), start=1)
    )
    return replace(page, lines=lines, reading_order=())


def _to_points(points: np.ndarray, scale: Sequence[float]) -> tuple[Point, ...]:
    return tuple((round(float(x) / scale[0], 1), round(float(y) / scale[1], 1)) for x, y in points)


def set_line_direction(line: TextLine, direction: str | None) -> TextLine:
    """Return a found line with a direction by which readers of its file see its baseline run as it was found.

    That is `direction` where it fits the line, and none where the outline alone tells how the writing runs.
    """
    run = np.array(line.baseline[-1]) - np.array(line.baseline[0])
    is_steep = abs(run[1]) > abs(run[0])
    downwards = "ttb" if run[1] > 0 else "btt"
    wanted = direction if (direction in ("ttb", "btt")) == is_steep else None
    for stated in (wanted, None, downwards if is_steep else "ltr"):
        told = replace(line, direction=stated)
        seen = resolve_geometry(told, np.inf)
        if seen is not None and float((seen.baseline[-1] - seen.baseline[0]) @ run) > 0:
            return told
    return replace(line, direction=wanted)
