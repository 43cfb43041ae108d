import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.models.decoders.ctc import CTCDecoder
from uncial.text.codec import CharacterCodec

min_frames = CTCDecoder(4, CharacterCodec("ab")).min_frames


@pytest.mark.parametrize(("labels", "frames"), [([], 0), ([1], 1), ([1, 2, 1], 3), ([1, 1], 3), ([1, 1, 1, 2, 2], 8)])
def test_a_blank_is_needed_between_equal_neighbours(labels, frames):
    assert min_frames(labels) == frames


@given(st.lists(st.integers(1, 2), min_size=1, max_size=3))
def test_no_shorter_path_collapses_to_the_labels(labels):
    def readable(frames):
        paths = itertools.product(range(3), repeat=frames)
        return any([label for label, _ in itertools.groupby(path) if label] == labels for path in paths)

    assert readable(min_frames(labels))
    assert not readable(min_frames(labels) - 1)
