"""The lines of a file, read as shapes, come back from the maps that are drawn of them."""

import numpy as np
import pytest

from uncial.data.pages.maps import NOMINAL, MapPlan, draw_maps
from uncial.data.pages.shapes import read_shapes
from uncial.data.settings import SourceSettings
from uncial.data.sources.xml import read_page
from uncial.metrics.layout.baselines import score_baselines
from uncial.models.layout.fragments import LineMaps
from uncial.models.layout.lines import FindSettings, find_lines


def test_the_lines_of_a_file_are_found_in_its_maps(drawn):
    pages = read_page(SourceSettings("page", (str(drawn / "page"),))).pages
    assert len(pages) == 12
    for page in pages:
        shapes = read_shapes(page)
        assert len(shapes.lines) == len(page.lines)
        assert shapes.size == (page.width, page.height)
        factor = NOMINAL / shapes.interline
        values = np.nan_to_num(draw_maps(shapes.scaled(factor), MapPlan()).values)
        found = find_lines(LineMaps(*values[:7], interline=NOMINAL), FindSettings())
        scores = score_baselines([line.baseline for line in shapes.lines], [line.baseline / factor for line in found])
        assert scores.precision == pytest.approx(1, abs=0.02)
        assert scores.recall == pytest.approx(1, abs=0.02)
        for line in shapes.lines:
            assert 0 < line.up < 3 * shapes.interline
