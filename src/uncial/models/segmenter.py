"""Layout analysis: from the image of a page to its lines and regions.

    stored image --overview--> distance of the lines --scale--> image at 20 px an interline (B, C, H, W)
      --backbone--> features at strides 4 to 32 --neck--> (B, D, H/4, W/4) --head--> maps (B, M, H/2, W/2)
      --models.layout--> baselines, heights, polygons, regions

The network works at one distance of lines, whatever the resolution of the scan: a first look at the whole page, its
longer side `overview` pixels long, tells how far its lines are apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from uncial.data.pages.dataset import STRIDE, PageBatch
from uncial.data.pages.shapes import PageShapes
from uncial.data.pages.store import WORK_INTERLINE
from uncial.document import Page
from uncial.errors import UserError
from uncial.models.contracts import (
    DetectionHead,
    MapLoss,
    MapReader,
    Model,
    Neck,
    PageBackbone,
    PageInput,
    PageTargets,
)
from uncial.models.layout.inputs import PageContrast
from uncial.models.layout.pages import Layout, make_found_page
from uncial.models.layout.reading import RidgeReader
from uncial.models.layout.scales import find_enlargement, measure_confidence
from uncial.models.layout.targets import LinesAndRegions

MAX_PIXELS = 6_000_000
"""Of an image at its working scale: what is larger is shown smaller."""

MORE, FEWER = 1.6, 4.0
"""By which factors a page may have more or fewer lines than those of the training; too few are found out and mended."""

FIRST_LOOKS = (1.0, 0.5, 0.25)
"""Shares of `overview` at which a page is looked at until lines are seen: on a card or a snippet they are too large for
the first look."""

LOOKS = 3
"""How often a page is shown larger at most."""

MOMENTUM = 0.03
"""Weight of a batch in the statistics of batch normalisations, once there have been many."""

STEADY = 0.15
"""Spread of the distances of lines, as a part of their median, up to which no first look is taken."""


@dataclass(frozen=True)
class Scale:
    """How many interlines the longer side of a training page has: the 5th, 50th and 95th percentile of the pages."""

    few: float
    usual: float
    many: float

    @classmethod
    def of_pages(cls, ratios: Sequence[float]) -> "Scale":
        few, usual, many = np.percentile(ratios, [5, 50, 95]).tolist() if len(ratios) else (20.0, 50.0, 150.0)
        return cls(few, usual, many)

    @property
    def is_steady(self) -> bool:
        return self.many - self.few < STEADY * self.usual

    def clip(self, ratio: float) -> float:
        return float(np.clip(ratio, self.few / FEWER, self.many * MORE))


class Segmenter(Model):
    """Finds the lines and the regions on a page.

    `targets`, completed with the types of `regions`, say which maps are learned, `loss` what of them counts, and
    `reader`, completed with `find` and `find_regions`, what they say of a page. `backbone`, `neck` and `head` are
    completed with the channels of what they are given, the head with the number of maps; `input` shows pages to the
    backbone. models/contracts.py says what each has to have. `scale` holds the three numbers of `Scale`. Pages are
    shown with lines `interline` pixels apart; without an `overview` as far as they usually are in the training pages.
    """

    called = "layout model"

    backbone: PageBackbone
    neck: Neck
    head: DetectionHead
    criterion: MapLoss

    def __init__(
        self,
        backbone: Callable[..., nn.Module],
        neck: Callable[..., nn.Module],
        head: Callable[..., nn.Module],
        loss: Callable[..., nn.Module],
        regions: Sequence[str],
        scale: Sequence[float],
        channels: int = 1,
        overview: int | None = 640,
        interline: float = WORK_INTERLINE,
        find: Mapping[str, float | None] | None = None,
        find_regions: Mapping[str, float] | None = None,
        targets: Callable[..., Any] | None = None,
        reader: Callable[..., Any] | None = None,
        input: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.scale, self.channels, self.overview, self.interline = Scale(*scale), channels, overview, interline
        given: dict[str, Any] = {"find": find, "find_regions": find_regions}
        how = {name: keys for name, keys in given.items() if keys is not None}
        self.plan = _check(PageTargets, "targets", (targets or LinesAndRegions)(regions=tuple(regions)), TARGETS)
        self.reader = _check(MapReader, "reader", (reader or RidgeReader)(**how), READER)
        self.input = _check(PageInput, "input", (input or PageContrast)(in_channels=channels), "channels")
        features = _complete("backbone", backbone, in_channels=self.input.channels)
        features = _check(PageBackbone, "backbone", features, "channels and strides")
        self.backbone = features
        joined = _complete("neck", neck, in_channels=list(features.channels), strides=list(features.strides))
        self.neck = _check(Neck, "neck", joined, "out_channels and stride")
        drawn = _complete("head", head, in_channels=self.neck.out_channels, maps=len(self.plan.names))
        self.head = _check(DetectionHead, "head", drawn, "scale")
        self.criterion = _check(MapLoss, "loss", loss(), "maps")
        _check_maps("loss", self.criterion, self.plan)
        _check_maps("reader", self.reader, self.plan)
        self.stride = max(1, self.neck.stride // self.head.scale)
        self._norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) uint8, H and W multiples of 32, to maps (B, maps, H / stride, W / stride)."""
        if self.training:
            self._average_statistics()
        seen = self.input(images).contiguous(memory_format=torch.channels_last)
        return self.head(self.neck(self.backbone(seen)))

    def _average_statistics(self) -> None:
        """Let normalisations take their statistics over many batches, of a page or two each: over all at first."""
        if self._norms and self._norms[0].momentum != MOMENTUM:
            count = int(self._norms[0].num_batches_tracked or 0)
            for norm in self._norms:
                norm.momentum = max(MOMENTUM, 1 / (count + 1))

    def loss(self, batch: PageBatch) -> dict[str, Tensor]:
        """Return the losses of a batch; of pages that are to be scored those at the scale that is found for them."""
        if not batch.sheets:
            return dict(self.criterion(self(batch.images), batch.maps, batch.near_line, self.plan))
        return self.evaluate(batch)[0]

    @torch.no_grad()
    def predict(self, batch: PageBatch) -> list[Page]:
        """Return each page with the lines and regions that were found on it, in coordinates of its file."""
        return self.evaluate(batch)[1]

    @torch.no_grad()
    def evaluate(self, batch: PageBatch) -> tuple[dict[str, Tensor], list[Page]]:
        losses: list[dict[str, Tensor]] = []
        pages = []
        for sheet, shapes, page, scale in zip(batch.sheets, batch.shapes, batch.pages, batch.scales, strict=True):
            layout, maps, factor = self._look(sheet)
            losses.append(self._compare(maps, shapes, factor))
            pages.append(make_found_page(layout.scaled(self.stride / factor), page, scale))
        total = {name: torch.stack([one[name] for one in losses]).mean() for name in losses[0]}
        return total, pages

    def _compare(self, maps: Tensor, shapes: PageShapes, factor: float) -> dict[str, Tensor]:
        wanted = self.plan.draw(shapes.scaled(factor / self.stride))
        height, width = (min(a, b) for a, b in zip(maps.shape[1:], wanted.near_line.shape, strict=True))
        values = torch.from_numpy(wanted.values[:, :height, :width])[None].to(maps.device)
        near = torch.from_numpy(wanted.near_line[:height, :width])[None].to(maps.device)
        return dict(self.criterion(maps[None, :, :height, :width], values, near, self.plan))

    @torch.no_grad()
    def find(self, sheet: np.ndarray) -> Layout:
        """Return what is found on the image of a page, (h, w) or (h, w, 3) uint8, in its pixels."""
        layout, _, factor = self._look(sheet)
        return layout.scaled(self.stride / factor)

    def _look(self, sheet: np.ndarray) -> tuple[Layout, Tensor, float]:
        """Return what is found on a page, in pixels of the maps, the maps, and by which factor the page was scaled.

        A page with far more lines than those of the training, whose first look cannot tell their distance, is looked at
        larger, as long as the model is surer of what it sees there."""
        maps, factor = self.compute_maps(sheet, self.interline / self.estimate_interline(sheet))
        best = self.read_maps(maps.float().cpu())
        for _ in range(LOOKS if self.overview is not None and not self.scale.is_steady else 0):
            larger = find_enlargement(best, self.interline / self.stride)
            if larger is None:
                break
            seen, enlarged = self.compute_maps(sheet, factor * larger)
            layout = self.read_maps(seen.float().cpu())
            if enlarged <= factor or measure_confidence(layout) <= measure_confidence(best):
                break
            best, maps, factor = layout, seen, enlarged
        return best, maps, factor

    def estimate_interline(self, sheet: np.ndarray) -> float:
        """Return how far apart the lines of a page are, in pixels of its image: what a first look at it tells, kept
        near to what the training pages had."""
        longest = float(max(sheet.shape[:2]))
        if self.overview is None or self.scale.is_steady:
            return longest / self.scale.usual
        for share in FIRST_LOOKS:
            maps, factor = self.compute_maps(sheet, share * self.overview / longest)
            measured = self.reader.measure_interline(maps.float(), self.plan)
            if measured is not None:
                interline = measured * self.stride / factor
                return longest / self.scale.clip(longest / max(interline, 1e-3))
        return longest / self.scale.usual

    def compute_maps(self, sheet: np.ndarray, factor: float) -> tuple[Tensor, float]:
        """Return the maps (maps, h / stride, w / stride) of a page that is shown `factor` times as large as it is,
        or as large as can be; and by which factor that was."""
        height, width = sheet.shape[:2]
        factor = min(factor, (MAX_PIXELS / (height * width)) ** 0.5)
        size = max(2, round(width * factor)), max(2, round(height * factor))
        shown = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        shown = shown.reshape(size[1], size[0], -1)
        below, beside = -size[1] % STRIDE, -size[0] % STRIDE
        padded = np.pad(shown, ((0, below), (0, beside), (0, 0)), mode="edge")
        images = torch.from_numpy(padded.transpose(2, 0, 1)[None].copy()).to(next(self.parameters()).device)
        return self(images)[0, :, : -(-size[1] // self.stride), : -(-size[0] // self.stride)], factor

    def read_maps(self, maps: Tensor) -> Layout:
        """Return what the maps (maps, h, w) of a page say, in their pixels."""
        return self.reader.read(maps, self.plan)

    def card(self) -> dict[str, Any]:
        """Return the types of regions, and how far apart the lines of the training pages were."""
        return {
            "regions": list(self.plan.regions),
            "scale": [self.scale.few, self.scale.usual, self.scale.many],
        }

    @classmethod
    def known_from_card(cls, card: Mapping[str, Any]) -> dict[str, Any]:
        """Return the types of regions and the distances of lines that a model's file states."""
        regions, scale = card.get("regions"), card.get("scale")
        is_named = isinstance(regions, list) and all(isinstance(name, str) for name in regions)
        if not is_named or not isinstance(scale, list) or not _are_lengths(scale):
            raise UserError(
                "the file lacks the types of its regions or its scale; it may be damaged, use another copy."
            )
        return {"regions": regions, "scale": scale}

    def check_usable(self) -> None:
        """Raise `UserError` where the model cannot look at a page."""
        try:
            maps, _ = self.compute_maps(np.full((64, 64) if self.channels == 1 else (64, 64, 3), 255, np.uint8), 1.0)
        except Exception as error:  # whatever a part makes of settings that fit no other
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(f"the model cannot look at a page ({reason}); use another copy of the file.") from error
        if not bool(maps.isfinite().all()):
            raise UserError("the model's outputs are NaN or Inf, as after a training that diverged; use another model.")


TARGETS = "regions, names, place(name) and draw(shapes, annotated)"
READER = "maps, finding, read(maps, plan) and measure_interline(maps, plan)"


def _complete(name: str, part: Callable[..., nn.Module], **known: Any) -> Any:
    """Return a part of the config with what stands before it. Raises `UserError` for one that is made otherwise, as
    those of recognisers are."""
    try:
        signature(part).bind(**known)
    except TypeError as error:
        made = getattr(getattr(part, "func", part), "__name__", type(part).__name__)
        raise UserError(
            f"model.{name}: {made} is no {name} of a layout model, which is made with {' and '.join(known)} ({error}): "
            "leave it out, or choose another."
        ) from None
    return part(**known)


def _check(kind: type[Any], name: str, part: Any, wanted: str) -> Any:
    """Return a part of the model. Raises `UserError` for one that lacks what models/contracts.py asks of it."""
    if not isinstance(part, kind):
        raise UserError(f"model.{name}: {type(part).__name__} is no {name} of a layout model; it needs {wanted}.")
    return part


def _check_maps(name: str, part: MapLoss | MapReader, plan: PageTargets) -> None:
    """Raise `UserError` where a part asks for maps that the targets do not draw."""
    if missing := [one for one in part.maps if one not in plan.names]:
        raise UserError(
            f"model.{name}: {type(part).__name__} asks for {', '.join(missing)}, and model.targets, "
            f"{type(plan).__name__}, draws {', '.join(plan.names)}: choose parts of one model."
        )


def _are_lengths(scale: Sequence[Any]) -> bool:
    return len(scale) == 3 and all(isinstance(one, int | float) and 0 < one < 1e6 for one in scale)
