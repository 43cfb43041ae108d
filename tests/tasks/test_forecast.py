"""task=forecast: learning curves whose law is known."""

import csv
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from drawn_layouts import read_csv
from learning_curves import Law, trainings, write_runs
from program import run_program

from uncial.data.settings import parse_share
from uncial.errors import UserError
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.learning_curve import fit_learning_curve
from uncial.tasks.forecast import check_comparable, find_finished_runs

LAWS = [Law(exponent, floor) for exponent in (0.3, 0.5, 0.8) for floor in (0.0, 0.3, 0.6)]
SETS = 40


def curve_of(law, seed=1, **how):
    return fit_learning_curve(*trainings(law, np.random.default_rng(seed), **how), 0.8, Bootstrap(200, seed=seed))


@pytest.mark.parametrize(("pages", "seeds", "widest"), [(4, 1, 2.5), (7, 2, 2.0), (20, 1, 1.6)])
def test_80_percent_bands_up_to_half_of_the_lines_hold_the_score_on_all_in_80_of_100_cases(pages, seeds, widest):
    """Few pages or many: as often as is said, within 3 standard errors, and not in nearly all."""
    random = np.random.default_rng(1)
    held, wide = [], []
    for law in LAWS:
        for number in range(SETS):
            found = curve_of(law, number, seeds=seeds, pages=pages).at(law.most)
            held.append(found.low <= law.final * np.exp(law.luck * random.normal()) <= found.high)
            wide.append(found.high / found.low)
    error = (0.8 * 0.2 / len(held)) ** 0.5
    assert 0.8 - 3 * error <= np.mean(held) <= 0.8 + 4 * error
    assert np.median(wide) < widest, "a band that says little is easily right"


def test_what_is_forecast_and_what_is_needed_is_near_the_truth():
    law = Law(0.5, luck=0.01)
    curve = curve_of(law, pages=200, shares=(1 / 16, 1 / 8, 1 / 4, 1 / 2, 1), seeds=3)
    double = curve.at(2 * law.most)
    assert double.low <= law.cer(2 * law.most) <= double.high
    assert double.value == pytest.approx(law.cer(2 * law.most), rel=0.1)
    needed = curve.needed(law.cer(2 * law.most))
    assert needed.low <= 2 * law.most <= needed.high
    assert 1.6 * law.most < needed.value < 2.6 * law.most
    assert curve.needed(0.0001).low > 50 * law.most


def test_a_floor_is_not_gone_below():
    law = Law(0.9, 0.9, luck=0.01)
    curve = curve_of(law, pages=200, shares=(1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1), seeds=3)
    needed = curve.needed(0.02)
    assert math.isinf(needed.value)
    assert needed.reachable < 0.2
    assert curve.at(4 * law.most).value == pytest.approx(law.cer(4 * law.most), rel=0.1)


def test_unlike_seeds_make_the_band_wider():
    calm, wild = (curve_of(Law(0.5, luck=luck), pages=100, seeds=3).at(6400) for luck in (0.01, 0.3))
    assert wild.high / wild.low > 1.5 * calm.high / calm.low


def test_the_forecast_in_words_and_files(tmp_path):
    law = Law(0.5)
    write_runs(tmp_path / "runs", law, seeds=2)
    (tmp_path / "runs" / "10").mkdir()
    (tmp_path / "runs" / "10" / "config.yaml").write_text("seed: 3\n", encoding="utf-8")
    typed = ("task=forecast", f"forecast.runs={tmp_path / 'runs'}", "forecast.factors=[2,3]", "forecast.target=0.03")
    ended = run_program(tmp_path / "run", *typed)
    assert ended.code == 0, ended
    for told in (
        "10 trainings on 200 to 3,200 lines",
        "CER is 5.00 %",
        "With twice the lines (6,400) about ",
        "1 run is not finished",
    ):
        assert told in ended.output
    assert "A CER of 3.0 % takes about " in ended.output
    report = json.loads(ended.read("forecast.json"))
    double, triple = report["forecasts"]
    assert double["low"] < law.cer(6400) < double["high"]
    assert (double["lines"], triple["lines"]) == (6400, 9600)
    assert report["needed"]["low"] < 3200 / 0.6**2 < report["needed"]["high"]
    rows = list(csv.DictReader(ended.read("forecast.csv").splitlines()))
    assert [row["kind"] for row in rows].count("run") == 10
    assert ended.read("forecast.md").count("6,400") >= 2
    assert (ended.folder / "forecast.png").stat().st_size > 10_000


