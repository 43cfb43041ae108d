import contextlib
import io
import logging
import math
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from rich.console import Console
from torch.utils.data import DataLoader

from uncial.reports.terminal.console import make_console
from uncial.training.callbacks import progress
from uncial.training.callbacks.progress import PlainProgress, RichProgress, Told, build_progress
from uncial.training.callbacks.throughput import Throughput, estimate_seconds_left

LINES = 5


@dataclass
class Lines:
    indices: list[int]


class Reader(L.LightningModule):
    """Learns nothing, and logs what the real module logs."""

    def __init__(self, fail_at=math.inf):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.fail_at = fail_at
        self.validation_samples = []

    def training_step(self, batch, batch_idx):
        if self.global_step == self.fail_at:
            raise KeyboardInterrupt
        loss = self.layer(torch.ones(1, 1)).sum()
        self.log("train/loss", 1.25 + 0 * loss, batch_size=LINES)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log_dict({"val/cer": 0.0421, "val/wer": 0.25, "val/loss": 2.5}, batch_size=LINES)

    def on_validation_epoch_end(self):
        self.validation_samples = [("la [bold]dame", "la [bold]same"), ("two", "two"), ("three", "tree")]

    test_step = validation_step

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def as_lines(rows):
    return Lines([int(row) for row in rows])


def loader(batches):
    return DataLoader(list(range(LINES * batches)), batch_size=LINES, collate_fn=as_lines)


def trainer(callback, **settings):
    return L.Trainer(
        accelerator="cpu",
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def terminal():
    return Console(force_terminal=True, width=100, file=io.StringIO(), markup=False)


@pytest.fixture(autouse=True)
def shows_at_once(monkeypatch):
    monkeypatch.setattr(PlainProgress, "refresh_seconds", 0.0)
    monkeypatch.setattr(RichProgress, "refresh_seconds", 0.0)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "uncial.progress")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "uncial.progress"]


def test_log_lines_name_epoch_step_loss_score_speed_and_time_left(lines):
    trainer(PlainProgress(), max_epochs=2).fit(Reader(), loader(4), loader(1))
    first, last = lines()[0], lines()[-1]
    assert first.startswith("epoch 1/2 step 1/8 loss 1.25 ")
    assert "CER" not in first
    assert last.startswith("epoch 2/2 step 8/8 loss 1.25 val CER 4.21 % ")
    assert "lines/s" in last
    assert last.endswith(" 00:00 left")


def test_after_each_validation_come_its_scores_and_the_first_samples(lines):
    trainer(PlainProgress(Told(2)), max_epochs=2).fit(Reader(), loader(4), loader(1))
    told = lines()
    scores = [line for line in told if "val CER 4.21 %" in line and "WER 25.0 %" in line]
    assert [line.split(":")[0] for line in scores] == ["epoch 1/2 step 4", "epoch 2/2 step 8"]
    after = told.index(scores[0])
    assert [line.split(maxsplit=1) for line in told[after + 1 : after + 5]] == [
        ["truth", "la [bold]dame"],
        ["reading", "la [bold]same   (1 edit)"],
        ["truth", "two"],
        ["reading", "two"],
    ]
    assert not any("three" in line for line in told)


def test_the_sanity_check_is_not_told(lines):
    trainer(PlainProgress(), max_steps=0, num_sanity_val_steps=1).fit(Reader(), loader(1), loader(1))
    assert not any("CER" in line for line in lines())


def test_no_samples_are_shown_where_none_are_wanted(lines):
    trainer(PlainProgress(Told(0)), max_epochs=1).fit(Reader(), loader(1), loader(1))
    assert not any("truth" in line for line in lines())


def test_a_test_tells_its_lines_and_speed(lines):
    trainer(PlainProgress()).test(Reader(), loader(3), verbose=False)
    assert lines()[-1].startswith(f"test: {3 * LINES} lines in 00:0")


def test_a_terminal_gets_bars_and_coloured_samples_that_are_no_markup():
    console = terminal()
    trainer(RichProgress(console=console), max_epochs=1).fit(Reader(), loader(4), loader(2))
    shown = console.file.getvalue()
    assert "epoch 1/1" in shown
    assert "4/4" in shown
    assert "validation" in shown
    assert "loss 1.25 val CER 4.21 %" in shown
    assert "la [bold]\x1b[1;32md\x1b[0mame" in shown
    assert "la [bold]\x1b[1;31ms\x1b[0mame" in shown


