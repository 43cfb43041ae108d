"""The compiled pages: one memory-mapped Arrow IPC file with the image of every page at its working scale.

A page is decoded once, and brought to where its lines are `STORED_INTERLINE` pixels apart; whatever a training shows of
it is resampled from there. Beside the pixels stand the shapes that maps are drawn from, in pixels of the stored image,
and the page as scores are computed from it, in those of the file.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from uncial.data.pages.maps import NOMINAL
from uncial.data.pages.shapes import LineShape, PageShapes, RegionShape
from uncial.data.store.arrow_file import ArrowWriter, MappedArrow
from uncial.document import Issue, Page, Region, TextLine
from uncial.errors import UserError

FORMAT_VERSION = 5
METADATA_KEY = b"uncial-pages"

WORK_INTERLINE = 2 * NOMINAL
"""Pixels between two lines at which the network sees a page: two for one of its maps."""

STORED_INTERLINE = 1.5 * WORK_INTERLINE
"""The same of a stored image, where the scan has as many: room for the larger scales of the augmentation."""

SCHEMA = pa.schema(
    [
        ("page", pa.string()),
        ("document", pa.string()),
        ("hand", pa.string()),
        ("group", pa.string()),
        ("subset", pa.string()),
        ("image_hash", pa.string()),
        ("annotated", pa.string()),
        ("layout", pa.large_string()),
        ("shapes", pa.large_string()),
        ("lines", pa.int32()),
        ("interlines", pa.float64()),
        ("scale_x", pa.float64()),
        ("scale_y", pa.float64()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("sum", pa.uint32()),
        ("pixels", pa.large_binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page of the store: `pixels` (h, w) or (h, w, 3) uint8, `scale` (x, y) its pixels for one unit of the file's
    coordinates, `shapes` in its pixels."""

    page: Page
    image_hash: str
    pixels: np.ndarray
    scale: tuple[float, float]
    shapes: PageShapes


class PageStoreWriter:
    """Writes a store at `path`; nothing lies there until `close`."""

    def __init__(self, path: Path, channels: int, digest: str) -> None:
        described = {"version": FORMAT_VERSION, "channels": channels, "digest": digest}
        self._file = ArrowWriter(path, SCHEMA, METADATA_KEY, described)

    def add(self, stored: StoredPage) -> None:
        page, pixels = stored.page, stored.pixels
        height, width = pixels.shape[:2]
        row = {
            **{name: getattr(page, name) for name in ("document", "hand", "group", "subset")},
            "page": page.id,
            "image_hash": stored.image_hash,
            "annotated": page.annotated,
            "layout": json.dumps(describe_layout(page), ensure_ascii=True),
            "shapes": json.dumps(_describe_shapes(stored.shapes)),
            "lines": len(stored.shapes.lines),
            "interlines": max(stored.shapes.size) / stored.shapes.interline,
            "scale_x": stored.scale[0],
            "scale_y": stored.scale[1],
            "height": height,
            "width": width,
            "pixels": pixels.tobytes(),
        }
        row["sum"] = zlib.crc32(row["pixels"])
        self._file.write(pa.RecordBatch.from_pylist([row], schema=SCHEMA))

    def close(self, problems: Sequence[Issue] = (), notes: Sequence[Issue] = ()) -> None:
        """Complete the file and put it in its place. `notes` are about pages in it, `problems` about others."""
        self._file.close(problems, notes)

    def abandon(self) -> None:
        """Remove what was written so far."""
        self._file.abandon()


