"""task=inspect says what the files do not: made-up ids, marks of styles, graphemes, and each kind of reason once."""

import json
import re
import shutil

import pytest
from drawn_layouts import cut_lines, draw_pages, write_pairs
from hypothesis import given
from hypothesis import strategies as st

from uncial.document import Issue
from uncial.reports.tables.findings import sum_reasons
from uncial.reports.terminal.formatting import make_visible

QUICK = ("inspect.samples=1", "inspect.augmentation=0")


def test_lines_without_an_id_of_their_own_are_told(run, drawn, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    file = root / "page" / "drawn_0002.xml"
    file.write_text(re.sub(r'(<TextLine) id="[^"]*"', r"\1", file.read_text(encoding="utf-8")), encoding="utf-8")
    ended = run("task=inspect", "data=page", f"data.root={root}", *QUICK)
    told = [one for one in json.loads(ended.read("findings.json"))["findings"] if one["kind"] == "made_up_line_ids"]
    assert [one["file"] for one in told] == [str(file)]
    assert told[0]["message"].startswith("3 lines")


@pytest.mark.parametrize(("styles", "characters"), [("drop", "olxmé"), ("mark", "olxmé␃␆"), ("skip", "olxmé")])
def test_style_marks_in_line_pairs_are_treated_as_text_styles_says(run, tmp_path, styles, characters):
    lines = write_pairs(tmp_path / "in", cut_lines(draw_pages(6)))
    for number, mark in enumerate("␃␆"):
        text = lines[number].with_suffix(".gt.txt")
        text.write_text(mark + text.read_text(encoding="utf-8"), encoding="utf-8")
    ended = run("task=inspect", "data=lines", f"data.root={tmp_path / 'in'}", f"data.text_styles={styles}", *QUICK)
    assert ended.code == 0, ended
    summary = json.loads(ended.read("findings.json"))["summary"]
    assert set(summary["alphabet"]) == set(characters)
    assert summary["lines"] == (16 if styles == "skip" else 18)


def test_the_alphabet_of_graphemes_is_told_where_a_model_would_learn_it(run, tmp_path):
    lines = write_pairs(tmp_path / "in", cut_lines(draw_pages(6)))
    for path in lines:
        path.with_suffix(".gt.txt").write_text("ol q\u0303x", encoding="utf-8")
    for unit, letter in (("code_point", "q"), ("grapheme", "q\u0303")):
        ended = run(
            "task=inspect", "data=lines", f"data.root={tmp_path / 'in'}", f"model.text.unit={unit}", *QUICK, into=unit
        )
        assert ended.code == 0, ended
        assert letter in json.loads(ended.read("findings.json"))["summary"]["alphabet"]


def test_reasons_that_hold_a_path_are_summed(run, drawn, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    for number in range(4, 13):
        (root / f"drawn_{number:04d}.png").unlink()
    ended = run("task=inspect", "data=page", f"data.root={root}", *QUICK)
    assert ended.code == 0, ended
    table = ended.output[ended.output.index("Left out") : ended.output.index("Findings")]
    assert re.search(r"…[^\n]*\s9\s", table), table
    assert table.count("drawn_0005.png") == 0


@given(st.lists(st.sampled_from(["a/b.png", "c d.jpg", "e.xml", "x"]), min_size=1), st.integers(0, 5))
def test_reasons_are_summed_by_kind(names, lines):
    problems = [Issue(name, "", f"the image '{name}' does not exist") for name in names]
    problems += [Issue("f", str(n), f"holds {n} lines of text for one line image") for n in range(lines)]
    sums = sum_reasons(problems)
    assert sum(one.count for one in sums) == len(problems)
    assert len(sums) == 1 + bool(lines)
    assert {one.example for one in sums} <= set(problems)


@given(st.text())
def test_what_is_shown_is_one_row(text):
    assert len(f"a{make_visible(text)}".splitlines()) == 1