@pytest.mark.parametrize("fail_at", [math.inf, 2])
def test_the_terminal_is_left_as_it_was(fail_at):
    console = terminal()
    run = trainer(RichProgress(console=console), max_epochs=1)
    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        run.fit(Reader(fail_at), loader(4), loader(1))
    shown = console.file.getvalue()
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is hidden"
    assert console._live_stack == []


def test_a_run_bounded_by_steps_counts_towards_them(lines):
    trainer(PlainProgress(), max_steps=6, max_epochs=-1).fit(Reader(), loader(4))
    assert "epoch 2/2 step 6/6 " in lines()[-1]


def test_a_run_bounded_by_time_tells_the_time_left(lines):
    bounded = trainer(PlainProgress(), max_epochs=-1, max_time=timedelta(seconds=1))
    bounded.fit(Reader(), loader(4))
    assert " step 1 loss" in lines()[0]
    assert lines()[0].endswith(" 00:01 left")


def test_the_modules_own_number_of_steps_counts_and_may_come_late(lines):
    class Budgeted(Reader):
        @property
        def total_steps(self):
            return 8 if self.global_step >= 3 else math.inf

    trainer(PlainProgress(), max_steps=8, max_epochs=-1).fit(Budgeted(), loader(4))
    assert " step 2 loss" in lines()[1]
    assert lines()[1].endswith("– left")
    assert " step 3/8 " in lines()[2]


def test_accumulated_batches_count_as_one_step(lines):
    trainer(PlainProgress(), max_epochs=2, accumulate_grad_batches=2).fit(Reader(), loader(4))
    assert "epoch 2/2 step 4/4 " in lines()[-1]


def test_a_model_without_error_rates_shows_what_it_logs(lines):
    class Segmenter(Reader):
        def validation_step(self, batch, batch_idx):
            self.log("val/iou", 0.5, batch_size=LINES)

        def on_validation_epoch_end(self):
            pass

    trainer(PlainProgress(), max_epochs=1).fit(Segmenter(), loader(1), loader(1))
    assert any(line.endswith("val iou 0.5") for line in lines())


def test_the_first_of_several_processes_alone_shows(lines, monkeypatch):
    run = trainer(PlainProgress(), max_epochs=1)
    monkeypatch.setattr(type(run.strategy), "is_global_zero", property(lambda self: False))
    run.fit(Reader(), loader(2), loader(1))
    assert lines() == []


def test_the_console_decides_between_bar_and_lines():
    assert isinstance(build_progress(console=terminal()), RichProgress)
    assert isinstance(build_progress(console=make_console(io.StringIO())), PlainProgress)


def test_speed_is_of_training_alone(monkeypatch, lines):
    now = iter(range(10**6))
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(now))))
    callback = PlainProgress()

    class SlowValidation(Reader):
        def validation_step(self, batch, batch_idx):
            for _ in range(1000):
                next(now)

    trainer(callback, max_epochs=3).fit(SlowValidation(), loader(4), loader(1))
    assert callback.throughput.lines_per_second > LINES / 10


def test_throughput_forgets_the_slow_start():
    throughput = Throughput(memory=10)
    assert math.isnan(throughput.lines_per_second)
    throughput.add(10, 100.0)
    assert throughput.lines_per_second == pytest.approx(0.1)
    for _ in range(200):
        throughput.add(10, 0.5)
    assert throughput.lines_per_second == pytest.approx(20, rel=0.01)
    assert throughput.seconds_per_batch == pytest.approx(0.5, rel=0.01)


def test_time_left_counts_validations_and_ends_with_what_comes_first():
    assert estimate_seconds_left(100, 0.5, 0.1) == pytest.approx(55)
    assert estimate_seconds_left(100, 0.5, 0.1, time_left=30) == 30
    assert estimate_seconds_left(math.inf, 0.5, 0) == math.inf
    assert estimate_seconds_left(100, math.nan, 0) == math.inf
