"""scores.json, scores.csv, confusions.csv and scores.md: the same evaluation, four times."""

import json

from drawn_layouts import read_csv

from uncial.metrics.evaluation import EvaluationSettings, evaluate
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.tables.line_results import read_line_results
from uncial.reports.tables.scores import write_scores

SETTINGS = EvaluationSettings(bootstrap=Bootstrap(resamples=200, level=0.8))


def some_lines(hand="h|<b>"):
    pairs = [("nun wir", "uun wir"), ("Eſel", "Esel"), ("<i>", "*i*"), ("", "x"), ("ganz recht", "ganz recht")]
    return [
        evaluate_line(
            LineOrigin(f"p{place % 3}", f"l{place}", hand=hand), *pair, "nfc_strip", 0.75, [0.8] * len(pair[1])
        )
        for place, pair in enumerate(pairs)
    ]


def test_the_files_say_the_same(tmp_path):
    evaluation = evaluate(some_lines(), SETTINGS)
    write_scores(tmp_path, evaluation)
    data = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    rows = read_csv(tmp_path / "scores.csv")
    whole = next(row for row in rows if row["kind"] == "all")
    total = evaluation.total
    assert float(whole["cer"]) == data["total"]["cer"] == total.scores.cer == 5 / 24
    assert [float(whole["cer_low"]), float(whole["cer_high"])] == data["total"]["cer_interval"]
    assert {row["kind"] for row in rows} == {"all", "profile", "page", "hand", "script", "length"}
    assert len(data["groups"]["page"]) == 3
    assert sum(int(row["count"]) for row in read_csv(tmp_path / "confusions.csv")) == 5
    assert read_csv(tmp_path / "confusions.csv")[0] == {
        "count": "1", "truth": "", "read": "x", "truth_code_point": "", "read_code_point": "U+0078",
    }  # fmt: skip
    assert read_line_results(tmp_path / "lines.jsonl") == list(evaluation.lines)
    told = (tmp_path / "scores.md").read_text(encoding="utf-8")
    assert "20.83 % (" in told
    assert "'ſ' (U+017F LATIN SMALL LETTER LONG S)" in told
    assert "expected calibration error" in told


def test_a_script_that_was_only_misread_into_has_no_score(tmp_path):
    lines = [
        evaluate_line(LineOrigin("p", "l"), "or", "\u043e\u0433", "nfc_strip"),
        evaluate_line(LineOrigin("q", "l"), "a", "aξ", "nfc_strip"),
    ]
    write_scores(tmp_path, evaluate(lines, SETTINGS))
    table = (tmp_path / "scores.md").read_text("utf-8").partition("## Characters by script")[2].partition("##")[0]
    assert "| Latin | 3 |" in table
    assert "| Greek | 0 |" in table
    assert "Cyrillic" not in table


def test_names_of_the_data_are_no_markup(tmp_path):
    write_scores(tmp_path, evaluate(some_lines(), SETTINGS))
    told = (tmp_path / "scores.md").read_text(encoding="utf-8")
    assert "h\\|\\<b\\>" in told
    assert "<b>" not in told


def test_one_page_and_no_line(tmp_path):
    write_scores(tmp_path, evaluate(some_lines()[:1], SETTINGS))
    assert "No interval can be given: all lines are from one page" in (tmp_path / "scores.md").read_text("utf-8")
    assert json.loads((tmp_path / "scores.json").read_text("utf-8"))["total"]["cer_interval"] is None
    write_scores(tmp_path, evaluate([], SETTINGS))
    assert json.loads((tmp_path / "scores.json").read_text("utf-8"))["total"]["lines"] == 0
