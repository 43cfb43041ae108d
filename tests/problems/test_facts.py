"""What is told of a training beside its scores, in metrics.json, on the terminal and on dashboards."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from program import TINY, Ended, run_program

from uncial.models.cost import count_parameters
from uncial.models.files import load_model
from uncial.training.loggers.outcome import Job

SHORT = ("trainer.max_steps=4", "trainer.validations=2", "trainer.batch_width=1000")


@pytest.fixture
def train(run, drawn):
    return lambda *more, into="run": run(*short_training(drawn), *more, into=into)


@pytest.fixture(scope="module")
def short(drawn, tmp_path_factory) -> Ended:
    """Such a training, with nothing else typed. Read only."""
    ended = run_program(tmp_path_factory.mktemp("short") / "run", *short_training(drawn))
    assert ended.code == 0, ended
    return ended


def short_training(drawn):
    return ("data=page", f"data.root={drawn / 'page'}", "data.ratio=[0.5,0.25,0.25]", *TINY, *SHORT)


def wandb_records(folder: Path, kind: str) -> list[dict]:
    found = []
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime):
        found += [row[kind] for row in map(json.loads, read_rows(path).splitlines()) if row["type"] == kind]
    return found


@cache
def read_rows(path: Path) -> str:
    reader = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
    return subprocess.run(reader, capture_output=True, text=True, check=True).stdout


def test_metrics_hold_model_data_code_and_machine(short):
    ended = short
    found = ended.metrics
    model, card = load_model(ended.folder)
    assert found["model"]["parameters"] == count_parameters(model)
    assert found["model"]["flops_of_line"] > 0
    assert found["model"]["flops_not_counted"] == ""
    splits = (ended.folder / "splits.csv").read_text().splitlines()
    for part in ("train", "val", "test"):
        assert found["data"][f"{part}_pages"] == sum(f",{part}" in row for row in splits[1:])
        assert found["data"][f"{part}_lines"] == 3 * found["data"][f"{part}_pages"]
    assert found["data"]["alphabet"] == "".join(model.codec.alphabet)
    assert found["data"]["alphabet_size"] == model.codec.size - 1
    assert card["training"]["lines"] == found["data"]["train_lines"]
    environment = json.loads(ended.read("environment.json"))
    assert found["data"]["store_hash"] == environment["data"]["store"]
    assert found["run"]["commit"] == (environment["git"] or {}).get("commit")
    assert found["run"]["device"] == "cpu"
    assert found["train"]["lines_per_second"] > 0
    assert found["train"]["reading_lines_per_second"] > 0


def test_architecture_and_parameters_stand_on_the_terminal_before_the_first_step(short):
    ended = short
    output = ended.output
    assert output.index("Model crnn: ") < output.index("step 1")
    assert f"{ended.metrics['model']['parameters']:,} parameters" in output
    assert f"for a line of {ended.metrics['model']['line_width']} pixels" in output
    for kind in ("CRNNBackbone", "CTCDecoder"):
        assert kind in output


def test_a_part_of_ones_own_that_cannot_be_counted_is_named(run, drawn, tmp_path, monkeypatch):
    (tmp_path / "spectral.py").write_text(
        "import torch\nfrom uncial.models.heads.none import NoHead\n\n\nclass SpectralHead(NoHead):\n"
        "    def forward(self, features, widths):\n"
        "        sequence, lengths = super().forward(features, widths)\n"
        "        return sequence + torch.fft.fft(sequence, dim=1).real.mean(dim=1, keepdim=True), lengths\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    head = "{_target_: spectral.SpectralHead, _partial_: true}"
    typed = ("data=page", f"data.root={drawn / 'page'}", *SHORT, "model.backbone.stem=8")
    ended = run(*typed, f"model.head={head}", "model.backbone.stages=[[16,1,2,2],[16,1,2,1]]")
    assert ended.code == 0, ended
    assert ended.metrics["model"]["flops_of_line"] is None
    assert "head (SpectralHead)" in ended.metrics["model"]["flops_not_counted"]
    assert "head (SpectralHead)" in ended.output
    assert ended.metrics["model"]["parameters"] > 0


def test_wandb_knows_facts_tags_and_the_best_of_each_score(train, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    ended = train("logger=wandb", "tags=[first,try]", "logger.wandb.tags=[try,mine]", "trainer.validations=4")
    assert ended.code == 0, ended
    (begun,) = wandb_records(ended.folder, "run")
    assert sorted(begun["tags"]) == ["first", "mine", "try"]
    assert yaml.safe_load(ended.read("config.yaml"))["tags"] == ["first", "try"]
    config = {key: value for record in wandb_records(ended.folder, "config") for key, value in record["update"].items()}
    found = ended.metrics
    for part, names in {
        "model": ("parameters", "flops_of_line", "line_width"),
        "data": ("train_lines", "val_pages", "alphabet", "store_hash"),
        "run": ("commit", "device"),
        "train": ("lines_per_second", "reading_lines_per_second"),
    }.items():
        assert {name: config[name] for name in names} == {name: found[part][name] for name in names}
    assert config["optimizer"]["lr"]
    metrics = {one.get("name"): one.get("summary") for one in wandb_records(ended.folder, "metric")}
    assert metrics["val/cer"] == metrics["val/wer"] == metrics["val/loss"] == {"min": True}
    summaries = [
        one["update"]["val/cer"] for one in wandb_records(ended.folder, "summary") if "val/cer" in one["update"]
    ]
    assert summaries[-1] == {"min": found["val"]["cer"]}


def test_the_best_of_a_resumed_run_in_wandb_is_that_of_all_sessions(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed")
    from uncial.training.loggers.metrics_file import MetricsFile
    from uncial.training.loggers.outcome import Outcome
    from uncial.training.loggers.tracking import start_loggers
    from uncial.training.loggers.wandb import WandbRun

    monkeypatch.setenv("WANDB_MODE", "offline")
    job = Job(tmp_path, "a/b", None, "train", {}, monitor="val/matched", mode="max")
    factories = [lambda job: MetricsFile(job.folder), lambda job: WandbRun(job, project="p", lines=0)]
    for values in ((0.2, 0.8), (0.5, 0.6)):
        with start_loggers(factories, job) as loggers:
            for step, value in enumerate(values, 1):
                for logger in loggers:
                    logger.log_metrics({"val/matched": value, "val/cer": 1 - value}, step)
                    logger.save()
            loggers[1].show_outcome(Outcome({}, [], []))
    last: dict = {}
    for record in wandb_records(tmp_path, "summary"):
        last |= record["update"]
    assert last["val/matched"] == {"max": 0.8}
    assert last["val/cer"]["min"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("score", "end"),
    [
        ("val/cer", "min"),
        ("val/cer_macro", "min"),
        ("val/loss", "min"),
        ("val/line_accuracy", "max"),
        ("val/word_accuracy", "max"),
        ("val/f1", "max"),
        ("val/lines", None),
        ("val/missed", "max"),
    ],
)
def test_the_better_end_of_a_score_is_that_of_the_run_or_of_its_name(score, end):
    job = Job(Path(), "a", None, "train", {}, monitor="val/missed", mode="max")
    assert job.best_end(score) == end


def test_tags_are_no_setting_and_can_be_changed(train, run):
    first = train("tags=[a]", into="first")
    second = train("tags=b", "seed=2", into="second")
    assert second.code == 0, second
    board = run("task=leaderboard", f"run=[{first.folder},{second.folder}]", into="board")
    assert "2 seeds" in board.output
    assert "tags" not in board.read("leaderboard.csv").splitlines()[0]
