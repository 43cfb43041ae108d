"""The maps of DBNet and CRAFT, drawn from what is known and read back; and which parts fit each other."""

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from program import ROOT

from uncial.data.pages.shapes import LineShape, PageShapes, read_shapes
from uncial.document import Page, TextLine, Word
from uncial.errors import UserError
from uncial.exchange import craft
from uncial.metrics.layout.baselines import score_baselines
from uncial.models.build import build_model
from uncial.models.layout.bands import Band, list_bands
from uncial.models.layout.character_regions import CharacterGaussians, CharacterLoss, CharacterReader
from uncial.models.layout.differentiable_binarization import (
    BinarizationLoss,
    BinarizationReader,
    ShrunkBands,
    compute_growth,
    compute_shrinking,
)

MODEL = ROOT / "conf" / "model"
PARTS = {
    "dbnet": ("timm", "fpn", "upsampling"),
    "craft": ("vgg", "concat", "convolutions"),
    "layout_fpn": ("timm", "fpn", "maps"),
}
DETECTORS = (
    pytest.param(ShrunkBands, BinarizationReader, 1, id="dbnet"),
    pytest.param(CharacterGaussians, CharacterReader, 2, id="craft"),
)
UP, DOWN = 0.62, 0.25


def draw_page(stride=1):
    """Two columns of bent lines, those of the right one divided into words, and a line that runs down the margin."""
    interline, lines = 30 / stride, []
    for left in (60, 420):
        for number in range(12):
            x = np.linspace(left, left + 300, 7)
            baseline = np.stack([x, 60 + 30 * number + 6 * np.sin(x / 120)], axis=1) / stride
            spans = [(0, 80), (92, 150), (162, 300)] if left == 420 else []
            words = [[[np.interp(at, x - left, axis) for axis in baseline.T] for at in span] for span in spans]
            lines.append(LineShape(baseline, UP * interline, DOWN * interline, words=np.array(words).reshape(-1, 2, 2)))
    margin = np.stack([np.full(5, 780.0), np.linspace(80, 380, 5)], axis=1) / stride
    lines.append(LineShape(margin, UP * interline, DOWN * interline))
    return PageShapes((840 / stride, 480 / stride), interline, tuple(lines))


def show(targets, shapes, annotated="page"):
    """What a head gives that has learned the maps of a page to perfection."""
    values = torch.from_numpy(targets.draw(shapes, annotated).values.copy())
    if isinstance(targets, ShrunkBands):
        values = torch.logit(values.nan_to_num(0.3).clamp(1e-4, 1 - 1e-4))
    return values


def read_back(targets, reader, stride, **find):
    made = targets(regions=("MainZone",))
    return reader(find=find).read(show(made, draw_page(stride)), made)


def to_lists(lines, factor):
    return [[(float(x), float(y)) for x, y in line.baseline * factor] for line in lines]


@pytest.mark.parametrize(("targets", "reader", "stride"), DETECTORS)
def test_maps_of_the_truth_give_its_baselines_back(targets, reader, stride):
    found = read_back(targets, reader, stride)
    truth = draw_page(stride)
    assert len(found.lines) == len(found.polygons) == len(truth.lines)
    scores = score_baselines(to_lists(truth.lines, stride), to_lists(found.lines, stride))
    assert scores.precision > 0.98
    assert scores.recall > 0.98


@pytest.mark.parametrize(("targets", "reader", "stride"), DETECTORS)
def test_heights_are_restored(targets, reader, stride):
    found = read_back(targets, reader, stride)
    heights = np.array([line.up + line.down for line in found.lines]) * stride
    assert np.median(heights) == pytest.approx(30 * (UP + DOWN), rel=0.12)


@pytest.mark.parametrize(("targets", "reader", "stride"), DETECTORS)
def test_words_stay_apart_where_no_gap_is_to_be_joined(targets, reader, stride):
    assert len(read_back(targets, reader, stride, max_gap=0.05).lines) == 12 + 3 * 12 + 1


def test_another_unclip_leaves_other_heights():
    tight, wide = (read_back(ShrunkBands, BinarizationReader, 1, unclip=ratio, max_gap=0.05) for ratio in (1.5, 5.0))
    assert np.median([line.up for line in tight.lines]) < 0.6 * np.median([line.up for line in wide.lines])


