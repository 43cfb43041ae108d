"""Pages as a torch dataset, and the batch that is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from uncial.data.augmentation.page import PageAugmentation
from uncial.data.lines.sampler import SampleIndex
from uncial.data.pages.maps import Drawer
from uncial.data.pages.region_types import RegionTypes
from uncial.data.pages.shapes import PageShapes
from uncial.data.pages.store import WORK_INTERLINE, PageStore
from uncial.data.pages.warp import Warp
from uncial.document import Page

STRIDE = 32
"""Width and height of what the network is shown are multiples of it."""

NEAR_TEXT = 0.7
"""Share of the windows that are laid around a place on a line."""


@dataclass(frozen=True, slots=True)
class PageBatch:
    """Windows of pages to train on, or whole pages to be scored.

    In training `images` (B, C, H, W) uint8 are windows at their working scale, padded to one size, with the `maps`
    (B, maps, H/2, W/2) float32 that are to be learned, NaN where the page does not say, and `near_line` (B, H/2, W/2)
    bool. In evaluation these are empty, and `sheets` hold the stored images, (h, w) or (h, w, 3) uint8, `shapes` what
    stands on them in their pixels, `pages` the ground truth in coordinates of its file, of which one unit is `scales`
    (x, y) of those pixels. The rest is as in `models.contracts.Batch`.
    """

    images: Tensor
    maps: Tensor
    near_line: Tensor
    indices: list[int]
    sheets: list[np.ndarray] = field(default_factory=list)
    shapes: list[PageShapes] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    scales: list[tuple[float, float]] = field(default_factory=list)
    loss_weight: float = 1.0
    infeasible: tuple[int, ...] = ()

    def to(self, device: torch.device | str, **how: Any) -> "PageBatch":
        """Return the batch with its tensors on a device."""
        images, maps, near = (tensor.to(device, **how) for tensor in (self.images, self.maps, self.near_line))
        return replace(self, images=images, maps=maps, near_line=near)

    def select(self, position: int) -> "PageBatch":
        """Return the batch of its page at `position` only."""
        own = slice(position, position + 1)
        return PageBatch(
            self.images[own],
            self.maps[own],
            self.near_line[own],
            self.indices[own],
            self.sheets[own],
            self.shapes[own],
            self.pages[own],
            self.scales[own],
        )


@dataclass(frozen=True)
class View:
    """What a training shows of a page: windows of at most `crop` pixels in which lines are `interline` apart, and for a
    share `overviews` of the views the whole page, its longer side `overview` pixels long, as one is shown on which the
    scale is still to be found. One pixel of the maps is `stride` of the window."""

    crop: int = 768
    overview: int = 640
    overviews: float = 0.25
    interline: float = WORK_INTERLINE
    stride: int = 2


class TrainingPages(Dataset[PageBatch]):
    """Windows of the pages of a store, varied. What is shown is a function of (seed, epoch, page) alone."""

    def __init__(
        self,
        store: PageStore,
        rows: np.ndarray,
        plan: Drawer,
        augmentation: PageAugmentation,
        view: View,
        seed: int,
        annotated: str = "page",
        types: RegionTypes | None = None,
    ) -> None:
        """`annotated` is what the ground truth says of a page: `page`, all; `regions`, what lies in its regions;
        `lines`, its lines and what is next to them; what the store says of a page goes before it. `types` name its
        regions."""
        self.store, self.rows, self.plan, self.augmentation = store, rows, plan, augmentation
        self.view, self.seed, self.annotated, self.types = view, seed, annotated, types or RegionTypes()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, pick: SampleIndex) -> PageBatch:
        return self.__getitems__([pick])

    def __getitems__(self, picks: Sequence[SampleIndex]) -> PageBatch:
        rows = [int(self.rows[pick.position]) for pick in picks]
        shown = [self._show(row, pick.epoch) for row, pick in zip(rows, picks, strict=True)]
        drawn = [self._draw(shapes, row) for row, (_, shapes) in zip(rows, shown, strict=True)]
        self.store.let_go()
        return PageBatch(
            images=_stack([image if image.ndim == 3 else image[:, :, None] for image, _ in shown]).permute(0, 3, 1, 2),
            maps=_stack([values.transpose(1, 2, 0) for values, _ in drawn]).permute(0, 3, 1, 2),
            near_line=_stack([near for _, near in drawn]),
            indices=rows,
            loss_weight=picks[0].share,
        )

    def _show(self, row: int, epoch: int) -> tuple[np.ndarray, PageShapes]:
        random = np.random.default_rng((self.seed, epoch, row))
        shapes, pixels = self.types.rename_shapes(self.store.shapes(row)), self.store.pixels(row)
        is_overview = random.random() < self.view.overviews
        factor = self.view.overview / max(shapes.size) if is_overview else self.view.interline / shapes.interline
        warp = self.augmentation.warp.draw(shapes.size, shapes.interline, factor, random)
        most = 2 * self.view.overview if is_overview else self.view.crop
        window = choose_window(warp, shapes, most, random)
        fill = int(random.choice([0, 255, int(np.median(pixels[:: max(1, len(pixels) - 1)]))]))
        image = warp.sample(pixels, window, fill)
        image = self.augmentation(np.ascontiguousarray(image), self.seed, epoch, row)
        return image, warp.move_shapes(shapes, window)

    def _draw(self, shapes: PageShapes, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the maps (maps, h / stride, w / stride) of what is shown, and where lines are, likewise (h, w)."""
        annotated = self.store.value(row, "annotated") or self.annotated
        found = self.plan.draw(shapes.scaled(1 / self.view.stride), annotated)
        return found.values, found.near_line


