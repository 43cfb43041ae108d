"""DBNet (Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020): maps of words, or of
lines that are not divided into words, what is learned of them, and how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.data.pages.maps import SHIFT, PageMaps, draw_told
from uncial.data.pages.shapes import PageShapes
from uncial.models.contracts import PageTargets, PlainPart
from uncial.models.layout.bands import Band, add_ends, list_bands
from uncial.models.layout.boxes import Component, FoundBand, find_components, read_lines, split_find_keys
from uncial.models.layout.hard_negatives import choose_pixels
from uncial.models.layout.pages import Layout

SHRINK = 0.4
"""By which ratio r bands are shrunk: by area x (1 - r^2) / perimeter."""

LOW, HIGH = 0.3, 0.7
"""Thresholds far from the border of a band, and on it."""

STEEPNESS = 50.0
"""Of the step from the threshold to text: k in sigmoid(k (P - T))."""


def compute_shrinking(length: float, height: float) -> float:
    """Return by how many pixels a band of this length and height is shrunk on all sides."""
    return length * height * (1 - SHRINK**2) / (2 * (length + height))


def compute_growth(length: float, height: float) -> float:
    """Return by how many pixels a band was shrunk that has this length and height: the inverse of
    `compute_shrinking`."""
    # With the distance d the band was (length + 2 d) x (height + 2 d), of which d is area x c / perimeter.
    kept, perimeter, area = 1 - SHRINK**2, 2 * (length + height), length * height
    a, b = 8 - 4 * kept, (1 - kept) * perimeter
    return float((-b + np.sqrt(b * b + 4 * a * kept * area)) / (2 * a))


@dataclass(frozen=True)
class ShrunkBands(PlainPart):
    """`probability`: 1 within the shrunk bands; `threshold`: how near their own borders are, beside them unknown."""

    regions: tuple[str, ...] = ()
    names = ("probability", "threshold")

    def __post_init__(self) -> None:
        object.__setattr__(self, "regions", ())

    def place(self, name: str) -> int:
        return self.names.index(name)

    def draw(self, shapes: PageShapes, annotated: str = "page") -> PageMaps:
        """Draw the maps as `data.pages.maps.Drawer` says."""
        width, height = (max(1, round(side)) for side in shapes.size)
        values = np.zeros((2, height, width), np.float32)
        near = np.zeros((height, width), np.uint8)
        reach = np.zeros((height, width), np.float32)
        borders = np.full((height, width), 255, np.uint8)
        for band in list_bands(shapes):
            distance = compute_shrinking(band.length, 2 * band.half)
            # Those pixels whose middle lies within: filling takes those on the border too.
            _fill(values[0], band, max(-distance - 0.5, 0.1 - band.half), 1.0)
            _fill(near, band, 0.0, 1)
            _fill(reach, band, distance, max(distance, 1.0))
            cv2.polylines(borders, [_to_fixed_point(band.outline())], True, 0, 1, cv2.LINE_8, SHIFT)
        away = cv2.distanceTransform(borders, cv2.DIST_L2, 5)
        closeness = np.clip(1 - away / np.maximum(reach, 1e-6), 0, 1)
        values[1] = np.where(reach > 0, LOW + (HIGH - LOW) * closeness, np.nan)
        if annotated != "page":
            values[:, ~draw_told(shapes, annotated, (height, width))] = np.nan
        return PageMaps(values, near > 0)


def _fill(image: np.ndarray, band: Band, more: float, value: float) -> None:
    cv2.fillPoly(image, [_to_fixed_point(band.outline(more))], value, cv2.LINE_8, SHIFT)


def _to_fixed_point(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << SHIFT)).astype(np.int32)


class BinarizationLoss(nn.Module):
    """Cross entropy of the probability on text and three times as much of what is hardest beside it; the absolute
    difference of the threshold; Dice of the text that both make."""

    def __init__(
        self, probability: float = 1.0, threshold: float = 10.0, binary: float = 1.0, ratio: float = 3.0
    ) -> None:
        """The weights of the parts; `ratio` is how many pixels beside text count for each on text."""
        super().__init__()
        self.weights = {"probability": probability, "threshold": threshold, "binary": binary}
        self.ratio, self.maps = ratio, ShrunkBands.names

    def forward(self, found: Tensor, wanted: Tensor, near_line: Tensor, plan: PageTargets) -> dict[str, Tensor]:
        """Compare maps (B, 2, h, w), logarithms of odds, with those of the truth. `loss` is the sum, the others are its
        parts without their weights."""
        found, wanted = found.float(), wanted.float()
        logits, text = found[:, plan.place("probability")], wanted[:, plan.place("probability")]
        threshold, border = found[:, plan.place("threshold")].sigmoid(), wanted[:, plan.place("threshold")]
        known, near = text.isfinite(), border.isfinite()
        text = torch.where(known, text, 0.0)
        entropy = functional.binary_cross_entropy_with_logits(logits, text, reduction="none")
        binary = torch.sigmoid(STEEPNESS * (logits.sigmoid() - threshold))
        both, each = (binary * text * known).sum(), (binary * known).sum() + text.sum()
        parts = {
            "probability": choose_pixels(entropy, text > 0.5, known, self.ratio),
            "threshold": (torch.where(near, threshold - border, 0.0).abs()).sum() / near.sum().clamp(min=1),
            "binary": torch.where(text.sum() > 0, 1 - 2 * both / each.clamp(min=1e-6), 0.0),
        }
        total = sum((self.weights[name] * part for name, part in parts.items()), found.new_zeros(()))
        return {"loss": total, **parts}


class BinarizationReader(PlainPart):
    """Components of the probability, grown to what they were before they were shrunk."""

    maps = ("probability",)

    def __init__(self, find: Mapping[str, float | None] | None = None) -> None:
        defaults = {"threshold": 0.3, "min_confidence": 0.5, "unclip": None, "below": 0.3}
        keys, self.finding = split_find_keys(find or {}, defaults)
        self.threshold, self.min_confidence, self.unclip, self.below = (keys[name] for name in defaults)

    def read(self, maps: Tensor, plan: PageTargets) -> Layout:
        """Return what the maps (2, h, w) of a page say, in their pixels."""
        values = maps[plan.place("probability")].float().sigmoid().numpy()
        found = [
            self._grow(component)
            for component, _ in find_components(values > self.threshold, values, 3)
            if component.confidence >= self.min_confidence
        ]
        return read_lines(found, (values.shape[0], values.shape[1]), self.finding, self.below)

    def _grow(self, component: Component) -> FoundBand:
        length = max(component.length, 1.0)
        height = component.area / length
        distance = (
            compute_growth(length, height)
            if self.unclip is None
            else self.unclip * length * height / (2 * (length + height))
        )
        return FoundBand(Band(add_ends(component.axis, distance), height / 2 + distance), component.confidence)

    def measure_interline(self, maps: Tensor, plan: PageTargets) -> float | None:
        """Return None: the maps do not tell how far lines are apart."""
        return None
