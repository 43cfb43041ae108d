"""task=train: what it leaves, that it learns, that it repeats itself, and when it ends."""

import json
import math
import shlex
from pathlib import Path

import pytest
import torch
import yaml
from drawn_layouts import read_csv
from program import LEARNING, TINY
from safetensors.torch import load_file

from uncial.metrics.error_rates import ErrorRates
from uncial.problems.recognition.summary import format_low_accuracy_hint

FILES = {
    "config.yaml",
    "overrides.yaml",
    "environment.json",
    "metrics.json",
    "best.safetensors",
    "last.ckpt",
    "predictions.csv",
    "lines.jsonl",
    "splits.csv",
    "report.html",
    "skipped.csv",
    "curves.png",
    "curves.svg",
    "curves.pdf",
    "log.txt",
    "metrics.csv",
}
SHORT = ("task=train", "data=page", *TINY, "trainer.max_steps=4", "trainer.validations=2", "trainer.batch_width=1000")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "best.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def validations(folder: Path) -> list[int]:
    """The optimizer steps after which the run validated."""
    return [int(row["step"]) for row in read_csv(folder / "metrics.csv") if row.get("val/cer")]


def test_a_run_leaves_these_files_and_no_others(trained):
    assert {path.name for path in trained.folder.iterdir()} == FILES


def test_tensorboard_is_written_where_it_is_wanted(train):
    ended = train("logger.tensorboard=true", "trainer.max_steps=1", "trainer.validations=1")
    assert {path.name for path in ended.folder.iterdir()} == FILES - {"curves.pdf"} | {"tensorboard"}
    assert list((ended.folder / "tensorboard").rglob("events.*"))


def test_metrics_say_how_good_and_how_long(trained):
    val, effort = trained.metrics["val"], trained.metrics["train"]
    assert val.keys() >= {"cer", "wer", "loss", "lines", "profile"}
    assert effort.keys() >= {"seconds", "lines_per_second", "epochs", "steps"}
    assert val["lines"] == len(read_csv(trained.folder / "predictions.csv"))
    assert val["profile"] == "nfc_strip"
    assert f"trainer.max_steps={effort['steps']}" in LEARNING
    assert effort["seconds"] > 0


def test_the_config_holds_what_was_composed_and_the_overrides_what_was_typed(trained):
    config, typed = yaml.safe_load(trained.read("config.yaml")), yaml.safe_load(trained.read("overrides.yaml"))
    assert config["optimizer"]["lr"] == 0.01
    assert config["data"]["format"] == "page"
    assert "optimizer.lr=1e-2" in typed
    assert "data=page" in typed
    assert "hydra" not in config


def test_a_small_set_is_learned(trained):
    losses = [float(row["train/loss"]) for row in read_csv(trained.folder / "metrics.csv") if row["train/loss"]]
    assert losses[-1] < 0.3 * losses[0]
    assert trained.metrics["val"]["cer"] < 0.5


def test_predictions_scored_again_give_the_reported_score(trained):
    rates = ErrorRates("nfc_strip")
    for row in read_csv(trained.folder / "predictions.csv"):
        assert rates.update(row["truth"], row["prediction"]).edits == int(row["edits"])
    again = rates.compute()
    assert (again.cer, again.wer) == (trained.metrics["val"]["cer"], trained.metrics["val"]["wer"])


def test_the_best_model_is_that_of_the_best_validation(trained):
    rows = [row for row in read_csv(trained.folder / "metrics.csv") if row["val/cer"]]
    best = min(rows, key=lambda row: float(row["val/cer"]))
    assert float(best["val/cer"]) == trained.metrics["val"]["cer"]
    assert float(best["val/loss"]) == trained.metrics["val"]["loss"]


def test_the_summary_says_where_the_model_is_and_what_to_type_next(trained, run):
    assert str(trained.folder / "best.safetensors") in trained.output
    line = next(line for line in trained.output.splitlines() if "task=test" in line)
    command = line[line.index("python run.py") :]
    ended = run(*shlex.split(command)[2:])
    assert ended.code == 0, ended


def test_a_model_that_reads_too_little_is_told_so(trained):
    assert "of no use yet" in format_low_accuracy_hint(0.5)
    assert "pretrained=MODEL" in format_low_accuracy_hint(0.5)
    assert format_low_accuracy_hint(0.2) == ""
    assert "of no use yet" not in trained.output


