"""Every optimizer that can be chosen: what it decays, at which rates it goes, that it learns, and that it goes on."""

import pytest
import torch
from drawn_layouts import read_csv
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from program import ROOT, TINY
from torch import nn

from uncial.config.keys import group_choices
from uncial.training.optimizers.parameter_groups import apply_factors, build_parameter_groups

CHOICES = group_choices(ROOT / "conf", "optimizer")
SHORT = ("task=train", "data=page", *TINY, "trainer.max_steps=4", "trainer.validations=2", "trainer.batch_width=1000")


class Reader(nn.Module):
    """Parameters of one to four dimensions, as lines' models have them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.backbone = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6))
        self.head = nn.LSTM(6, 5, batch_first=True)
        self.norm = nn.LayerNorm(5)
        self.decoder = nn.Linear(5, 2)

    def forward(self, images):
        return self.decoder(self.norm(self.head(self.backbone(images).amax(2).mT)[0]))


IMAGES = torch.randn(4, 1, 8, 12, generator=torch.Generator().manual_seed(1))


def loss_of(model):
    return (model(IMAGES) - 2).square().mean()


def optimizer_of(choice, model, factors=None, **keys):
    """The group's optimizer over the model, as a training has it."""
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        config = compose(overrides=[f"+optimizer={choice}"])
    given = {**OmegaConf.to_container(config.optimizer), **keys}
    optimizer = instantiate(given, _convert_="all")(build_parameter_groups(model, factors))
    apply_factors(optimizer)
    return optimizer


def learn(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
    return loss.item()


def values(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("choice", CHOICES)
def test_its_own_rate_makes_the_loss_fall(choice):
    model = Reader()
    before = loss_of(model).item()
    assert learn(model, optimizer_of(choice, model), 30) < 0.9 * before


@pytest.mark.parametrize("choice", CHOICES)
def test_weight_decay_leaves_out_normalisations_and_biases(choice):
    """Shown by two that see the same gradients and differ in nothing but the decay."""
    ended = []
    for decay in (0.0, 0.5):
        model, generator = Reader(), torch.Generator().manual_seed(5)
        optimizer = optimizer_of(choice, model, weight_decay=decay)
        for _ in range(2):
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()
        ended.append(values(model))
    without, decayed = ended
    same = {name for name, value in without.items() if torch.equal(value, decayed[name])}
    assert same == {name for name, value in without.items() if value.ndim == 1}


@pytest.mark.parametrize("choice", CHOICES)
def test_parts_learn_at_their_own_rates(choice):
    model = Reader()
    before = values(model)
    learn(model, optimizer_of(choice, model, {"backbone": 1e-9, "norm": 0.5}, weight_decay=0.0), 1)
    moved = {name: float((after - before[name]).abs().max()) for name, after in values(model).items()}
    assert max(moved[name] for name in moved if name.startswith("backbone")) < 1e-6
    whole = Reader()
    learn(whole, optimizer_of(choice, whole, weight_decay=0.0), 1)
    fully = {name: float((after - before[name]).abs().max()) for name, after in values(whole).items()}
    assert moved["head.weight_ih_l0"] == pytest.approx(fully["head.weight_ih_l0"])
    assert moved["norm.bias"] == pytest.approx(0.5 * fully["norm.bias"], rel=1e-3)


@pytest.mark.parametrize("choice", CHOICES)
def test_its_state_is_all_that_it_remembers(choice, tmp_path):
    """Saved as checkpoints are, in plain types, it goes on bit by bit as if it had not been stopped."""
    model = Reader()
    optimizer = optimizer_of(choice, model)
    learn(model, optimizer, 3)
    torch.save((model.state_dict(), optimizer.state_dict()), tmp_path / "state.ckpt")
    learn(model, optimizer, 3)
    again = Reader()
    weights, state = torch.load(tmp_path / "state.ckpt", weights_only=True)
    again.load_state_dict(weights)
    resumed = optimizer_of(choice, again)
    resumed.load_state_dict(state)
    learn(again, resumed, 3)
    assert all(torch.equal(value, values(again)[name]) for name, value in values(model).items())


def test_any_other_optimizer_is_one_target_away(train):
    ended = train("optimizer=adamw", "optimizer._target_=torch.optim.Adamax", "optimizer.lr=1e-3")
    assert ended.code == 0, ended
    rows = [row for row in read_csv(ended.folder / "metrics.csv") if row["val/cer"]]
    assert rows[0]["val/loss"] != rows[1]["val/loss"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("optimizer._target_=torch.optim.SGD",), "betas"),
        (("optimizer.lr=-1",), "optimizer.lr=-1"),
        (("optimizer=sgd", "optimizer.momentum=-1"), "optimizer.momentum=-1"),
        (("optimizer=rmsprob",), "rmsprop"),
    ],
)
def test_a_wrong_optimizer_ends_in_one_sentence(train, wrong, told):
    ended = train(*wrong)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert "Traceback" not in ended.output
    assert "To resume" not in ended.output, "it would end the same way"