def choose_window(warp: Warp, shapes: PageShapes, most: int, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Return the part (left, top, width, height) of a sheet that is shown: the page, or where it is larger than `most`
    pixels a part of it, mostly around a place on one of its lines."""
    width, height = shapes.size
    corners = warp.move(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
    low, high = np.round(corners.min(axis=0)), np.round(corners.max(axis=0))
    centre = random.uniform(low, high)
    if shapes.lines and random.random() < NEAR_TEXT:
        baseline = shapes.lines[int(random.integers(len(shapes.lines)))].baseline
        centre = warp.move(baseline[[0]] + random.random() * (baseline[[-1]] - baseline[[0]]))[0]
        centre = centre + random.uniform(-0.25, 0.25, 2) * most
    size = np.minimum(-(-(high - low) // STRIDE) * STRIDE, most // STRIDE * STRIDE)
    start = np.clip(np.rint(centre - size / 2), low, np.maximum(low, high - size))
    return int(start[0]), int(start[1]), int(size[0]), int(size[1])


def _stack(arrays: Sequence[np.ndarray]) -> Tensor:
    """Return arrays (h, w, …) as one tensor (B, H, W, …), those that are smaller with zeros behind their ends."""
    height, width = (max(array.shape[axis] for array in arrays) for axis in (0, 1))
    stacked = np.zeros((len(arrays), height, width, *arrays[0].shape[2:]), arrays[0].dtype)
    for place, array in zip(stacked, arrays, strict=True):
        place[: array.shape[0], : array.shape[1]] = array
    return torch.from_numpy(stacked)


class WholePages(Dataset[PageBatch]):
    """Whole pages of a store, to be scored."""

    def __init__(
        self, store: PageStore, rows: np.ndarray, types: RegionTypes | None = None, annotated: str = "page"
    ) -> None:
        """`types` and `annotated` are those of `TrainingPages`."""
        self.store, self.rows, self.types, self.annotated = store, rows, types or RegionTypes(), annotated

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, pick: SampleIndex) -> PageBatch:
        return self.__getitems__([pick])

    def __getitems__(self, picks: Sequence[SampleIndex]) -> PageBatch:
        rows = [int(self.rows[pick.position]) for pick in picks]
        nothing = torch.zeros(0)
        batch = PageBatch(
            images=nothing,
            maps=nothing,
            near_line=nothing,
            indices=rows,
            sheets=[np.array(self.store.pixels(row)) for row in rows],
            shapes=[self.types.rename_shapes(self.store.shapes(row)) for row in rows],
            pages=[self.page(row) for row in rows],
            scales=[self.store.scale(row) for row in rows],
            loss_weight=picks[0].share,
        )
        self.store.let_go()
        return batch

    def page(self, row: int) -> Page:
        """Return the ground truth of a row of the store, its regions renamed, and how far it is annotated."""
        page = self.types.rename_page(self.store.page(row))
        return replace(page, annotated=page.annotated or self.annotated)
