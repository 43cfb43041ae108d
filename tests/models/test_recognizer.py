"""The joined model: every combination of parts, and results that depend on nothing but the line."""

import pytest
import torch
from small_models import CODEC, make_batch, make_model, model_config, settle

from uncial.errors import UserError
from uncial.models.build import build_model

BACKBONES = ("crnn", "resnet", "kraken")
HEADS = ("bilstm", "transformer", "conv", "none")
COLLAPSES = ("max", "mean", "flatten")
SMALL = {
    "crnn": ["model.backbone.stages=[[8,2,2,2],[12,1,2,1]]", "model.backbone.stem=4"],
    "resnet": ["model.backbone.stages=[[8,1],[12,1],[16,1]]", "model.backbone.stem=4"],
    "kraken": [],
    "bilstm": ["model.head.hidden=12"],
    "transformer": ["model.head.layers=2", "model.head.channels=16", "model.head.attention_heads=2"],
    "conv": ["model.head.layers=2", "model.head.channels=16"],
    "none": [],
}


def small(backbone: str, head: str, *more: str) -> list[str]:
    return [f"model/backbone={backbone}", f"model/head={head}", *SMALL[backbone], *SMALL[head], *more]


@pytest.mark.parametrize("collapse", COLLAPSES)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_learns_with_every_head(backbone, head, collapse):
    model = make_model(
        "crnn", *small(backbone, head, f"model.head.collapse={collapse}", "model.preprocessing.height=37")
    )
    batch = make_batch([61, 33, 5, 1], 37)
    losses = model.loss(batch)
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"])
    unused = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert unused == []


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_line_reads_the_same_alone_and_among_others(backbone, head):
    model = settle(make_model("crnn", *small(backbone, head, "model.preprocessing.height=32")), 32)
    widths = [40, 37, 96, 1, 33, 64, 90, 40]
    batch = make_batch(widths, 32)
    together, lengths = model.log_probabilities(batch.images, batch.widths)
    read = model.predict(batch)
    for row, width in enumerate(widths):
        alone, length = model.log_probabilities(batch.images[row : row + 1, :, :, :width], batch.widths[row : row + 1])
        assert length[0] == lengths[row] == model.frames(width)
        torch.testing.assert_close(alone[0], together[row, : lengths[row]], atol=1e-4, rtol=0)
        single = make_batch(widths, 32)
        single.images, single.widths = batch.images[row : row + 1, :, :, :width], batch.widths[row : row + 1]
        assert model.predict(single)[0].text == read[row].text


@pytest.mark.parametrize("widths", [[40, 37, 96, 1], [40], [39, 40, 36, 40]], ids=["mixed", "alone", "alike"])
@pytest.mark.parametrize("head", HEADS)
def test_losses_and_readings_of_one_pass_are_those_of_two(head, widths):
    model = settle(make_model("crnn", *small("crnn", head, "model.preprocessing.height=32")), 32)
    batch = make_batch(widths, 32, labels=2)
    losses, read = model.evaluate(batch)
    with torch.no_grad():  # as in validation; an LSTM that is to have gradients may be computed by another kernel
        expected = model.loss(batch)
    assert {name: float(loss) for name, loss in losses.items()} == {
        name: float(loss) for name, loss in expected.items()
    }
    assert read == model.predict(batch)


def test_what_lies_beyond_a_lines_width_is_not_read():
    model = settle(make_model("crnn", *small("crnn", "bilstm")), 32)
    batch = make_batch([50, 90], 32)
    clean, _ = model.log_probabilities(batch.images, batch.widths)
    batch.images[0, :, :, 50:] = 0
    spoilt, _ = model.log_probabilities(batch.images, batch.widths)
    assert torch.equal(clean, spoilt)


def test_training_loss_ignores_what_lies_beyond_a_lines_width():
    model = make_model("crnn", *small("crnn", "transformer")).eval()
    batch = make_batch([50, 90], 32)
    clean = model.loss(batch)["loss"]
    batch.images[0, :, :, 50:] = 0
    assert torch.equal(clean, model.loss(batch)["loss"])


def test_positions_are_fractions_of_the_image_and_not_of_its_padding():
    model = settle(make_model("crnn", *small("crnn", "none")), 32)
    read = model.predict(make_batch([57, 200, 9], 32))
    assert any(line.text for line in read)
    for line in read:
        assert len(line.text) == len(line.character_confidences) == len(line.positions)
        assert all(0 <= confidence <= 1 for confidence in (line.confidence, *line.character_confidences))
        assert all(0 <= start <= end <= 1 for start, end in line.positions)
        starts = [start for start, _ in line.positions]
        assert starts == sorted(starts)