@given(st.floats(3, 3000), st.floats(3, 200))
def test_growing_takes_shrinking_back(length, height):
    distance = compute_shrinking(length, height)
    assert compute_growth(length - 2 * distance, height - 2 * distance) == pytest.approx(distance, rel=1e-6)


@pytest.mark.parametrize(("targets", "stride"), [(ShrunkBands, 1), (CharacterGaussians, 2)])
def test_what_is_not_annotated_is_unknown(targets, stride):
    shapes = draw_page(stride)
    drawn = targets().draw(shapes, "lines")
    far = tuple(int(side) - 2 for side in shapes.size[::-1])
    assert np.isnan(drawn.values[0][far])
    assert np.isfinite(targets().draw(shapes).values[0]).all()
    row = round(float(shapes.lines[0].baseline[0, 1] - 0.2 * shapes.interline))
    assert np.isfinite(drawn.values[0, row, round(float(shapes.lines[0].baseline[2, 0]))])


@pytest.mark.parametrize(
    ("targets", "loss", "stride"), [(ShrunkBands, BinarizationLoss, 1), (CharacterGaussians, CharacterLoss, 2)]
)
def test_the_truth_itself_costs_next_to_nothing_and_the_contrary_much(targets, loss, stride):
    made = targets()
    drawn = made.draw(draw_page(stride))
    wanted, near = torch.from_numpy(drawn.values)[None], torch.from_numpy(drawn.near_line)[None]
    seen = show(made, draw_page(stride))[None]
    right = loss()(seen, wanted, near, made)["loss"]
    wrong = loss()((-seen if targets is ShrunkBands else 1 - seen), wanted, near, made)["loss"]
    assert right < 0.05 * wrong


def test_pixels_beside_text_count_only_where_they_are_worst():
    made, size = CharacterGaussians(), (1, 2, 40, 40)
    wanted, found = torch.zeros(size), torch.zeros(size)
    wanted[:, :, :2, :5] = 1.0
    found[:, :, :2, :5] = 1.0
    found[:, :, 20:22, 20:35] = 2.0
    parts = CharacterLoss()(found, wanted, torch.zeros(1, 40, 40, dtype=torch.bool), made)
    assert parts["region"] == pytest.approx(4.0 * 30 / 40)


def test_words_of_a_file_are_places_on_the_baseline_whatever_their_order():
    words = tuple(Word(((a, 70), (b, 70), (b, 110), (a, 110)), "x") for a, b in ((200, 260), (100, 180), (300, 300.2)))
    line = TextLine(
        id="l",
        page_id="p",
        polygon=((100, 70), (300, 70), (300, 110), (100, 110)),
        baseline=((100, 100), (300, 100)),
        words=words,
    )
    page = Page(id="p", source=ROOT / "p.xml", width=400, height=200, lines=(line,))
    [shape] = read_shapes(page).lines
    assert shape.words.tolist() == [[[100, 100], [180, 100]], [[200, 100], [260, 100]]]
    bands = list_bands(read_shapes(page))
    assert [round(band.length) for band in bands] == [80, 60]
    assert Band(bands[0].axis, bands[0].half).outline().min(axis=0).round().tolist() == [100, 70]


def compose(name, **changed):
    config = yaml.safe_load((MODEL / f"{name}.yaml").read_text(encoding="utf-8"))
    own = {part: config.pop(part, {}) for part in ("backbone",)}
    for part, choice in zip(("backbone", "neck", "head"), PARTS[name], strict=True):
        config[part] = {
            **yaml.safe_load((MODEL / part / f"{choice}.yaml").read_text(encoding="utf-8")),
            **own.get(part, {}),
        }
    config.pop("defaults")
    for key, value in changed.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) and "_target_" not in value else value
    return config


def build(name, **changed):
    return build_model(compose(name, **changed), regions=("MainZone",), scale=(12.0, 13.0, 14.0), channels=1)


def part(path):
    return {"_target_": path, "_partial_": True}


