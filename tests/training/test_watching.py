"""Averaged weights, steps without a number, and trainings that go wrong: what is done, and what a person is told."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import torch
from drawn_layouts import read_csv
from program import TINY, run_program
from recorder import Recorder
from safetensors.torch import load_file
from scripted_training import Batch

from uncial.models.files import load_model
from uncial.problems.recognition import watchdog
from uncial.problems.recognition.watchdog import Watchdog

SHORT = (
    "task=train",
    "data=page",
    *TINY,
    "data.ratio=[0.8,0.2,0]",
    "trainer.validations=3",
    "trainer.batch_width=500",
    "scheduler=constant",
    "scheduler.warmup_steps=1",
)
DECAY = 0.5
SHARES = (1, 9 / 11, 9 / 12, 9 / 13, 9 / 14, 9 / 15, 9 / 16, 9 / 17)
"""Of the newest weights in the average, step by step, until it is `1 - DECAY`: the first weights are soon forgotten."""
FIRST = 2


@pytest.fixture(scope="module")
def watched(drawn, tmp_path_factory):
    """A run that averages, some of whose lines have a loss that is NaN, and the weights at each of its steps."""
    ended = run_program(
        tmp_path_factory.mktemp("watched") / "run",
        *SHORT,
        f"data.root={drawn / 'page'}",
        "trainer.max_epochs=1",
        f"callbacks.ema={DECAY}",
        "+callbacks.more.recorder={_target_: recorder.Recorder}",
        "model.decoder._target_=recorder.NoLossAfter",
        "~model.decoder.blank_bias",
        f"+model.decoder.first={FIRST}",
    )
    assert ended.code == 0, ended
    return ended, Recorder.last


def texts_of(drawn):
    """The text of every line by its page and id."""
    found = {}
    for path in (drawn / "page" / "page").glob("*.xml"):
        for line in ElementTree.parse(path).iterfind(".//{*}TextLine"):
            found[f"page/{path.stem} {line.get('id')}"] = line.findtext(".//{*}Unicode")
    return found


def test_the_lines_without_a_loss_are_named_and_no_others(watched, drawn):
    ended, _ = watched
    codec = load_model(ended.folder / "last.ckpt", ("recorder",))[0].codec
    validated = {f"{row['page']} {row['line']}" for row in read_csv(ended.folder / "predictions.csv")}
    trained = {name: text for name, text in texts_of(drawn).items() if name not in validated}
    expected = {name for name, text in trained.items() if codec.encode(text)[0] == FIRST}
    told = re.findall(r"Skipping step \d+: non-finite loss; lines: (.*)", ended.read("log.txt"))
    assert 0 < len(expected) < len(trained) / 2
    assert {name for names in told for name in names.split(", ")} == expected


def test_a_step_that_is_left_out_leaves_no_trace(watched):
    ended, recorder = watched
    left_out = {int(step) for step in re.findall(r"Skipping step (\d+)", ended.read("log.txt"))}
    assert 0 < len(left_out) < len(recorder.after)
    for step, (before, after) in enumerate(zip(recorder.before, recorder.after, strict=True), start=1):
        assert all(torch.equal(before[name], after[name]) for name in before) == (step in left_out)


def test_what_is_validated_and_kept_is_the_average(watched):
    ended, recorder = watched
    average, averages = {}, {}
    for count, weights in enumerate(recorder.after):
        share = SHARES[count] if count < len(SHARES) else 1 - DECAY
        average = {
            name: share * weight + (1 - share) * average.get(name, weight) if weight.is_floating_point() else weight
            for name, weight in weights.items()
        }
        averages[count + 1] = average
    assert len(averages) > 4
    first, last = recorder.after[0], recorder.after[-1]
    assert any((first[name] - last[name]).abs().max() > 1e-3 for name in first), "the weights move"
    validated = {step: weights for step, weights in recorder.validated.items() if step}
    assert len(validated) == 3
    for step, weights in validated.items():
        assert all(torch.allclose(weights[name], averages[step][name], atol=1e-6) for name in weights)
        assert not all(torch.equal(weights[name], recorder.after[step - 1][name]) for name in weights)
    best = min(
        (row for row in read_csv(ended.folder / "metrics.csv") if row["val/cer"]), key=lambda r: float(r["val/cer"])
    )
    kept = load_file(ended.folder / "best.safetensors")
    assert all(torch.equal(kept[name], validated[int(best["step"])][name]) for name in kept)


def test_the_training_goes_on_with_the_weights_themselves(watched):
    _, recorder = watched
    for after, before in zip(recorder.after, recorder.before[1:], strict=False):
        assert all(torch.equal(after[name], before[name]) for name in after)


def test_the_state_holds_the_average_as_its_model_and_the_weights_beside_it(watched):
    ended, recorder = watched
    state = torch.load(ended.folder / "last.ckpt", weights_only=True)
    steps = max(recorder.validated)
    for name, weight in recorder.after[-1].items():
        assert torch.equal(state["current_model_state"][f"model.{name}"], weight)
        assert torch.equal(state["state_dict"][f"model.{name}"], recorder.validated[steps][name])


def test_nothing_but_lines_without_a_loss_ends_the_run(train):
    ended = train(
        "model.decoder._target_=recorder.NoLossAfter",
        "~model.decoder.blank_bias",
        "+model.decoder.first=0",
        "trainer.max_steps=30",
    )
    assert ended.code == 1, ended
    assert "3 steps in a row" in ended.output.strip().splitlines()[-1]


def test_on_the_all_blank_plateau_the_blank_is_lowered_where_that_is_wanted(train, monkeypatch):
    monkeypatch.setattr(watchdog, "PLATEAU_STEPS", 1)
    ended = train(
        "callbacks.watchdog=help",
        "model.decoder.blank_bias=20",
        "optimizer.lr=1e-5",
        "trainer.max_steps=6",
        "trainer.validations=6",
    )
    assert ended.code == 0, ended
    told = [line for line in ended.read("log.txt").splitlines() if "predicts only blanks" in line]
    assert len(told) == 3
    bias = torch.load(ended.folder / "last.ckpt", weights_only=True)["state_dict"]["model.decoder.output.bias"]
    assert float(bias[0]) == pytest.approx(20 - 2 * 2, abs=0.1), "the third time comes before the step that is not made"


def stands_at(step):
    return SimpleNamespace(
        sanity_checking=False,
        global_step=step,
        accumulate_grad_batches=1,
        strategy=SimpleNamespace(reduce_boolean_decision=lambda value, all: value),
    )


def validations(dog, told, shares, step=1000):
    for share in shares:
        dog.empty_prediction_rate = lambda share=share: share
        dog.on_validation_end(stands_at(step), None)
    return [record.message for record in told.records]


@pytest.mark.parametrize(
    ("shares", "step", "times"),
    [
        ((1.0, 1.0, 1.0, 1.0), 1000, 1),
        ((0.97, 0.5, 0.97), 1000, 0),
        ((1.0, 1.0, 0.2, 1.0, 1.0), 1000, 2),
        ((1.0, 1.0, 1.0), 100, 0),
    ],
)
def test_the_plateau_is_told_once_each_time_that_it_is_reached(shares, step, times, caplog):
    told = validations(Watchdog(lambda: 0.0), caplog, shares, step)
    assert len(told) == times
    assert all("model.shortcut" in message for message in told)


def test_a_rising_loss_is_told_once_and_a_falling_or_wavering_one_never(caplog):
    def after(losses):
        dog = Watchdog(lambda: 0.0)
        caplog.clear()
        for step, loss in enumerate(losses):
            dog.on_train_batch_end(stands_at(step), None, {"loss": torch.tensor(loss)}, Batch(), 0)
        return [record.message for record in caplog.records]

    assert after([5 - 0.04 * step for step in range(100)]) == []
    assert after([0.2 + 0.3 * (step % 7) for step in range(200)]) == []
    assert after([40.0 if step % 5 == 3 else 3 - 0.01 * step for step in range(200)]) == [], "lines with a wrong truth"
    [told] = after([3.0] * 50 + [3.0 * 1.1**step for step in range(50)])
    assert "diverges" in told
    assert "optimizer.lr" in told
    assert "from 3 to 5e+29;" in after([3.0] * 50 + [1e30] * 50)[0], "and not with thirty digits"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("callbacks.ema=1.5", "callbacks.ema=1.5"),
        ("callbacks.ema=on", "callbacks.ema"),
    ],
)
def test_a_wrong_value_ends_in_one_sentence(train, wrong, told):
    ended = train(wrong, "trainer.max_steps=1")
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
