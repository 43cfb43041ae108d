"""A layout model is trained, tested and gone on with by what trains recognisers: `python run.py model=layout`."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from program import Ended, run_program

from uncial.data.pages.store import read_layout
from uncial.models.files import load_card

SMALL = (
    "model.size=tiny",
    "model.overview=256",
    "trainer.crop=256",
    "trainer.max_steps=80",
    "trainer.validations=2",
    "augmentation=none",
    "scheduler=one_cycle",
    "scheduler.warmup_steps=10",
    "optimizer.lr=1e-2",
)


@pytest.fixture(scope="module")
def found(data, make_once) -> Ended:
    """A run that trained a small layout model on `drawn/page`, its states kept. Read only."""

    def train(folder):
        kept = ("callbacks.checkpoints.every_steps=40", "callbacks.checkpoints.keep_last=9")
        ended = run_program(folder / "run", "model=layout", *data, *SMALL, *kept)
        assert ended.code == 0, ended
        return ended

    return make_once("layout", train)


def test_it_finds_the_lines_that_it_was_shown_how_to_find(found):
    scores = found.metrics["val"]
    assert scores["recall"] > 0.9
    assert scores["intact"] > 0.6
    assert scores["region_iou"] > 0.2
    assert found.metrics["train"]["pages_per_second"] > 0
    assert "lines_per_second" not in found.metrics["train"]
    assert "pages/s" in found.output


def test_what_a_training_leaves(found):
    card = load_card(found.folder / "best.safetensors")
    assert card["problem"]["name"] == "layout"
    assert card["scores"]["f_measure"] == found.metrics["val"]["f_measure"]
    assert len(card["training"]["page_hashes"]) == 10
    parts = [row["part"] for row in csv.DictReader((found.folder / "splits.csv").open(encoding="utf-8"))]
    assert (parts.count("train"), parts.count("val"), parts.count("test")) == (10, 1, 1)
    (page,) = csv.DictReader((found.folder / "page_scores.csv").open(encoding="utf-8"))
    assert float(page["f_measure"]) == pytest.approx(found.metrics["val"]["f_measure"], abs=1e-3)
    described = json.loads((found.folder / "found.jsonl").read_text(encoding="utf-8"))
    known = {"page": page["page"], "document": "", "hand": "", "group": ""}
    assert len(read_layout(described, known).lines) == int(page["found"])
    assert (found.folder / "curves.png").is_file()


def test_the_report_shows_the_page_with_what_is_marked_and_what_was_found(found):
    text = (found.folder / "report.html").read_text(encoding="utf-8")
    (page,) = csv.DictReader((found.folder / "page_scores.csv").open(encoding="utf-8"))
    marked, seen = (re.findall(rf'<polyline class="{kind}-line"', text) for kind in ("t", "f"))
    assert (len(marked), len(seen)) == (int(page["lines"]), int(page["found"]))
    assert text.count('class="d-false"') == int(page["false"])
    assert text.count("data:image/webp") == 1


def test_a_test_of_the_same_pages_gives_the_same_digits(found, run, data):
    tested = run("task=test", f"checkpoint={found.folder}", *data, "data.subset=val", into="tested")
    assert tested.code == 0, tested
    only_here = ("part", "seconds", "ink_lost", "ink_taken", "lines_ink")
    ours = {name: value for name, value in tested.metrics["test"].items() if name not in only_here}
    assert ours == found.metrics["val"]
    # Only a test measures what becomes of the ink.
    assert 0 <= tested.metrics["test"]["ink_lost"] <= 1
    assert tested.metrics["test"]["lines_ink"] > 0
    assert (tested.folder / "report.html").is_file()


def test_its_own_test_part_is_kept_apart(found, run, data):
    tested = run("task=test", f"checkpoint={found.folder}", *data, into="tested")
    assert tested.code == 0, tested
    assert "were in this model's training data" not in tested.output
    seen = run("task=test", f"checkpoint={found.folder}", *data, "data.subset=train", into="seen")
    assert "10 pages of the 10 scored here were in this model's training data" in seen.output


def test_it_is_resumed_to_the_bit(found, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(found.folder, folder)
    before = (folder / "best.safetensors").read_bytes()
    states = sorted((folder / "checkpoints").glob("*.ckpt"))
    shutil.copy(states[0], folder / "last.ckpt")
    for name in ("metrics.json", "best.safetensors"):
        (folder / name).unlink()
    resumed = run_program(tmp_path / "ignored", f"resume={folder}")
    assert resumed.code == 0, resumed
    assert "step 80/80" in resumed.output
    assert json.loads((folder / "metrics.json").read_text())["val"] == found.metrics["val"]
    assert (folder / "best.safetensors").read_bytes() == before


def test_each_device_trains_on_its_own_pages(run, data):
    short = ("trainer.max_steps=2", "trainer.validations=1", "trainer.accelerator=cpu", "trainer.devices=2")
    ended = run("model=layout", *data, *SMALL, *short, into="two")
    assert ended.code == 0, ended
    assert ended.metrics["train"]["pages"] == 10
    assert ended.metrics["val"]["pages"] == 1


def test_regions_are_called_as_the_table_says(run, data):
    short = ("trainer.max_steps=1", "trainer.validations=1")
    ended = run("model=layout", *data, *SMALL, *short, "model.regions={Block: [paragraph, text]}", into="renamed")
    assert ended.code == 0, ended
    assert load_card(ended.folder / "best.safetensors")["regions"] == ["Block"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("augmentation=strong",), "This augmentation is for lines"),
        (("model.monitor=val/cer",), "model.monitor=val/cer: the validation gives val/f_measure"),
        (("model.size=huge",), "model.backbone.size is 'huge'"),
        (("model.regions=3",), "model.regions=3: a table is needed"),
        (("trainer.batch_width=300",), "problem=layout does not read trainer.batch_width"),
        (("data.line_tags=[a]",), "problem=layout does not read data.line_tags"),
        (("trainer.crop=3",), "trainer.crop"),
        (("data.annotated=some",), "data.annotated"),
        (("problem=recognition",), "do not fit each other"),
    ],
)
def test_what_does_not_fit_ends_in_a_sentence_before_data_are_read(run, typed, told):
    ended = run("model=layout", "data=page", "data.root=/nowhere", *typed)
    assert ended.code == 1, ended
    assert told in ended.output
    assert "Traceback" not in ended.output


def test_a_recogniser_reads_none_of_the_keys_of_pages(run):
    ended = run("model=crnn", "data=page", "data.root=/nowhere", "trainer.pages_seen=3")
    assert "problem=recognition does not read trainer.pages_seen" in ended.output


def test_line_images_mark_no_lines(run, tmp_path):
    for number in range(3):
        Image.fromarray(np.full((40, 200), 255, np.uint8)).save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.gt.txt").write_text("abc")
    ended = run("model=layout", "data=lines", f"data.root={tmp_path}", *SMALL)
    assert ended.code == 1
    assert "on none of 3 pages a line or region is marked, as with line images" in ended.output


def test_pages_without_marks_are_left_out_or_blank(run, drawn, tmp_path):
    shutil.copytree(drawn / "page", tmp_path / "pages")
    file = next(path for path in sorted((tmp_path / "pages").rglob("*.xml")))
    file.write_text(re.sub(r"<TextRegion.*</TextRegion>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL))
    data = ("data=page", f"data.root={tmp_path / 'pages'}", *SMALL, "trainer.max_steps=1", "trainer.validations=1")
    left_out = run("model=layout", *data, into="left_out")
    assert left_out.code == 0, left_out
    assert "data.blank=true" in (left_out.folder / "skipped.csv").read_text(encoding="utf-8")
    assert sum(left_out.metrics["data"][f"{part}_pages"] for part in ("train", "val", "test")) == 11
    kept = run("model=layout", *data, "data.blank=true", into="kept")
    assert kept.code == 0, kept
    assert sum(kept.metrics["data"][f"{part}_pages"] for part in ("train", "val", "test")) == 12


def test_a_model_file_of_half_the_size_finds_the_same(found, data, tmp_path):
    narrow = tmp_path / "narrow.safetensors"
    written = run_program(
        tmp_path / "export", "task=export", f"checkpoint={found.folder}", f"output={narrow}", "precision=bf16"
    )
    assert written.code == 0, written
    whole = found.folder / "best.safetensors"
    assert narrow.stat().st_size < 0.7 * whole.stat().st_size
    scores = [
        run_program(tmp_path / name, "task=test", f"checkpoint={path}", *data, "data.subset=val").metrics["test"]
        for name, path in (("whole", whole), ("half", narrow))
    ]
    assert scores[0]["loss"] != scores[1]["loss"]
    assert scores[1]["f_measure"] == pytest.approx(scores[0]["f_measure"], abs=0.02)
    assert load_card(narrow) == load_card(whole)


def test_what_is_found_where_the_truth_says_nothing_counts_neither_way(found, drawn, tmp_path):
    """Two lines of three are taken out of the truth: what is found there is false, unless the data say that not all is
    marked."""
    root = tmp_path / "half"
    shutil.copytree(drawn / "page", root)
    files = list(root.rglob("*.xml"))
    assert len(files) == 12
    for path in files:
        lines = re.split(r"(?=<TextLine )", path.read_text(encoding="utf-8"))
        _, below = lines[-1].split("</TextLine>")
        kept = [*lines[:2], below]
        path.write_text("".join(kept), encoding="utf-8")
    entry = f"data.sources=[{{format: page, root: '{root}', annotated: lines}}]"
    typed = {
        "whole": ("data=page", f"data.root={root}"),
        "part": ("data=page", f"data.root={root}", "data.annotated=lines"),
        "entry": ("data=mixed", entry),
    }
    scores = {
        name: run_program(tmp_path / name, "task=test", f"checkpoint={found.folder}", "data.subset=all", *data).metrics[
            "test"
        ]
        for name, data in typed.items()
    }
    assert scores["whole"]["precision"] < 0.7
    assert scores["part"]["precision"] > scores["whole"]["precision"] + 0.2
    assert scores["part"]["recall"] == scores["whole"]["recall"]
    assert scores["entry"]["precision"] == scores["part"]["precision"]


def test_an_entry_says_how_far_its_pages_are_annotated(run, drawn):
    entry = f"data.sources=[{{format: page, root: '{drawn / 'page'}', annotated: some}}]"
    ended = run("model=layout", "data=mixed", entry, *SMALL)
    assert ended.code == 1
    assert "data.sources: annotated is some in the entry page: choose one of page, regions, lines" in ended.output
