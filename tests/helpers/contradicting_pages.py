"""Drawn pages of PAGE and ALTO in which polygons, baselines and the page contradict one another."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from drawing_helpers import CLEAN
from drawn_layouts import alto

from uncial.data.settings import show_no_progress
from uncial.data.store.compile import CompileSettings, hash_images, open_or_compile_store
from uncial.data.store.store import Store
from uncial.data.synthetic.page import DrawnPage, draw_page
from uncial.document import Page, Point, TextLine
from uncial.formats.page_xml.new_document import build_page_xml

OPTIONS = replace(CLEAN, lines=(6, 6), characters=(16, 20), image="png", colour=False, size=(36, 36), furniture=0.0)

Change = Callable[[TextLine], TextLine]


def draw_sheets(count: int = 1) -> list[DrawnPage]:
    """Pages of six lines of different words, called s0, s1, …"""
    random = np.random.default_rng(5)
    sheets = []
    for number in range(count):
        texts = [" ".join("".join(random.choice(list("abelmort"), 5)) for _ in range(3)) for _ in range(6)]
        drawn = draw_page(number, replace(OPTIONS, seed=3), texts)
        assert drawn.page.image is not None
        image = replace(drawn.page.image, path=Path(f"s{number}.png"))
        page = replace(drawn.page, id=f"s{number}", source=Path(f"s{number}.xml"), image=image)
        sheets.append(replace(drawn, page=page))
    return sheets


def write_sheets(root: Path, sheets: list[DrawnPage], kind: str, change: Callable[[Page], Page]) -> Path:
    """X.png with X.xml beside it, in PAGE or ALTO (`kind`), each page changed."""
    root.mkdir(parents=True)
    for sheet in sheets:
        page = change(sheet.page)
        cv2.imwrite(str(root / f"{page.id}.png"), sheet.image)
        text = build_page_xml(page) if kind == "page" else alto(page).encode()
        (root / f"{page.id}.xml").write_bytes(text)
    return root


def with_lines(page: Page, change: Change, chosen: slice = slice(None)) -> Page:
    """The page with some of its lines changed."""
    wanted = {line.id for line in page.lines[chosen]}
    return replace(page, lines=tuple(change(line) if line.id in wanted else line for line in page.lines))


def moved(points: tuple[Point, ...], dx: float = 0.0, dy: float = 0.0, scale: float = 1.0) -> tuple[Point, ...]:
    return tuple((x * scale + dx, y * scale + dy) for x, y in points)


def interline(page: Page) -> float:
    """The distance between the first two baselines of a page."""
    return page.lines[1].baseline[0][1] - page.lines[0].baseline[0][1]


def compiled(pages: list[Page], folder: Path) -> Store:

    return open_or_compile_store(pages, hash_images(pages), CompileSettings(folder), show_no_progress)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two strips, the second scaled to the first one's size."""
    other = cv2.resize(other, one.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])