def test_the_log_has_what_the_terminal_had(trained):
    told = [line for line in trained.output.splitlines() if line.startswith("epoch ")]
    assert told
    assert all(line in trained.read("log.txt") for line in told)


def test_the_same_seed_gives_the_same_run_whatever_the_workers(train):
    """Dropout, augmentation, order and initial weights are all in play."""
    runs = [
        train("trainer.workers=0", into="a"),
        train("trainer.workers=0", into="b"),
        train("trainer.workers=2", into="c"),
    ]
    for other in runs[1:]:
        assert other.code == 0, other
        assert same(weights(runs[0].folder), weights(other.folder))
        assert other.metrics["val"] == runs[0].metrics["val"]
        assert other.read("predictions.csv") == runs[0].read("predictions.csv")


def test_the_augmentation_and_the_dropout_are_in_play(train):
    """Else the test above would say nothing about them."""
    whole = weights(train(into="whole").folder)
    assert not same(whole, weights(train("augmentation=none", into="bare").folder))
    assert not same(whole, weights(train("model.head.output_dropout=0", into="dry").folder))


def test_another_seed_gives_another_run(train):
    one, other = train("seed=1", into="a"), train("seed=2", into="b")
    assert not same(weights(one.folder), weights(other.folder))


@pytest.mark.parametrize(
    ("length", "steps", "at"),
    [
        (("trainer.max_steps=7", "trainer.validations=3"), 7, [2, 5, 7]),
        (("trainer.max_steps=3", "trainer.validations=10"), 3, [1, 2, 3]),
        (("trainer.max_steps=5", "trainer.validations=1"), 5, [5]),
        (("trainer.max_steps=6", "trainer.validations=2", "trainer.accumulate=2"), 6, [3, 6]),
    ],
)
def test_a_run_has_its_steps_and_validates_at_equal_distances_the_last_time_after_the_last(train, length, steps, at):
    ended = train(*length)
    assert ended.code == 0, ended
    assert ended.metrics["train"]["steps"] == steps
    assert validations(ended.folder) == at


def test_epochs_are_passes_over_the_training_lines(train):
    ended = train("trainer.max_steps=null", "trainer.max_epochs=2")
    assert ended.metrics["train"]["epochs"] == 2
    steps = ended.metrics["train"]["steps"]
    accumulated = train("trainer.max_steps=null", "trainer.max_epochs=2", "trainer.accumulate=2", into="accumulated")
    assert accumulated.metrics["train"]["epochs"] == 2
    assert steps / 2 <= accumulated.metrics["train"]["steps"] <= steps / 2 + 1


def test_accumulated_batches_make_one_step(train):
    """The gradients of two batches count, not those of one: another model."""
    one, two = train(into="one"), train("trainer.accumulate=2", into="two")
    assert two.metrics["train"]["steps"] == one.metrics["train"]["steps"] == 4
    assert two.metrics["train"]["epochs"] == pytest.approx(2 * one.metrics["train"]["epochs"], rel=0.2)
    assert not same(weights(one.folder), weights(two.folder))


def test_the_longest_allowed_time_stops_the_run_and_keeps_a_model(train):
    ended = train("trainer.max_time=1", "trainer.max_steps=100000", "trainer.validations=2")
    assert ended.code == 0, ended
    assert 0 < ended.metrics["train"]["steps"] < 100000
    assert {path.name for path in ended.folder.iterdir()} == FILES - {"curves.pdf"}


def test_a_time_budget_fixes_the_steps_from_the_first_of_them(train):
    ended = train(
        "trainer.max_steps=null", "trainer.time_budget=3", "scheduler.warmup_steps=3", "trainer.validations=3"
    )
    assert ended.code == 0, ended
    steps = int(ended.read("steps.txt"))
    assert ended.metrics["train"]["steps"] == steps > 3
    assert validations(ended.folder)[-1] == steps
    measured = json.loads(ended.read("time_budget.json"))
    known_after, first = measured["totals"][0]
    distance = first / measured["validations"]
    planned = {round(count * distance) for count in range(1, math.ceil(steps / distance) + 1)}
    due = {step for step in planned if known_after < step < steps} | {steps}
    assert validations(ended.folder) == sorted(due), "as planned at first, and after the last step"


def test_a_time_budget_is_kept_by_a_run_that_warms_up_for_longer(train):
    """Nothing is timed here: without an end to the measuring these steps would take an hour."""
    ended = train("trainer.max_steps=null", "trainer.time_budget=1", "scheduler.warmup_steps=1000000")
    assert ended.code == 0, ended
    assert ended.metrics["train"]["steps"] == int(ended.read("steps.txt")) < 10000


