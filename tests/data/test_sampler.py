"""Batches: every line once, within the budget, alike for alike seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from program import ROOT

from uncial.data.lines.sampler import EvaluationSampler, TrainingSampler, compute_batch_sizes, compute_training_order
from uncial.errors import UserError

WIDTHS = st.lists(st.integers(8, 3000), min_size=1, max_size=200).map(np.array)
NOISE = 1.05
"""Lines meet others within a few percent of their width, so a batch may be wider than of sorted lines."""


def epoch_of(widths, epoch, *, seed=1, rank=0, world_size=1, batch_width=4000, max_lines=16):
    sampler = TrainingSampler(widths, seed, batch_width, max_lines, rank, world_size)
    sampler.start_at(epoch, 0)
    return list(sampler)


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 5), st.integers(0, 3))
def test_processes_share_every_line_of_an_epoch_between_them(widths, world_size, epoch):
    world_size = min(world_size, len(widths))
    shares = [epoch_of(widths, epoch, rank=rank, world_size=world_size) for rank in range(world_size)]
    positions = [pick.position for share in shares for batch in share for pick in batch if pick.share]
    assert sorted(positions) == list(range(len(widths)))
    assert len({len(share) for share in shares}) == 1
    assert {pick.epoch for share in shares for batch in share for pick in batch} == {epoch}


@settings(deadline=None)
@given(st.lists(st.integers(2500, 3000), min_size=1, max_size=20).map(np.array), st.integers(1, 8))
def test_processes_have_as_many_batches_where_every_line_fills_one(widths, world_size):
    world_size = min(world_size, len(widths))
    shares = [epoch_of(widths, 0, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert len({len(share) for share in shares}) == 1
    positions = [pick.position for share in shares for batch in share for pick in batch if pick.share]
    assert sorted(positions) == list(range(len(widths)))


@settings(deadline=None)
@given(WIDTHS, st.integers(2, 5), st.integers(0, 20))
def test_processes_together_make_the_steps_of_one(widths, world_size, done):
    """Wherever an epoch is gone on with, and each line counts as much as in one process."""
    world_size = min(world_size, len(widths))
    samplers = [TrainingSampler(widths, 1, 4000, 16, rank, world_size) for rank in range(world_size)]
    for sampler in samplers:
        sampler.start_at(1, done)
    steps = epoch_of(widths, 1)[done:]
    for whole, parts in zip(steps, zip(*samplers, strict=True), strict=True):
        assert sorted(pick.position for part in parts if part[0].share for pick in part) == sorted(
            pick.position for pick in whole
        )
        for part in parts:
            assert part[0].share in (0, pytest.approx(len(part) * world_size / len(whole)))
            widest = max(widths[pick.position] for pick in whole)
            assert world_size == 1 or {pick.width for pick in part} == {widest}
        assert parts[0][0].share > 0


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 5))
def test_processes_evaluate_every_line_once_in_as_many_batches(widths, world_size):
    shares = [list(EvaluationSampler(widths, 4000, 4, rank, world_size)) for rank in range(world_size)]
    assert {len(share) for share in shares} == {len(EvaluationSampler(widths, 4000, 4, 0, world_size))}
    counted = [batch for share in shares for batch in share if batch[0].share]
    assert sorted(pick.position for batch in counted for pick in batch) == list(range(len(widths)))
    assert sorted(counted) == sorted(EvaluationSampler(widths, 4000, 4))


def test_fewer_lines_than_processes_are_refused():
    """Otherwise some processes would wait for a batch of the others for ever."""
    with pytest.raises(UserError, match=r"2 lines for 3 processes.*trainer\.devices"):
        TrainingSampler(np.array([80, 90]), 1, 4000, 16, rank=0, world_size=3)


@settings(deadline=None)
@given(WIDTHS)
def test_every_epoch_has_the_same_number_of_batches(widths):
    sampler = TrainingSampler(widths, 1, 4000, 16)
    assert {len(epoch_of(widths, epoch)) for epoch in range(4)} == {len(sampler)}


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 9), st.integers(0, 9), st.integers(0, 20))
def test_the_order_is_a_function_of_seed_and_epoch(widths, epoch, seed, done):
    """However often it is asked for, and wherever another epoch was left."""
    sampler = TrainingSampler(widths, seed, 4000, 16)
    sampler.start_at(epoch - 1, done)
    iter(sampler)
    sampler.set_epoch(epoch)
    assert list(sampler) == list(sampler) == epoch_of(widths, epoch, seed=seed)


def test_epochs_and_seeds_have_other_orders_and_other_company():
    widths = np.arange(100, 500)
    batches = [epoch_of(widths, 0), epoch_of(widths, 1), epoch_of(widths, 0, seed=2)]
    orders = [[pick.position for batch in found for pick in batch] for found in batches]
    company = [{frozenset(pick.position for pick in batch) for batch in found} for found in batches]
    for other in (1, 2):
        assert orders[0] != orders[other]
        assert len(company[0] & company[other]) < len(company[0]) / 2


@settings(deadline=None)
@given(WIDTHS, st.integers(1000, 20000), st.integers(1, 64))
def test_a_batch_keeps_to_its_lines_and_its_pixels(widths, batch_width, max_lines):
    for batch in epoch_of(widths, 3, batch_width=batch_width, max_lines=max_lines):
        assert len(batch) <= max_lines
        widest = max(widths[pick.position] for pick in batch)
        assert len(batch) == 1 or len(batch) * widest <= NOISE * batch_width


@settings(deadline=None)
@given(WIDTHS, st.integers(0, 30))
def test_a_resumed_epoch_goes_on_where_it_was(widths, done):
    whole = epoch_of(widths, 2)
    sampler = TrainingSampler(widths, 1, 4000, 16)
    sampler.start_at(2, done)
    sampler.set_epoch(2)
    assert list(sampler) == whole[done:]
    sampler.set_epoch(3)
    assert list(sampler) == epoch_of(widths, 3)
    assert len(sampler) == len(whole)


@settings(deadline=None)
@given(WIDTHS, st.integers(1000, 20000), st.integers(1, 64))
def test_evaluation_batches_hold_equal_widths_and_every_line_once(widths, batch_width, max_lines):
    sampler = EvaluationSampler(widths, batch_width, max_lines)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(pick.position for batch in batches for pick in batch) == list(range(len(widths)))
    for batch in batches:
        assert len({widths[pick.position] for pick in batch}) == 1
        assert len(batch) == 1 or len(batch) * widths[batch[0].position] <= batch_width
        assert len(batch) <= max_lines
    assert batches == list(sampler)


@settings(deadline=None)
@given(WIDTHS, st.integers(1, 8), st.integers(1, 3))
def test_what_the_check_before_the_training_has_read_is_told_in_pixels(widths, checked, world_size):
    for rank in range(world_size):
        sampler = EvaluationSampler(widths, 4000, 4, rank, world_size)
        own = [sum(int(widths[pick.position]) for pick in batch) for batch in sampler if batch[0].share]
        if own:
            assert sampler.share(checked) == pytest.approx(sum(own[:checked]) / sum(own))


def test_the_first_batches_of_an_evaluation_are_like_all_of_them():
    """In order of width they are narrow and hold few lines, and a validation seemed to take half of its time."""
    random = np.random.default_rng(3)
    widths = -(-random.normal(316, 80, 607).clip(24, 900).astype(np.int64) // 8) * 8
    sampler = EvaluationSampler(widths, 16384, 64)
    assert sampler.share(8) == pytest.approx(8 / len(sampler), rel=0.35)


@pytest.mark.parametrize("spread", [0.2, 0.5, 0.8])
def test_padding_is_less_than_three_percent_of_the_pixels_with_the_defaults(spread):
    """On 3,000 lines of lognormal widths, from pages of prose to lists of single words."""
    trainer = OmegaConf.load(ROOT / "conf/trainer/default.yaml")
    lines = np.exp(np.random.default_rng(1).normal(np.log(500), spread, 3000)).astype(np.int64).clip(16)
    widths = -(-lines // 8) * 8
    sizes = compute_batch_sizes(widths, trainer.batch_width, trainer.max_lines)
    for epoch in range(3):
        batches = compute_training_order(widths, sizes, 1, epoch)
        pixels = sum(len(batch) * max(lines[batch]) for batch in batches)
        assert 1 - lines.sum() / pixels < 0.03
