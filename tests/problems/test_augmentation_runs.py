"""Augmentation in the program: it reaches the training, its picture, mistakes."""

import math

import pytest
from PIL import Image
from program import TINY, Ended, run_program

SHORT = ("data=page", *TINY, "trainer.max_steps=3", "trainer.validations=1", "trainer.batch_width=1000")


def loss(ended: Ended) -> float:
    """What three steps of training have come to."""
    assert ended.code == 0, ended
    assert math.isfinite(ended.metrics["val"]["loss"])
    return ended.metrics["val"]["loss"]


@pytest.fixture(scope="module")
def plain(drawn, tmp_path_factory) -> float:
    folder = tmp_path_factory.mktemp("plain") / "run"
    return loss(run_program(folder, *SHORT, f"data.root={drawn / 'page'}", "augmentation=none"))


def test_a_group_reaches_the_training_and_workers_change_nothing(run, drawn, plain):
    strong = (*SHORT, f"data.root={drawn / 'page'}", "augmentation=strong")
    found = [loss(run(*strong, f"trainer.workers={workers}", into=f"{workers}")) for workers in (0, 2)]
    assert found[0] == found[1]
    assert found[0] != plain


def test_span_masks_reach_the_training_and_the_model_reads_afterwards(run, drawn, plain):
    masked = (*SHORT, f"data.root={drawn / 'page'}", "augmentation=none")
    ended = run(*masked, "model.span_masks.share=0.4", "model.span_masks.length=4")
    assert loss(ended) != plain
    scored = run(
        "task=test",
        f"checkpoint={ended.folder}",
        "data=page",
        f"data.root={drawn / 'page'}",
        "data.subset=val",
        into="test",
    )
    assert scored.code == 0, scored
    assert scored.metrics["test"]["cer"] == ended.metrics["val"]["cer"]


def test_the_picture_shows_each_transform_and_all_together(run, drawn):
    sheet = run(
        "task=inspect", "data=page", f"data.root={drawn / 'page'}", "augmentation=kraken", "inspect.augmentation=2"
    )
    assert sheet.code == 0, sheet
    with Image.open(sheet.folder / "augmentation.png") as picture:
        wide, high = picture.size
    assert wide > 1000
    assert high > 2 * 19 * 56


def test_there_is_no_picture_where_it_is_not_wanted(run, drawn):
    ended = run("task=inspect", "data=page", f"data.root={drawn / 'page'}", "inspect.augmentation=0")
    assert ended.code == 0, ended
    assert not (ended.folder / "augmentation.png").exists()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("augmentation=karken",), "Did you mean kraken?"),
        (("augmentation.transforms.0.slant=100",), "LineWarp.slant"),
        (("augmentation.transforms=[{_target_: albumentations.ISONoise}]",), "augmentation.transforms.0 (ISONoise)"),
        (("model.span_masks.share=2",), "model.span_masks.share"),
        (("model.span_masks.share=much",), "a number is expected"),
        (("task=inspect", "inspect.augmentation=-1"), "inspect.augmentation"),
    ],
)
def test_mistakes_end_in_a_sentence(typed, told, run, drawn):
    ended = run(*SHORT, f"data.root={drawn / 'page'}", *typed)
    assert ended.code == 1, ended
    assert told in ended.output
    assert "Traceback" not in ended.output