def test_losses_and_normalisation_statistics_stay_in_fp32_under_autocast():
    model = make_model("crnn", *small("crnn", "bilstm"))
    batch = make_batch([64, 80], 32)
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.loss(batch)
        log_probabilities, lengths = model.eval().log_probabilities(batch.images, batch.widths)
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert log_probabilities.dtype == torch.float32
    for row, length in zip(log_probabilities, lengths, strict=True):
        torch.testing.assert_close(row[:length].exp().sum(-1), torch.ones(int(length)))
    assert {buffer.dtype for name, buffer in model.named_buffers() if "running" in name} == {torch.float32}


def test_the_total_loss_is_the_weighted_sum_of_its_parts():
    losses = make_model("crnn", *small("crnn", "bilstm", "model.shortcut=0.25")).loss(make_batch([64, 80], 32))
    torch.testing.assert_close(losses["loss"], losses["loss_main"] + 0.25 * losses["loss_shortcut"])
    assert set(make_model("crnn", *small("crnn", "bilstm", "model.shortcut=0")).loss(make_batch([64], 32))) == {"loss"}


def test_a_line_without_a_path_under_ctc_does_not_spoil_the_batch():
    model = make_model("crnn", *small("crnn", "bilstm"))
    losses = model.loss(make_batch([8, 80], 32, labels=6))
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"])
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_colour_lines():
    model = make_model("crnn", *small("crnn", "bilstm", "model.preprocessing.channels=3"))
    assert torch.isfinite(model.loss(make_batch([64, 80], 32, channels=3))["loss"])


@pytest.mark.parametrize("name", ["crnn", "crnn_resnet", "kraken"])
def test_a_shipped_model_memorises_a_few_lines(name):
    """Fails where a part passes no gradient or where the model cannot leave the answer that is blank everywhere."""
    overrides = {"crnn": [], "crnn_resnet": small("resnet", "bilstm"), "kraken": ["model/head=bilstm"]}[name]
    model = make_model(name, *overrides, "model.preprocessing.height=32", "model.shortcut=0")
    batch = make_batch([96, 96, 96, 96], 32, labels=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for module in model.modules():
        if "Dropout" in type(module).__name__:
            module.p = 0.0
    first = float(model.loss(batch)["loss"].detach())
    for _ in range(40):
        optimizer.zero_grad()
        loss = model.loss(batch)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    assert float(loss.detach()) < 0.5 * first


def test_kraken_has_the_parameters_of_krakens_own_network():
    """Counted from the VGSL definition: kernels, LSTM gates of both directions with two biases each, output layer."""
    convolutions = sum(
        wide * (before * 3 * kernel + 1)
        for before, wide, kernel in [(1, 32, 13), (32, 32, 13), (32, 64, 9), (64, 64, 9)]
    )
    recurrent = sum(2 * 4 * 200 * (inputs + 200 + 2) for inputs in (64 * 15, 400, 400))
    output = 400 * CODEC.size + CODEC.size
    model = build_model(model_config("kraken"), codec=CODEC)
    assert sum(parameter.numel() for parameter in model.parameters()) == convolutions + recurrent + output


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("+model.head.hiden=3", "hiden"),
        ("model.head.collapse=min", "model.head.collapse"),
        ("model.backbone.stages=[[8,2,2]]", "model.backbone.stages[0]"),
        ("model.backbone.activation=swish2", "model.backbone.activation"),
        ("model.preprocessing.height=4", "model.preprocessing.height"),
        ("model.preprocessing.polarity=black", "model.preprocessing.polarity"),
        ("model.backbone._target_=nowhere.to.Be", "nowhere.to.Be"),
    ],
)
def test_a_wrong_key_is_named_in_one_sentence(override, named):
    with pytest.raises(UserError) as caught:
        build_model(model_config("crnn", override), codec=CODEC)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["os.system", "torch.load", "builtins.exec", "subprocess.Popen"])
def test_a_config_can_call_nothing_but_parts_of_a_model(target):
    config = model_config("crnn")
    config["backbone"] = {"_target_": target, "_partial_": True}
    with pytest.raises(UserError, match=r"model\.backbone\._target_"):
        build_model(config, codec=CODEC)