def test_a_training_that_diverges_says_so(train):
    ended = train("optimizer.lr=1e30", "scheduler.warmup_steps=1", "trainer.gradient_clip=null", "trainer.max_steps=20")
    assert ended.code == 1, ended
    assert "optimizer.lr" in ended.output.strip().splitlines()[-1]


def test_a_run_repeated_in_its_folder_uses_the_steps_written_there(train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/steps.txt").write_text("5\n")
    ended = train("trainer.max_steps=null", "trainer.time_budget=01:00:00")
    assert ended.metrics["train"]["steps"] == 5


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("trainer.time_budget=5min", r"trainer.time_budget=5min"),
        ("trainer.max_time=-1", r"trainer.max_time"),
        ("trainer.precision=bf17", "trainer.precision=bf17"),
        ("data.ratio=[1,0]", "data.ratio"),
        ("data.ratio=[1,0,0]", "val"),
        ("data.split=pages", "data.split=pages"),
        ("data.channels=2", "data.channels=2"),
        ("model.backbone.stages=[[1,2]]", "model.backbone.stages"),
        ("model.preprocessing.height=5", "model.preprocessing.height"),
        ("model.normalization=nfx", "nfx"),
        ("trainer.accelerator=tpux", "trainer.accelerator"),
        ("trainer.workers=-1", "trainer.workers"),
        ("trainer.batch_width=0", "trainer.batch_width"),
        ("trainer.accumulate=0", "trainer.accumulate"),
        ("trainer.max_steps=0", "trainer.max_steps"),
        ("trainer.max_steps=-5", "trainer.max_steps"),
        ("trainer.validations=0", "trainer.validations"),
        ("trainer.threads=0", "trainer.threads"),
        ("trainer.max_lines=0", "trainer.max_lines"),
        ("trainer.evaluation_max_lines=0", "trainer.evaluation_max_lines"),
        ("data.max_pixels=10", "over the limit of 10 pixels; raise data.max_pixels"),
        ("data.max_height=0", "data.max_height"),
        ("seed=-1", "seed"),
        ("model.monitor=val/acc", "val/cer"),
        ("model.mode=minimum", "model.mode=minimum"),
        ("optimizer.betas=[0.9]", "check the keys under 'optimizer'"),
    ],
)
def test_a_wrong_value_ends_in_one_sentence_that_names_its_key(train, wrong, told):
    ended = train(wrong)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert "Traceback" not in ended.output


def test_lines_with_more_text_than_room_are_left_out_and_listed(run, tmp_path):
    from drawn_layouts import draw_pages, write_page_layout

    root = write_page_layout(tmp_path / "in", draw_pages(6))
    for page in (root / "page").glob("*.xml"):
        content = page.read_text(encoding="utf-8")
        first = content.index("<Unicode>") + len("<Unicode>")
        page.write_text(content[:first] + "olx" * 200 + content[content.index("</Unicode>", first) :], encoding="utf-8")
    ended = run(*SHORT, f"data.root={root}")
    assert ended.code == 0, ended
    skipped = read_csv(ended.folder / "skipped.csv")
    assert {row["line"] for row in skipped} == {"r1l1"}
    assert all("the text needs" in row["reason"] for row in skipped)
    truths = [row["truth"] for row in read_csv(ended.folder / "predictions.csv")]
    assert any(len(truth) > 100 for truth in truths), "what is scored is not chosen by what can be learned"


def test_the_model_says_what_it_was_trained_on(trained):
    from uncial.models.files import load_card

    card = load_card(trained.folder)
    assert card["training"]["lines"] > 0
    assert len(card["training"]["page_hashes"]) == card["training"]["pages"] > 0
    assert card["scores"] == trained.metrics["val"]
    assert card["seed"] == 1
    assert json.dumps(card)


def test_the_last_state_is_a_model_too(trained):
    """Of its own: the best one is older where the last validation was not the best."""
    from uncial.models.files import load_model

    model, card = load_model(trained.folder / "last.ckpt")
    best, best_card = load_model(trained.folder)
    only_of_validated = ("scores", "calibration")
    assert {name: said for name, said in best_card.items() if name not in only_of_validated} == {
        name: said for name, said in card.items() if name not in only_of_validated
    }
    assert model.state_dict().keys() == best.state_dict().keys()
