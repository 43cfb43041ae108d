"""Lines with more text than their image has frames for: told before the training, and no part of any loss."""

import math
import re
import shutil

import pytest
from drawn_layouts import read_csv
from program import TINY

SHORT = ("data=page", *TINY, "trainer.batch_width=500", "trainer.max_steps=2", "trainer.validations=1")
TEXT = re.compile(r"(<Unicode>)([^<]+)(</Unicode>)")


@pytest.fixture
def crowded(drawn, tmp_path):
    """The first line of every page has forty times its text."""
    root = shutil.copytree(drawn / "page", tmp_path / "crowded")
    for path in (root / "page").glob("*.xml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(TEXT.sub(lambda found: found[1] + found[2] * 40 + found[3], text, count=1), encoding="utf-8")
    return root


def test_they_are_counted_by_part_and_named_before_the_first_step(run, crowded):
    ended = run("task=train", *SHORT, f"data.root={crowded}", "data.ratio=[.5,.25,.25]")
    assert ended.code == 0, ended
    told = ended.output.index("More text than the image has frames for")
    assert told < ended.output.index("epoch 1/")
    counts = re.search(
        r"(\d+) training lines?, left out; (\d+) validation lines?, counted in the error rates, but not in the loss; "
        r"(\d+) test lines?",
        ended.output,
    )
    assert counts is not None, ended
    rows = read_csv(ended.folder / "skipped.csv")
    assert sum(map(int, counts.groups())) == len(rows) == 12
    kept = [row for row in rows if "counted in the error rates, but not in the loss" in row["reason"]]
    assert len(kept) == int(counts[2]) + int(counts[3])
    assert all("frames" in row["reason"] for row in rows)


def test_their_loss_of_0_does_not_lower_that_of_the_others(run, crowded, drawn, trained):
    crowd, plain = (
        run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={root}", "data.subset=all", into=name)
        for root, name in ((crowded, "crowd"), (drawn / "page", "plain"))
    )
    assert crowd.code == plain.code == 0, crowd
    assert "12 lines of 36 with more text" in crowd.output
    assert "with more text" not in plain.output
    assert crowd.metrics["test"]["lines"] == 36
    assert crowd.metrics["test"]["cer"] > plain.metrics["test"]["cer"] + 0.5
    lines = list(read_csv(plain.folder / "predictions.csv"))
    assert len(lines) == 36
    # Of the same 24 lines: as large as that of all, and not two thirds of it.
    assert crowd.metrics["test"]["loss"] == pytest.approx(plain.metrics["test"]["loss"], rel=0.3)


def test_where_no_line_has_a_loss_there_is_none(run, crowded, trained):
    for path in (crowded / "page").glob("*.xml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(TEXT.sub(lambda found: found[1] + found[2] * 40 + found[3], text), encoding="utf-8")
    ended = run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={crowded}", "data.subset=all")
    assert ended.code == 0, ended
    loss = ended.metrics["test"]["loss"]
    assert loss is None or math.isnan(loss)
    assert ended.metrics["test"]["cer"] > 0.9


def test_few_lines_are_told_with_their_number(run, drawn):
    ended = run("task=train", *SHORT, f"data.root={drawn / 'page'}", "data.ratio=[.8,.2,0]", "resize=union")
    assert ended.code == 0, ended
    assert re.search(r"Only \d+ validation lines of \d pages?: ", ended.output)
    assert ended.output.count("validation lines of") == 1
    assert "resize=union does nothing without pretrained" in ended.output


def test_an_early_stop_names_the_keys_that_make_it_later(run, drawn):
    ended = run(
        "task=train",
        *SHORT,
        f"data.root={drawn / 'page'}",
        "trainer.max_steps=200",
        "trainer.validate_every_steps=1",
        "trainer.patience=1",
        "trainer.min_delta=100",
        "trainer.min_epochs=1",
        "callbacks.samples=0",
    )
    assert ended.code == 0, ended
    assert "trainer.patience=1; trainer.min_epochs=1 is the earliest" in ended.output
