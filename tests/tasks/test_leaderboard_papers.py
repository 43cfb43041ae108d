"""What a paper needs of task=leaderboard: means over seeds and folds, costs, LaTeX, Markdown, pictures."""

import csv
import json
import re
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
import yaml
from PIL import Image

from uncial.reports.plots.run_curves import ScorePoint, group_points
from uncial.reports.tables.leaderboard import format_settings
from uncial.reports.tables.leaderboard_text import latex
from uncial.runs.ranking import Score, find_differences, pair_of_runs, rank
from uncial.runs.search import find_runs, read_run

CER = Score("val/cer", "min")
COST = {"parameters": 1_234_567, "flops_of_line": 633_487_360, "line_width": 314}


def make_run(folder: Path, edits: int, characters: int = 1000, **settings: Any) -> Path:
    """A run's folder as a training leaves it, with the CER of so many edits; `old` leaves out what earlier versions did
    not write."""
    is_old, lines = settings.pop("old", False), settings.pop("lines_trained", 100)
    seed, fold, share = (settings.get(key, default) for key, default in (("seed", 1), ("fold", 0), ("share", None)))
    folder.mkdir(parents=True)
    data = {"name": "page", "fold": fold, "folds": 5, "share": share, "options": {"seed": seed}}
    model = {"monitor": "val/cer", "mode": "min", "name": settings.get("model", "crnn")}
    config = {"task": {"name": "train"}, "seed": seed, "model": model, "data": data, "trainer": {"workers": 3}}
    config["optimizer"] = {"lr": settings.get("lr", 0.002), "name": "muon"}
    keys = {"lr": "optimizer.lr", "fold": "data.fold", "share": "data.share"}
    typed = ["data=page", *(f"{keys.get(key, key)}={value}" for key, value in settings.items())]
    (folder / "config.yaml").write_text(yaml.dump(config))
    (folder / "overrides.yaml").write_text(yaml.dump(typed))
    cer = edits / characters
    counts = {"insertions": 0, "deletions": edits, "substitutions": 0, "characters": characters}
    val = {"cer": cer, "wer": 2 * cer, "lines": 10, **({} if is_old else counts)}
    train = {"seconds": 60.0, "lines": lines}
    train |= {} if is_old else {"lines_per_second": 20.0 + seed, "reading_lines_per_second": 100.0}
    metrics = {"val": val, "train": train, **({} if is_old else {"model": COST})}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    steps = range(10, 60, 10)
    rows = "".join(f"{step - is_old},{cer * (1 + 50 / step)}\n" for step in steps)
    (folder / "metrics.csv").write_text(f"step,val/cer\n{rows}")
    (folder / "environment.json").write_text(json.dumps({} if is_old else {"first_step": 1}))
    return folder


@pytest.fixture
def board(run, tmp_path):
    """`board(*options)`: the leaderboard of the runs in `runs`, with its table as rows."""

    def board(*options: str):
        ended = run("task=leaderboard", f"run={tmp_path / 'runs'}", *options, into="board", prints=True)
        assert ended.code == 0, ended
        return ended, list(csv.DictReader(ended.read("leaderboard.csv").splitlines()))

    return board


def test_seeds_are_one_line_with_mean_deviation_and_count(board, tmp_path):
    edits = {0.1: (30, 50, 40), 0.2: (60,)}
    for lr, found in edits.items():
        for seed, count in enumerate(found):
            make_run(tmp_path / "runs" / f"{lr}-{seed}", count, lr=lr, seed=seed)
    ended, rows = board()
    cers = [count / 1000 for count in edits[0.1]]
    assert f"{100 * mean(cers):.2f} ± {100 * stdev(cers):.2f} %" in ended.output
    assert "3 seeds" in ended.output
    assert "range of the seeds" in ended.output
    assert "pooled" not in ended.output
    assert float(rows[0]["val/cer deviation"]) == pytest.approx(stdev(cers))
    assert [row["runs"] for row in rows] == ["3 seeds"] * 3 + ["1"]
    assert rows[3]["val/cer deviation"] == ""
    assert "6.00 %" in ended.output


