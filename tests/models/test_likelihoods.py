"""How likely a model finds a text: over all alignments, and tempered where the model is surer than it is right."""

from itertools import groupby, pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.models.decoders.ctc import IMPOSSIBLE, fitted_temperature, text_likelihoods


def test_likelihoods_sum_over_all_alignments():
    frames = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]]))
    empty, one, both, long = text_likelihoods(frames, [[], [1], [1, 2], [1, 1]])
    assert np.exp([empty, one, both]) == pytest.approx([0.3, 0.5 * 0.1 + 0.3 * 0.6 + 0.3 * 0.1, 0.3 * 0.3])
    assert long == IMPOSSIBLE


def test_a_careless_model_is_tempered():
    """Frames that are right as often as they say want no temperature; made three times as sure they want it back."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(60):
        shares = random.dirichlet([0.5, 0.5, 0.5, 0.5], 12)
        labels = [int(random.choice(4, p=share)) for share in shares]
        collapsed = [label for before, label in pairwise([0, *labels]) if label not in (0, before)]
        lines.append((torch.log(torch.tensor(shares + 1e-9)), collapsed))
    careless = [(torch.log_softmax(3 * frames, -1), labels) for frames, labels in lines]
    assert fitted_temperature(lines) < 1.6
    assert 2 < fitted_temperature(careless) < 5


@settings(deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.lists(st.integers(1, 2), max_size=4), max_size=4),
    st.sampled_from([0.5, 1.0, 3.0]),
    st.integers(0, 2**31),
)
def test_it_is_the_sum_over_every_path_that_reads_the_text(frames, texts, temperature, seed):
    """Each path written out. The frames are not normalised before, as those of a temperature are not."""
    scores = torch.randn(frames, 3, generator=torch.Generator().manual_seed(seed))
    shares = torch.softmax(torch.log_softmax(scores, -1) / temperature, -1).double().numpy()
    sums = {}
    for path in product(range(3), repeat=frames):
        read = tuple(label for label, _ in groupby(path) if label)
        sums[read] = sums.get(read, 0) + np.prod([shares[frame, label] for frame, label in enumerate(path)])
    found = text_likelihoods(torch.log_softmax(scores, -1), texts, temperature)
    expected = [np.log(sums[tuple(text)]) if tuple(text) in sums else IMPOSSIBLE for text in texts]
    assert found == pytest.approx(expected, abs=1e-4)


def test_many_texts_of_a_line_are_found_as_each_alone():
    frames = torch.log_softmax(torch.randn(12, 4, generator=torch.Generator().manual_seed(1)), -1)
    texts = [[1 + index % 3, 1 + index // 3 % 3, 1 + index // 9 % 3][: 1 + index % 4] for index in range(150)]
    alone = [text_likelihoods(frames, [text])[0] for text in texts]
    assert text_likelihoods(frames, texts) == pytest.approx(alone)
    assert len(set(alone)) > 20


def make_lines(count, sureness, seed, labels_each=12):
    """Lines whose texts are drawn as the frames say, and frames `sureness` times as sure."""
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        shares = random.dirichlet([0.5] * 4, labels_each)
        path = [int(random.choice(4, p=share)) for share in shares]
        text = [label for before, label in pairwise([0, *path]) if label not in (0, before)]
        lines.append((torch.log_softmax(sureness * torch.log(torch.tensor(shares + 1e-9)), -1), text))
    return lines


def test_wrong_texts_do_not_make_a_model_look_careless():
    """A tenth of the texts is not that of its line."""
    lines = make_lines(60, 1.0, 1)
    wrong = [(frames, [1, 2, 1, 2, 1, 2, 1, 2][: len(labels)]) for frames, labels in make_lines(6, 12.0, 2)]
    assert fitted_temperature([*wrong, *lines]) == pytest.approx(fitted_temperature(lines, 1.0), rel=0.25)
    assert fitted_temperature([*wrong, *lines], 1.0) > 1.5 * fitted_temperature([*wrong, *lines])


def test_lines_count_by_how_likely_each_label_is_not_by_their_length():
    """What is left out are few wrong labels, and not the long lines, each of which is less likely as a whole."""
    long = make_lines(6, 3.0, 3, labels_each=120)
    short = [
        (torch.log_softmax(12 * torch.nn.functional.one_hot(torch.tensor([1, 0, 2]), 4).float(), -1), [3, 3])
        for _ in range(3)
    ]
    kept = fitted_temperature([*long, *short], 6 / 9)
    assert kept == fitted_temperature(long, 1.0)
    assert kept == fitted_temperature([*short, *long], 6 / 9), "in whichever order they come"


def test_at_least_one_line_counts_the_likeliest():
    sure = (torch.log_softmax(torch.tensor([[0.0, 9, 0], [9, 0, 0.0]]), -1), [1])
    wrong = (torch.log_softmax(torch.tensor([[0.0, 9, 0], [9, 0, 0.0]]), -1), [2])
    assert fitted_temperature([wrong, sure], 0.01) == fitted_temperature([sure])
    assert fitted_temperature([wrong, wrong]) > fitted_temperature([sure])


def test_the_temperature_stays_between_1_and_10():
    wrong = (torch.log_softmax(torch.tensor([[0.0, 99, 0], [99, 0, 0.0]]), -1), [2])
    humble = (torch.log_softmax(torch.tensor([[0.0, 0.2, 0]]), -1), [1])
    assert fitted_temperature([wrong] * 3) == pytest.approx(10)
    assert fitted_temperature([humble] * 3) == 1


def test_without_lines_that_can_be_read_there_is_nothing_to_fit():
    frames = torch.log_softmax(torch.tensor([[0.0, 99, 0]]), -1)
    assert fitted_temperature([]) == 1
    assert fitted_temperature([(frames, [])]) == 1, "a line without text"
    assert fitted_temperature([(frames, [1, 1, 2])] * 2) == 1, "more text than frames"
    likely = (torch.log_softmax(torch.tensor([[0.0, 3, 0], [3, 0, 0.0]]), -1), [2])
    assert fitted_temperature([(frames, [1, 1, 2]), likely, likely]) == fitted_temperature([likely])
