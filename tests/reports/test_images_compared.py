"""Scores by what the line images are like, where several systems read them, and at the end of a training."""

import csv
import json
import re

import numpy as np
import pytest
from chromium import Chromium, find_chromium
from drawn_layouts import read_csv
from lxml import html
from program import quoted
from report_pages import listed

from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.image_quality import compare_by_measures
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.html.report_page import ReportHeader, write_comparison_page
from uncial.reports.tables.comparison import format_comparison, write_comparison

QUICK = EvaluationSettings(variants=(), bootstrap=Bootstrap(resamples=100))
MEASURES = ("contrast", "sharpness", "noise", "ink", "height")
COUNT = 80


def read_lines(wrong):
    """Lines of ten letters, of which `wrong(number)` are misread."""
    return [
        evaluate_line(LineOrigin(f"p{n // 8}", f"l{n:02}", row=n), "a" * 10, "b" * wrong(n) + "a" * (10 - wrong(n)))
        for n in range(COUNT)
    ]


@pytest.fixture(scope="module")
def comparison():
    """`plain` misreads more the more noise there is, `sturdy` the same everywhere; the last lines have no measure."""
    found = compare_systems({"plain": [read_lines(lambda n: n // 20)], "sturdy": [read_lines(lambda n: 1)]}, QUICK)
    noise = np.array([float(line.origin.row) for line in found.lines])
    noise[-4:] = np.nan
    return compare_by_measures(found, {"noise": noise, "height": np.full(COUNT, 64.0)})


def test_each_group_has_the_error_rates_of_its_own_lines(comparison):
    groups = [group for group in comparison.groups if group.kind == "noise"]
    assert sum(group.lines for group in groups) == COUNT - 4
    assert [group.lines for group in groups] == [19] * 4
    assert [group.cer[1] for group in groups] == [pytest.approx(0.1)] * 4
    plain = [group.cer[0] for group in groups]
    assert plain == sorted(plain)
    assert (plain[0], [group.best for group in groups]) == (0, [0, 0, 1, 1])
    assert "height" not in {group.kind for group in comparison.groups}, "what is the same in all lines divides none"
    assert list(comparison.image_groups) == ["noise"]
    for place, line in enumerate(comparison.lines):
        assert comparison.image_groups["noise"][place] == (
            -1 if line.origin.row >= COUNT - 4 else line.origin.row // 19
        )


def test_tables_and_the_page_have_them_in_their_order(comparison, tmp_path):
    write_comparison(tmp_path, comparison)
    with (tmp_path / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "noise"]
    groups = [group for group in comparison.groups if group.kind == "noise"]
    assert [row["name"] for row in rows] == [group.name for group in groups]
    assert [float(row["cer plain"]) for row in rows] == [group.cer[0] for group in groups]
    data = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert [one["best"] for one in data["groups"] if one["kind"] == "noise"] == ["plain", "plain", "sturdy", "sturdy"]
    text = format_comparison(comparison)
    section = text[text.index("## By noise of the image (grey levels)") : text.index("## Kinds of error")]
    places = [section.index(group.name) for group in groups]
    assert places == sorted(places)
    page = write_page(comparison, tmp_path)
    buttons = html.parse(page).getroot().xpath("//button[@data-set='image']")
    assert [button.text for button in buttons] == [group.name for group in groups]
    lines = listed(page)
    own = {
        line.origin.line: group for line, group in zip(comparison.lines, comparison.image_groups["noise"], strict=True)
    }
    assert lines["images"]["noise"] == [own[line] for line in lines["line"]]


def write_page(comparison, folder):
    write_comparison_page(folder / "report.html", comparison, ReportHeader("Comparison", {}, "comparison.csv"))
    return folder / "report.html"


def test_a_comparison_without_images_has_none(comparison, tmp_path):
    bare = compare_systems({"a": [read_lines(lambda n: 0)], "b": [read_lines(lambda n: 1)]}, QUICK)
    page = write_page(bare, tmp_path).read_text(encoding="utf-8")
    assert "of the image" not in page
    assert 'data-filter="image"' not in page


@pytest.mark.browser
def test_a_press_on_a_group_shows_its_lines(comparison, tmp_path):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium; another place: CHROMIUM=…)")
    browser = Chromium(program, tmp_path)
    browser.open(write_page(comparison, tmp_path))
    browser.run("[...document.querySelectorAll('button[data-set=image]')].at(-1).click()")
    assert browser.run("document.querySelector('[data-count]').textContent") == f"19 of {COUNT} lines"
    browser.run("document.querySelector('[data-clear]').click()")
    assert browser.run("document.querySelector('[data-count]').textContent") == f"{COUNT} of {COUNT} lines"
    assert browser.faults() == []
    browser.close()


def test_models_are_compared_by_the_images_of_the_data(run, trained, drawn):
    models = f"checkpoint=[{quoted(trained.folder)},{quoted(trained.folder / 'last.ckpt')}]"
    ended = run("task=compare", models, "data=page", f"data.root={quoted(drawn / 'page')}", "data.subset=all")
    assert ended.code == 0, ended
    kinds = {row["kind"] for row in read_csv(ended.folder / "comparison.csv")}
    divides = kinds & set(MEASURES)
    assert divides >= {"contrast", "ink"}
    assert set(listed(ended.folder / "report.html")["images"]) == divides
    rows = [row for row in read_csv(ended.folder / "comparison.csv") if row["kind"] == "ink"]
    assert sum(int(row["lines"]) for row in rows) == 36


def test_the_report_of_a_training_has_those_of_its_validation_lines(trained):
    page = trained.read("report.html")
    assert 'href="#images"' in page
    lines = listed(trained.folder / "report.html")
    assert set(lines["images"]) <= set(MEASURES)
    assert {"contrast", "ink"} <= set(lines["images"])
    section = re.search(r'<section id="images">.*?</section>', page, re.DOTALL)
    assert section is not None
    for name in lines["images"]:
        assert f"By {name}" in section[0]
        assert len(lines["images"][name]) == len(lines["truth"])
