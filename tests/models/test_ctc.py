"""Greedy reading of a path."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.models.contracts import Targets
from uncial.models.decoders.ctc import CTCDecoder, read_path
from uncial.text.codec import CharacterCodec

CODEC = CharacterCodec("abc")


class PiecesCodec(CharacterCodec):
    """A codec whose second label writes two characters and whose third writes none."""

    def decode_each(self, labels):
        return [["", "a", "bb", ""][label] for label in labels]


def reading(labels: list[int], probabilities: list[float] | None = None):
    scores = np.log(np.array(probabilities or [0.9] * len(labels), np.float32))
    return read_path(np.array(labels), scores, CODEC)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), max_size=30))
def test_repeats_are_merged_and_blanks_dropped(labels):
    merged = [label for index, label in enumerate(labels) if index == 0 or label != labels[index - 1]]
    found = reading(labels)
    assert found.text == CODEC.decode([label for label in merged if label])
    assert len(found.positions) == len(found.character_confidences) == len(found.text)
    assert all(0 <= start < end <= 1 for start, end in found.positions)


def test_positions_and_confidences_are_those_of_a_characters_frames():
    found = reading([0, 1, 1, 0, 2], [0.9, 0.5, 0.8, 0.9, 0.6])
    assert found.text == "ab"
    assert found.positions == ((0.2, 0.6), (0.8, 1.0))
    assert found.character_confidences == pytest.approx((0.8, 0.6))
    assert found.confidence == pytest.approx((0.9 * 0.5 * 0.8 * 0.9 * 0.6) ** (1 / 2))


def test_an_empty_line_is_as_sure_as_its_blanks():
    found = reading([0, 0], [0.9, 0.5])
    assert (found.text, found.positions) == ("", ())
    assert found.confidence == pytest.approx(0.45)


def test_labels_that_write_several_characters_or_none():
    found = read_path(np.array([2, 2, 0, 3]), np.zeros(4, np.float32), PiecesCodec("abc"))
    assert found.text == "bb"
    assert found.positions == ((0.0, 0.25), (0.25, 0.5))


def test_frames_beyond_a_lines_length_are_not_read():
    log_probabilities = torch.log_softmax(20 * torch.nn.functional.one_hot(torch.tensor([[1, 0, 2]]), 4).float(), -1)
    found = CTCDecoder(8, CODEC).decode_frames(log_probabilities, torch.tensor([2]))
    assert found[0].text == "a"


def test_the_loss_of_a_line_is_minus_the_logarithm_of_its_probability():
    """Three frames, the text `a`: six paths read it."""
    decoder = CTCDecoder(4, CODEC)
    with torch.no_grad():
        decoder.output.weight.copy_(torch.eye(4))
    sequence = torch.randn(1, 3, 4)
    blank, letter = torch.softmax(sequence[0], -1)[:, 0], torch.softmax(sequence[0], -1)[:, 1]
    paths = ["a--", "-a-", "--a", "aa-", "-aa", "aaa"]
    total = sum(torch.stack([letter[i] if c == "a" else blank[i] for i, c in enumerate(path)]).prod() for path in paths)
    loss = decoder.loss(sequence, torch.tensor([3]), Targets(torch.tensor([1]), torch.tensor([1])))
    torch.testing.assert_close(loss, -total.log())