class PageStore:
    """Compiled pages, memory-mapped: what is resident does not grow with the set. Pickles as its path."""

    def __init__(self, path: Path) -> None:
        """Raise `UserError` for a file that is no whole store of pages."""
        self.path = path
        self._open()

    def _open(self) -> None:
        try:
            self._file = MappedArrow(self.path)
            described = self._file.read_description(METADATA_KEY) or {}
            version = described["version"]
            self.problems, self.notes = self._file.read_issues()
        except (pa.ArrowInvalid, OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{self.path} is not a complete store of pages ({error}): delete it, and it is made again."
            ) from None
        if version != FORMAT_VERSION:
            raise UserError(f"{self.path} is a store of pages of another version: delete it, and it is made again.")
        self.channels: int = described["channels"]
        self.digest: str = described["digest"]
        self._table = self._file.reader.read_all()
        self._is_checked = np.zeros(len(self), dtype=bool)

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.path = state["path"]
        self._open()

    def __len__(self) -> int:
        return self._table.num_rows

    def column(self, name: str) -> list[Any]:
        """Return all values of a column other than `pixels`."""
        return self._table.column(name).to_pylist()

    def value(self, row: int, name: str) -> Any:
        return self._table.column(name)[row].as_py()

    def page(self, row: int) -> Page:
        """Return the page of a row as its file has it: its lines and regions, without any text."""
        described = json.loads(self.value(row, "layout"))
        known = {name: self.value(row, name) for name in ("page", "document", "hand", "group", "annotated")}
        return read_layout(described, known)

    def shapes(self, row: int) -> PageShapes:
        """Return the shapes of the page of a row, in pixels of its stored image."""
        return _read_shapes(
            json.loads(self.value(row, "shapes")), (self.value(row, "width"), self.value(row, "height"))
        )

    def scale(self, row: int) -> tuple[float, float]:
        """Return (x, y): pixels of the stored image for one unit of the file's coordinates."""
        return self.value(row, "scale_x"), self.value(row, "scale_y")

    def frame(self, row: int) -> tuple[float, float]:
        """Return (width, height) of the page of a row, in units of its file's coordinates."""
        (wide, high), (across, down) = (self.value(row, "width"), self.value(row, "height")), self.scale(row)
        return wide / across, high / down

    def pixels(self, row: int) -> np.ndarray:
        """Return the image of a row, (h, w) or (h, w, 3) uint8, in the mapped file. Raises `UserError` where it is not
        as it was written."""
        stored = self._table.column("pixels")[row].as_buffer()
        if not self._is_checked[row]:
            if zlib.crc32(stored) != self.value(row, "sum"):
                raise UserError(
                    f"{self.path} has changed since it was compiled: the image of page {self.value(row, 'page')} is "
                    "not as it was written (check sum). The disk or a transfer may have damaged it: delete it, and it "
                    "is made again from the images."
                )
            self._is_checked[row] = True
        size = self.value(row, "height"), self.value(row, "width")
        return np.frombuffer(stored, dtype=np.uint8).reshape(size if self.channels == 1 else (*size, self.channels))

    def let_go(self) -> None:
        """Hand back the pages of the file that were read (see `MappedArrow`)."""
        self._file.let_go()


def describe_layout(page: Page) -> dict[str, Any]:
    """Return the lines and regions of a page, without any text, in plain types that JSON takes."""
    regions = [[region.id, region.type, region.polygon] for region in page.regions]
    lines = [
        [line.id, line.baseline, line.polygon, line.box, line.region_id, line.direction, line.confidence]
        for line in page.lines
    ]
    return {"source": str(page.source), "size": [page.width, page.height], "regions": regions, "lines": lines}


def read_layout(described: Mapping[str, Any], known: Mapping[str, Any]) -> Page:
    """Return the page that `describe_layout` has described; `known` are its id (`page`), document, hand and group, and
    how far it is annotated."""
    lines = tuple(
        TextLine(
            id=name,
            page_id=known["page"],
            polygon=_to_points(polygon),
            baseline=_to_points(baseline),
            box=None if box is None else tuple(box),
            region_id=region,
            direction=direction,
            confidence=confidence,
        )
        for name, baseline, polygon, box, region, direction, confidence in described["lines"]
    )
    regions = tuple(
        Region(name, kind, _to_points(polygon), order)
        for order, (name, kind, polygon) in enumerate(described["regions"])
    )
    width, height = described["size"]
    return Page(
        id=known["page"],
        source=Path(described["source"]),
        width=width,
        height=height,
        regions=regions,
        lines=lines,
        document=known["document"],
        hand=known["hand"],
        group=known["group"],
        annotated=known.get("annotated"),
    )


def _to_points(listed: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in listed)


def _describe_shapes(shapes: PageShapes) -> dict[str, Any]:
    def numbers(points: np.ndarray) -> list[list[float]]:
        return np.round(points, 3).tolist()

    # JSON has no NaN.
    heights = [[float(side) if np.isfinite(side) else None for side in (line.up, line.down)] for line in shapes.lines]
    return {
        "interline": shapes.interline,
        "lines": [
            [numbers(line.baseline), *pair, numbers(line.words)]
            for line, pair in zip(shapes.lines, heights, strict=True)
        ],
        "regions": [[region.type, numbers(region.polygon)] for region in shapes.regions],
    }


def _read_shapes(described: Mapping[str, Any], size: tuple[int, int]) -> PageShapes:
    lines = tuple(
        LineShape(
            np.array(baseline, np.float64),
            up=float("nan") if up is None else up,
            down=float("nan") if down is None else down,
            words=np.array(words, np.float64).reshape(-1, 2, 2),
        )
        for baseline, up, down, words in described["lines"]
    )
    regions = tuple(RegionShape(kind, np.array(polygon, np.float64)) for kind, polygon in described["regions"])
    return PageShapes((float(size[0]), float(size[1])), described["interline"], lines, regions)
