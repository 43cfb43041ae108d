"""report.html: everything is in it, nothing of the data is markup, and it stays small."""

import json
import re

import numpy as np
import pytest
from drawn_layouts import read_csv
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from report_pages import NASTY, evaluated_lines, listed

from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings, evaluate
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.html.line_list import LEVELS, lines_to_json, list_evaluated
from uncial.reports.html.rendering import TEMPLATES
from uncial.reports.html.report_page import ReportHeader, write_comparison_page, write_scores_page
from uncial.reports.terminal.formatting import make_visible

QUICK = EvaluationSettings(variants=(), bootstrap=Bootstrap(resamples=100))
anything = st.text(max_size=8)


def strip(row: int) -> np.ndarray:
    return np.full((40, 200), row % 256, np.uint8)


def test_a_training_has_one_of_its_validation_lines(trained):
    lines = listed(trained.folder / "report.html")
    rows = {(row["page"], row["line"]): row for row in read_csv(trained.folder / "predictions.csv")}
    assert len(lines["truth"]) == len(rows) > 0
    reading = lines["readings"][0]
    for number, truth in enumerate(lines["truth"]):
        row = rows[lines["page"][number], lines["line"][number]]
        assert (truth, reading["edits"][number]) == (row["truth"], int(row["edits"]))
    assert len(lines["pictures"]) == len(rows)
    page = html.parse(trained.folder / "report.html").getroot()
    assert {"scores", "curves", "misread", "confidence", "list"} <= {one.get("id") for one in page.iter("section")}
    assert len(page.xpath("//section[@id='curves']//img[starts-with(@src, 'data:image/png')]")) == 1
    assert len(page.xpath("//section[@id='confidence']//img[starts-with(@src, 'data:image/svg')]")) == 1


@pytest.mark.parametrize("nasty", [NASTY, "\ud800\x00\x1b[31m\u2028\u202e'\"`"])
def test_nothing_of_the_data_is_markup(tmp_path, nasty):
    lines = [
        evaluate_line(LineOrigin(nasty, nasty, document=nasty, hand=nasty, region_type=nasty), nasty, "x"),
        evaluate_line(LineOrigin("p", "l", hand="h"), "abc", nasty),
    ]
    write_scores_page(tmp_path / "one.html", evaluate(lines, QUICK), ReportHeader(nasty, {"data": nasty}, "scores.csv"))
    compared = compare_systems({nasty: [lines], "other": [lines]}, QUICK)
    write_comparison_page(tmp_path / "two.html", compared, ReportHeader(nasty, {"data": nasty}, "comparison.csv"))
    for name in ("one.html", "two.html"):
        page = html.parse(tmp_path / name, html.HTMLParser(encoding="utf-8")).getroot()
        assert len(page.xpath("//script")) == 2
        assert not page.xpath("//img[@src='x'] | //@onerror | //*[@src and not(starts-with(@src, 'data:'))] | //link")
        assert make_visible(nasty.encode("utf-8", "replace").decode()) in "".join(page.itertext())
        truths = listed(tmp_path / name)["truth"]
        assert [len(truth) for truth in sorted(truths, key=len)] == [3, len(nasty)]


@settings(max_examples=40, deadline=None)
@given(truth=anything, reading=anything)
def test_differences_lead_from_the_truth_to_the_reading(truth, reading):
    line = list_evaluated(evaluate_line(LineOrigin("p", "l"), truth, reading, "none", 0.5, [0.5] * len(reading)))
    text = str(lines_to_json(["one"], [line], {}))
    assert not re.search("[<>&]", text)
    triples = json.loads(text)["readings"][0]["differences"][0]
    left = right = 0
    for same, missed, read in zip(triples[::3], triples[1::3], triples[2::3], strict=True):
        assert truth[left : left + same] == reading[right : right + same]
        assert missed + read > 0
        left, right = left + same + missed, right + same + read
    assert truth[left:] == reading[right:]


def test_pictures_are_of_the_worst_the_best_and_the_median_lines(tmp_path):
    lines = [evaluate_line(LineOrigin("p", f"{n:03}", row=n), "a" * 200, "a" * (200 - n)) for n in range(99)]
    about = ReportHeader("t", {})
    write_scores_page(tmp_path / "page.html", evaluate(lines, QUICK), about, strip, pictures=9)
    data = listed(tmp_path / "page.html")
    assert [data["line"][int(place)] for place in sorted(data["pictures"], key=int)] == [
        "098", "097", "096", "050", "049", "048", "002", "001", "000",
    ]  # fmt: skip
    write_scores_page(tmp_path / "page.html", evaluate(lines, QUICK), about, strip, pictures=0)
    assert listed(tmp_path / "page.html")["pictures"] == {}


def test_ten_thousand_lines_stay_small(tmp_path):
    write_scores_page(tmp_path / "page.html", evaluate(evaluated_lines(10_000), QUICK), ReportHeader("t", {}), strip)
    assert (tmp_path / "page.html").stat().st_size < 3_000_000


def test_script_and_data_name_confidences_alike():
    assert f'const LEVELS = "{LEVELS}";' in (TEMPLATES / "lines.js").read_text(encoding="utf-8")
