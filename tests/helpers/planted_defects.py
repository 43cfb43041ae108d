"""A sound set of drawn pages, and copies of it in which one thing is wrong at a known place."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from drawing_helpers import CLEAN

from uncial.data.synthetic.page import DrawnPage, draw_page
from uncial.data.synthetic.writer import write_page
from uncial.document import Page, Region, TextLine
from uncial.formats.page_xml.new_document import build_page_xml

OPTIONS = replace(
    CLEAN, lines=(7, 7), characters=(22, 30), image="png", colour=False, size=(40, 40), furniture=0.0, hands=1
)

WORDS = [
    "moulin",
    "récolte",
    "village",
    "dimanche",
    "pressoir",
    "tonneau",
    "vendange",
    "charrue",
    "fenêtre",
    "marchand",
]


@dataclass(frozen=True)
class Planted:
    """What must be found: a finding of one of `kinds` about the file of page `page`, at `line` where one is named."""

    severity: str
    kinds: tuple[str, ...]
    page: str
    line: str = ""


@dataclass(frozen=True)
class Folder:
    """The set on disk, X.png with page/X.xml, to be harmed."""

    root: Path
    drawn: dict[str, DrawnPage]

    def page(self, name: str) -> Page:
        return self.drawn[name].page

    def line(self, name: str, number: int) -> TextLine:
        return self.page(name).lines[number]

    def xml(self, name: str) -> Path:
        return self.root / "page" / f"{name}.xml"

    def image(self, name: str) -> Path:
        return self.root / f"{name}.png"

    def with_line(self, name: str, number: int, **changes: object) -> str:
        """Writes the page with a changed line; the line's id."""
        page = self.page(name)
        lines = list(page.lines)
        lines[number] = replace(lines[number], **changes)
        self.drawn[name] = replace(self.drawn[name], page=replace(page, lines=tuple(lines)))
        self.xml(name).write_bytes(build_page_xml(self.page(name)))
        return lines[number].id

    def with_text(self, name: str, number: int, change: Callable[[str], str]) -> str:
        return self.with_line(name, number, text=change(self.line(name, number).text or ""))

    def with_image(self, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
        cv2.imwrite(str(self.image(name)), change(self.drawn[name].image))


def draw_sound_set(root: Path, count: int = 23) -> Folder:
    """Pages of one hand, seven lines each, called a01, a02, …"""
    random = np.random.default_rng(1)
    drawn = {}
    for number in range(count):
        texts = [" ".join(random.choice(WORDS, 4)) for _ in range(7)]
        page = draw_page(number, OPTIONS, texts)
        name = f"a{number + 1:02d}"
        assert page.page.image is not None
        source, image = Path(f"page/{name}.xml"), replace(page.page.image, path=Path(f"{name}.png"))
        drawn[name] = replace(page, page=replace(page.page, id=name, source=source, image=image))
        write_page(drawn[name], root, OPTIONS)
    return Folder(root, drawn)


def plant(folder: Folder) -> list[Planted]:
    """Harms one page after the other."""
    return [*_pages(folder), *_images(folder), *_shapes(folder), *_texts(folder)]


def _pages(folder: Folder) -> list[Planted]:
    folder.image("a01").unlink()
    folder.image("a02").write_bytes(folder.image("a02").read_bytes()[:2000])
    folder.xml("a03").write_bytes(folder.xml("a03").read_bytes()[:900])
    shutil.copy(folder.image("a04"), folder.image("copied"))
    copied = replace(folder.page("a04"), image=replace(folder.page("a04").image, path=Path("copied.png")))  # type: ignore[arg-type]
    folder.xml("copied").write_bytes(build_page_xml(copied))
    darker = np.clip(folder.drawn["a05"].image.astype(np.float32) * 0.8 + 9, 0, 255).astype(np.uint8)
    cv2.imwrite(str(folder.root / "rescanned.jpg"), darker)
    rescanned = replace(folder.page("a05"), image=replace(folder.page("a05").image, path=Path("rescanned.jpg")))  # type: ignore[arg-type]
    folder.xml("rescanned").write_bytes(build_page_xml(rescanned))
    other = [replace(line, text=(line.text or "")[::-1]) for line in folder.page("a06").lines]
    folder.xml("a06.other").write_bytes(build_page_xml(replace(folder.page("a06"), lines=tuple(other))))
    return [
        Planted("error", ("missing_image",), "a01"),
        Planted("error", ("unreadable_image",), "a02"),
        Planted("error", ("left_out", "unreadable_file"), "a03"),
        Planted("warning", ("duplicate_page",), "copied"),
        Planted("", ("duplicate_page", "leaking_page"), "rescanned"),
        Planted("warning", ("second_transcription",), "a06.other"),
    ]


def _images(folder: Folder) -> list[Planted]:
    folder.with_image("a07", lambda image: image[::-1, ::-1])
    folder.with_image("a08", lambda image: np.rot90(image).copy())
    folder.with_image("a09", lambda image: np.roll(image, 27, axis=0))
    line = folder.line("a10", 1)
    blank = folder.drawn["a10"].image.copy()
    top, bottom = (int(limit(y for _, y in line.polygon)) for limit in (min, max))
    blank[top:bottom] = np.median(blank)
    folder.with_image("a10", lambda image: blank)
    return [
        Planted("warning", ("upside_down", "off_the_ink"), "a07"),
        Planted("error", ("wrong_image_size",), "a08"),
        Planted("warning", ("off_the_ink",), "a09"),
        Planted("warning", ("no_ink",), "a10", line.id),
    ]


def _shapes(folder: Folder) -> list[Planted]:
    first, second = folder.line("a11", 0), folder.line("a11", 1)
    box = _box(first.polygon), _box(second.polygon)
    both = (*box[0][:2], *box[1][2:])
    found = [Planted("warning", ("several_lines",), "a11", folder.with_line("a11", 0, polygon=both, baseline=()))]
    (left, top), _, (_, bottom), _ = _box(folder.line("a12", 2).polygon)
    narrow = ((left, top), (left + 20, top), (left + 20, bottom), (left, bottom))
    narrowed = folder.with_line("a12", 2, polygon=narrow, baseline=())
    found.append(Planted("warning", ("infeasible_line", "crowded_line"), "a12", narrowed))
    width = folder.page("a13").width
    far = tuple((x + 0.45 * width, y) for x, y in folder.line("a13", 1).polygon)
    along = tuple((x + 0.45 * width, y) for x, y in folder.line("a13", 1).baseline)
    moved = folder.with_line("a13", 1, polygon=far, baseline=along)
    found.append(Planted("warning", ("outside_image",), "a13", moved))
    page = folder.page("a14")
    twice = replace(page.lines[3], id="again", text=(page.lines[3].text or "")[:-3] + "xyz")
    folder.xml("a14").write_bytes(build_page_xml(replace(page, lines=(*page.lines, twice))))
    found.append(Planted("warning", ("two_transcriptions",), "a14", "again"))
    page = folder.page("a15")
    empty = Region("empty", "paragraph", ((1.0, 1.0), (40.0, 1.0), (40.0, 20.0), (1.0, 20.0)), 9)
    folder.xml("a15").write_bytes(build_page_xml(replace(page, regions=(*page.regions, empty))))
    found.append(Planted("information", ("empty_region",), "a15"))
    return found


def _texts(folder: Folder) -> list[Planted]:
    def said(severity: str, kind: str, page: str, number: int, change: Callable[[str], str]) -> Planted:
        return Planted(severity, (kind,), page, folder.with_text(page, number, change))

    return [
        said("information", "empty_text", "a16", 0, lambda text: " "),
        said("warning", "infeasible_line", "a16", 2, lambda text: text * 12),
        said("warning", "sparse_line", "a17", 1, lambda text: text[:4]),
        said("information", "rare_character", "a18", 0, lambda text: text[:3] + "<b>ↄ" + text[7:]),
        said("warning", "foreign_letter", "a19", 0, lambda text: "Саrtulаire " + text[:8]),
        said("warning", "mixed_normalisation", "a20", 0, lambda text: "re\u0301colte " + text[:12]),
        said("information", "private_character", "a20", 2, lambda text: text[:6] + "\uf1ac"),
        said("warning", "control_character", "a21", 0, lambda text: text[:5] + "\u0085" + text[5:]),
        said("warning", "damaged_text", "a21", 1, lambda text: "déjÃ\u00a0 été Ã©crit " + text[:6]),
        said("warning", "escaped_markup", "a21", 2, lambda text: text[:9] + " &amp; " + text[9:]),
        said("information", "edge_white_space", "a22", 0, lambda text: text + " "),
        said("information", "repeated_space", "a22", 1, lambda text: text.replace(" ", "  ", 1)),
        said("warning", "invisible_character", "a22", 2, lambda text: text[:4] + "\u200b" + text[4:]),
    ]


def _box(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    xs, ys = zip(*polygon, strict=True)
    return (min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys))
