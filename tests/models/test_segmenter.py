"""A layout model around its network: the distance of the lines is found first, and what is found is told in the file's
coordinates, whatever the size of the scan."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch

from uncial.data.pages.dataset import PageBatch
from uncial.data.pages.maps import LINE_MAPS, MapPlan, draw_maps
from uncial.data.pages.shapes import LineShape, PageShapes, RegionShape
from uncial.document import Page
from uncial.errors import UserError
from uncial.metrics.layout.areas import compute_iou
from uncial.metrics.layout.baselines import score_baselines
from uncial.models.backbones.page import PageEncoder
from uncial.models.files import load_any_model, save_model
from uncial.models.heads.maps import MapHead
from uncial.models.layout.loss import LayoutLoss
from uncial.models.layout.regions import RegionSettings, assign_lines, find_regions
from uncial.models.necks.add import AddNeck
from uncial.models.segmenter import Scale, Segmenter

REGIONS = ("MainZone", "NumberingZone")
CONFIG = {
    "name": "layout",
    "_target_": "uncial.models.segmenter.Segmenter",
    "_partial_": True,
    "backbone": {"_target_": "uncial.models.backbones.page.PageEncoder", "_partial_": True, "size": "tiny"},
    "neck": {"_target_": "uncial.models.necks.add.AddNeck", "_partial_": True, "size": "tiny"},
    "head": {"_target_": "uncial.models.heads.maps.MapHead", "_partial_": True},
    "loss": {"_target_": "uncial.models.layout.loss.LayoutLoss", "_partial_": True},
}


def make_model(scale=(20.0, 40.0, 90.0), **how) -> Segmenter:
    torch.manual_seed(1)
    parts = (partial(PageEncoder, size="tiny"), partial(AddNeck, size="tiny"), MapHead, LayoutLoss)
    return Segmenter(*parts, regions=REGIONS, scale=scale, **how).eval()


def to_logits(values: np.ndarray, plan: MapPlan) -> np.ndarray:
    """Maps as the head gives them: probabilities as logarithms of their odds."""
    values = np.nan_to_num(values)
    for place in plan.binary:
        values[place] = np.log(np.clip(values[place], 1e-4, 1 - 1e-4) / np.clip(1 - values[place], 1e-4, 1))
    return values


class Oracle(Segmenter):
    """Sees what stands on a page, at whatever scale it is shown to it."""

    shapes: PageShapes

    def compute_maps(self, sheet, factor):
        scale = factor * max(sheet.shape[:2]) / max(self.shapes.size)
        drawn = draw_maps(self.shapes.scaled(scale / 2), self.plan)
        return torch.from_numpy(to_logits(drawn.values, self.plan)), factor


def make_oracle(shapes: PageShapes, **how) -> Oracle:
    model = make_model(**how)
    model.__class__ = Oracle
    model.shapes = shapes
    return model


def written_page(interline=40.0, size=(1200.0, 1600.0)) -> PageShapes:
    lines = [
        LineShape(np.array([[left, y], [left + 480.0, y]]), 0.7 * interline, 0.3 * interline)
        for left in (80.0, 640.0)
        for y in np.arange(200.0, size[1] - 100, interline)
    ]
    number = LineShape(np.array([[1100.0, 80.0], [1140.0, 80.0]]), 0.7 * interline, 0.3 * interline)
    regions = (
        RegionShape("MainZone", np.array([[60.0, 140], [580, 140], [580, 1540], [60, 1540]])),
        RegionShape("MainZone", np.array([[620.0, 140], [1140, 140], [1140, 1540], [620, 1540]])),
        RegionShape("NumberingZone", np.array([[1090.0, 40], [1150, 40], [1150, 95], [1090, 95]])),
    )
    return PageShapes(size, interline, (*lines, number), regions)


@pytest.mark.parametrize("larger", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("interline", [25.0, 40.0, 70.0])
def test_pages_are_seen_at_the_distance_of_their_lines_whatever_the_resolution(interline, larger):
    shapes = written_page(interline)
    model = make_oracle(shapes)
    sheet = np.zeros((int(1600 * larger), int(1200 * larger)), np.uint8)
    assert model.estimate_interline(sheet) == pytest.approx(interline * larger, rel=0.03)
    batch = PageBatch(
        *(torch.zeros(0),) * 3, [0], [sheet], [shapes.scaled(larger)], [Page("p", __file__)], [(larger, larger)]
    )
    losses, (page,) = model.evaluate(batch)
    found = [np.array(line.baseline) for line in page.lines]
    scores = score_baselines([line.baseline for line in shapes.lines], found)
    assert scores.f_measure > 0.99
    assert float(losses["loss"]) < 0.6
    assert sorted(region.type for region in page.regions) == ["MainZone", "MainZone", "NumberingZone"]
    in_main = [
        line for line in page.lines if line.region_id == next(r.id for r in page.regions if r.type == "NumberingZone")
    ]
    assert len(in_main) == 1
    assert all(line.polygon and 0 < line.confidence <= 1 for line in page.lines)
    for region in page.regions:
        best = max(compute_iou(region.polygon, other.polygon) for other in shapes.regions)
        assert best > 0.85


def test_a_set_whose_pages_are_alike_needs_no_first_look():
    model = make_oracle(written_page(), scale=(39.0, 40.0, 41.0))
    assert Scale(39.0, 40.0, 41.0).is_steady
    assert model.estimate_interline(np.zeros((1600, 1200), np.uint8)) == 40.0


def test_a_page_on_which_nothing_is_seen_has_the_usual_distance():
    model = make_oracle(PageShapes((1200.0, 1600.0), 40.0))
    assert model.estimate_interline(np.zeros((1600, 1200), np.uint8)) == 40.0
    assert model.find(np.zeros((1600, 1200), np.uint8)).lines == ()


def test_a_first_look_is_not_believed_beyond_what_the_training_pages_had():
    model = make_oracle(written_page(40.0), scale=(200.0, 240.0, 300.0))
    assert model.estimate_interline(np.zeros((1600, 1200), np.uint8)) == pytest.approx(1600 / 200 * 4.0)


def test_a_huge_page_is_shown_smaller():
    model = make_model(overview=64)
    maps, factor = model.compute_maps(np.full((4000, 3000), 255, np.uint8), 1.0)
    assert factor < 1
    assert maps.shape[1] * maps.shape[2] * 4 < 6.2e6


def test_the_same_page_alone_and_in_a_file_again(tmp_path):
    model = make_model()
    save_model(tmp_path / "m.safetensors", model, {"model": CONFIG})
    again, card = load_any_model(tmp_path / "m.safetensors")
    assert card["regions"] == list(REGIONS)
    sheet = np.random.default_rng(0).integers(0, 255, (300, 200), dtype=np.uint8)
    with torch.no_grad():
        one, _ = model.compute_maps(sheet, 0.5)
        other, _ = again.compute_maps(sheet, 0.5)
    assert one.equal(other)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"regions": None}, "types of its regions"),
        ({"scale": [1.0, "a", 2.0]}, "types of its regions or its scale"),
        ({"scale": [0.0, 1.0, 2.0]}, "scale"),
    ],
)
def test_a_card_without_what_a_layout_model_needs_is_told(change, told):
    with pytest.raises(UserError, match=told):
        Segmenter.known_from_card({"regions": [], "scale": [1.0, 2.0, 3.0], **change})


@pytest.mark.parametrize("part", ["backbone", "neck"])
def test_a_size_that_there_is_not_is_told(part):
    sizes = {"backbone": "tiny", "neck": "tiny", part: "huge"}
    parts = (partial(PageEncoder, size=sizes["backbone"]), partial(AddNeck, size=sizes["neck"]), MapHead, LayoutLoss)
    with pytest.raises(UserError, match=rf"model\.{part}\.size is 'huge'"):
        Segmenter(*parts, regions=REGIONS, scale=(1.0, 2.0, 3.0))


def draw(shapes: PageShapes, plan: MapPlan):
    drawn = draw_maps(shapes, plan)
    logits = torch.from_numpy(to_logits(drawn.values.copy(), plan))[None]
    return logits, torch.from_numpy(drawn.values)[None], torch.from_numpy(drawn.near_line)[None]


def test_the_loss_is_small_for_the_truth_and_grows_with_every_map_that_is_wrong():
    plan = MapPlan(REGIONS)
    right, wanted, near = draw(written_page().scaled(0.25), plan)
    best = LayoutLoss()(right, wanted, near, plan)
    for name in plan.names:
        wrong = right.clone()
        wrong[:, plan.place(name)] = -wrong[:, plan.place(name)] + 0.5
        assert LayoutLoss()(wrong, wanted, near, plan)["loss"] > best["loss"] + 0.02, name


def test_what_is_not_known_counts_for_nothing():
    plan = MapPlan(REGIONS)
    found, wanted, near = draw(written_page().scaled(0.25), plan)
    wanted[:, list(plan.binary), :, :100] = float("nan")
    one = LayoutLoss()(found, wanted, near, plan)
    other = found.clone()
    other[:, list(plan.binary), :, :100] += torch.randn_like(other[:, list(plan.binary), :, :100])
    assert LayoutLoss()(other, wanted, near, plan)["loss"] == pytest.approx(float(one["loss"]), rel=1e-5)
    wanted[:, len(LINE_MAPS) :] = float("nan")
    assert torch.isfinite(LayoutLoss()(found, wanted, near, plan)["loss"])


def test_a_step_towards_the_truth_lowers_the_loss():
    model = make_model().train()
    shapes = written_page().scaled(0.5)
    images = torch.randint(0, 255, (1, 1, 800, 608), dtype=torch.uint8)
    drawn = draw_maps(
        PageShapes((608.0, 800.0), shapes.interline, shapes.lines, shapes.regions).scaled(0.5), model.plan
    )
    batch = PageBatch(images, torch.from_numpy(drawn.values)[None], torch.from_numpy(drawn.near_line)[None], [0])
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = model.loss(batch)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.85 * losses[0]
    assert all(parameter.grad is not None for parameter in model.parameters())


def fill(polygon, size=(200, 150)) -> np.ndarray:
    mask = np.zeros(size[::-1], np.float32)
    cv2.fillPoly(mask, [np.array(polygon, np.int32)], 1.0)
    return mask


SQUARE = ((20, 20), (80, 20), (80, 120), (20, 120))
BESIDE = ((84, 20), (180, 20), (180, 120), (84, 120))


def test_two_regions_that_touch_are_parted_at_their_border():
    both = np.maximum(fill(SQUARE), fill(BESIDE))
    both[20:121, 80:85] = 1.0
    edge = np.zeros_like(both)
    edge[:, 79:86] = 1.0
    found = find_regions({"MainZone": both}, edge, 10.0, RegionSettings())
    assert len(found) == 2
    for region, wanted in zip(sorted(found, key=lambda one: one.polygon[:, 0].min()), (SQUARE, BESIDE), strict=True):
        assert compute_iou(tuple(map(tuple, region.polygon)), wanted) > 0.9


def test_specks_are_no_regions():
    mask = fill(SQUARE)
    mask[140:143, 190:193] = 1.0
    assert len(find_regions({"a": mask}, np.zeros_like(mask), 10.0, RegionSettings())) == 1


def test_a_line_belongs_to_the_smallest_region_that_holds_most_of_it():
    large = RegionShape("MainZone", np.array([[0.0, 0], [200, 0], [200, 150], [0, 150]]))
    small = RegionShape("MarginTextZone", np.array(SQUARE, np.float64))
    lines = [
        LineShape(np.array([[left, y], [left + 40.0, y]])) for left, y in ((30.0, 60.0), (120.0, 60.0), (300.0, 60.0))
    ]
    assert assign_lines(lines, [large, small]) == [1, 0, None]
    assert assign_lines(lines, [small, large]) == [0, 1, None]
    assert assign_lines(lines, []) == [None, None, None]
