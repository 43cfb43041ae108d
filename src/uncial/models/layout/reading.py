"""From the maps of the model `layout` and its like to lines and regions."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from uncial.data.pages.maps import LINE_MAPS, NOMINAL
from uncial.models.contracts import PageTargets, PlainPart
from uncial.models.layout.fragments import LineMaps
from uncial.models.layout.lines import FindSettings, find_lines
from uncial.models.layout.outlines import outline_lines
from uncial.models.layout.pages import Layout
from uncial.models.layout.regions import RegionSettings, find_regions

SEEN = 0.3
"""Probability of a ridge from which on a place counts as one on a line."""

PROBABILITIES = ("ridge", "start", "end", "region_edge")


class RidgeReader(PlainPart):
    """Lines along the ridges, which end at bars; regions where they are likelier than not."""

    maps = (*LINE_MAPS, "region_edge")

    def __init__(
        self, find: Mapping[str, float] | None = None, find_regions: Mapping[str, float] | None = None
    ) -> None:
        """`find` are the fields of `FindSettings`, `find_regions` those of `RegionSettings`."""
        self.finding, self.finding_regions = FindSettings(**(find or {})), RegionSettings(**(find_regions or {}))

    def read(self, maps: Tensor, plan: PageTargets) -> Layout:
        """Return what the maps (maps, h, w) of a page say, in their pixels."""
        regions = {name: f"region {name}" for name in plan.regions}
        values = {name: maps[place] for place, name in enumerate(plan.names)}
        for name in (*PROBABILITIES, *regions.values()):
            values[name] = values[name].sigmoid()
        plain = {name: value.numpy() for name, value in values.items()}
        on_lines = plain["ridge"] > SEEN
        interline = NOMINAL * float(np.exp(np.median(plain["interline"][on_lines]))) if on_lines.any() else NOMINAL
        interline = float(np.clip(interline, NOMINAL / 2, NOMINAL * 2))
        lines = find_lines(
            LineMaps(**{name: plain[name] for name in LINE_MAPS if name != "interline"}, interline=interline),
            self.finding,
        )
        of_types = {name: plain[key] for name, key in regions.items()}
        found = find_regions(of_types, plain["region_edge"], interline, self.finding_regions)
        return Layout(tuple(lines), tuple(outline_lines(lines, interline)), tuple(found), interline)

    def measure_interline(self, maps: Tensor, plan: PageTargets) -> float | None:
        """Return how far lines are apart, in pixels of the maps (maps, h, w); None where hardly any are seen."""
        on_lines = maps[plan.place("ridge")].sigmoid() > SEEN
        if int(on_lines.sum()) < max(maps.shape[1:]) / 5:
            return None
        return float(torch.exp(maps[plan.place("interline")][on_lines].median())) * NOMINAL
