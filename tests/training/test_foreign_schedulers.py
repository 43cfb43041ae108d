"""Schedulers of torch, timm and one's own by `_target_`: their rates, resumed and made longer, and what is refused."""

import json
import signal
from functools import partial

import pytest
import torch
from drawn_layouts import read_csv
from killing import differences, in_own_process, left_by, signalled_when
from program import TINY, run_program
from scripted_training import Batch, Line, Rates, Scripted, Snapshot, bare_trainer
from timm.scheduler import CosineLRScheduler, PlateauLRScheduler, StepLRScheduler
from torch.utils.data import DataLoader

from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.checkpointing.retention import CheckpointPolicy
from uncial.training.distributed.signals import StopRequest
from uncial.training.module import TrainingModule
from uncial.training.schedulers.foreign import PLANNED_EPOCHS, PLANNED_STEPS, DrivenScheduler, ForeignScheduler
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import UNKNOWN, LengthConfig, StepPlan

LR = torch.optim.lr_scheduler
EPOCH, STEPS = 3, 9
SCORES = [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]


def halved(step):
    return 0.5**step


class Warm(LR.LRScheduler):
    """One's own, with a state of its own."""

    def __init__(self, optimizer, steps=4):
        self.warm = steps
        super().__init__(optimizer)

    def get_lr(self):
        return [rate * min(1.0, (self.last_epoch + 1) / self.warm) for rate in self.base_lrs]


TORCHS = {
    "constant": partial(LR.ConstantLR, factor=0.5, total_iters=2),
    "cosine": partial(LR.CosineAnnealingLR, T_max=PLANNED_STEPS, eta_min=0.01),
    "restarts": partial(LR.CosineAnnealingWarmRestarts, T_0=2, T_mult=2),
    "cyclic": partial(LR.CyclicLR, base_lr=0.1, max_lr=1.0, step_size_up=2),
    "exponential": partial(LR.ExponentialLR, gamma=0.9),
    "lambda": partial(LR.LambdaLR, lr_lambda=halved),
    "linear": partial(LR.LinearLR, total_iters=PLANNED_STEPS),
    "milestones": partial(LR.MultiStepLR, milestones=[2, 5]),
    "multiplicative": partial(LR.MultiplicativeLR, lr_lambda=halved),
    "one_cycle": partial(LR.OneCycleLR, max_lr=2.0, total_steps=PLANNED_STEPS),
    "polynomial": partial(LR.PolynomialLR, total_iters=PLANNED_STEPS, power=2.0),
    "step": partial(LR.StepLR, step_size=2),
    "one's own": partial(Warm),
    "sequence": partial(
        LR.SequentialLR,
        schedulers=[partial(LR.LinearLR, total_iters=3), partial(LR.CosineAnnealingLR, T_max=PLANNED_STEPS)],
        milestones=[3],
    ),
    "chain": partial(LR.ChainedScheduler, schedulers=[partial(LR.ExponentialLR, gamma=0.9), partial(Warm, steps=3)]),
}


def optimizer_of(groups):
    return torch.optim.SGD(groups, lr=1.0, momentum=0.9)


def filled(value, steps):
    """The arguments of a scheduler with the number of steps in them, and those within as functions of the optimizer."""
    if isinstance(value, list):
        return [filled(one, steps) for one in value]
    return steps if value == PLANNED_STEPS else value


def made(make, optimizer, steps=STEPS):
    given = {key: filled(value, steps) for key, value in make.keywords.items()}
    if "schedulers" in given:
        given["schedulers"] = [made(one, optimizer, steps) for one in given["schedulers"]]
    return make.func(optimizer=optimizer, **given)


def rates_by_hand(make, every=1, steps=STEPS):
    """As a loop of torch's documentation has them: optimizer.step(), and every so often scheduler.step()."""
    optimizer = optimizer_of([{"params": [torch.nn.Parameter(torch.zeros(1))]}])
    scheduler, found = made(make, optimizer, steps), []
    for step in range(1, steps + 1):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if not step % every:
            scheduler.step()
    return found


