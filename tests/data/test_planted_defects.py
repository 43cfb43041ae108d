"""task=inspect as data doctor: everything that is wrong with a planted set is found, and nothing with a sound one."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_layouts import cut_lines, draw_pages, write_pairs
from planted_defects import Planted, draw_sound_set, plant
from program import Ended, run_program


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Ended:
    folder = tmp_path_factory.mktemp("sound")
    draw_sound_set(folder / "in")
    return run_program(folder / "run", "task=inspect", "data=page", f"data.root={folder / 'in'}")


@pytest.fixture(scope="module")
def harmed(tmp_path_factory) -> tuple[Ended, list[Planted]]:
    folder = tmp_path_factory.mktemp("harmed")
    planted = plant(draw_sound_set(folder / "in"))
    # By this rule the defects lie in the parts that their kinds are about.
    data = ("data=page", f"data.root={folder / 'in'}", "data.split_rule=hash")
    ended = run_program(folder / "run", "task=inspect", *data, "inspect.fail_on=warning")
    return ended, planted


def findings(ended: Ended) -> list[dict[str, str]]:
    return json.loads(ended.read("findings.json"))["findings"]


def test_nothing_is_wrong_with_a_sound_set(sound):
    assert sound.code == 0, sound
    assert [found for found in findings(sound) if found["severity"] != "information"] == []


def test_every_planted_defect_is_found_where_it_is(harmed):
    ended, planted = harmed
    assert ended.code == 2, ended
    missed = []
    for defect in planted:
        fitting = [
            found
            for found in findings(ended)
            if found["kind"] in defect.kinds
            and Path(found["file"]).stem == defect.page
            and defect.line in ("", found["line"])
            and defect.severity in ("", found["severity"])
        ]
        if not fitting or not all(found["message"] for found in fitting):
            missed.append(defect)
    assert missed == [], [found for found in findings(ended) if found["severity"] != "information"]


def test_hardly_anything_else_is_found(harmed):
    ended, planted = harmed
    places = {defect.page for defect in planted}
    grave = [found for found in findings(ended) if found["severity"] != "information"]
    assert [found for found in grave if Path(found["file"]).stem not in places] == []
    assert all(found["remedy"] for found in grave)


def test_the_page_shows_what_was_found_and_runs_nothing_of_the_data(harmed):
    ended, planted = harmed
    page = ended.read("findings.html")
    assert "<b>ↄ" not in page
    assert "&lt;b&gt;ↄ" in page
    assert all(any(kind.replace("_", " ") in page for kind in defect.kinds) for defect in planted)
    assert page.count("data:image/webp;base64,") > 10
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page), "it needs nothing beside itself"


def test_lines_on_two_sides_of_a_given_split_are_found(run, tmp_path):
    lines = cut_lines(draw_pages(5))
    write_pairs(tmp_path / "in" / "train", lines[:9])
    write_pairs(tmp_path / "in" / "val", lines[9:])
    leaked = replace(lines[2], page="scan", image=np.clip(lines[2].image.astype(int) + 7, 0, 255).astype(np.uint8))
    write_pairs(tmp_path / "in" / "val", [replace(leaked, text=lines[2].text)])
    data = ("data=lines", f"data.train={tmp_path / 'in' / 'train'}", f"data.val={tmp_path / 'in' / 'val'}")
    ended = run("task=inspect", *data, "inspect.fail_on=error")
    assert ended.code == 2, ended
    found = next(found for found in findings(ended) if found["kind"] == "leaking_line")
    assert "scan" in found["file"] + found["message"]


@pytest.mark.real_data
def test_a_clean_set_in_two_formats_has_no_error_and_no_warning(run, real_data):
    root = real_data / "timeus-1858" / "data"
    ended = run("task=inspect", "data=xml", f"data.root={root}", "data.include=['*1858-1*']")
    assert ended.code == 0, ended
    counts = Counter((found["severity"], found["kind"]) for found in findings(ended))
    assert {severity for severity, _ in counts} == {"information"}, counts
    assert counts["information", "edge_white_space"] > 50
    assert counts["information", "second_transcription"] == 10
