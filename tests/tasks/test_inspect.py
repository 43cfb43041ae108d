"""task=inspect: what is in the data and what is wrong with it, before anything is trained."""

import json
import shutil

import pytest
from drawn_layouts import cut_lines, draw_pages, read_csv, write_pairs
from PIL import Image


@pytest.fixture
def faulty(drawn, tmp_path):
    """Twelve pages, of which one image is missing and one line has no text."""
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    (root / "drawn_0001.png").unlink()
    page = root / "page/drawn_0002.xml"
    text = page.read_text(encoding="utf-8")
    start, end = text.index("<Unicode>") + len("<Unicode>"), text.index("</Unicode>")
    page.write_text(text[:start] + "  " + text[end:], encoding="utf-8")
    return root


def test_a_sound_set_is_told_in_figures_and_pictures(run, drawn):
    ended = run("task=inspect", "data=page", f"data.root={drawn / 'page'}", "inspect.samples=5")
    assert ended.code == 0, ended
    summary = json.loads(ended.read("findings.json"))["summary"]
    assert (summary["pages"], summary["lines"]) == (12, 36)
    assert set(summary["alphabet"]) == set("olxmé")
    assert sum(part["lines"] for part in summary["parts"].values()) == 36
    with Image.open(ended.folder / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 50
    with Image.open(ended.folder / "augmentation.png") as sheet:
        assert sheet.height > 2 * 6 * 56, "two lines, each as it is and under at least five transforms"
    assert read_csv(ended.folder / "skipped.csv") == []
    assert str(ended.folder) in ended.output


def test_lines_are_counted_to_the_pages_that_they_were_cut_from(run, tmp_path):
    write_pairs(tmp_path / "in", cut_lines(draw_pages(4)))
    quick = ("inspect.samples=1", "inspect.augmentation=0")
    ended = run("task=inspect", "data=lines", f"data.root={tmp_path / 'in'}", *quick)
    assert ended.code == 0, ended
    summary = json.loads(ended.read("findings.json"))["summary"]
    assert (summary["pages"], summary["lines"]) == (4, 12)
    counted = summary["separation"]["counts"]
    assert {part: size["pages"] for part, size in summary["parts"].items()} == {
        part: kinds["page"] for part, kinds in counted.items()
    }


def test_faults_are_found_and_listed(run, faulty):
    ended = run("task=inspect", "data=page", f"data.root={faulty}")
    assert ended.code == 0, ended
    findings = json.loads(ended.read("findings.json"))["findings"]
    assert [finding["severity"] for finding in findings][:1] == ["error"]
    listed = {(row["file"].rpartition("/")[2], row["line"]) for row in read_csv(ended.folder / "skipped.csv")}
    assert ("drawn_0001.xml", "") in listed
    assert any(file == "drawn_0002.xml" and line for file, line in listed)


@pytest.mark.parametrize(("fail_on", "code"), [("null", 0), ("error", 2), ("warning", 2), ("info", 2)])
def test_the_exit_code_says_that_something_was_found(run, faulty, fail_on, code):
    ended = run("task=inspect", "data=page", f"data.root={faulty}", f"inspect.fail_on={fail_on}")
    assert ended.code == code, ended
    assert (ended.folder / "findings.json").is_file(), "the task ran to its end"


def test_a_finding_below_the_wanted_severity_is_no_failure(run, faulty):
    (faulty / "page/drawn_0001.xml").unlink()
    ended = run("task=inspect", "data=page", f"data.root={faulty}", "inspect.fail_on=error")
    assert ended.code == 0, ended


def test_an_unknown_severity_is_refused_before_the_data_are_read(run, drawn):
    ended = run("task=inspect", "data=page", f"data.root={drawn / 'page'}", "inspect.fail_on=bad")
    assert ended.code == 1
    assert "inspect.fail_on" in ended.output
    assert "compiling" not in ended.output