def go(folder, schedule, *more, wanted=None, scores=SCORES, done=0):
    """One session of a training of one number, from the state in the folder to its end."""
    folder.mkdir(exist_ok=True)
    rates, last = Rates(), folder / "last.ckpt"
    wanted = wanted or LengthConfig(steps=STEPS, every_steps=2)
    length = RunLength(wanted, EPOCH, EPOCH, 0, RunFolder(folder).steps)
    metric = Scripted(scores[done:])
    if last.is_file():
        metric.left.pop(0)  # No check comes before a training that goes on.
    module = TrainingModule(Line(), metric, optimizer_of, schedule, length, seed=1)
    states = Checkpoints(folder, CheckpointPolicy(0.0), "val/cer", "min", json.dumps, {}, StopRequest())
    trainer = bare_trainer(folder, [states, length, schedule, rates, *more], num_sanity_val_steps=1)
    loader = lambda batches: DataLoader([Batch()] * batches, batch_size=None)  # noqa: E731
    path = last if last.is_file() else None
    trainer.fit(module, loader(EPOCH), loader(1), ckpt_path=path, weights_only=True)
    return rates


def state_in(folder):
    state = torch.load(folder / "last.ckpt", weights_only=True)
    for name in ("time", "seconds"):
        del state["uncial_run"][name]
    return state


@pytest.mark.parametrize("name", TORCHS)
def test_the_rates_of_torchs_schedulers_are_those_of_a_loop_by_hand(name, tmp_path):
    rates = go(tmp_path, ForeignScheduler(TORCHS[name], "step"))
    assert rates.of_steps == rates_by_hand(TORCHS[name])


@pytest.mark.parametrize(("interval", "frequency", "every"), [("epoch", 1, 3), ("epoch", 2, 6), ("step", 2, 2)])
def test_they_make_a_step_after_every_so_many_epochs_or_steps(interval, frequency, every, tmp_path):
    make = TORCHS["exponential"]
    rates = go(tmp_path, ForeignScheduler(make, interval, frequency))
    assert rates.of_steps == rates_by_hand(make, every)


