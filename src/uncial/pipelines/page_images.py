"""Pages of PDF and TIFF files as images of their own, which PAGE and ALTO files can name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from uncial.document import ImageSource, Issue, Page
from uncial.errors import UnusableInput
from uncial.files import replace_file
from uncial.formats.pdf import is_pdf, render_pdf_page
from uncial.imaging.images import read_image
from uncial.pipelines.pipeline import add_issues

COMPRESSION = 3
"""Of PNG, from 0 to 9: a scan takes a fifth more room than with 9, and a tenth of the time."""


class PageImagesPipeline:
    """Writes the images of those pages that are one of several in a file, as PNG: a `Pipeline`.

    `places` says where, by the image in the file. The page comes out with the new image; without one, and with an
    issue, where it cannot be read or another file lies in its place. Pages of a PDF have `dpi` pixels an inch.
    """

    def __init__(self, places: Mapping[ImageSource, Path], dpi: float, max_pixels: int) -> None:
        self.places, self.dpi, self.max_pixels = places, dpi, max_pixels

    def __call__(self, pages: Iterable[Page], /) -> Iterator[Page]:
        """Yield the pages, in order."""
        for page in pages:
            target = self.places.get(page.image) if page.image else None
            if page.image is None or target is None:
                yield page
                continue
            try:
                write_png(self._read(page.image, page), target)
                yield replace(page, image=ImageSource(target))
            except UnusableInput as error:
                issue = Issue(str(page.source), "", str(error), error.kind)
                yield add_issues(replace(page, image=None), [issue])

    def _read(self, image: ImageSource, page: Page) -> np.ndarray:
        if is_pdf(image.path):
            return render_pdf_page(image.path, image.frame, self.dpi, self.max_pixels)
        return read_image(image, 3, (page.width, page.height), self.max_pixels).pixels


def write_png(pixels: np.ndarray, target: Path) -> None:
    """Write pixels (H, W, 3) uint8 RGB, in grey where they have no colour.

    Raises `UnusableInput` where another file is in the place: one that is the same stays as it is.
    """
    is_grey = all(np.array_equal(pixels[:, :, 0], pixels[:, :, other]) for other in (1, 2))
    shown = np.ascontiguousarray(pixels[:, :, 0]) if is_grey else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".png", shown, [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION])
    content = encoded.tobytes()
    if target.exists():
        if target.read_bytes() != content:
            raise UnusableInput(
                f"{target} is another image: move it away, or choose another folder with predict.output"
            )
        return
    with replace_file(target) as file:
        file.write_bytes(content)
