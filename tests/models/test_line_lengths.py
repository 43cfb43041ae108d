"""A line ends where its image ends: in the loss, of whatever head, and in the places of its characters."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import CODEC, make_batch, make_model, settle

from uncial.document import Transcription
from uncial.models.contracts import Targets
from uncial.models.decoders.ctc import CTCDecoder
from uncial.models.preprocessing import Preprocessing
from uncial.models.recognizer import to_image_positions

PARTS = {
    "bilstm": ["model/head=bilstm", "model.head.hidden=12"],
    "transformer": ["model/head=transformer", "model.head.layers=2", "model.head.channels=16"],
    "conv": ["model/head=conv", "model.head.layers=2", "model.head.channels=16"],
    "none": ["model/head=none"],
}
SMALL = ["model.backbone.stages=[[8,2,2,2],[12,1,2,1]]", "model.backbone.stem=4", "model.preprocessing.height=32"]
WIDTHS = [40, 37, 96, 64]
CLOSE = {"atol": 0, "rtol": 2e-2}
"""In training the convolutions at a line's end see what normalisation has made of the paper behind it."""


def settled(head, *more):
    heads = ["model.head.attention_heads=2"] if head == "transformer" else []
    return settle(make_model("crnn", *SMALL, *PARTS[head], *heads, *more), 32)


def widened(batch, pixels):
    """The batch with so many more pixels of paper behind its lines."""
    return replace(batch, images=torch.nn.functional.pad(batch.images, (0, pixels), value=255))


def alone(batch, row):
    """One line as wide as it is."""
    one = batch.select(row)
    return replace(one, images=one.images[..., : int(one.widths[0])])


@pytest.mark.parametrize("head", PARTS)
def test_each_loss_of_a_batch_is_the_mean_of_those_of_its_lines_alone(head):
    model = settled(head, "model.shortcut=0.5")
    batch = make_batch(WIDTHS, 32, labels=2)
    with torch.no_grad():
        whole = model.loss(batch)
        lines = [model.loss(alone(batch, row)) for row in range(len(WIDTHS))]
    assert set(whole) == {"loss", "loss_main", "loss_shortcut"}
    for name, loss in whole.items():
        expected = torch.stack([line[name] for line in lines]).mean()
        torch.testing.assert_close(loss, expected, **CLOSE)


@pytest.mark.parametrize("head", PARTS)
def test_no_loss_depends_on_how_far_a_batch_is_padded(head):
    model = settled(head, "model.shortcut=0.5")
    batch = make_batch(WIDTHS, 32, labels=2)
    with torch.no_grad():
        narrow, wide = model.loss(batch), model.loss(widened(batch, 160))
    for name in narrow:
        torch.testing.assert_close(narrow[name], wide[name], **CLOSE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 20), st.integers(1, 2)), min_size=1, max_size=5), st.integers(0, 9))
def test_frames_behind_a_line_count_in_no_loss_and_pull_at_nothing(lines, more):
    torch.manual_seed(more)
    decoder = CTCDecoder(6, CODEC)
    lengths, labels = (torch.tensor(column) for column in zip(*lines, strict=True))
    targets = Targets(torch.randint(1, CODEC.size, (int(labels.sum()),)), labels)
    sequence = torch.randn(len(lines), int(lengths.max()) + more, 6)
    other = sequence.clone()
    for row, length in enumerate(lengths.tolist()):
        other[row, length:] = 5 * torch.randn(6)
    losses = [decoder.loss(one.requires_grad_(), lengths, targets) for one in (sequence, other)]
    torch.testing.assert_close(*losses)
    [slopes] = torch.autograd.grad(losses[1], other)
    assert all(not slopes[row, length:].any() for row, length in enumerate(lengths.tolist()))


def test_a_longer_text_weighs_no_more_than_a_short_one():
    """Of each line the loss is divided by its labels, and of the batch by its lines."""
    decoder, sequence = CTCDecoder(6, CODEC), torch.randn(2, 20, 6)
    targets = [Targets(torch.tensor(labels), torch.tensor([len(labels)])) for labels in ([1], [1, 2, 3, 4, 5])]
    lengths = torch.tensor([20])
    single = [decoder.loss(sequence[row : row + 1], lengths, target) for row, target in enumerate(targets)]
    both = decoder.loss(
        sequence, torch.tensor([20, 20]), Targets(torch.tensor([1, 1, 2, 3, 4, 5]), torch.tensor([1, 5]))
    )
    torch.testing.assert_close(both, (single[0] + single[1]) / 2)
    probabilities = decoder.log_probabilities(sequence[1:])
    sums = torch.nn.functional.ctc_loss(
        probabilities.transpose(0, 1), targets[1].labels, lengths, targets[1].lengths, reduction="sum"
    )
    torch.testing.assert_close(single[1], sums / 5)


@settings(deadline=None)
@given(
    st.integers(1, 300),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from([1, 8, 64]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_places_are_fractions_of_the_image_without_any_of_its_padding(own, left, right, multiple, place):
    """What is known in pixels of the padded line, in pixels of the image alone."""
    preprocessing = Preprocessing(padding=(left, right), width_multiple=multiple)
    width = own + left + right
    padded = preprocessing.padded_width(width)
    start, end = ((left + fraction * own) / padded for fraction in place)
    [found] = to_image_positions(Transcription("a", 1.0, (1.0,), ((start, end),)), width, preprocessing).positions
    assert found == pytest.approx(place, abs=1e-9)
    whole = Transcription("a", 1.0, (1.0,), ((0.0, 1.0),))
    assert to_image_positions(whole, width, preprocessing).positions == ((0.0, 1.0),), "what is read in the padding"


def test_a_padded_line_says_where_its_characters_are_on_the_image():
    """The same pixels to one model that padded them itself, and to one that was given a wider image."""
    wide = settled("none")
    batch = make_batch([160, 208], 32)
    expected = wide.predict(batch)
    left, right = 24, 8
    padding = settled("none", f"model.preprocessing.padding=[{left},{right}]")
    padding.load_state_dict(wide.state_dict())
    for width, one, other in zip([160, 208], expected, padding.predict(batch), strict=True):
        assert other.text == one.text
        own = width - left - right
        assert sum(left / width < start < 1 - right / width for start, _ in one.positions) > 3
        for place, theirs in zip(other.positions, one.positions, strict=True):
            assert place == pytest.approx([min(1, max(0, (at * width - left) / own)) for at in theirs])
