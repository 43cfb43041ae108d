"""model.text and model.codec in a training: drawn Hebrew and Arabic lines come out in logical order."""

import json

import pytest
from drawn_layouts import read_csv
from program import LEARNING, run_program
from right_to_left_lines import ARABIC, HEBREW, draw_lines, write_lines

from uncial.models.files import load_card


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Lines of both scripts, with numbers and Latin words in them."""
    root = tmp_path_factory.mktemp("lines")
    return write_lines(root / "lines", [*draw_lines(40, HEBREW), *draw_lines(40, ARABIC, seed=2)])


def test_right_to_left_lines_are_learned_and_read_in_logical_order(lines, tmp_path):
    ended = run_program(tmp_path / "run", "data=lines", f"data.root={lines}", "data.ratio=[.8,.2,0]", *LEARNING)
    assert ended.code == 0, ended
    assert ended.metrics["val"]["cer"] < 0.3  # read backwards it is over 0.5
    rows = read_csv(ended.folder / "predictions.csv")
    truths = {path.name.removesuffix(".gt.txt"): path.read_text("utf-8").strip() for path in lines.glob("*.gt.txt")}
    assert {row["truth"] for row in rows} <= set(truths.values())
    for inside in ("27", "xz"):
        own = [row for row in rows if set(inside) & set(row["truth"])]
        assert sum(int(row["edits"]) for row in own) < 0.4 * sum(len(row["truth"]) for row in own)
    assert any(row["truth"] == row["prediction"] for row in rows)
    assert load_card(ended.folder / "best.safetensors")["text"]["mixed"] == "R"


def test_a_given_codec_and_a_table_of_replacements_are_part_of_the_model(lines, tmp_path):
    table = {letter: [number] for number, letter in enumerate(sorted(HEBREW + " 27"), start=1)} | {"Q": [20, 21]}
    (tmp_path / "codec.json").write_text(json.dumps(table), encoding="utf-8")
    ended = run_program(
        tmp_path / "run",
        "data=lines",
        f"data.root={lines}",
        "data.ratio=[.8,.2,0]",
        *LEARNING,
        "trainer.max_steps=2",
        f"model.codec={tmp_path / 'codec.json'}",
        "model.text.replacements={x: Q, z: Q}",
    )
    assert ended.code == 0, ended
    assert "lacks 3 characters of the train lines" in ended.output
    card = load_card(ended.folder / "best.safetensors")
    assert card["codec"]["table"]["Q"] == [20, 21]
    truths = [row["truth"] for row in read_csv(ended.folder / "predictions.csv")]
    assert any("Q" in truth for truth in truths)
    assert not any("x" in truth for truth in truths)
