"""An image of another size than its file states: all that the file states of a line is scaled to it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from uncial.document import ImageSource, Page, TextLine
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.imaging.line_geometry import resolve_geometry

SETTINGS = ExtractionSettings()
HEIGHT, WIDTH = 420, 900
X = np.arange(80.0, 821.0, 20.0)


def curves():
    """Baselines of three lines, bowed."""
    return [np.stack([X, y + 14 * np.sin((X - 80) / 110)], axis=1) for y in (110.0, 200.0, 290.0)]


def as_points(points):
    return tuple(map(tuple, np.asarray(points, float).tolist()))


def polygon_of(curve):
    return np.concatenate([curve - np.array([0, 34]), (curve + np.array([0, 14]))[::-1]])


LINES = {
    "baselines and polygons": [
        TextLine(str(n), "p", as_points(polygon_of(curve)), as_points(curve)) for n, curve in enumerate(curves())
    ],
    "polygons alone": [TextLine(str(n), "p", as_points(polygon_of(curve))) for n, curve in enumerate(curves())],
    "baselines alone": [TextLine(str(n), "p", (), as_points(curve)) for n, curve in enumerate(curves())],
    "boxes alone": [TextLine(str(n), "p", box=(80, y - 50, 820, y + 30)) for n, y in enumerate((110.0, 200.0, 290.0))],
}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Three bowed lines of writing."""
    page = np.full((HEIGHT, WIDTH), 210, np.uint8)
    letters = np.random.default_rng(1)
    for curve in curves():
        for x, y in curve[1:-1]:
            height = int(letters.integers(12, 30))
            cv2.line(page, (int(x), int(y)), (int(x + letters.integers(-5, 5)), int(y) - height), 40, 3, cv2.LINE_AA)
    path = tmp_path_factory.mktemp("image") / "page.png"
    cv2.imwrite(str(path), page)
    return path


def stated_at(line, x, y):
    """The line as a file states it that was made for an image so many times as wide and as high."""
    box = line.box and (line.box[0] * x, line.box[1] * y, line.box[2] * x, line.box[3] * y)
    points = {name: tuple((a * x, b * y) for a, b in getattr(line, name)) for name in ("polygon", "baseline")}
    return replace(line, **points, box=box)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("size", [(2 * WIDTH, 2 * HEIGHT), (WIDTH // 2, HEIGHT // 2), (3 * WIDTH, 3 * HEIGHT - 6)])
def test_lines_are_cut_as_from_an_image_of_the_stated_size(image, kind, size):
    """Of other proportions by a little, as a scan that was scaled to whole pixels has them."""
    page = Page("p", image.with_suffix(".xml"), ImageSource(image), WIDTH, HEIGHT, lines=tuple(LINES[kind]))
    x, y = size[0] / WIDTH, size[1] / HEIGHT
    lines = tuple(stated_at(line, x, y) for line in page.lines)
    other = replace(page, width=size[0], height=size[1], lines=lines)
    expected, found = extract_page(page, SETTINGS), extract_page(other, SETTINGS)
    assert "scaled" in " ".join(note.reason for note in found.notes)
    for one, theirs in zip(found.strips, expected.strips, strict=True):
        assert isinstance(one, np.ndarray)
        assert one.shape == theirs.shape
        assert np.abs(one.astype(int) - theirs).max() <= 2


def test_a_stated_width_and_height_scale_each_by_itself(image):
    """What lies far to the right is moved by the width's share, what lies far down by the height's."""
    width, height = 1814, 840  # Twice as high, and 2.016 times as wide.
    line = stated_at(LINES["boxes alone"][2], width / WIDTH, height / HEIGHT)
    page = Page("p", image.with_suffix(".xml"), ImageSource(image), width, height, lines=(line,))
    whole = replace(page, width=WIDTH, height=HEIGHT, lines=(LINES["boxes alone"][2],))
    strips = [extract_page(one, SETTINGS).strips[0] for one in (page, whole)]
    assert strips[0].shape == strips[1].shape
    assert np.abs(strips[0].astype(int) - strips[1]).max() <= 2


@pytest.mark.parametrize("height", [24.0, 60.0])
@pytest.mark.parametrize("turned", [0, 90, 20])
def test_a_baseline_through_a_polygon_lies_below_its_middle_by_a_quarter_of_its_height(height, turned):
    """Letters stand on it: the larger part of a polygon is above. A line upwards has its letters to the left."""
    angle = -np.radians(turned)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corner = np.array([300.0, 500.0])
    ends = [corner + a * along + b * down for a, b in ((0, 0), (400, 0), (400, height), (0, height))]
    found = resolve_geometry(TextLine("l", "p", as_points(ends), text="written along"), 1e6)
    across = (found.baseline - corner) @ down
    assert across == pytest.approx(0.75 * height, abs=1.5)
    assert (np.diff((found.baseline - corner) @ along) > 0).all()
