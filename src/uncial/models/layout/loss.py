"""What a layout model is penalised for, map by map.

The parts and weights are those of LayoutLoss's arguments. Probabilities learn by cross entropy, weighted where lines
are near each other, and by Dice, which does not care how rare a class is; directions by the cosine; heights and the
distance of the lines by a smooth absolute difference, in the bands of lines alone. All is computed in fp32, and what a
page does not say (NaN) counts for nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.data.pages.maps import LINE_MAPS, MapPlan

DICE = 0.5
"""Weight of the Dice loss beside the cross entropy."""

NEAR = 2.0
"""How much more a pixel in the band of a line counts for the maps of lines than one far from any."""


class LayoutLoss(nn.Module):
    """The weighted sum of the losses of all maps, and its parts."""

    def __init__(
        self,
        ridge: float = 1.0,
        bars: float = 0.7,
        direction: float = 0.3,
        heights: float = 0.5,
        interline: float = 0.2,
        regions: float = 1.0,
        edges: float = 0.5,
        positive: float = 3.0,
    ) -> None:
        """The weights of the parts; `positive` is how much more a pixel of a ridge or bar counts than one of none."""
        super().__init__()
        self.weights = {
            "ridge": ridge,
            "bars": bars,
            "direction": direction,
            "heights": heights,
            "interline": interline,
            "regions": regions,
            "edges": edges,
        }
        self.positive = positive
        self.maps = (*LINE_MAPS, "region_edge")

    def forward(self, found: Tensor, wanted: Tensor, near_line: Tensor, plan: MapPlan) -> dict[str, Tensor]:
        """Compare maps as the head gives them with those of the truth, (B, maps, h, w) each; `near_line` is (B, h, w).
        `loss` is the sum, the others are its parts without their weights."""
        found, wanted = found.float(), wanted.float()
        near = 1.0 + (NEAR - 1.0) * near_line[:, None].float()
        place = {name: plan.place(name) for name in LINE_MAPS}
        bars = [place["start"], place["end"]]
        parts = {
            "ridge": self._probabilities(found[:, [place["ridge"]]], wanted[:, [place["ridge"]]], near),
            "bars": self._probabilities(found[:, bars], wanted[:, bars], near),
            "direction": _compare_directions(
                found[:, [place["along_x"], place["along_y"]]], wanted[:, [place["along_x"], place["along_y"]]]
            ),
            "heights": _compare_numbers(
                found[:, [place["up"], place["down"]]], wanted[:, [place["up"], place["down"]]]
            ),
            "interline": _compare_interlines(found[:, place["interline"]], wanted[:, place["interline"]], near_line),
        }
        of_regions = slice(len(LINE_MAPS), len(LINE_MAPS) + len(plan.regions))
        if plan.regions:
            parts["regions"] = _compare_areas(found[:, of_regions], wanted[:, of_regions])
            parts["edges"] = self._probabilities(found[:, -1:], wanted[:, -1:], torch.ones_like(near))
        total = sum((self.weights[name] * part for name, part in parts.items()), found.new_zeros(()))
        return {"loss": total, **parts}

    def _probabilities(self, found: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
        known = wanted.isfinite()
        wanted = torch.where(known, wanted, 0.0)
        weight = known * weight * (1.0 + (self.positive - 1.0) * wanted)
        entropy = functional.binary_cross_entropy_with_logits(found, wanted, reduction="none")
        mean = (entropy * weight).sum() / weight.sum().clamp(min=1.0)
        return mean + DICE * _compute_dice(found.sigmoid() * known, wanted)


def _compute_dice(found: Tensor, wanted: Tensor) -> Tensor:
    """Return 1 less the Dice coefficient of each map, all pages together; their mean over maps that are anywhere."""
    both = (found * wanted).sum(dim=(0, 2, 3))
    each = (found * found).sum(dim=(0, 2, 3)) + (wanted * wanted).sum(dim=(0, 2, 3))
    is_anywhere = wanted.sum(dim=(0, 2, 3)) > 0
    losses = torch.where(is_anywhere, 1.0 - 2.0 * both / each.clamp(min=1e-6), 0.0)
    return losses.sum() / is_anywhere.sum().clamp(min=1)


def _compare_areas(found: Tensor, wanted: Tensor) -> Tensor:
    known = wanted.isfinite()
    wanted = torch.where(known, wanted, 0.0)
    entropy = functional.binary_cross_entropy_with_logits(found, wanted, reduction="none")
    mean = (entropy * known).sum() / known.sum().clamp(min=1)
    return mean + DICE * _compute_dice(found.sigmoid() * known, wanted)


def _compare_directions(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean of 1 less the cosine between two fields of vectors (B, 2, h, w)."""
    known = wanted[:, 0].isfinite()
    wanted = torch.where(known[:, None], wanted, 0.0)
    length = (found * found).sum(dim=1).add(1e-6).sqrt()
    cosine = (found * wanted).sum(dim=1) / length
    # Of length one, or the field is without a direction where it vanishes.
    stray = (length - 1.0).square()
    return (known * (1.0 - cosine + 0.1 * stray)).sum() / known.sum().clamp(min=1)


def _compare_numbers(found: Tensor, wanted: Tensor) -> Tensor:
    known = wanted.isfinite()
    difference = functional.smooth_l1_loss(
        found, torch.where(known, wanted, found.detach()), reduction="none", beta=0.1
    )
    return (difference * known).sum() / known.sum().clamp(min=1)


def _compare_interlines(found: Tensor, wanted: Tensor, near_line: Tensor) -> Tensor:
    difference = functional.smooth_l1_loss(found, wanted, reduction="none", beta=0.1)
    return (difference * near_line).sum() / near_line.sum().clamp(min=1)
