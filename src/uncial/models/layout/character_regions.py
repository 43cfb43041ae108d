"""CRAFT (Baek et al., Character Region Awareness for Text Detection, 2019): maps of characters and of what joins them,
what is learned of them, and how they are read.

No ground truth states where characters are: words, and lines that are not divided into words, are cut into boxes as
wide as characters usually are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from uncial.data.pages.maps import SHIFT, PageMaps, draw_told
from uncial.data.pages.shapes import PageShapes
from uncial.models.contracts import PageTargets, PlainPart
from uncial.models.layout.bands import Band, add_ends, list_bands
from uncial.models.layout.boxes import Component, FoundBand, find_components, read_lines, split_find_keys
from uncial.models.layout.hard_negatives import choose_pixels
from uncial.models.layout.pages import Layout

CHARACTER_WIDTH = 0.5
"""Of a box, in heights of its line."""

DEVIATION = 0.25
"""Of a Gaussian, in sides of its box."""

JOINED = 2 / 3
"""Height of what joins two characters, in heights of theirs."""

TEXT = 0.1
"""Least height of a Gaussian that counts as text."""


@dataclass(frozen=True)
class CharacterGaussians(PlainPart):
    """`region`: a Gaussian on each character; `affinity`: one between two characters that follow each other."""

    regions: tuple[str, ...] = ()
    names = ("region", "affinity")

    def __post_init__(self) -> None:
        object.__setattr__(self, "regions", ())

    def place(self, name: str) -> int:
        return self.names.index(name)

    def draw(self, shapes: PageShapes, annotated: str = "page") -> PageMaps:
        """Draw the maps as `data.pages.maps.Drawer` says."""
        width, height = (max(1, round(side)) for side in shapes.size)
        pieces = np.array([row for band in list_bands(shapes) for row in _list_pieces(band)]).reshape(-1, 8)
        label = _label_pieces(pieces, (height, width))
        rows, columns = np.nonzero(label)
        own = pieces[label[rows, columns] - 1]
        values = np.zeros((2, height, width), np.float32)
        values[:, rows, columns] = _compute_gaussians(np.stack([columns, rows], axis=1), own)
        if annotated != "page":
            values[:, ~draw_told(shapes, annotated, (height, width))] = np.nan
        return PageMaps(values, label > 0)


def _list_pieces(band: Band) -> list[list[float]]:
    """Rows (x, y, x', y', way from the beginning, height, width of a character, characters) of the pieces of a band."""
    height, done, found = 2 * band.half, 0.0, []
    count = max(1, round(band.length / (CHARACTER_WIDTH * height)))
    for start, end in pairwise(band.axis):
        found.append([*start, *end, done, height, band.length / count, count])
        done += float(np.hypot(*(end - start)))
    return found


def _label_pieces(pieces: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (h, w) to which piece each pixel belongs, counted from 1, and 0 where it belongs to none."""
    label = np.zeros(size, np.int32)
    for number, piece in enumerate(pieces, 1):
        first, last = (np.round(piece[place : place + 2] * (1 << SHIFT)).astype(int).tolist() for place in (0, 2))
        cv2.line(label, first, last, number, max(1, round(piece[5])), cv2.LINE_8, SHIFT)
    return label


def _compute_gaussians(points: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Return both maps (2, N) at points (N, 2), each of which belongs to a piece."""
    start, end, done, height, width, count = (pieces[:, part] for part in (slice(0, 2), slice(2, 4), 4, 5, 6, 7))
    along = (end - start) / np.maximum(np.hypot(*(end - start).T), 1e-9)[:, None]
    away = points - start
    place = (done + (away * along).sum(axis=1)) / width
    aside = (away[:, 1] * along[:, 0] - away[:, 0] * along[:, 1]) / height
    middle = np.clip(np.floor(place), 0, count - 1) + 0.5
    between = np.clip(np.rint(place), 1, np.maximum(count - 1, 1))
    region = np.exp(-((place - middle) ** 2 + aside**2) / (2 * DEVIATION**2))
    affinity = np.exp(-((place - between) ** 2 + (aside / JOINED) ** 2) / (2 * DEVIATION**2))
    return np.stack([region, np.where(count > 1, affinity, 0.0)])


class CharacterLoss(nn.Module):
    """The squared difference of both maps, on text and on three times as much of what is worst beside it."""

    def __init__(self, region: float = 1.0, affinity: float = 1.0, ratio: float = 3.0) -> None:
        """The weights of the maps; `ratio` is how many pixels beside text count for each on text."""
        super().__init__()
        self.weights, self.ratio = {"region": region, "affinity": affinity}, ratio
        self.maps = CharacterGaussians.names

    def forward(self, found: Tensor, wanted: Tensor, near_line: Tensor, plan: PageTargets) -> dict[str, Tensor]:
        """Compare maps (B, 2, h, w) with those of the truth. `loss` is the sum, the others are its parts without their
        weights."""
        found, wanted = found.float(), wanted.float()
        parts = {}
        for name in self.weights:
            seen, truth = found[:, plan.place(name)], wanted[:, plan.place(name)]
            known = truth.isfinite()
            truth = torch.where(known, truth, 0.0)
            parts[name] = choose_pixels((seen - truth).square(), truth > TEXT, known, self.ratio)
        total = sum((self.weights[name] * part for name, part in parts.items()), found.new_zeros(()))
        return {"loss": total, **parts}


class CharacterReader(PlainPart):
    """Characters that are joined make a word, or a line where a model has learned lines."""

    maps = CharacterGaussians.names

    def __init__(self, find: Mapping[str, float | None] | None = None) -> None:
        defaults = {"text_threshold": 0.7, "low_text": 0.4, "link_threshold": 0.4, "below": 0.3}
        keys, self.finding = split_find_keys(find or {}, defaults)
        self.text_threshold, self.low_text, self.link_threshold, self.below = (keys[name] for name in defaults)

    def read(self, maps: Tensor, plan: PageTargets) -> Layout:
        """Return what the maps (2, h, w) of a page say, in their pixels."""
        region, affinity = (maps[plan.place(name)].float().numpy() for name in self.maps)
        found = []
        for component, pixels in find_components(
            (region > self.low_text) | (affinity > self.link_threshold), region, 3
        ):
            surest = float(region.ravel()[pixels].max())
            if surest >= self.text_threshold:
                found.append(FoundBand(self._measure(component), min(surest, 1.0)))
        return read_lines(found, (region.shape[0], region.shape[1]), self.finding, self.below)

    def _measure(self, component: Component) -> Band:
        """Return the band of which the Gaussians above `low_text` are seen."""
        seen = 2 * DEVIATION * float(np.sqrt(2 * np.log(1 / min(max(self.low_text, 1e-3), 0.99))))
        height = float(np.percentile(component.thickness, 80)) / max(seen, 0.05)
        return Band(add_ends(component.axis, (1 - seen) / 2 * CHARACTER_WIDTH * height), max(height / 2, 0.5))

    def measure_interline(self, maps: Tensor, plan: PageTargets) -> float | None:
        """Return None: the maps do not tell how far lines are apart."""
        return None