def test_folds_are_pooled_over_their_lines(board, tmp_path):
    folds = ((10, 100), (100, 2000), (40, 400))
    for fold, (edits, characters) in enumerate(folds):
        make_run(tmp_path / "runs" / str(fold), edits, characters, fold=fold)
    ended, rows = board()
    assert [row["runs"] for row in rows] == ["3 folds"] * 3
    assert "range of the folds" in ended.output
    assert "pooled val CER" in ended.output
    assert {float(row["val/cer pooled"]) for row in rows} == {150 / 2500}
    assert f"{100 * mean(edits / characters for edits, characters in folds):.2f} ± " in ended.output
    _, alone = board("leaderboard.over=[seed]")
    assert [row["runs"] for row in alone] == ["1"] * 3


def test_seeds_and_folds_are_named_for_what_they_are(tmp_path):
    for fold in range(3):
        for seed in range(2):
            make_run(tmp_path / f"{fold}{seed}", 10, fold=fold, seed=seed)
    make_run(tmp_path / "x", 30, lr=0.5)
    make_run(tmp_path / "y", 20, lr=0.5)
    first, second = rank(find_runs([tmp_path]), CER, ["seed", "data.fold"], []).entries
    assert first.count == "2 seeds × 3 folds"
    assert second.count == "2 runs"


def test_costs_are_columns_and_older_runs_are_listed_without(board, tmp_path):
    make_run(tmp_path / "runs" / "new", 20, lr=0.1)
    make_run(tmp_path / "runs" / "old", 10, lr=0.2, old=True)
    ended, rows = board()
    assert [row["run"].rpartition("/")[2] for row in rows] == ["old", "new"]
    assert (rows[1]["parameters"], rows[1]["flops_of_line"]) == ("1234567", "633487360")
    assert (float(rows[1]["lines_per_second"]), float(rows[1]["reading_lines_per_second"])) == (21, 100)
    assert [rows[0][name] for name in ("parameters", "lines_per_second")] == ["", ""]
    assert "1,234,567" in ended.output
    only_old = rank([read_run(tmp_path / "runs" / "old")], CER, ["seed", "data.fold"], [])
    assert only_old.entries[0].pooled_cer("val") is None


def test_the_table_for_latex_can_be_set(board, tmp_path):
    make_run(tmp_path / "runs" / "a", 10, lr="50_%&#$x", seed=1)
    make_run(tmp_path / "runs" / "b", 14, lr="50_%&#$x", seed=2)
    make_run(tmp_path / "runs" / "c", 20, lr="~^\\{}")
    text = board()[0].read("leaderboard.tex")
    body = re.search(r"\\begin\{tabular\}\{(l*r*)\}(.*)\\end\{tabular\}", text, re.DOTALL)
    rules = [line.strip() for line in body[2].splitlines() if line.strip().endswith("rule")]
    assert rules == [r"\toprule", r"\midrule", r"\bottomrule"]
    rows = [line.strip() for line in body[2].splitlines() if line.strip().endswith(r"\\")]
    assert len(rows) == 3
    assert all(len(re.split(r"(?<!\\)&", row)) == len(body[1]) for row in rows)
    assert r"50\_\%\&\#\$x" in rows[1]
    assert r"\textasciitilde{}\textasciicircum{}\textbackslash{}\{\}" in rows[2]
    assert r"\textbf{1.20 $\pm$ 0.28\,\%}" in rows[1]
    assert text.count("{") == text.count("}")


def test_what_tex_reads_is_what_was_written():
    assert latex("1.2 ± 0.3 %, 2 seeds × 3 folds, – a_b") == r"1.2 $\pm$ 0.3\,\%, 2 seeds $\times$ 3 folds, -- a\_b"
    assert latex("a\nb") == "a\N{SYMBOL FOR LINE FEED}b"


def test_markdown_holds_the_table_the_differences_and_the_commands(board, tmp_path):
    make_run(tmp_path / "runs" / "a", 10, lr=0.1, seed=1)
    make_run(tmp_path / "runs" / "b", 20, lr=0.2, seed=1)
    text = board()[0].read("leaderboard.md")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table[:4]}) == 1
    assert "| optimizer.lr | 0.1 | 0.2 |" in text
    assert "```sh\npython run.py data=page optimizer.lr=0.1" in text


