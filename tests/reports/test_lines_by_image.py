"""report.html, scores.json and scores.md tell scores by what the line images are like; the page shows the lines."""

import csv
import json
import re

import numpy as np
import pytest
from chromium import Chromium, find_chromium
from report_pages import evaluated_lines, listed

from uncial.metrics.evaluation import EvaluationSettings, evaluate
from uncial.metrics.image_quality import score_by_measures
from uncial.metrics.intervals import Bootstrap
from uncial.reports.html.report_page import ReportHeader, write_scores_page
from uncial.reports.tables.scores import write_scores

QUICK = EvaluationSettings(variants=(), bootstrap=Bootstrap(resamples=100))
EVALUATION = evaluate(evaluated_lines(400), QUICK)
NOISE = np.array([3.0 + line.counts.edits + (line.origin.row or 0) / 1000 for line in EVALUATION.lines])
BY_IMAGE = score_by_measures(EVALUATION.lines, {"noise": NOISE, "height": np.full(400, 64.0)}, QUICK)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "report.html"
    write_scores_page(path, EVALUATION, ReportHeader("Test", {}), by_image=BY_IMAGE)
    return path


def test_each_line_of_the_page_is_in_the_group_of_its_own_measure(page):
    lines = listed(page)
    assert set(lines["images"]) == {"noise"}, "what is the same in all lines divides none"
    own = {(line.page, line.origin.line): noise for line, noise in zip(EVALUATION.lines, NOISE, strict=True)}
    measured = [own[place] for place in zip(lines["page"], lines["line"], strict=True)]
    groups = lines["images"]["noise"]
    for group in range(3):
        below = max(noise for noise, its in zip(measured, groups, strict=True) if its == group)
        assert below < min(noise for noise, its in zip(measured, groups, strict=True) if its == group + 1)


def test_the_tables_have_the_groups_and_what_they_come_to(tmp_path):
    write_scores(tmp_path, EVALUATION, BY_IMAGE)
    data = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    groups = data["groups"]["noise"]
    assert sum(group["lines"] for group in groups) == 400
    assert groups[0]["cer"] == 0 < groups[-1]["cer"]
    assert data["image_quality"]["measures"]["noise"]["correlation"] > 0.5
    assert data["image_quality"]["measures"]["height"]["correlation"] is None
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "noise"]
    assert [row["name"] for row in rows] == [group["name"] for group in groups]
    text = (tmp_path / "scores.md").read_text(encoding="utf-8")
    section = text[text.index("## By the image of the line") : text.index("## Kinds of error")]
    assert data["image_quality"]["words"] in section
    assert section.count(groups[0]["name"]) >= 2


def test_a_set_without_measures_has_none(tmp_path):
    write_scores(tmp_path, EVALUATION)
    write_scores_page(tmp_path / "report.html", EVALUATION, ReportHeader("Test", {}))
    assert "image_quality" not in (tmp_path / "scores.json").read_text(encoding="utf-8")
    assert "By the image" not in (tmp_path / "scores.md").read_text(encoding="utf-8")
    assert not re.search("What the images|#images", (tmp_path / "report.html").read_text(encoding="utf-8"))


@pytest.mark.browser
def test_a_press_on_a_group_shows_its_lines(page, tmp_path):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium; another place: CHROMIUM=…)")
    browser = Chromium(program, tmp_path)
    browser.open(page)
    last = "[...document.querySelectorAll('#images button[data-set=image]')].at(-1)"
    browser.run(f"{last}.click()")
    count = BY_IMAGE[0].groups[-1].scores.lines
    assert browser.run("document.querySelector('[data-count]').textContent") == f"{count} of 400 lines"
    name = browser.run("document.querySelector('[data-filter=image]').selectedOptions[0].textContent")
    assert name == f"noise {BY_IMAGE[0].groups[-1].name}"
    browser.run("document.querySelector('[data-clear]').click()")
    assert browser.run("document.querySelector('[data-count]').textContent") == "400 of 400 lines"
    assert browser.faults() == []
    browser.close()