@pytest.mark.parametrize(("exponent", "is_told"), [(-0.2, True), (0.3, False)])
def test_runs_that_more_lines_do_not_help_are_said_to_be_short(tmp_path, exponent, is_told):
    """Each is read so often that a training with few lines has learned them, and one with many has only begun."""
    write_runs(tmp_path / "runs", Law(exponent, final=0.2))
    ended = run_program(tmp_path / "run", "task=forecast", f"forecast.runs={tmp_path / 'runs'}")
    assert ended.code == 0, ended
    told = "With 3,200 lines the CER was no lower than with 1,600: runs as short as these may end"
    assert (told in " ".join(ended.output.split())) == is_told


def test_too_few_sizes_make_no_curve(tmp_path):
    # With the fewest lines this one reads nothing.
    write_runs(tmp_path / "runs", Law(0.7, final=0.15), shares=(1 / 16, 0.5, 1))
    ended = run_program(tmp_path / "run", "task=forecast", f"forecast.runs={tmp_path / 'runs'}", "forecast.target=0.1")
    assert ended.code == 0, ended
    assert "With 200 lines the CER was 60 % or more" in ended.output
    assert "No curve can be drawn" in ended.output
    assert "here are 2" in ended.output
    assert "forecast.png" not in ended.output + ended.read("forecast.md")
    assert not (ended.folder / "forecast.png").exists()
    assert "forecast.md" in ended.output
    assert json.loads(ended.read("forecast.json"))["forecasts"] == []


def test_runs_that_make_no_curve_are_refused_or_named(tmp_path, caplog):
    write_runs(tmp_path / "runs", Law(0.5))
    path = tmp_path / "runs" / "2" / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("0.001", "0.01"), encoding="utf-8")
    runs = find_finished_runs([str(tmp_path / "runs")])
    check_comparable(runs)
    assert "optimizer.lr too" in caplog.text
    lines = (tmp_path / "runs" / "2" / "lines.jsonl").read_text(encoding="utf-8")
    (tmp_path / "runs" / "2" / "lines.jsonl").write_text(lines.replace("page_4", "page_9"), encoding="utf-8")
    with pytest.raises(UserError, match="different lines"):
        check_comparable(find_finished_runs([str(tmp_path / "runs")]))
    with pytest.raises(UserError, match=r"forecast\.runs"):
        find_finished_runs([str(tmp_path)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "- a"),
        ("config.yaml", "a: ["),
        ("config.yaml", "seed: x"),
        ("metrics.json", '{"train": {"lines": 0}}'),
    ],
)
def test_files_that_are_no_trainings_are_told_in_one_sentence(tmp_path, name, content):
    write_runs(tmp_path / "runs", Law(0.5), shares=(1,))
    (tmp_path / "runs" / "0" / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=name):
        find_finished_runs([str(tmp_path / "runs")])


def test_a_share_of_the_lines_with_another_seed_and_the_same_validation(drawn, trained, tmp_path):
    data = ("task=compile", "data=page", f"data.root={drawn / 'page'}", "data.export=loghi", "data.subset=val")
    ended = run_program(tmp_path / "run", *data, "data.share=1/4", "seed=5", "data.seed=1")
    assert ended.code == 0, ended
    assert f" lines: {round(trained.metrics['train']['lines'] / 4)} train" in ended.output
    truths = {row["truth"] for row in read_csv(trained.folder / "predictions.csv")}
    exported = (path for path in (ended.folder / "loghi").rglob("*.txt") if "training" not in path.name)
    assert {path.read_text(encoding="utf-8").strip() for path in exported} == truths


@pytest.mark.parametrize("share", ["2", "0", -0.5, "1/0", "much", True])
def test_what_is_no_share(share):
    with pytest.raises(UserError, match=r"data\.share="):
        parse_share(share)


def test_a_share_is_a_number_or_a_fraction():
    assert parse_share("1/4") == Fraction(1, 4)
    assert parse_share(0.25) == Fraction(1, 4)