TINY = {"backbone": {"name": "test_resnet"}, "neck": {"channels": 16}}


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("dbnet", {"loss": part("uncial.models.layout.loss.LayoutLoss")}, "LayoutLoss asks for ridge, start"),
        (
            "dbnet",
            {"reader": part("uncial.models.layout.character_regions.CharacterReader"), "find": None},
            "asks for region, affinity",
        ),
        ("dbnet", {"targets": part("torch.nn.Identity")}, "is no targets of a layout model; it needs regions, names"),
        (
            "dbnet",
            {"find": {"sharpness": 1.0}},
            r"model\.find\.sharpness: the reader has no such key; it has threshold",
        ),
        ("dbnet", {"head": part("torch.nn.Identity")}, "Identity is no head of a layout model; it needs scale"),
        ("dbnet", {"neck": part("torch.nn.Identity")}, "Identity is no neck of a layout model; it needs out_channels"),
        ("dbnet", {"backbone": part("torch.nn.Identity")}, "is no backbone of a layout model; it needs channels"),
        ("dbnet", {"input": part("torch.nn.Identity")}, "is no input of a layout model"),
        ("dbnet", {"backbone": {"name": "resnet1818"}}, "has no such model"),
        ("dbnet", {"backbone": {"name": "test_vit"}}, "several scales"),
        ("craft", {"neck": part("uncial.models.necks.add.AddNeck")}, "joins features at four scales"),
    ],
)
def test_parts_that_do_not_fit_end_in_a_sentence(name, changed, told):
    small = {**TINY, **changed} if name == "dbnet" else {"backbone": {"width": 0.06}, **changed}
    with pytest.raises(UserError, match=told):
        build(name, **small)


def test_weights_that_cannot_be_fetched_end_in_a_sentence(monkeypatch):
    import timm

    model = build("layout_fpn", backbone={"name": "test_resnet", "weights": True}, neck={"channels": 16})

    def fail(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(UserError, match=r"weights of test_resnet could not be fetched \(no network.*weights=false"):
        model.backbone.load_weights()


@pytest.mark.parametrize("name", ["dbnet", "craft", "layout_fpn"])
def test_maps_have_the_size_that_the_targets_have(name):
    small = {"backbone": {"width": 0.06}} if name == "craft" else TINY
    model = build(name, **small).eval()
    with torch.no_grad():
        maps, factor = model.compute_maps(np.full((75, 131), 255, np.uint8), 1.0)
    height, width = (-(-side // model.stride) for side in (75, 131))
    assert maps.shape == (len(model.plan.names), height, width)
    assert factor == 1.0


def write_as_craft_does(model, path):
    """Our weights under CRAFT's own names."""
    named = {}
    for name, tensor in model.state_dict().items():
        for there, here in craft.NAMES:
            if name.startswith(here):
                whole = there + name.removeprefix(here)
                break
        if whole.startswith("upconv"):
            step, _, rest = whole.partition(".")
            whole = f"{step}.conv.{rest}"
        named[f"module.{whole}"] = tensor
    torch.save(named, path)


def test_weights_in_crafts_own_file_are_read_by_their_names(tmp_path):
    model = build("craft", backbone={"width": 0.06})
    write_as_craft_does(model, tmp_path / "craft.pth")
    found = craft.read_weights(tmp_path / "craft.pth")
    ours = model.state_dict()
    assert found.keys() == ours.keys()
    assert all(torch.equal(found[name], ours[name]) for name in ours)


class Planted:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize("content", [{"a": torch.zeros(1)}, [1, 2], Planted()], ids=["other", "list", "code"])
def test_other_files_are_refused_and_run_nothing(content, tmp_path, capsys):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"a\.pth"):
        craft.read_weights(tmp_path / "a.pth")
    assert capsys.readouterr().out == ""


def test_the_weights_that_easyocr_hands_on_find_printed_words():
    package = pytest.importorskip("easyocr_en_models")
    import cv2

    [path] = [one for folder in package.__path__ for one in (ROOT / folder).rglob("craft_mlt_25k.pth")]
    model = build("craft").eval()
    model.load_state_dict(craft.read_weights(path))
    page, told = np.full((420, 700), 235, np.uint8), ("In the beginning", "the heaven and the earth", "And the deep")
    for number, text in enumerate(told):
        cv2.putText(page, text, (40, 60 + 60 * number), cv2.FONT_HERSHEY_COMPLEX, 1.0, 30, 2)
    lines = model.find(page).lines
    assert len(lines) == len(told)
    for number, line in enumerate(sorted(lines, key=lambda one: one.baseline[:, 1].mean())):
        assert np.abs(line.baseline[:, 1] - (60 + 60 * number)).max() < 12
        assert line.confidence > 0.8
