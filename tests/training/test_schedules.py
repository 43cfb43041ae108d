"""The learning rate: as planned, as logged, and sized from the steps that are made."""

import math

import pytest
import torch
from drawn_layouts import read_csv
from hypothesis import given
from hypothesis import strategies as st
from program import TINY

from uncial.errors import UserError
from uncial.training.schedulers import schedules
from uncial.training.schedulers.plan import LengthConfig, StepPlan

PLAN = StepPlan(total=100, epoch=20, validation=10.0, lines=8.0)


def rates(schedule, plan=PLAN, steps=None):
    return [schedule(step, plan) for step in range(steps or int(plan.total))]


def rates_of_torch(scheduler, steps=100):
    """The factors that one of torch's own schedulers gives."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    following = scheduler(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        following.step()
    return found


LR = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schedules.exponential(gamma=0.97, unit="step"), lambda o: LR.ExponentialLR(o, 0.97)),
        (schedules.step(size=7, gamma=0.5, unit="step"), lambda o: LR.StepLR(o, 7, 0.5)),
        (
            schedules.multi_step(milestones=[30, 31, 80], gamma=0.1, unit="step"),
            lambda o: LR.MultiStepLR(o, [30, 31, 80], 0.1),
        ),
        (schedules.cosine(final=0.1, period=None, unit="step"), lambda o: LR.CosineAnnealingLR(o, 100, 0.1)),
        (
            schedules.cosine_restarts(first=9, growth=2, peak=1.0, final=0.1, unit="step"),
            lambda o: LR.CosineAnnealingWarmRestarts(o, 9, 2, 0.1),
        ),
        (
            schedules.linear(final=0.2, period=60, unit="step"),
            lambda o: LR.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=60),
        ),
        (schedules.constant(), lambda o: LR.ConstantLR(o, 1.0)),
    ],
)
def test_without_warm_up_the_rates_are_those_of_torch(ours, theirs):
    assert rates(ours) == pytest.approx(rates_of_torch(theirs), abs=1e-9)


@pytest.mark.parametrize(("unit", "length"), [("step", 1), ("epoch", 20), ("validation", 10)])
def test_the_rate_decays_after_each_unit_and_at_no_other_time(unit, length):
    found = rates(schedules.exponential(gamma=0.5, unit=unit))
    assert found == [0.5 ** (step // length) for step in range(100)]


def test_units_are_counted_from_the_end_of_the_warm_up():
    found = rates(schedules.exponential(gamma=0.5, unit="epoch", warmup_steps=30))
    assert found[29:40] == [1.0] * 11
    assert found[40] == 0.5


SHAPES = {
    "constant": lambda **warmup: schedules.constant(**warmup),
    "one_cycle": lambda **warmup: schedules.one_cycle(final=0.01, **warmup),
    "cosine": lambda **warmup: schedules.cosine(final=0.01, period=None, unit="step", **warmup),
    "linear": lambda **warmup: schedules.linear(final=0.01, period=None, unit="step", **warmup),
    "exponential": lambda **warmup: schedules.exponential(gamma=0.9, unit="step", **warmup),
    "step": lambda **warmup: schedules.step(size=3, gamma=0.9, unit="epoch", **warmup),
    "multi_step": lambda **warmup: schedules.multi_step(milestones=[60], gamma=0.9, unit="step", **warmup),
    "cosine_restarts": lambda **warmup: schedules.cosine_restarts(
        first=1, growth=1.5, peak=0.9, final=0.01, unit="validation", **warmup
    ),
    "inverse_square_root": lambda **warmup: schedules.inverse_square_root(timescale=None, **warmup),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "warmup", [{"warmup_steps": 20}, {"warmup_samples": 160, "warmup_steps": 3}, {"warmup_fraction": 0.2}]
)
def test_every_schedule_rises_in_a_straight_line_to_its_height(shape, warmup):
    """20 steps, 160 lines of 8 a step, and a fifth of 100 steps are the same."""
    found = rates(SHAPES[shape](**warmup))
    assert found[:20] == pytest.approx([(step + 1) / 20 for step in range(20)])
    assert found[20] == pytest.approx(1.0)
    assert all(later <= 1 for later in found[20:])


@pytest.mark.parametrize("shape", ["one_cycle", "cosine", "linear"])
@given(total=st.integers(30, 5000), warm=st.integers(0, 20), epoch=st.integers(1, 700))
def test_annealing_ends_at_the_run_s_last_step_whatever_its_length(shape, total, warm, epoch):
    schedule = SHAPES[shape](warmup_steps=warm)
    plan = StepPlan(total, epoch, total / 10, 4.0)
    found = [schedule(step, plan) for step in (warm, (warm + total) // 2, total - 1, total, total + 5)]
    assert found[0] == 1.0
    assert 0.4 < found[1] < 0.62
    assert found[2] < 0.15 if total > 60 else found[2] < 0.35
    assert found[3:] == pytest.approx([0.01, 0.01])


def test_a_cosine_stays_low_behind_its_period():
    found = rates(schedules.cosine(final=0.1, period=2, unit="epoch"))
    assert found[:20] == [1.0] * 20
    assert found[20:40] == pytest.approx([0.55] * 20)
    assert found[40:] == pytest.approx([0.1] * 60)


def test_the_rate_falls_with_the_square_root_of_the_steps():
    found = rates(schedules.inverse_square_root(timescale=None, warmup_steps=10))
    assert found[10] == 1.0
    assert found[40] == pytest.approx(math.sqrt(10 / 40))
    assert rates(schedules.inverse_square_root(timescale=25))[75] == pytest.approx(0.5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_of_unknown_length_is_at_its_height_after_the_warm_up(shape):
    """As while a time budget is being measured."""
    plan = LengthConfig(budget=60.0, validations=10).plan(epoch=50, lines=400)
    schedule = SHAPES[shape](warmup_steps=5)
    assert [schedule(step, plan) for step in (4, 5)] == pytest.approx([1.0, 1.0])
    assert 0 < SHAPES[shape](warmup_fraction=0.1)(9, plan) <= 1


@given(total=st.integers(1, 300), validations=st.integers(1, 40), every=st.none() | st.floats(0.01, 5, allow_nan=False))
def test_validations_are_as_many_as_were_asked_for_and_the_last_follows_the_last_step(total, validations, every):
    plan = LengthConfig(steps=total, validations=validations, every_epochs=every).plan(epoch=17, lines=100)
    at = [step for step in range(1, total + 1) if plan.validates_after(step)]
    assert at[-1] == total
    distances = [later - earlier for earlier, later in zip([0, *at], at, strict=False)]
    if every is None:
        assert len(at) == min(validations, total)
        assert max(distances) - min(distances) <= 1
    elif len(at) > 1:
        assert max(distances[:-1]) - min(distances[:-1]) <= 1
        assert distances[0] == max(1, round(every * 17))
    assert [plan.validations_by(step) for step in at[:-1]] == list(range(1, len(at)))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: schedules.exponential(gamma=1.5, unit="step"), "scheduler.gamma=1.5"),
        (lambda: schedules.exponential(gamma=0.5, unit="epochs"), "scheduler.unit=epochs"),
        (lambda: schedules.step(size=0, gamma=0.5, unit="step"), "scheduler.size=0"),
        (lambda: schedules.cosine(final=-1, period=None, unit="step"), "scheduler.final=-1"),
        (lambda: schedules.cosine(final=0, period=0, unit="step"), "scheduler.period=0"),
        (lambda: schedules.multi_step(milestones=[-3], gamma=0.5, unit="step"), "scheduler.milestones=-3"),
        (lambda: schedules.constant(warmup_fraction=1.5), "scheduler.warmup_fraction=1.5"),
        (lambda: schedules.constant(warmup_fraction=0.5, warmup_samples=5), "scheduler.warmup_samples"),
    ],
)
def test_wrong_values_name_their_key(make, told):
    with pytest.raises(UserError, match=told.replace(".", r"\.")):
        make()


SHORT = (
    "data=page",
    *TINY,
    "trainer.validations=2",
    "trainer.batch_width=700",
    "optimizer.lr=1e-3",
    "trainer.log_every=1",
)


def logged_rates(folder):
    """(steps made before it, learning rate as a share of its height) as the run logged them."""
    return [
        (int(row["step"]) - 1, float(row["lr"]) / 1e-3) for row in read_csv(folder / "metrics.csv") if row.get("lr")
    ]


def test_what_is_logged_is_what_was_planned(train):
    """kraken's 1cycle counts lines instead of batches, so that it never comes down: here the steps that are made
    count, accumulated and ragged as they are."""
    ended = train(
        "trainer.max_steps=null",
        "trainer.max_epochs=3",
        "trainer.accumulate=2",
        "scheduler=linear",
        "scheduler.warmup_steps=0",
    )
    assert ended.code == 0, ended
    total = ended.metrics["train"]["steps"]
    assert ended.metrics["train"]["epochs"] == 3
    logged = logged_rates(ended.folder)
    assert len(logged) == total
    assert [rate for _, rate in logged] == pytest.approx([1 - step / total for step in range(total)])
    planned = train(
        "task=inspect",
        "trainer.max_steps=null",
        "trainer.max_epochs=3",
        "trainer.accumulate=2",
        "inspect.augmentation=0",
        into="planned",
    )
    assert f"{total} steps of" in planned.output
    assert "3.0 epochs, and 2 validations" in planned.output
    assert (planned.folder / "schedule.png").is_file()


def test_the_picture_is_of_the_run_that_would_be_made(train):
    """Without a length that is known, and for lines that cannot be trained on, it says so."""
    unknown = train(
        "task=inspect", "trainer.time_budget=00:10:00", "trainer.max_epochs=4", "scheduler=plateau", into="unknown"
    )
    assert "drawn for 4 epochs" in unknown.output
    assert "scores will lower the rate" in unknown.output
    without = train("task=inspect", "data.ratio=[1,0,0]", into="without")
    assert without.code == 0, without
    assert "schedule.png is not drawn" in without.output
    assert not (without.folder / "schedule.png").exists()


@pytest.mark.parametrize("task", ["train", "inspect"])
def test_a_warm_up_longer_than_the_run_is_told(train, task):
    """Else a run of few steps learns hardly anything and nobody knows why."""
    short = train(f"task={task}", "trainer.max_steps=5", "trainer.validations=1", "scheduler.warmup_steps=20")
    assert "In its 5 steps the learning rate comes to 25% of optimizer.lr at most" in short.output


def test_decay_by_validations_follows_those_that_are_made(train):
    ended = train("trainer.max_steps=7", "scheduler=exponential", "scheduler.gamma=0.5", "scheduler.warmup_steps=0")
    assert ended.code == 0, ended
    assert [rate for _, rate in logged_rates(ended.folder)] == pytest.approx([1] * 4 + [0.5] * 3)


@pytest.mark.parametrize(
    ("every", "count"), [("trainer.validate_every_epochs=0.5", 4), ("trainer.validate_every_epochs=2", 1)]
)
def test_validations_come_at_the_distance_that_is_stated(train, every, count):
    ended = train("trainer.max_steps=null", "trainer.max_epochs=2", every)
    assert ended.code == 0, ended
    found = [int(row["step"]) for row in read_csv(ended.folder / "metrics.csv") if row.get("val/cer")]
    total = ended.metrics["train"]["steps"]
    assert found == [round(total * (number + 1) / count) for number in range(count)]


def test_accumulation_that_does_not_divide_an_epoch_still_ends_with_a_validation(train):
    ended = train(
        "trainer.max_steps=null", "trainer.max_epochs=3", "trainer.accumulate=3", "trainer.validate_every_steps=1"
    )
    assert ended.code == 0, ended
    found = [int(row["step"]) for row in read_csv(ended.folder / "metrics.csv") if row.get("val/cer")]
    assert found == list(range(1, ended.metrics["train"]["steps"] + 1))
