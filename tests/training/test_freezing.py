"""What stands still while it is frozen, whatever the model, and what the patterns and lengths mean."""

from types import SimpleNamespace

import lightning as L
import pytest
import torch
from scripted_training import bare_trainer
from torch import nn
from torch.utils.data import DataLoader

from uncial.errors import UserError
from uncial.metrics.contract import MetricResult
from uncial.models.contracts import Model
from uncial.training.callbacks.freezing import Duration, Freezing, parse_freeze_duration, select_frozen_parts
from uncial.training.module import TrainingModule
from uncial.training.optimizers.parameter_groups import check_factors
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig, StepPlan
from uncial.training.selection import select_modules


class Reader(Model):
    """Each kind of module that freezing has to think of."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.head = nn.LSTM(4, 4, num_layers=2, dropout=0.5, batch_first=True)
        self.decoder = nn.Linear(4, 1)

    def loss(self, batch):
        sequence, _ = self.head(self.backbone(batch.values)[None])
        return {"loss": (self.decoder(sequence) - 3).square().mean()}

    def predict(self, batch):
        return []


class Values:
    def __init__(self, seed):
        self.values = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))
        self.indices = list(range(6))
        self.loss_weight, self.infeasible = 1.0, ()

    def select(self, position):
        return self


class Nothing:
    def update(self, batch, predictions): ...
    def aggregate(self, processes): ...
    def compute(self):
        return MetricResult({"none": 0.0})

    def reset(self): ...


class Watch(L.Callback):
    """The weights after each optimizer step."""

    def __init__(self):
        self.states = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.states.append({name: tensor.clone() for name, tensor in pl_module.model.state_dict().items()})


def train(folder, freeze, steps, total=6, optimizer=torch.optim.AdamW, more=(), **settings):
    """The states after each step of a training that freezes `freeze` for `steps`."""
    torch.manual_seed(3)
    model = Reader()
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parts = select_frozen_parts(model, freeze)
    length = RunLength(LengthConfig(steps=total, validations=3), 3, 18, 2, folder / "steps.txt")
    watch = Watch()
    module = TrainingModule(
        model,
        Nothing(),
        lambda groups: optimizer(groups, lr=0.1, **settings),
        lambda step, plan: 1 - step / 10,
        length,
        seed=1,
    )
    freezing = [] if parts is None else [Freezing(model, parts, Duration(steps, "step"), length)]
    trainer = bare_trainer(folder, [length, *freezing, watch, *more], gradient_clip_val=1.0)
    batches = DataLoader([Values(seed) for seed in range(3)], batch_size=None)
    trainer.fit(module, batches, batches)
    return [start, *watch.states], model, trainer


def changed(before, after):
    return {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [(torch.optim.AdamW, {"weight_decay": 0.5}), (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.5})],
)
@pytest.mark.parametrize(
    ("freeze", "held"),
    [
        ("backbone", ["backbone"]),
        ("all_but_decoder", ["backbone", "head"]),
        (["head", "backbone.1"], ["head", "backbone.1"]),
    ],
)
def test_what_is_frozen_stands_still_and_is_released_at_its_step(tmp_path, freeze, held, optimizer, settings):
    """Validations in between put modules back into training; neither they nor decay nor momentum move anything."""
    states, model, _ = train(tmp_path, freeze, 4, optimizer=optimizer, **settings)
    frozen = [name for name in states[0] if name.startswith(tuple(f"{part}." for part in held))]
    for state in states[1:5]:
        assert not [name for name in frozen if not torch.equal(states[0][name], state[name])]
    assert changed(states[0], states[1]) >= {"decoder"}
    assert changed(states[4], states[5]) == {"backbone", "head", "decoder"}
    assert model.head.dropout == 0.5


def test_released_parts_start_with_the_schedule_as_it_stands(tmp_path):
    """Plain gradient steps: the factor at step 4 is 0.6, frozen before or not."""
    _, _, trainer = train(tmp_path, "backbone", 4, total=5, optimizer=torch.optim.SGD)
    groups = trainer.optimizers[0].param_groups
    assert all(group["lr"] == pytest.approx(0.1 * 0.5) for group in groups), "after the fifth step"
    assert sum(len(group["params"]) for group in groups) == len(list(Reader().parameters()))


def test_frozen_dropout_is_off(tmp_path):
    """The frozen part sees the same batch twice and gives the same features."""
    seen = []

    class Look(L.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if trainer.global_step < 3:
                torch.manual_seed(trainer.global_step)
                seen.append(pl_module.model.backbone(Values(0).values).detach())

    train(tmp_path, "backbone", 3, more=(Look(),))
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[1], seen[2])


def test_a_run_that_goes_on_freezes_what_the_step_says(tmp_path):
    """A callback that never saw the first steps holds and releases as one that did."""
    length = RunLength(LengthConfig(steps=9), 3, 18, 2, tmp_path / "steps.txt")
    for step, held in ((3, True), (4, True), (5, False), (7, False)):
        model = Reader()
        freezing = Freezing(model, select_frozen_parts(model, "backbone"), Duration(5, "step"), length)
        trainer = SimpleNamespace(global_step=step, world_size=1)
        freezing.on_fit_start(trainer, None)
        freezing.on_train_batch_start(trainer, None, None, 0)
        assert all(parameter.requires_grad != held for parameter in model.backbone.parameters())
        assert model.backbone[1].training != held
        assert model.decoder.weight.requires_grad


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("500 steps", 500),
        ("500_steps", 500),
        ("1_000-steps", 1000),
        ("1 step", 1),
        ("2epochs", 40),
        ("0.5 epochs", 10),
        ("100 samples", 20),
        ("101 Samples", 21),
        ("0 steps", 0),
    ],
)
def test_lengths_of_freezing(text, steps):
    assert parse_freeze_duration(text).steps(StepPlan(total=1000, epoch=20, validation=100, lines=5)) == steps


@pytest.mark.parametrize("text", ["500", 500, "steps", "-1 steps", "5 minutes", "five epochs", "1e3", ""])
def test_lengths_without_number_or_unit_are_refused(text):
    with pytest.raises(UserError, match=f"freeze_for={text}"):
        parse_freeze_duration(text)


@pytest.mark.parametrize(
    ("freeze", "told"),
    [("backbon", "Did you mean backbone"), (["head", "decoder.scale"], "decoder.scale"), ("*", "nothing would learn")],
)
def test_patterns_that_cannot_be_are_refused(freeze, told):
    with pytest.raises(UserError, match=told):
        Freezing(Reader(), select_frozen_parts(Reader(), freeze), None, None)


def test_nothing_is_frozen_unless_it_is_said():
    assert select_frozen_parts(Reader(), "none") is None
    assert select_frozen_parts(Reader(), None) is None


def test_parts_hold_what_lies_below_a_name_and_what_is_covered_by_parameters():
    model = Reader()
    assert select_modules(model, ["backbone.1.*"], "").modules == {"backbone.1"}
    assert "backbone.1.running_mean" in select_modules(model, ["backbone.1.weight", "backbone.1.bias"], "").tensors
    assert select_modules(model, ["backbone.0.weight"], "").tensors == {"backbone.0.weight"}
    assert "backbone.2" in select_modules(model, ["back*"], "").modules


@pytest.mark.parametrize("factor", [0, -1, "fast", True, None])
def test_factors_that_are_no_rates_are_refused(factor):
    with pytest.raises(UserError, match=r"lr_factors\.head"):
        check_factors({"head": factor})
