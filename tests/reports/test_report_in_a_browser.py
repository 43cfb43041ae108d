"""report.html in a real browser: ten thousand lines, by mouse and by keyboard, light and dark, from right to left."""

from collections import Counter

import numpy as np
import pytest
from chromium import Chromium, find_chromium
from report_pages import NASTY, TEXTS, evaluated_lines

from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings, evaluate
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import evaluate_line
from uncial.reports.html.report_page import ReportHeader, write_comparison_page, write_scores_page

pytestmark = pytest.mark.browser

QUICK = EvaluationSettings(variants=(), bootstrap=Bootstrap(resamples=100))
LINES = evaluated_lines(10_000)
COUNT = "document.querySelector('[data-count]').textContent"
FIRST = "document.querySelector('article').textContent"
CONTRAST = """(() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = (node) => {
    while (getComputedStyle(node).backgroundColor === "rgba(0, 0, 0, 0)") node = node.parentElement;
    return getComputedStyle(node).backgroundColor;
  };
  return Math.min(...[...document.querySelectorAll("p, ins, del, .faint, th, td, a, button, select, input")]
    .filter((node) => node.offsetParent).map((node) => {
      const [low, high] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    }));
})()"""
"""The least contrast of text with what is behind it (WCAG 2.1)."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium; another place: CHROMIUM=…)")
    started = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "report.html"

    def strip(row: int) -> np.ndarray:
        return np.full((40, 300), 200, np.uint8)

    write_scores_page(path, evaluate(LINES, QUICK), ReportHeader("Test <b>", {"model": NASTY}), strip, pictures=30)
    return path


@pytest.fixture
def opened(browser, page):
    browser.open(page)
    yield browser
    assert browser.faults() == []
    assert browser.run("document.querySelectorAll('img[src=x], [onerror]').length") == 0


def choose(browser, field: str, value: str) -> str:
    return browser.run(
        f"(() => {{ const field = document.querySelector('[data-{field}]'); field.value = {value!r};"
        f" field.dispatchEvent(new Event('input')); return {COUNT}; }})()"
    )


def test_few_of_ten_thousand_lines_are_drawn_and_more_when_one_scrolls(opened):
    assert opened.run(COUNT) == "10000 of 10000 lines"
    drawn = "document.querySelectorAll('article').length"
    before = opened.run(drawn)
    assert 0 < before < 200
    opened.run("scrollTo(0, document.body.scrollHeight)")
    opened.run("new Promise((done) => setTimeout(done, 300))")
    assert before < opened.run(drawn) < 600
    pictures = "[...document.querySelectorAll('article img')]"
    assert opened.run(f"{pictures}.length") == 10
    assert opened.run(f"Promise.all({pictures}.map((image) => image.decode())).then(() => true)")


def test_filters_and_orders(opened):
    of_page = sum(line.page == "p7" for line in LINES)
    assert choose(opened, "filter=page", "=p7") == f"{of_page} of 10000 lines"
    assert (
        choose(opened, "filter=outcome", "wrong")
        == f"{sum(140 <= n < 160 for n in range(0, 10_000, 3))} of 10000 lines"
    )
    opened.run("document.querySelector('[data-clear]').click()")
    by_hand = Counter(line.origin.hand for line in LINES)
    for hand in ("anna", NASTY):
        assert choose(opened, "filter=hand", f"={hand}") == f"{by_hand[hand]} of 10000 lines"
    choose(opened, "filter=hand", "")
    letter, last = TEXTS[1][1], TEXTS[3][-1]
    wrong = sum(line.truth[1] == letter and line.prediction[1] == "x" for line in LINES)
    lost = sum(line.truth[-1] == last and len(line.prediction) < len(line.truth) for line in LINES)
    assert choose(opened, "filter=misread", f'["{letter}","x"]') == f"{wrong} of 10000 lines"
    assert choose(opened, "filter=misread", f'["{letter}"]') == f"{wrong} of 10000 lines"
    assert choose(opened, "filter=misread", f'["{last}",""]') == f"{lost} of 10000 lines"
    choose(opened, "filter=misread", "")
    choose(opened, "sort", "best")
    assert "0 edits" in opened.run(FIRST)
    choose(opened, "sort", "page")
    assert "p0, line l0," in opened.run(FIRST)
    choose(opened, "sort", "")
    assert "2 edits" in opened.run(FIRST)
    assert choose(opened, "search", "P499") == "20 of 10000 lines"


def test_it_can_be_used_by_keyboard(opened):
    opened.press("j")
    assert opened.run("document.activeElement === document.querySelector('article')")
    opened.press("j")
    opened.press("j")
    opened.press("k")
    assert opened.run("document.activeElement === document.querySelectorAll('article')[1]")
    opened.press("/")
    for letter in "p12":
        opened.press(letter)
    shown = sum("p12" in line.page for line in LINES)
    assert opened.run(COUNT) == f"{shown} of 10000 lines"
    reached = set()
    opened.run("document.querySelector('a').focus()")
    for _ in range(25):
        opened.press("Tab")
        reached.add(opened.run("document.activeElement.outerHTML.match(/data-(order|set)|<summary|href/)?.[0]"))
    assert {"data-order", "<summary", "href", "data-set"} <= reached
    opened.run("document.querySelector('[data-set=misread]').focus()")
    opened.press("Enter")
    assert opened.run("document.querySelector('[data-filter=misread]').value") != ""
    assert opened.run("document.activeElement.tagName") == "ARTICLE"


def test_a_table_is_sorted_by_its_headings(opened):
    cells = "[...document.querySelectorAll('#misread tbody')[0].rows].map((row) => Number(row.cells[0].dataset.value))"
    heading = "document.querySelector('#misread [data-order]')"
    opened.run(f"{heading}.click()")
    assert opened.run(cells) == sorted(opened.run(cells))
    assert opened.run(f"{heading}.closest('th').getAttribute('aria-sort')") == "ascending"
    opened.run(f"{heading}.click()")
    assert opened.run(cells) == sorted(opened.run(cells), reverse=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_light_and_dark(opened, scheme):
    opened.prefer(scheme)
    light = opened.run("getComputedStyle(document.body).backgroundColor").startswith("rgb(25")
    assert light == (scheme == "light")
    assert opened.run(CONTRAST) > 4.5


def test_paper_is_light_and_holds_whole_tables(opened):
    table = "document.querySelector('#misread .wide')"
    opened.prefer("dark", "print")
    light, cut = opened.run(
        f"[getComputedStyle(document.body).backgroundColor, {table}.scrollHeight > {table}.clientHeight + 20]"
    )
    assert light.startswith("rgb(25")
    assert not cut
    assert opened.run(CONTRAST) > 4.5
    opened.prefer("light")


def test_text_from_right_to_left_stands_right(opened):
    sides = """(text) => {
      const own = [...document.querySelectorAll('article .text')].find((node) => node.textContent === text);
      const range = document.createRange();
      range.selectNodeContents(own);
      const outer = own.getBoundingClientRect(), inner = range.getBoundingClientRect();
      return [own.dir, Math.round(inner.left - outer.left) < 3, Math.round(outer.right - inner.right) < 3];
    }"""
    choose(opened, "filter=script", "=Hebrew")
    assert opened.run(f"({sides})({TEXTS[1]!r})") == ["rtl", False, True]
    marks = "[...document.querySelectorAll('article')[0].querySelectorAll('ins, del')].map((mark) => mark.textContent)"
    assert len(opened.run(marks)) == 2
    choose(opened, "filter=script", "=Latin")
    choose(opened, "search", TEXTS[0])
    assert opened.run(f"({sides})({TEXTS[0]!r})") == ["ltr", True, False]


def test_what_differs_and_what_is_unsure_is_marked(opened):
    choose(opened, "filter=script", "=Latin")
    choose(opened, "filter=outcome", "wrong")
    article = "document.querySelector('article')"
    assert opened.run(f"{article}.querySelector('ins').textContent") in "i "
    assert opened.run(f"{article}.querySelector('del').textContent") == "x"
    assert opened.run(f"{article}.querySelector('del').className") == "doubtful"
    assert opened.run(f"{article}.querySelector('del').title") == "confidence 0.30"


def test_a_comparison_says_who_wins_in_each_line(browser, tmp_path):
    one, other = evaluated_lines(60, wrong=3), evaluated_lines(60, wrong=2)
    both = [evaluate_line(line.origin, line.truth, line.prediction, "nfc_strip", 0.5) for line in other]
    write_comparison_page(
        tmp_path / "page.html", compare_systems({NASTY: [one], "other": [both]}, QUICK), ReportHeader("t", {}, "x")
    )
    browser.open(tmp_path / "page.html")
    edits = [(a.counts.edits, b.counts.edits) for a, b in zip(one, both, strict=True)]
    expected = {
        "best 0": sum(a < b for a, b in edits),
        "best 1": sum(b < a for a, b in edits),
        "equal": sum(a == b for a, b in edits),
        "missed": sum(min(pair) > 0 for pair in edits),
        "right": sum(max(pair) == 0 for pair in edits),
    }
    assert 0 not in expected.values()
    for outcome, count in expected.items():
        assert choose(browser, "filter=outcome", outcome) == f"{count} of 60 lines"
    choose(browser, "filter=outcome", "best 1")
    assert browser.run(FIRST).startswith("other wins")
    assert browser.faults() == []
