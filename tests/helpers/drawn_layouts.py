"""The same drawn pages in the layouts and formats that users have."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
from drawing_helpers import CLEAN

from uncial.data.synthetic.page import DrawnPage, draw_page
from uncial.data.synthetic.writer import write_page
from uncial.document import Page, Point

OPTIONS = replace(CLEAN, lines=(3, 3), characters=(8, 12), image="png", colour=False, size=(40, 40), furniture=0.0)
"""Small pages of three short lines."""


@dataclass(frozen=True)
class DrawnLine:
    """A line cut from its drawn page by its box, and its text."""

    page: str
    line: str
    image: np.ndarray
    text: str


def draw_pages(count: int, seed: int = 1) -> list[DrawnPage]:
    """Pages of three lines of few letters, so that a small model learns them in seconds."""
    random = np.random.default_rng(seed)
    words = [["".join(random.choice(list("olxmé"), 5)) for _ in range(3)] for _ in range(count)]
    return [draw_page(number, replace(OPTIONS, seed=seed), texts) for number, texts in enumerate(words)]


def write_page_layout(root: Path, pages: Sequence[DrawnPage]) -> Path:
    """`X.png` with `page/X.xml`, as Transkribus and Loghi have them."""
    for drawn in pages:
        write_page(drawn, root, OPTIONS)
    return root


def write_alto_layout(root: Path, pages: Sequence[DrawnPage]) -> Path:
    """`X.png` with `X.xml` beside it, as eScriptorium has them."""
    root.mkdir(parents=True, exist_ok=True)
    for drawn in pages:
        name = image_name(drawn)
        cv2.imwrite(str(root / name), drawn.image)
        (root / name).with_suffix(".xml").write_text(alto(drawn.page), encoding="utf-8")
    return root


def alto(page: Page) -> str:
    """ALTO 4.2 with baselines and polygons; each line a single String."""
    assert page.image is not None
    lines = "".join(
        f'<TextLine ID={quoteattr(line.id)} BASELINE="{_points(line.baseline)}" {_box(line.polygon)}>'
        f'<Shape><Polygon POINTS="{_points(line.polygon)}"/></Shape>'
        f"<String CONTENT={quoteattr(line.text or '')} {_box(line.polygon)}/></TextLine>"
        for line in page.lines
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description>'
        "<MeasurementUnit>pixel</MeasurementUnit><sourceImageInformation>"
        f"<fileName>{page.image.path.name}</fileName></sourceImageInformation></Description><Layout>"
        f'<Page ID="p" PHYSICAL_IMG_NR="1" WIDTH="{page.width}" HEIGHT="{page.height}"><PrintSpace HPOS="0" VPOS="0" '
        f'WIDTH="{page.width}" HEIGHT="{page.height}"><TextBlock ID="b" HPOS="0" VPOS="0" WIDTH="{page.width}" '
        f'HEIGHT="{page.height}">{lines}</TextBlock></PrintSpace></Page></Layout></alto>\n'
    )


def cut_lines(pages: Sequence[DrawnPage]) -> list[DrawnLine]:
    """The boxes of all lines."""
    cut = []
    for drawn in pages:
        for line in drawn.page.lines:
            left, top, right, bottom = _bounds(line.polygon)
            cut.append(DrawnLine(page_name(drawn), line.id, drawn.image[top:bottom, left:right], line.text or ""))
    return cut


def write_pairs(root: Path, lines: Sequence[DrawnLine]) -> list[Path]:
    """`PAGE_LINE.png` with `PAGE_LINE.gt.txt`; the images' paths."""
    root.mkdir(parents=True, exist_ok=True)
    paths = []
    for line in lines:
        path = root / f"{line.page}_{line.line}.png"
        cv2.imwrite(str(path), line.image)
        path.with_suffix(".gt.txt").write_text(line.text + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def page_name(drawn: DrawnPage) -> str:
    return Path(image_name(drawn)).stem


def image_name(drawn: DrawnPage) -> str:
    assert drawn.page.image is not None
    return drawn.page.image.path.name


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{round(x)},{round(y)}" for x, y in points)


def _bounds(points: Sequence[Point]) -> tuple[int, int, int, int]:
    xs, ys = [round(x) for x, _ in points], [round(y) for _, y in points]
    return max(0, min(xs)), max(0, min(ys)), max(xs), max(ys)


def _box(points: Sequence[Point]) -> str:
    left, top, right, bottom = _bounds(points)
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'
