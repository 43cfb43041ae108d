"""Pages of one printed form, each filled in with other words by the same hand, and copies of a page as people make
them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from drawing_helpers import CLEAN

from uncial.data.synthetic.line_ink import LineInk, ink_line, make_baseline
from uncial.data.synthetic.writing import draw_hand, write_line
from uncial.document import ImageSource, Page, Region, TextLine
from uncial.formats.page_xml.new_document import build_page_xml

SIZE = (900, 640)
"""Height and width of a form in pixels."""

LABELS = ("Name", "Geboren am", "Wohnort", "Beruf", "Vater", "Mutter", "Nummer", "Bemerkung")
TOP, STEP, LEFT = 170, 86, 190

FIRST = ("Anna", "Josef", "Maria", "Karl", "Ludwig", "Therese", "Peter", "Johanna", "Franz", "Elise")
LAST = ("Huber", "Lindner", "Moser", "Kaiser", "Wagner", "Bauer", "Steiner", "Vogel", "Winter", "Krone")
PLACE = ("Wien", "Graz", "Linz", "Salzburg", "Steyr", "Wels", "Melk", "Krems", "Enns", "Hallein")
TRADE = ("Müller", "Schneider", "Bäcker", "Lehrer", "Schuster", "Wirt", "Knecht", "Schmied")


@dataclass(frozen=True)
class FilledForm:
    """`image` is (h, w) uint8; `page` has a line for each entry of the form, or for its printed words too."""

    image: np.ndarray
    page: Page


def entries(random: np.random.Generator) -> list[str]:
    """What is written into one form."""

    def one(words: Sequence[str]) -> str:
        return str(random.choice(list(words)))

    person = [f"{one(FIRST)} {one(LAST)}" for _ in range(3)]
    date = f"{random.integers(1, 29)}. {random.integers(1, 13)}. 18{random.integers(10, 99)}"
    return [person[0], date, one(PLACE), one(TRADE), person[1], person[2], f"Nr. {random.integers(10, 1000)}", "keine"]


def draw_form(
    number: int, texts: Sequence[str], *, printed: str = "left out", noise: float = 3.0, seed: int = 1
) -> FilledForm:
    """A form filled in with these texts. Of its printed labels the transcription has none (`left out`), each before its
    entry (`before`), or each as a line of its own (`apart`)."""
    random = np.random.default_rng([seed, number])
    image = _blank()
    hand = draw_hand(0, replace(CLEAN, seed=seed))
    lines: list[TextLine] = []
    for place, (label, text) in enumerate(zip(LABELS, texts, strict=True)):
        ground = TOP + STEP * place
        ink = _written(text, hand, (LEFT + int(random.integers(0, 12)), ground + int(random.integers(-4, 5))), random)
        rows, columns = ink.coverage.shape
        area = image[ink.top : ink.top + rows, ink.left : ink.left + columns]
        area[:] = np.minimum(area, 235 - ink.coverage[: area.shape[0], : area.shape[1]].astype(np.float32) * 0.75)
        end = min(ink.left + columns + 8, SIZE[1] - 30)
        if printed == "apart":
            lines.append(_line(f"p{place}", label, 30, LEFT - 12, ground))
        start, shown = (30, f"{label} {text}") if printed == "before" else (LEFT - 6, text)
        lines.append(_line(f"l{place}", shown, start, end, ground))
    image += random.normal(0, noise, image.shape)
    name = f"form_{number:05d}"
    region = Region("r", "paragraph", ((20, 20), (SIZE[1] - 20, 20), (SIZE[1] - 20, SIZE[0] - 20), (20, SIZE[0] - 20)))
    page = Page(
        id=name,
        source=Path(f"{name}.xml"),
        image=ImageSource(Path(f"{name}.png")),
        width=SIZE[1],
        height=SIZE[0],
        regions=(region,),
        lines=tuple(lines),
        hand="a",
        document="a",
    )
    return FilledForm(np.clip(image, 0, 255).astype(np.uint8), page)


def draw_forms(count: int, *, printed: str = "left out", seed: int = 1, noise: float = 3.0) -> list[FilledForm]:
    random = np.random.default_rng(seed)
    return [
        draw_form(number, entries(random), printed=printed, seed=seed, noise=noise) for number in range(1, count + 1)
    ]


def copied(form: FilledForm, name: str, change: Callable[[np.ndarray], np.ndarray], suffix: str = "jpg") -> FilledForm:
    """The same page under another name, its image changed without moving anything."""
    page = replace(form.page, id=name, source=Path(f"{name}.xml"), image=ImageSource(Path(f"{name}.{suffix}")))
    return FilledForm(change(form.image), page)


def transcribed(form: FilledForm, change: Callable[[str], str]) -> FilledForm:
    """The page with other texts."""
    lines = tuple(replace(line, text=change(line.text or "")) for line in form.page.lines)
    return FilledForm(form.image, replace(form.page, lines=lines))


def cropped(form: FilledForm, name: str, margin: int) -> FilledForm:
    """The same page, cut by `margin` pixels at each side, its lines moved along."""
    page = form.page

    def moved(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        return tuple((x - margin, y - margin) for x, y in points)

    lines = tuple(replace(line, polygon=moved(line.polygon), baseline=moved(line.baseline)) for line in page.lines)
    image = np.ascontiguousarray(form.image[margin:-margin, margin:-margin])
    height, width = image.shape
    whole = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    regions = tuple(replace(region, polygon=whole) for region in page.regions)
    named = ImageSource(Path(f"{name}.png"))
    cut = replace(
        page,
        id=name,
        source=Path(f"{name}.xml"),
        image=named,
        width=width,
        height=height,
        lines=lines,
        regions=regions,
    )
    return FilledForm(image, cut)


def write_forms(root: Path, forms: Sequence[FilledForm]) -> Path:
    """`X.png` (or what the page names) with `X.xml` beside it."""
    root.mkdir(parents=True, exist_ok=True)
    for form in forms:
        assert form.page.image is not None
        cv2.imwrite(str(root / form.page.image.path.name), form.image)
        (root / form.page.source.name).write_bytes(build_page_xml(form.page))
    return root


def darker(image: np.ndarray) -> np.ndarray:
    return np.clip(image.astype(np.float32) * 0.8 + 9, 0, 255).astype(np.uint8)


def _blank() -> np.ndarray:
    """(h, w) float32: the form as it was printed."""
    image = np.full(SIZE, 235, np.uint8)
    cv2.rectangle(image, (20, 20), (SIZE[1] - 20, SIZE[0] - 20), 60, 3)
    cv2.putText(image, "K. K. STANDESAMT", (120, 80), cv2.FONT_HERSHEY_TRIPLEX, 1.1, 40, 2, cv2.LINE_AA)
    for place, label in enumerate(LABELS):
        ground = TOP + STEP * place
        cv2.putText(image, label, (34, ground), cv2.FONT_HERSHEY_COMPLEX, 0.7, 50, 1, cv2.LINE_AA)
        cv2.line(image, (24, ground + 22), (SIZE[1] - 24, ground + 22), 90, 2)
    cv2.line(image, (LEFT - 14, 110), (LEFT - 14, SIZE[0] - 24), 90, 2)
    return image.astype(np.float32)


def _written(text: str, hand: object, origin: tuple[int, int], random: np.random.Generator) -> LineInk:
    path = write_line(text, hand, random)  # type: ignore[arg-type]
    scale = 44 / sum(hand.extent)  # type: ignore[attr-defined]
    x = np.arange(0.0, path.length * scale + 40, 8)
    return ink_line(path, make_baseline(x + origin[0], np.full_like(x, float(origin[1]))), scale)


def _line(identity: str, text: str, left: int, right: int, ground: int) -> TextLine:
    top, bottom = ground - 40.0, ground + 18.0
    polygon = ((float(left), top), (float(right), top), (float(right), bottom), (float(left), bottom))
    return TextLine(
        identity,
        "",
        polygon=polygon,
        baseline=((float(left), float(ground)), (float(right), float(ground))),
        text=text,
        region_id="r",
    )
