"""No page, and no image under two names, lies on two sides of a split: seen from what the program writes."""

import json
import re
import shutil
from pathlib import Path

import pytest
from drawn_layouts import draw_pages, read_csv, write_page_layout
from program import TINY

from uncial.data.store.store import Store
from uncial.models.files import load_card


def trained_and_scored(run, *data) -> tuple[set[str], dict[str, set[str]], Path]:
    """The images that the model was trained on, those of each scored part, and the run folder."""
    ended = run("task=train", *data, *TINY, "trainer.max_steps=1", "trainer.validations=1")
    assert ended.code == 0, ended
    store = Store(Path(re.search(r"compiled in (.*)\)", ended.output)[1]))
    image_of = dict(zip(store.column("page"), store.column("image_hash"), strict=True))
    scored = {"val": {image_of[row["page"]] for row in read_csv(ended.folder / "predictions.csv")}}
    test = run("task=test", f"checkpoint={ended.folder}", *data, into="test")
    if test.code == 0:
        scored["test"] = {image_of[row["page"]] for row in read_csv(test.folder / "predictions.csv")}
    return set(load_card(ended.folder)["training"]["page_hashes"]), scored, ended.folder


def disjoint(trained: set[str], scored: dict[str, set[str]]) -> bool:
    sides = [trained, *scored.values()]
    return all(sides) and sum(map(len, sides)) == len(set.union(*sides))


def copy_under_another_name(root: Path, name: str, other: str) -> None:
    shutil.copy(root / f"{name}.png", root / f"{other}.png")
    text = (root / f"page/{name}.xml").read_text(encoding="utf-8").replace(f"{name}.png", f"{other}.png")
    (root / f"page/{other}.xml").write_text(text, encoding="utf-8")


def test_pages_lie_on_one_side(run, drawn):
    trained, scored, _ = trained_and_scored(run, "data=page", f"data.root={drawn / 'page'}")
    assert disjoint(trained, scored)
    assert set(scored) == {"val", "test"}


def test_copies_under_other_names_lie_with_their_originals(run, tmp_path):
    root = write_page_layout(tmp_path / "in", draw_pages(8))
    for number in range(1, 9):
        copy_under_another_name(root, f"drawn_{number:04d}", f"other_{100 - number}")
    trained, scored, folder = trained_and_scored(run, "data=page", f"data.root={root}")
    assert disjoint(trained, scored)
    assert len(read_csv(folder / "skipped.csv")) == 8, "each image is used once, and the other file reported"


def test_a_leak_of_explicit_parts_is_closed_and_told(run, tmp_path):
    pages = draw_pages(6)
    root = tmp_path / "in"
    write_page_layout(root / "train", pages[:5])
    write_page_layout(root / "val", pages[5:])
    shutil.copy(root / "train/drawn_0001.png", root / "val/scan.png")
    text = (root / "train/page/drawn_0001.xml").read_text(encoding="utf-8").replace("drawn_0001.png", "scan.png")
    (root / "val/page/scan.xml").write_text(text, encoding="utf-8")
    data = ("data=page", f"data.train={root / 'train'}", f"data.val={root / 'val'}")
    trained, scored, folder = trained_and_scored(run, *data)
    assert disjoint(trained, {"val": scored["val"]})
    assert (len(trained), len(scored["val"])) == (4, 2)
    assert any("drawn_0001" in row["file"] for row in read_csv(folder / "skipped.csv"))


def test_lines_of_a_page_stay_together(run, tmp_path, drawn):
    from drawn_layouts import cut_lines, write_pairs

    write_pairs(tmp_path / "lines", cut_lines(draw_pages(8)))
    ended = run("task=train", "data=lines", f"data.root={tmp_path / 'lines'}", *TINY, "trainer.max_steps=1")
    assert ended.code == 0, ended
    pages = {row["page"].rpartition("_")[0] for row in read_csv(ended.folder / "predictions.csv")}
    assert len(read_csv(ended.folder / "predictions.csv")) == 3 * len(pages)


@pytest.mark.parametrize("typed", ["data.split_rule=hash", "data.split_from={before}"])
def test_adding_pages_moves_none(run, tmp_path, typed):
    root = write_page_layout(tmp_path / "in", draw_pages(8))
    sides = []
    for number in range(2):
        how = typed.format(before=tmp_path / "trained0") if number or "{" not in typed else "data.split_from=null"
        trained = run("data=page", f"data.root={root}", how, *TINY, "trainer.max_steps=1", into=f"trained{number}")
        assert trained.code == 0, trained
        sides.append({row["page"] for row in read_csv(trained.folder / "predictions.csv")})
        write_page_layout(root / "more", draw_pages(8, seed=5))
    assert sides[0] <= sides[1]


@pytest.mark.real_data
def test_of_two_transcriptions_of_one_image_one_is_used(run, real_data):
    manuscript = next(path for path in sorted((real_data / "cremma-medieval").rglob("*.chocomufin.xml"))).parent
    twins = sorted(manuscript.glob("*.chocomufin.xml"))[:3]
    stems = [path.name.removesuffix(".chocomufin.xml") for path in twins]
    include = ",".join(f"'{stem}.*'" for stem in stems)
    ended = run("task=inspect", "data=alto", f"data.root={manuscript}", f"data.include=[{include}]")
    assert ended.code == 0, ended
    skipped = read_csv(ended.folder / "skipped.csv")
    assert {Path(row["file"]).name for row in skipped if "transcribes the image" in row["reason"]} == {
        path.name for path in twins
    }
    assert json.loads(ended.read("findings.json"))["summary"]["pages"] == len(twins)
