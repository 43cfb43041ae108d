"""What the sides of a split have in common is counted and named."""

import json

import numpy as np
import pytest
from drawn_layouts import draw_pages, write_page_layout

from uncial.data.splits.leakage import find_leakage
from uncial.data.store.store import Store, StoredLine, write_rows

HALVES = {"train": np.array([0, 1]), "val": np.array([2]), "test": np.array([], dtype=np.int64)}


def store_of(tmp_path, *lines: dict) -> Store:
    blank = dict.fromkeys(("document", "hand", "group", "image_hash"), "") | dict.fromkeys(
        ("subset", "region_type", "language", "direction")
    )
    strip = np.full((8, 8), 255, np.uint8)
    rows = [
        StoredLine(**(blank | {"page": f"p{i}", "line": "l", "text": "a", "strip": strip} | line))
        for i, line in enumerate(lines)
    ]
    write_rows(tmp_path / "lines.arrow", rows, 1, "digest")
    return Store(tmp_path / "lines.arrow")


def test_what_each_side_holds_is_counted(tmp_path):
    store = store_of(
        tmp_path, {"document": "a", "image_hash": "x"}, {"document": "b", "image_hash": "y"}, {"image_hash": "z"}
    )
    proof = find_leakage(store, HALVES)
    assert proof.counts["train"] == {"page": 2, "image": 2, "document": 2, "hand": 0}
    assert proof.counts["val"] == {"page": 1, "image": 1, "document": 0, "hand": 0}
    assert proof.leaks("page") == proof.leaks("document") == ()
    assert "no page, no image on two sides" in proof.sentence("page")
    json.dumps(proof.to_json())


@pytest.mark.parametrize(
    ("shared", "by", "told"),
    [
        ({"page": "p"}, "page", "1 page of train in val too: p"),
        ({"group": "p"}, "page", "1 page of train in val too: p"),
        ({"image_hash": "x"}, "page", "1 image of train in val too: x"),
        ({"document": "d"}, "document", "1 document of train in val too: d"),
        ({"hand": "h"}, "hand", "1 hand of train in val too: h"),
        ({"document": "d", "hand": "h"}, "page", None),
        ({"document": ""}, "document", None),
    ],
)
def test_what_two_sides_share_is_a_leak_where_it_must_not_be(tmp_path, shared, by, told):
    proof = find_leakage(store_of(tmp_path, {}, shared, shared), HALVES)
    assert proof.leaks(by) == ((told,) if told else ())
    assert (told or "on two sides") in proof.sentence(by)


def test_inspect_states_the_proof_for_every_fold(run, tmp_path):
    root = write_page_layout(tmp_path / "in", draw_pages(6))
    validated = []
    for fold in range(2):
        ended = run(
            "task=inspect", "data=page", f"data.root={root}", "data.folds=2", f"data.fold={fold}", into=f"fold{fold}"
        )
        assert ended.code == 0, ended
        assert "no page, no image on two sides" in " ".join(ended.output.split())
        proof = json.loads(ended.read("findings.json"))["summary"]["separation"]
        assert proof["shared"]["train and val"] == {"page": 0, "image": 0, "document": 1, "hand": 1}
        validated.append(proof["counts"]["val"]["page"])
    assert sum(validated) == 5, "the test page is in no fold"


def test_a_page_cut_in_two_by_the_datas_own_split_is_found(run, tmp_path):
    """Lists of single lines, as Loghi shuffles them, may cut a page in two; the run goes on, and is told of."""
    from drawn_layouts import cut_lines, write_pairs

    paths = write_pairs(tmp_path / "lines", cut_lines(draw_pages(2)))
    for part, chosen in (("train", paths[:4]), ("val", paths[4:])):
        rows = [f"{path}\t{path.with_suffix('.gt.txt').read_text(encoding='utf-8').strip()}" for path in chosen]
        (tmp_path / f"{part}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = ("data=loghi", f"data.train={tmp_path / 'train.txt'}", f"data.val={tmp_path / 'val.txt'}")
    ended = run("task=inspect", *data, "inspect.fail_on=error")
    assert ended.code == 2, ended
    leak = next(
        found for found in json.loads(ended.read("findings.json"))["findings"] if found["kind"] == "leaking_page"
    )
    assert "1 page of train in val too" in leak["message"]
