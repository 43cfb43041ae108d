"""A folder of drawn pages, as Transkribus and Loghi lay them out: X.jpg with page/X.xml."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from uncial.data.settings import Advance, Progress
from uncial.data.store.processes import make_page_processes
from uncial.data.synthetic.glyphs import find_undrawable
from uncial.data.synthetic.layouts.page import draw_layout_page
from uncial.data.synthetic.options import DRAWING_VERSION, LAYOUT_VERSION, DrawingOptions
from uncial.data.synthetic.page import DrawnPage, draw_page, format_page_name
from uncial.data.synthetic.text import read_text_file, to_capitals
from uncial.data.synthetic.typeface import check_fonts, find_fonts, name_characters
from uncial.data.synthetic.writing import draw_hand
from uncial.errors import UserError
from uncial.formats.page_xml.new_document import build_page_xml

_COUNT_STREAM = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageOrder:
    """What a process needs to draw one page."""

    number: int
    texts: tuple[str, ...] | None


def collect_inputs(options: DrawingOptions) -> dict[str, Any]:
    """Return all that decides the pages: the options, with text and fonts by their contents.

    Raises `UserError` where those are missing.
    """
    decided: dict[str, Any] = {"drawing": DRAWING_VERSION, **asdict(options)}
    if options.layouts:
        decided["layout_drawing"] = LAYOUT_VERSION
    else:
        # Pages without a layout are those that there were before it: they keep the name of their folder.
        del decided["layouts"]
    if options.text is not None:
        decided["text"] = _hash_path(_check_exists(options.text, "text"))
    if options.fonts is not None:
        found = find_fonts(_check_exists(options.fonts, "fonts"))
        decided["fonts"] = [f"{path.name} {_hash_path(path)}" for path in found]
    return json.loads(json.dumps(decided))


def name_collection(decided: dict[str, Any]) -> str:
    """Return the folder's name for these inputs: the seed, and a hash of everything."""
    content = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
    return f"seed{decided['seed']}-{content[:10]}"


def _check_exists(path: str, key: str) -> Path:
    found = Path(path).expanduser()
    if not found.exists():
        raise UserError(f"data.options.{key}: {path} does not exist.")
    return found


def _hash_path(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"data.options: cannot read {path}: {error.strerror}.") from error


def order_pages(options: DrawingOptions, fonts: Sequence[Path]) -> list[PageOrder]:
    """Return the pages to draw, with their share of the text file where one is given: each line of it once, in its
    order.

    Raises `UserError` when the text holds characters that cannot be drawn.
    """
    if options.text is None:
        return [PageOrder(number, None) for number in range(options.pages)]
    path = _check_exists(options.text, "text")
    length = int(options.characters[1])
    lines = read_text_file(path, options.wrap, length)
    orders = []
    for number in range(options.pages):
        rng = np.random.default_rng([options.seed, _COUNT_STREAM, number])
        count = int(rng.integers(int(options.lines[0]), int(options.lines[1]) + 1))
        if not lines:
            break
        orders.append(PageOrder(number, tuple(lines[:count])))
        lines = lines[count:]
    if lines:
        log.info("data.options.pages=%d: %d lines of %s are left over and not drawn", options.pages, len(lines), path)
    _check_drawable(path, [line for order in orders for line in order.texts or ()], options, fonts)
    return orders


def _check_drawable(path: Path, lines: list[str], options: DrawingOptions, fonts: Sequence[Path]) -> None:
    # Upper-cased letters are drawn too where some lines are set in capitals.
    variants = [to_capitals(line) for line in lines] if options.upper_case else []
    if fonts:
        check_fonts(fonts, [*lines, *variants])
        return
    faces = {draw_hand(n, options).face for n in range(options.hands)}
    missing = sorted({c for face in faces for c in find_undrawable(" ".join([*lines, *variants]), face)})
    if missing:
        raise UserError(
            f"data.options.text: {path} holds characters that the stroke letters lack: {name_characters(missing)}; "
            "take them "
            "out, or name a folder of fonts that have them in data.options.fonts."
        )


def draw_collection(folder: Path, options: DrawingOptions, workers: int, progress: Progress) -> list[dict[str, str]]:
    """Draws all pages into the empty `folder` with so many processes. Returns name, document and hand of each page.

    The files do not depend on the number of processes. Raises `UserError` for text or fonts that cannot be used, and
    `OSError` when a file cannot be written.
    """
    fonts = find_fonts(_check_exists(options.fonts, "fonts")) if options.fonts is not None else ()
    orders = order_pages(options, fonts)
    draw = partial(_draw_file, folder, options, fonts)
    if min(workers, len(orders)) > 1:
        try:
            with progress("drawing pages", len(orders), "pages") as advance:
                return _draw_in_processes(draw, orders, workers, advance)
        except BrokenProcessPool:
            # So it ends too where the caller's own script starts its work without `if __name__ == "__main__"`.
            log.warning("The drawing processes ended too early; the pages are drawn in one process.")
    drawn = []
    with progress("drawing pages", len(orders), "pages") as advance:
        for order in orders:
            drawn.append(draw(order))
            advance(1)
    return drawn


def _draw_in_processes(
    draw: Callable[[PageOrder], dict[str, str]], orders: list[PageOrder], workers: int, advance: Advance
) -> list[dict[str, str]]:
    with make_page_processes(min(workers, len(orders))) as pool:
        futures = [pool.submit(draw, order) for order in orders]
        pending = set(futures)
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()  # Raises what the drawing raised.
                advance(len(done))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in futures]


def write_page(drawn: DrawnPage, folder: Path, options: DrawingOptions) -> None:
    """Writes the image into `folder` and its PAGE XML into `folder/page`, under the page's own name."""
    assert drawn.page.image is not None
    pixels = drawn.image[:, :, ::-1] if drawn.image.ndim == 3 else drawn.image
    settings = [cv2.IMWRITE_JPEG_QUALITY, options.quality] if options.image == "jpg" else []
    encoded = cv2.imencode(f".{options.image}", pixels, settings)[1]
    (folder / "page").mkdir(parents=True, exist_ok=True)
    (folder / drawn.page.image.path.name).write_bytes(encoded.tobytes())
    (folder / "page" / drawn.page.source.name).write_bytes(build_page_xml(drawn.page, options.version))


def _draw_file(folder: Path, options: DrawingOptions, fonts: Sequence[Path], order: PageOrder) -> dict[str, str]:
    draw = draw_layout_page if options.layouts else draw_page
    drawn = draw(order.number, options, order.texts, fonts)
    write_page(drawn, folder, options)
    return {"name": format_page_name(order.number), "document": drawn.page.document, "hand": drawn.page.hand}
