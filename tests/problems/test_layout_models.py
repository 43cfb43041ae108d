"""layout_fpn, dbnet and craft: trained, read again, scored, and gone on with, as small as they can be."""

import csv
import shutil

import numpy as np
import pytest
import torch
from program import run_program
from safetensors.torch import load_file

from uncial.models.backbones.vgg import VGG16
from uncial.models.files import load_any_model
from uncial.models.heads.convolutions import ConvolutionHead
from uncial.models.necks.concat import ConcatNeck
from uncial.models.segmenter import Segmenter

SMALL = {
    "layout_fpn": ("model.backbone.name=test_resnet", "model.neck.channels=16", "model.overview=96"),
    "dbnet": ("model.backbone.name=test_resnet", "model.neck.channels=16"),
    "craft": ("model.backbone.width=0.06",),
}
SHORT = (
    "trainer.crop=160",
    "trainer.batch_pages=2",
    "trainer.max_steps=12",
    "trainer.validations=2",
    "augmentation=none",
    "optimizer=adamw",
    "optimizer.lr=3e-3",
    "scheduler=constant",
    "scheduler.warmup_steps=1",
    "trainer.log_every=1",
)


def train(folder, model, drawn, *more):
    return run_program(
        folder, f"model={model}", "data=page", f"data.root={drawn / 'page'}", *SMALL[model], *SHORT, *more
    )


@pytest.fixture(scope="module", params=sorted(SMALL))
def learned(request, drawn, make_once):
    """A short training of each model, with its name."""

    def make(folder):
        ended = train(folder / "run", request.param, drawn)
        assert ended.code == 0, ended
        return ended

    return request.param, make_once(f"small_{request.param}", make)


def list_losses(folder):
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        return [float(row["train/loss"]) for row in csv.DictReader(file) if row.get("train/loss")]


def test_its_loss_falls(learned):
    _, ended = learned
    losses = list_losses(ended.folder)
    assert np.isfinite(losses).all()
    assert len(losses) > 10
    assert np.mean(losses[-3:]) < 0.95 * np.mean(losses[:3])


def test_its_file_is_read_without_the_config_and_finds_a_layout(learned, drawn):
    name, ended = learned
    model, card = load_any_model(ended.folder)
    assert isinstance(model, Segmenter)
    assert card["model"]["name"] == name
    found = model.find(np.full((223, 205), 230, np.uint8))
    assert len(found.lines) == len(found.polygons)
    assert found.interline > 0


def test_it_is_scored_as_its_validation_was(learned, run, drawn):
    _, ended = learned
    scored = run(
        "task=test", f"checkpoint={ended.folder}", "data=page", f"data.root={drawn / 'page'}", "data.subset=val"
    )
    assert scored.code == 0, scored
    assert scored.metrics["test"]["loss"] == pytest.approx(ended.metrics["val"]["loss"], rel=1e-4)


@pytest.fixture(scope="module")
def of_craft(tmp_path_factory):
    """Weights of a tiny CRAFT as its authors call them, and as they are called here."""
    backbone, neck = VGG16(3, 0.06), ConcatNeck([8, 15, 31, 31, 61], [2, 4, 8, 16, 16])
    parts = {"backbone": backbone, "neck": neck, "head": ConvolutionHead(neck.out_channels, 2)}
    ours = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
    theirs = {}
    for name, tensor in ours.items():
        part, _, rest = name.partition(".")
        step, _, inside = rest.partition(".")
        named = {"backbone": f"basenet.{rest}", "neck": f"{step}.conv.{inside}", "head": f"conv_cls.{inside}"}
        theirs[f"module.{named[part]}"] = tensor
    path = tmp_path_factory.mktemp("craft") / "craft.pth"
    torch.save(theirs, path)
    return path, ours


STILL = ("optimizer.lr=1e-30", "optimizer.weight_decay=0", "trainer.max_steps=1", "trainer.validations=1")


def test_craft_begins_with_its_authors_weights(of_craft, drawn, tmp_path):
    path, ours = of_craft
    ended = train(tmp_path / "run", "craft", drawn, f"pretrained={path}", *STILL)
    assert ended.code == 0, ended
    weights = load_file(ended.folder / "best.safetensors")
    learned = [name for name in weights if name.endswith(("weight", "bias"))]
    assert len(learned) > 80
    assert all(torch.equal(weights[name], ours[name]) for name in learned)


def test_crafts_weights_fit_no_other_model(of_craft, drawn, tmp_path):
    ended = train(tmp_path / "run", "dbnet", drawn, f"pretrained={of_craft[0]}", *STILL)
    assert ended.code == 1
    assert "holds weights of CRAFT, for which model=dbnet has no place" in ended.output
    assert "choose model=craft" in ended.output


def test_a_training_that_is_gone_on_with_ends_as_one_in_one_go(drawn, tmp_path):
    kept = ("callbacks.checkpoints.every_steps=2", "callbacks.checkpoints.keep_last=9")
    whole = train(tmp_path / "whole", "dbnet", drawn, "trainer.max_steps=4", *kept)
    assert whole.code == 0, whole
    part = tmp_path / "part"
    shutil.copytree(whole.folder, part)
    shutil.copy(min((part / "checkpoints").glob("*.ckpt")), part / "last.ckpt")
    (part / "metrics.json").unlink()
    on = run_program(tmp_path / "on", f"resume={part}")
    assert on.code == 0, on
    assert "from step 2 of 4" in on.output
    ours, theirs = (
        torch.load(folder / "last.ckpt", weights_only=True)["state_dict"] for folder in (whole.folder, part)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
