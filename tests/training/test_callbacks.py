"""The callbacks of a run: named in the config, put in order by what they state, and no two that write one thing."""

import lightning as L
import pytest
from callback_order import OrderRecorder
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch.callbacks import LearningRateMonitor, StochasticWeightAveraging
from omegaconf import OmegaConf
from program import TINY, run_program

from uncial.errors import UserError
from uncial.problems.recognition.watchdog import Watchdog
from uncial.runs.resumed_config import is_same_run
from uncial.training.callbacks.best_model import BestModel
from uncial.training.callbacks.contract import get_priority, order_callbacks
from uncial.training.callbacks.early_stopping import EarlyStopping, Pruning
from uncial.training.callbacks.ema import EMA
from uncial.training.callbacks.progress import PlainProgress, Told
from uncial.training.callbacks.throughput import ThroughputMonitor

SHORT = (
    "task=train",
    "data=page",
    *TINY,
    "data.ratio=[0.8,0.2,0]",
    "trainer.batch_width=500",
    "trainer.max_steps=2",
    "trainer.validations=2",
    "scheduler=constant",
    "scheduler.warmup_steps=1",
    "callbacks.samples=0",
    "report.pictures=0",
)

RECORDER = "{_target_: callback_order.OrderRecorder}"

ORDER = (
    "Checkpoints",
    "RunLength",
    "SkipNonFiniteSteps",
    "Plateau",
    "EarlyStopping",
    "Watchdog",
    "OrderRecorder",
    "Freezing",
    "BestModel",
    "EMA",
    "ThroughputMonitor",
    "PlainProgress",
    "MaxTime",
)


@pytest.fixture
def train(drawn, tmp_path):
    return lambda *arguments: run_program(tmp_path / "run", *SHORT, f"data.root={drawn / 'page'}", *arguments)


def callbacks_at_hand() -> list[L.Callback]:
    return [
        EarlyStopping("val/cer", "min", 3, 0.0, 1),
        Watchdog(lambda: 0.0),
        LearningRateMonitor(),
        Pruning("val/cer", lambda validation, score: False),
        BestModel("val/cer", "min", lambda scores: None),
        EMA(0.9),
        ThroughputMonitor(),
        PlainProgress(Told(0)),
    ]


@given(st.permutations(range(8)))
def test_callbacks_come_in_the_order_of_their_priorities_however_they_are_given(permutation):
    callbacks = callbacks_at_hand()
    assert order_callbacks([callbacks[place] for place in permutation]) == callbacks


def test_of_equal_priorities_the_first_stays_first():
    users = [L.Callback(), L.Callback(), L.Callback()]
    assert order_callbacks(users) == users
    assert len({get_priority(callback) for callback in users}) == 1


def test_a_run_calls_its_callbacks_in_the_order_that_resuming_and_averaging_need(train):
    ended = train(
        f"+callbacks.order={RECORDER}",
        "scheduler=plateau",
        "trainer.patience=9",
        "callbacks.ema=0.9",
        "freeze=backbone",
        "trainer.max_time=01:00:00",
    )
    assert ended.code == 0, ended
    assert OrderRecorder.last == ORDER


def test_a_callback_of_ones_own_may_say_where_it_stands(train):
    ended = train("+callbacks.order={_target_: callback_order.EarlyRecorder}")
    assert ended.code == 0, ended
    assert OrderRecorder.last[:3] == ("Checkpoints", "EarlyRecorder", "RunLength")


@pytest.mark.parametrize(
    ("callbacks", "told"),
    [
        (
            [EMA(0.9), StochasticWeightAveraging(0.1)],
            "EMA and StochasticWeightAveraging.*the weights that are validated",
        ),
        ([EarlyStopping("a", "min", 1, 0, 1), EarlyStopping("b", "min", 1, 0, 1)], "EarlyStopping and EarlyStopping"),
        ([PlainProgress(Told(0)), PlainProgress(Told(1))], "the progress display"),
    ],
)
def test_two_writers_of_one_thing_are_refused(callbacks, told):
    for given_ in (callbacks, callbacks[::-1]):
        with pytest.raises(UserError, match=told if given_ is callbacks else "leave one of them out"):
            order_callbacks(given_)


def test_one_that_has_nothing_to_do_writes_nothing():
    assert order_callbacks([EMA(None), EMA(0.5), EarlyStopping("a", "min", None, 0, 1)])[0].decay == 0.5


def test_a_second_writer_ends_a_run_in_one_sentence(train):
    ended = train("scheduler=plateau", "+callbacks.rates={_target_: callback_order.RateWriter}")
    assert ended.code == 1, ended
    assert "Error: Two callbacks, Plateau and RateWriter, write the learning rate: leave one" in ended.output


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("trainer.patience=9",), True),
        (("callbacks.early_stopping.patience=9",), True),
        (("callbacks.early_stopping.patience=9", "callbacks.ema=0.9", "callbacks.weight_averaging=null"), True),
        ((), False),
        (("trainer.patience=9", "callbacks.early_stopping=null"), False),
        (("trainer.patience=9", "~callbacks.early_stopping"), False),
    ],
)
def test_a_named_callback_is_set_and_taken_out_by_its_name(train, typed, expected):
    ended = train(f"+callbacks.more.order={RECORDER}", *typed)
    assert ended.code == 0, ended
    assert ("EarlyStopping" in OrderRecorder.last) == expected
    assert "EMA" not in OrderRecorder.last


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("callbacks.early_stopping.patience=0", "callbacks.early_stopping.patience=0"),
        ("callbacks.early_stopping.patience=soon", "callbacks.early_stopping.patience=soon: a number is expected"),
        ("callbacks.weight_averaging.decay=2", "between 0 and 1"),
        ("+callbacks.speed={every: 3}", "callbacks.speed names no class"),
        ("+callbacks.speed.every=3", "callbacks.speed names no class"),
    ],
)
def test_a_wrong_callback_ends_in_one_sentence(train, typed, told):
    ended = train(typed)
    assert ended.code == 1, ended
    [sentence] = [line for line in ended.output.splitlines() if line.startswith("Error: ")]
    assert told in sentence


def test_a_config_of_before_callbacks_had_names_means_the_same_run(train):
    ended = train("trainer.patience=9", "callbacks.ema=0.9")
    path = ended.folder / "config.yaml"
    config = OmegaConf.load(path)
    older, without = config.copy(), config.copy()
    for name in ("early_stopping", "weight_averaging"):
        del older.callbacks[name]
    del without.callbacks["early_stopping"]
    OmegaConf.save(older, path)
    assert is_same_run(ended.folder, config)
    OmegaConf.save(without, path)
    assert not is_same_run(ended.folder, config), "what was taken out stays out"
