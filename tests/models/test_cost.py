"""The parameters of a model and its floating-point operations: by formula where counters miss them, and none where a
number would be wrong."""

import pytest
import torch
from small_models import make_batch, make_model
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from uncial.models.cost import count_flops, count_parameters, list_parts

FRAMES, WIDE, CELLS = 10, 6, 4


def sequence(lines: int = 1) -> torch.Tensor:
    return torch.ones(lines, FRAMES, WIDE)


@pytest.mark.parametrize(
    ("layer", "weights"),
    [
        (nn.RNN(WIDE, CELLS, batch_first=True), CELLS * (WIDE + CELLS)),
        (nn.GRU(WIDE, CELLS, batch_first=True), 3 * CELLS * (WIDE + CELLS)),
        (nn.LSTM(WIDE, CELLS, batch_first=True), 4 * CELLS * (WIDE + CELLS)),
        (nn.LSTM(WIDE, CELLS, batch_first=True, bidirectional=True), 2 * 4 * CELLS * (WIDE + CELLS)),
        (nn.LSTM(WIDE, CELLS, 2, batch_first=True), 4 * CELLS * (WIDE + CELLS) + 4 * CELLS * (CELLS + CELLS)),
        (
            nn.LSTM(WIDE, CELLS, 2, batch_first=True, bidirectional=True),
            2 * 4 * CELLS * (WIDE + CELLS) + 2 * 4 * CELLS * (2 * CELLS + CELLS),
        ),
        (nn.LSTM(WIDE, CELLS, batch_first=True, proj_size=2), 4 * CELLS * (WIDE + 2) + 2 * CELLS),
    ],
    ids=lambda value: str(value) if isinstance(value, nn.Module) else "",
)
def test_a_recurrent_layer_counts_by_its_weights_and_frames(layer, weights):
    assert weights == sum(weight.numel() for name, weight in layer.named_parameters() if "weight" in name)
    assert count_flops(layer, lambda: layer(sequence())).count == 2 * FRAMES * weights


def test_padding_of_a_packed_sequence_is_no_work():
    layer = nn.LSTM(WIDE, CELLS, batch_first=True)
    packed = pack_padded_sequence(sequence(2), torch.tensor([FRAMES, 3]), batch_first=True)
    assert count_flops(layer, lambda: layer(packed)).count == 2 * (FRAMES + 3) * 4 * CELLS * (WIDE + CELLS)


def test_the_operations_are_those_of_one_sample():
    layer = nn.Linear(WIDE, CELLS)
    assert count_flops(layer, lambda: layer(sequence(3)), samples=3).count == 2 * FRAMES * WIDE * CELLS


def test_fused_attention_counts_as_its_parts():
    """In evaluation an encoder layer of torch is one fused operation, of which counters see nothing."""
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    batch = torch.ones(1, FRAMES, 8)
    products = FRAMES * (3 * 8 * 8 + 8 * 8 + 2 * 8 * 16) + 2 * FRAMES * FRAMES * 8
    assert count_flops(layer, lambda: layer(batch)).count == 2 * products
    assert torch.backends.mha.get_fastpath_enabled()


class Spectrum(nn.Module):
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.fft.rfft(batch).real


def test_what_has_no_formula_is_named_instead_of_counted_as_nothing():
    model = nn.Sequential(nn.Linear(WIDE, CELLS), nn.Sequential(Spectrum()))
    found = count_flops(model, lambda: model(sequence()))
    assert found.count is None
    assert "1.0 (Spectrum)" in found.not_counted[0]
    assert "fft" in found.not_counted[0]


@torch.library.custom_op("tests_of_cost::double", mutates_args=())
def double(batch: torch.Tensor) -> torch.Tensor:
    return batch * 2


def test_an_operation_of_ones_own_is_not_counted_as_nothing():
    found = count_flops(nn.Identity(), lambda: double(sequence()))
    assert found.count is None
    assert "double" in found.not_counted[0]


def test_a_model_that_cannot_be_run_costs_what_nobody_knows():
    layer = nn.Linear(WIDE, CELLS)
    found = count_flops(layer, lambda: layer(torch.ones(2, WIDE + 1)))
    assert found.count is None
    assert "shapes" in found.not_counted[0]


def test_light_operations_are_no_reason_to_give_up():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GELU(), nn.Upsample(scale_factor=2, mode="bilinear")
    )
    found = count_flops(model, lambda: model(torch.ones(1, 1, 6, 6)))
    assert found.count == 2 * 16 * 2 * 9


def test_counting_leaves_the_model_and_the_random_numbers_as_they_were():
    model = make_model("crnn", "model.backbone.stages=[[8,1,2,2]]", "model.backbone.stem=4", "model.head.hidden=8")
    model.head.eval()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    training = {name: module.training for name, module in model.named_modules()}
    drawn = torch.random.get_rng_state()
    batch = make_batch([60, 60], 32)
    assert count_flops(model, lambda: model.predict(batch), 2).count
    assert {name: module.training for name, module in model.named_modules()} == training
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_default_recogniser_at_314_pixels():
    """2 × (convolutions 196.7 M + LSTM 118 M + output), for 80 frames."""
    model = make_model("crnn")
    batch = make_batch([314, 314], 32)
    convolutions = 393_379_840
    lstm = 2 * 80 * 2 * 4 * 192 * ((192 + 192) + (384 + 192))
    output = 2 * 80 * 384 * model.codec.size
    assert count_flops(model, lambda: model.predict(batch), 2).count == convolutions + lstm + output
    assert round((convolutions + lstm) / 1e9, 2) == 0.63


def test_shared_weights_count_once_and_parts_are_told_apart():
    linear = nn.Linear(3, 3, bias=False)
    model = nn.ModuleDict({"one": linear, "other": nn.Sequential(linear, nn.Linear(3, 1))})
    assert count_parameters(model) == 9 + 4
    assert [(part.name, part.kind, part.parameters) for part in list_parts(model)] == [
        ("one", "Linear", 9),
        ("other", "Sequential", 13),
    ]
    assert count_parameters(nn.LazyLinear(2)) == 0
