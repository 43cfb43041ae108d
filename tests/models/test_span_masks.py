"""Spans of columns that are hidden from the head while training."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import make_batch, make_model

from uncial.errors import UserError
from uncial.models.heads.masking import SpanMasks, draw_hidden_columns

SMALL = ("model.backbone.stages=[[8,2,2,2],[12,1,2,1]]", "model.backbone.stem=4", "model.head.hidden=12")


@settings(deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=6), st.floats(0, 0.95), st.integers(1, 20), st.integers(0, 9))
def test_the_asked_share_of_each_line_is_hidden_in_whole_spans(widths, share, length, seed):
    torch.manual_seed(seed)
    hidden = draw_hidden_columns(widths, max(widths) + 3, share, length)
    for line, width in zip(hidden.tolist(), widths, strict=True):
        count = sum(line)
        assert count % length == 0, "spans are whole and do not overlap"
        assert abs(count - share * width) <= max(length / 2, share * width - (width // length) * length) + 1e-9
        assert not any(line[width:])
        runs = "".join(".#"[column] for column in line).split(".")
        assert all(len(run) % length == 0 for run in runs)


def test_spans_lie_anywhere():
    torch.manual_seed(1)
    hidden = draw_hidden_columns([50] * 2000, 50, 0.4, 5).float().mean(dim=0)
    assert hidden.min() > 0.1
    assert hidden.max() < 0.6


def test_hidden_columns_become_the_learned_one_and_the_others_stay():
    torch.manual_seed(1)
    masks = SpanMasks(channels=6, share=0.5, length=4).train()
    torch.nn.init.normal_(masks.column)
    features = torch.randn(3, 6, 2, 40)
    seen = masks(features, torch.tensor([40, 20, 3]))
    changed = (seen != features).any(dim=1)
    assert changed[:, 0].sum(dim=1).tolist() == [20, 8, 0]
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert torch.equal(seen.movedim(1, -1)[changed], masks.column.expand(int(changed.sum()), 6))


def test_only_the_training_hides_and_its_seed_decides_where():
    model = make_model("crnn", *SMALL, "model.span_masks.share=0.4", "model.span_masks.length=2", "model.shortcut=0")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout | torch.nn.Dropout1d | torch.nn.Dropout2d | torch.nn.LSTM):
            module.p = module.dropout = 0.0
    batch = make_batch([160, 152], 32)

    def loss(seed: int) -> float:
        torch.manual_seed(seed)
        return float(model.loss(batch)["loss"].detach())

    model.train()
    model.loss(batch)["loss"].backward()
    assert model.span_masks.column.grad.abs().sum() > 0
    assert loss(1) == loss(1)
    assert loss(1) != loss(2)
    model.eval()
    assert loss(1) == loss(2)


@pytest.mark.parametrize("name", ["crnn", "crnn_resnet", "kraken"])
def test_without_a_share_the_model_has_no_more_weights(name):
    assert not [key for key in make_model(name).state_dict() if "span" in key]


@pytest.mark.parametrize("key", ["share=1.0", "share=-0.1", "length=0"])
def test_what_cannot_be_is_said_with_its_key(key):
    with pytest.raises(UserError, match=f"model.span_masks.{key.partition('=')[0]}"):
        make_model("crnn", *SMALL, "model.span_masks.share=0.4", f"model.span_masks.{key}")