def test_they_may_make_a_step_after_each_validation(tmp_path):
    rates = go(tmp_path, ForeignScheduler(TORCHS["exponential"], "validation"))
    assert rates.validated == [2, 4, 6, 8, 9]
    assert rates.of_steps == pytest.approx([0.9 ** ((step - 1) // 2) for step in range(1, STEPS + 1)])


@pytest.mark.parametrize(
    ("interval", "expected"),
    [("validation", [1] * 4 + [0.5] * 2 + [0.25] * 2 + [0.125]), ("epoch", [1] * 6 + [0.5] * 3)],
)
def test_a_plateau_is_given_the_score_of_validations(interval, expected, tmp_path):
    """Validations follow the steps 2, 4, 6, 8; with the interval epoch 4 and 6 are the first in theirs."""
    make = partial(LR.ReduceLROnPlateau, factor=0.5, patience=0)
    rates = go(tmp_path, ForeignScheduler(make, interval, monitor="val/cer"))
    assert rates.of_steps == expected


def test_timms_schedulers_count_epochs_or_steps(tmp_path):
    by_epoch = go(tmp_path / "a", ForeignScheduler(partial(StepLRScheduler, decay_t=1, decay_rate=0.5)))
    assert by_epoch.of_steps == [1.0] * 3 + [0.5] * 3 + [0.25] * 3
    make = partial(CosineLRScheduler, t_initial=PLANNED_STEPS, warmup_t=2, warmup_lr_init=0.2, t_in_epochs=False)
    by_step = go(tmp_path / "b", ForeignScheduler(make, "step"))
    optimizer = optimizer_of([{"params": [torch.nn.Parameter(torch.zeros(1))]}])
    scheduler = CosineLRScheduler(optimizer, 9, warmup_t=2, warmup_lr_init=0.2, t_in_epochs=False)
    expected = []
    for step in range(1, STEPS + 1):
        expected.append(optimizer.param_groups[0]["lr"])
        scheduler.step_update(step)
    assert by_step.of_steps == expected
    assert expected[0] == 0.2


OF_SCORES = {
    "plateau": (partial(LR.ReduceLROnPlateau, factor=0.5, patience=1), "validation"),
    "plateau by epochs": (partial(LR.ReduceLROnPlateau, factor=0.5, patience=0), "epoch"),
    "timm's plateau": (partial(PlateauLRScheduler, decay_rate=0.5, patience_t=1, mode="min", warmup_t=1), "epoch"),
    "timm's noise": (
        partial(PlateauLRScheduler, decay_rate=0.5, patience_t=0, mode="min", noise_range_t=[1, 9]),
        "epoch",
    ),
    "timm's cosine": (partial(CosineLRScheduler, t_initial=PLANNED_EPOCHS, warmup_t=1), "epoch"),
    "after validations": (TORCHS["exponential"], "validation"),
}
RESUMED = {**{name: (make, "step") for name, make in TORCHS.items()}, **OF_SCORES}


@pytest.mark.parametrize("step", [3, 4, 7])
@pytest.mark.parametrize("name", RESUMED)
def test_a_run_that_was_killed_goes_on_with_the_very_rates(name, step, tmp_path):
    """Before, at and after a validation and the end of an epoch; the state is written at every step."""
    make, interval = RESUMED[name]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    schedule = lambda: ForeignScheduler(make, interval, monitor="val/cer")  # noqa: E731
    rates = go(whole, schedule(), Snapshot(step, whole, killed))
    before = torch.load(killed / "last.ckpt", weights_only=True)["uncial_run"]
    made_before = sum(at <= before["steps"] for at in rates.validated) - bool(before["validates"])
    again = go(killed, schedule(), done=made_before)
    assert again.of_steps == rates.of_steps[before["steps"] :]
    assert not differences(state_in(whole), state_in(killed))


@pytest.mark.parametrize("name", ["cosine", "one_cycle", "linear", "sequence", "exponential", "cyclic"])
def test_a_run_that_is_made_longer_has_the_longer_runs_rates(name, tmp_path):
    go(tmp_path, ForeignScheduler(TORCHS[name], "step"), wanted=LengthConfig(steps=6))
    longer = go(tmp_path, ForeignScheduler(TORCHS[name], "step"), wanted=LengthConfig(steps=12))
    assert longer.of_steps == rates_by_hand(TORCHS[name], steps=12)[6:]


@pytest.mark.parametrize("name", ["exponential", "plateau"])
def test_a_run_with_a_time_budget_goes_on_with_the_very_rates(name, tmp_path):
    """What the budget was turned into is known to the second session, and to a repetition, from its beginning."""
    make, interval = {**RESUMED, "exponential": (TORCHS["exponential"], "epoch")}[name]
    schedule = lambda: ForeignScheduler(make, interval, monitor="val/cer")  # noqa: E731
    measured = LengthConfig(budget=60.0, every_steps=2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        RunFolder(folder).steps.write_text("9\n", encoding="utf-8")
    rates = go(whole, schedule(), Snapshot(5, whole, tmp_path / "copy"), wanted=measured)
    assert len(rates.of_steps) == STEPS
    again = go(tmp_path / "copy", schedule(), wanted=measured, done=2)
    assert again.of_steps == rates.of_steps[STEPS - len(again.of_steps) :]
    one, other = state_in(whole), state_in(tmp_path / "copy")
    assert not differences(one["lr_schedulers"], other["lr_schedulers"])
    assert one["lr_schedulers"][0]["total"] == UNKNOWN


PLAN = StepPlan(total=9, epoch=3, validation=2.0, lines=1.0)


class Holding(Warm):
    """Its state is nothing that a checkpoint may hold."""

    def state_dict(self):
        return {"optimizer": self.optimizer}


@pytest.mark.parametrize(
    ("make", "interval", "plan", "told"),
    [
        (TORCHS["cosine"], "epoch", PLAN, r"scheduler.T_max=\$\{trainer.planned_steps\} counts steps.*interval=step"),
        (partial(LR.LinearLR, total_iters=PLANNED_EPOCHS), "step", PLAN, "counts epochs.*interval=epoch"),
        (TORCHS["cosine"], "step", StepPlan(UNKNOWN, 3, UNKNOWN, 1.0), "trainer.time_budget.*scheduler=cosine"),
        (partial(LR.StepLR), "step", PLAN, "'step_size'; under 'scheduler' StepLR takes step_size, gamma"),
        (partial(torch.nn.Linear), "step", PLAN, "a scheduler is a class of torch.optim.lr_scheduler"),
        (partial(dict), "step", PLAN, "makes a dict, which is no scheduler: .* state_dict"),
        (partial(Holding), "step", PLAN, r"state_dict\(\) holds optimizer \(SGD\)"),
        (partial(LR.ReduceLROnPlateau), "step", PLAN, "scheduler.interval=step.*choose epoch or validation"),
    ],
)
def test_what_cannot_be_made_is_told(make, interval, plan, told):
    optimizer = optimizer_of([{"params": [torch.nn.Parameter(torch.zeros(1))]}])
    with pytest.raises(UserError, match=told):
        ForeignScheduler(make, interval).attach(optimizer, plan)


def test_one_that_ends_before_the_run_is_told_before_the_first_step(tmp_path):
    make = partial(LR.OneCycleLR, max_lr=1.0, total_steps=5)
    with pytest.raises(UserError, match=r"made for 5 steps .* the run makes 9"):
        go(tmp_path, ForeignScheduler(make, "step"))
    assert not (tmp_path / "last.ckpt").exists()


def test_the_planned_rates_are_those_that_are_made(tmp_path):
    for number, (name, make) in enumerate(TORCHS.items()):
        if name in ("cyclic", "one_cycle"):  # which cycle a momentum that the picture's optimizer has otherwise
            continue
        planned, hears = ForeignScheduler(make, "step").rates(1.0, PLAN)
        assert not hears
        assert planned == go(tmp_path / str(number), ForeignScheduler(make, "step")).of_steps
    assert ForeignScheduler(OF_SCORES["plateau"][0], "validation").rates(1.0, PLAN)[1]


def test_a_scheduler_is_seen_by_callbacks_of_lightnings(tmp_path):
    """Which look at its optimizer."""
    optimizer = optimizer_of([{"params": [torch.nn.Parameter(torch.zeros(1))]}])
    assert isinstance(driven := ForeignScheduler(TORCHS["step"]).attach(optimizer, PLAN), DrivenScheduler)
    assert driven.optimizer is optimizer


SHORT = (
    "data=page",
    *TINY,
    "optimizer=adamw",
    "optimizer.lr=1e-3",
    "trainer.max_epochs=2",
    "trainer.validations=3",
    "trainer.batch_width=700",
    "trainer.log_every=1",
)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder of one's own, with schedulers in it."""
    folder = tmp_path_factory.mktemp("mine") / "conf" / "scheduler"
    folder.mkdir(parents=True)
    (folder / "warm_cosine.yaml").write_text(
        """_target_: torch.optim.lr_scheduler.SequentialLR
interval: step
schedulers:
  - _target_: torch.optim.lr_scheduler.LinearLR
    start_factor: 0.1
    total_iters: 3
  - _target_: torch.optim.lr_scheduler.CosineAnnealingLR
    T_max: ${trainer.planned_steps}
milestones: [3]
"""
    )
    (folder / "listening.yaml").write_text(
        """_target_: torch.optim.lr_scheduler.ReduceLROnPlateau
_partial_: true
factor: 0.5
patience: 0
threshold: 0.99
interval: validation
"""
    )
    return folder.parent


def logged_rates(folder):
    return [float(row["lr"]) / 1e-3 for row in read_csv(folder / "metrics.csv") if row.get("lr")]


@pytest.mark.parametrize("name", ["warm_cosine", "listening"])
def test_a_file_of_ones_own_trains_and_is_resumed_to_the_bit(name, own, drawn, tmp_path):
    typed = (*SHORT, f"data.root={drawn / 'page'}", f"scheduler={name}")
    whole = run_program(tmp_path / "whole", "--config-dir", str(own), *typed)
    assert whole.code == 0, whole
    rates = logged_rates(whole.folder)
    steps = whole.metrics["train"]["steps"]
    if name == "warm_cosine":
        assert rates == pytest.approx(rates_by_hand(TORCHS_OF_FILE, steps=steps), abs=1e-6)
    else:
        assert rates == pytest.approx([1.0] * (2 * steps // 3) + [0.5] * (steps // 3))
    stopped = tmp_path / "stopped"
    beside = signalled_when(stopped / "last.ckpt", signal.SIGTERM)
    code, told = in_own_process(stopped, "--config-dir", str(own), *typed, beside=beside)
    assert code == 143, told
    assert len(logged_rates(stopped)) < steps
    resumed = run_program(stopped, f"resume={stopped}")
    assert resumed.code == 0, resumed
    one, other = left_by(whole.folder), left_by(stopped)
    for part in (one, other):
        part.pop("config.yaml")  # where the run may be resumed from
    assert not differences(one, other)


TORCHS_OF_FILE = partial(
    LR.SequentialLR,
    schedulers=[
        partial(LR.LinearLR, start_factor=0.1, total_iters=3),
        partial(LR.CosineAnnealingLR, T_max=PLANNED_STEPS),
    ],
    milestones=[3],
)


def test_a_sweep_over_schedulers_and_the_way_it_is_drawn(own, drawn, tmp_path):
    typed = ("--config-dir", str(own), *SHORT, f"data.root={drawn / 'page'}", f"hydra.sweep.dir={tmp_path / 'all'}")
    ended = run_program(tmp_path / "run", "-m", *typed, "scheduler=warm_cosine,listening")
    assert ended.code == 0, ended
    first = logged_rates(tmp_path / "all" / "0")
    assert first[0] == pytest.approx(0.1)
    drawn_only = [word for word in SHORT if "log_every" not in word]
    planned = run_program(
        tmp_path / "planned",
        "--config-dir",
        str(own),
        "task=inspect",
        "inspect.augmentation=0",
        *drawn_only,
        f"data.root={drawn / 'page'}",
        "scheduler=listening",
    )
    assert "The scores will lower the rate." in planned.output
    assert (planned.folder / "schedule.png").is_file()


def test_a_time_budget_goes_with_schedulers_that_ask_for_no_length(own, drawn, tmp_path):
    budget = (f"data.root={drawn / 'page'}", "trainer.time_budget=4")
    typed = ("--config-dir", str(own), *(word for word in SHORT if "max_epochs" not in word), *budget)
    refused = run_program(tmp_path / "refused", *typed, "scheduler=warm_cosine")
    assert refused.code == 1
    assert "scheduler.T_max=${trainer.planned_steps}: with trainer.time_budget" in refused.output
    assert "compiled" not in refused.output  # before data are read
    trained = run_program(tmp_path / "trained", *typed, "scheduler=listening")
    assert trained.code == 0, trained


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("scheduler=torch",), "scheduler._target_ has to be given: a scheduler is a class of"),
        (("scheduler=constant", "scheduler._target_=torch.optim.lr_scheduler.StepLR"), "'warmup_steps'; under"),
        (("scheduler=constant", "scheduler._target_=torch.nn.Identity"), "is no scheduler: a scheduler is a class of"),
        (("scheduler=torch", "scheduler._target_=nowhere.Rate"), "Could not create scheduler"),
        (
            ("scheduler=torch", "scheduler.interval=day"),
            "interval=day: choose one of step, epoch, validation",
        ),
        (("trainer.planned_steps=5",), "nobody sets it"),
        (
            (
                "scheduler=torch",
                "scheduler._target_=torch.optim.lr_scheduler.CosineAnnealingLR",
                "+scheduler.T_max=${trainer.max_steps}",
            ),
            "(scheduler.T_max: null; ${trainer.planned_steps} is the number of steps)",
        ),
        (
            (
                "scheduler=timm",
                "scheduler._target_=timm.scheduler.CosineLRScheduler",
                "scheduler.interval=step",
                "+scheduler.t_in_epochs=true",
                "+scheduler.t_initial=3",
            ),
            "scheduler.interval=step and scheduler.t_in_epochs=true say different things",
        ),
    ],
)
def test_what_is_typed_wrong_ends_in_one_sentence(run, drawn, typed, told):
    ended = run(*SHORT, f"data.root={drawn / 'page'}", *typed)
    assert ended.code == 1
    assert told in ended.output
    assert "Traceback" not in ended.output