def test_two_runs_differ_in_what_was_typed_and_in_what_their_configs_have(tmp_path):
    one = read_run(make_run(tmp_path / "one", 10, lr=0.1, model="crnn"))
    other = read_run(make_run(tmp_path / "other", 20, model="kraken", seed=2))
    config = yaml.safe_load((tmp_path / "other" / "config.yaml").read_text())
    config["optimizer"]["name"], config["trainer"]["workers"] = "adam", 9
    (tmp_path / "other" / "config.yaml").write_text(yaml.dump(config))
    found = find_differences(one, read_run(other.folder), ["trainer.workers"])
    assert [(entry.key, entry.first, entry.second) for entry in found] == [
        ("optimizer.lr", "0.1", "0.002"),
        ("model", "crnn", "kraken"),
        ("seed", "1", "2"),
        ("data.options.seed", "1", "2"),
        ("optimizer.name", "muon", "adam"),
    ]
    assert find_differences(one, one, []) == []
    (tmp_path / "one" / "overrides.yaml").write_text("- optimizer.lr=1e-1\n- model=crnn\n")
    assert find_differences(read_run(one.folder), one, []) == []


def test_two_runs_are_compared_also_where_one_has_no_score(tmp_path):
    make_run(tmp_path / "a", 10, lr=0.1)
    (make_run(tmp_path / "b", 10, lr=0.2) / "metrics.json").unlink()
    runs = find_runs([tmp_path])
    pair = pair_of_runs(runs, rank(runs, CER, ["seed"], []), [])
    assert [one.key for one in pair.differences] == ["optimizer.lr"]


def test_several_runs_stand_in_one_picture_of_each_format(board, tmp_path):
    for lr, edits in ((0.1, 30), (0.2, 60)):
        for seed in range(3):
            make_run(tmp_path / "runs" / f"{lr}-{seed}", edits + 5 * seed, lr=lr, seed=seed, old=seed == 2)
    ended, _ = board()
    with Image.open(ended.folder / "curves.png") as image:
        assert image.size[0] > 800
    assert (ended.folder / "curves.pdf").read_bytes().startswith(b"%PDF")
    svg = ended.read("curves.svg")
    assert "<svg" in svg
    assert "date" not in svg.partition("<g")[0]
    assert not (ended.folder / "learning_curves.png").exists()
    assert ended.read("leaderboard.html").count("data:image/svg+xml") == 1


def test_scores_over_the_number_of_lines_are_drawn_where_it_was_swept(board, tmp_path):
    for model in ("crnn", "kraken"):
        for share, lines in (("1/4", 25), ("1/2", 50), (1, 100)):
            for seed in (1, 2):
                name = f"{model}-{lines}-{seed}"
                make_run(
                    tmp_path / "runs" / name,
                    2000 // lines + 5 * seed + (8 if model == "kraken" else 0),
                    model=model,
                    share=share,
                    seed=seed,
                    lines_trained=lines,
                )
    ended, _ = board()
    for name in ("curves", "learning_curves"):
        assert all((ended.folder / f"{name}.{kind}").stat().st_size for kind in ("png", "svg", "pdf"))
        assert f"{name}.png" in ended.output
    runs = rank(find_runs([tmp_path / "runs"]), CER, ["seed"], [])
    labels = {format_settings(entry, runs, ("data.share",)) for entry in runs.entries}
    assert labels == {"model=crnn", "model=kraken"}


def test_points_of_one_label_and_number_of_lines_are_joined():
    scored = [("a", 10, 0.5), ("b", 10, 0.4), ("a", 10, 0.7), ("a", 20, 0.3)]
    assert group_points(scored) == [
        ("a", [ScorePoint(10, (0.5, 0.7)), ScorePoint(20, (0.3,))]),
        ("b", [ScorePoint(10, (0.4,))]),
    ]


def test_runs_without_curves_make_no_picture_and_name_none(board, tmp_path):
    (make_run(tmp_path / "runs" / "a", 10) / "metrics.csv").unlink()
    ended, _ = board()
    assert "pictures" not in ended.output
    assert not list(ended.folder.glob("*.png"))
