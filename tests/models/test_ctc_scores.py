"""The blank's score at the start and lowered, and labels that write nothing."""

import warnings

import numpy as np
import pytest
import torch

from uncial.models.decoders.ctc import CTCDecoder, read_path
from uncial.text.codec import BLANK, CharacterCodec

CODEC = CharacterCodec("abc")


class SilentCodec(CharacterCodec):
    """A codec whose second label writes nothing, as a mark that the text of a line leaves out."""

    def decode_each(self, labels):
        return [["", "a", "", "c"][label] for label in labels]


def test_no_label_is_likelier_at_the_start_but_by_the_blanks_own():
    assert torch.equal(CTCDecoder(4, CODEC).output.bias, torch.zeros(4))
    bias = CTCDecoder(4, CODEC, blank_bias=-2.0).output.bias
    assert bias[BLANK] == -2
    assert bias.sum() == -2


def test_a_lowered_blank_leaves_the_others_more_likely_and_still_learns():
    decoder = CTCDecoder(4, CODEC)
    frames = torch.zeros(1, 3, 4)
    decoder.lower_blank(1.5)
    decoder.lower_blank(0.5)
    found = decoder.log_probabilities(frames)[0, 0]
    assert (found[1:] - found[BLANK]).tolist() == pytest.approx([2.0] * 3)
    decoder.log_probabilities(frames).sum().backward()
    assert decoder.output.bias.grad is not None


def test_a_label_that_writes_nothing_leaves_no_character_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_path(np.array([1, 2, 3]), np.zeros(3, np.float32), SilentCodec("abc"))
    assert found.text == "ac"
    assert len(found.positions) == len(found.character_confidences) == 2
