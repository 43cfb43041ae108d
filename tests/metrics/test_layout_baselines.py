"""cBAD's precision, recall and F: cases computed by hand, what must hold of any page, and broken input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncial.metrics.layout.baseline_points import estimate_tolerances, measure_direction, trace_baseline
from uncial.metrics.layout.baselines import measure_distances, score_baselines

LEFT, RIGHT = 0, 100


def row(y, left=LEFT, right=RIGHT):
    return [(left, y), (right, y)]


def scores(truth, found, **more):
    result = score_baselines(truth, found, **more)
    return result.precision, result.recall


def tolerances(lines):
    return estimate_tolerances([trace_baseline(line) for line in lines]).tolist()


def test_up_to_twenty_pixels_are_all_kept():
    assert trace_baseline([(3, 7), (22, 7)]).tolist() == [[x, 7] for x in range(3, 23)]


def test_of_more_pixels_twenty_are_kept_or_every_fifth():
    # 51 pixels: 20 points, 50 / 19 pixels apart, rounded down.
    assert trace_baseline([(0, 0), (50, 0)])[:, 0].tolist() == [int(i * (50 / 19)) for i in range(19)] + [50]
    # 301 pixels: 61 points, 5 apart.
    assert trace_baseline([(0, 0), (0, 300)])[:, 1].tolist() == list(range(0, 301, 5))


def test_the_other_axis_is_rounded_halves_upwards_and_vertices_are_kept():
    assert trace_baseline([(0, 0), (4, 2), (4, 4)]).tolist() == [[0, 0], [1, 1], [2, 1], [3, 2], [4, 2], [4, 3], [4, 4]]
    assert trace_baseline([(0, 0), (2, -1)]).tolist() == [[0, 0], [1, 0], [2, -1]]
    assert trace_baseline([(4, 0), (0, 2)]).tolist() == [[4, 0], [3, 1], [2, 1], [1, 2], [0, 2]]


def test_repeated_and_broken_points():
    assert trace_baseline([(0, 0), (0, 0), (2, 0), (2, 0)]).tolist() == [[0, 0], [1, 0], [2, 0]]
    assert trace_baseline([(5, 6)]).tolist() == trace_baseline([(5, 6), (5, 6)]).tolist() == [[5, 6]]
    assert trace_baseline([]).shape == trace_baseline([(math.nan, 3), (math.inf, 1)]).shape == (0, 2)
    assert trace_baseline([(0.4, 0.5), (math.nan, 9), (1.6, 0.5)]).tolist() == [[0, 1], [1, 1], [2, 1]]


@pytest.mark.parametrize(
    ("line", "degrees"),
    [
        ([(0, 0), (50, 0)], 0),
        ([(50, 0), (0, 0)], 180),
        ([(0, 50), (0, 0)], 90),
        ([(0, 0), (0, 50)], 270),
        ([(0, 50), (50, 0)], 45),
        ([(50, 0), (0, 50)], 225),
        ([(0, 0), (20, 50)], 360 - math.degrees(math.atan2(50, 20))),
        ([(7, 7)], 0),
    ],
)
def test_the_direction_is_that_of_the_regression_line_from_start_to_end(line, degrees):
    # Far lines are thinned to rounded points: a slope to a fifth of a degree.
    assert math.degrees(measure_direction(trace_baseline(line))) == pytest.approx(degrees, abs=2.5)


def test_a_tolerance_is_a_quarter_of_the_distance_but_no_more_than_of_the_mean():
    # Distances 100, 100 and 200: their mean is 400 / 3.
    assert tolerances([row(0), row(100), row(300)]) == pytest.approx([25, 25, 100 / 3])


def test_a_line_that_none_is_near_has_the_mean_and_a_lone_one_250_pixels():
    assert tolerances([row(0), row(100), row(600)]) == pytest.approx([25, 25, 25])
    assert tolerances([row(0)]) == [62.5]
    # Side by side in one row, neither passes the other.
    assert tolerances([row(0), row(0, 200, 300)]) == [62.5, 62.5]


def test_a_distance_of_nothing_counts_as_unknown():
    """Two lines in one place: the third one's distance is the mean."""
    assert tolerances([row(0), row(0), row(100)]) == pytest.approx([25, 25, 25])


def test_where_a_line_is_only_partly_beside_another_its_own_direction_counts():
    # The second begins 11 pixels behind the end of the first, so no point is within 10 pixels along it.
    assert tolerances([row(0, 0, 100), row(40, 111, 200)]) == [62.5, 62.5]
    assert tolerances([row(0, 0, 100), row(40, 108, 200)]) == [62.5, 62.5]
    assert tolerances([row(0, 0, 100), row(40, 90, 200)]) == [10, 10]


def test_a_line_that_is_near_at_the_far_end_counts():
    """Its first points are 200 pixels from one line, the other is 40 away, but only from the 100th point on."""
    assert tolerances([row(0, 0, 600), row(200, 0, 100), row(40, 500, 600)])[0] == 10


def test_points_are_worth_less_from_one_to_three_tolerances():
    truth = [row(100), row(200)]
    for offset, worth in [(0, 1), (25, 1), (30, 0.9), (50, 0.5), (74, 0.02)]:
        found = [row(100 - offset), row(200 + offset)]
        assert scores(truth, found) == pytest.approx((worth, worth))
    assert scores(truth, [row(25), row(275)]) == (0, 0)


def test_distances_add_up_over_the_axes():
    # Every point of the found line is 20 to the right and 20 below one of the truth's: 40 away, but for its nearest.
    assert scores([row(100), row(200)], [[(100, 120)], row(200)])[0] == pytest.approx(1)
    # 10 beyond the end and 30 below it: 40 of a tolerance of 25.
    assert scores([row(100), row(200)], [[(110, 130)], row(200)])[0] == pytest.approx((35 / 50 + 1) / 2)


def test_a_split_line_costs_precision_alone():
    found = [row(100, 0, 50), row(100, 51, 100), row(200)]
    assert scores([row(100), row(200)], found) == pytest.approx((2 / 3, 1))


def test_a_merged_line_costs_precision_alone():
    # 61 points, of which 21 lie on the line, 12 within 62.5 pixels of its end, and 25 are worth 12.5.
    assert scores([row(0), row(0, 200, 300)], [row(0, 0, 300)]) == pytest.approx((45.5 / 61, 1))


def test_a_line_found_twice_and_a_false_one_cost_precision_alone():
    truth = [row(100), row(200)]
    assert scores(truth, [row(100), row(100), row(200)]) == pytest.approx((2 / 3, 1))
    assert scores(truth, [row(100), row(200), row(900)]) == pytest.approx((2 / 3, 1))


def test_a_missed_line_costs_recall_alone():
    assert scores([row(100), row(200)], [row(100)]) == (1, 0.5)


def test_the_recall_of_a_line_is_that_by_all_found_lines_together():
    # Half of the first line is found 50 pixels off: worth a half there; 11 of 21 points are on the near piece or
    # within the tolerance of its end.
    result = score_baselines([row(100), row(200)], [row(100, 0, 50), row(150, 51, 100), row(200)])
    near = [max(0, x - 50) for x in range(0, 101, 5)]
    far = [50 + max(0, 51 - x) for x in range(0, 101, 5)]
    worth = [min(1.0, max(0.0, (75 - min(pair)) / 50)) for pair in zip(near, far, strict=True)]
    assert result.truth_scores[0] == pytest.approx(sum(worth) / 21)


def test_pairs_are_taken_greedily():
    """The first found line fits both lines equally well and takes the first, the second then gets the other."""
    result = score_baselines([row(100), row(200)], [row(150), row(250)])
    assert result.found_scores == pytest.approx((0.5, 0.5))
    assert score_baselines([row(200), row(100)], [row(150), row(250)]).found_scores == pytest.approx((0.5, 0))


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [([], [], (1, 1)), ([row(1)], [], (1, 0)), ([], [row(1)], (0, 1)), ([[]], [[]], (1, 1))],
)
def test_pages_without_lines(truth, found, expected):
    assert scores(truth, found) == expected


def test_fixed_tolerances_are_averaged():
    # 20 away: worth 0.5 by a tolerance of 10, and all by 20 and 30.
    assert scores([row(100)], [row(120)], tolerances=[10, 20, 30]) == pytest.approx((2.5 / 3, 2.5 / 3))


def test_a_line_without_points_counts_for_nothing():
    result = score_baselines([row(100), [(math.nan, 1)]], [row(100), []])
    assert (result.precision, result.recall) == (1, 1)
    assert math.isnan(result.truth_scores[1])
    assert math.isnan(result.found_scores[1])


coordinates = st.integers(0, 300)
lines = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5)
pages = st.lists(lines, min_size=1, max_size=6)
rows_of_page = st.lists(st.integers(20, 60), min_size=2, max_size=8)


@settings(max_examples=25, deadline=None)
@given(pages)
def test_what_equals_the_truth_is_perfect(page):
    assert scores(page, page) == pytest.approx((1, 1))


@settings(max_examples=25, deadline=None)
@given(pages, pages)
def test_scores_are_fractions(truth, found):
    result = score_baselines(truth, found)
    values = np.array([result.precision, result.recall, result.f_measure, *result.found_scores, *result.truth_scores])
    assert ((values >= 0) & (values <= 1 + 1e-9)).all()


@settings(max_examples=25, deadline=None)
@given(rows_of_page, st.integers(0, 3000), st.integers(0, 3000), st.data())
def test_moving_turning_and_reordering_a_page_of_rows_changes_nothing(gaps, dx, dy, data):
    heights = np.cumsum(gaps).tolist()
    shifts = data.draw(st.lists(st.integers(-8, 8), min_size=len(gaps), max_size=len(gaps)))
    truth = [row(y) for y in heights]
    found = [row(y + shift, 0, 80) for y, shift in zip(heights, shifts, strict=True)]
    expected = pytest.approx(scores(truth, found))
    moved = [[[(x + dx, y + dy) for x, y in line] for line in page] for page in (truth, found)]
    turned = [[[(5000 - y, x) for x, y in line] for line in page] for page in (truth, found)]
    backwards = [[line[::-1] for line in page] for page in (truth, found)]
    reordered = [data.draw(st.permutations(page)) for page in (truth, found)]
    for pair in (moved, turned, backwards, reordered):
        assert scores(*pair) == expected


@settings(max_examples=25, deadline=None)
@given(rows_of_page, st.integers(25, 75))
def test_splitting_lowers_precision_and_a_further_line_never_lowers_recall(gaps, at):
    truth = [row(y) for y in np.cumsum(gaps).tolist()]
    first = truth[0][0][1]
    split = scores(truth, [row(first, 0, at), row(first, at + 1, 100), *truth[1:]])
    assert split[0] == pytest.approx(len(truth) / (len(truth) + 1))
    assert split[1] == pytest.approx(1)
    assert scores(truth, truth[1:])[1] <= scores(truth, [*truth[1:], row(5000)])[1] + 1e-12


numbers = st.one_of(st.integers(-5, 5).map(float), st.floats(), st.floats(-1e12, 1e12))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.tuples(numbers, numbers), max_size=3), max_size=3),
    st.lists(st.lists(st.tuples(numbers, numbers), max_size=3), max_size=3),
)
def test_nothing_that_a_file_may_hold_breaks_it(truth, found):
    result = score_baselines(truth, found)
    assert 0 <= result.precision <= 1 + 1e-9
    assert 0 <= result.recall <= 1 + 1e-9


def test_long_lines_are_measured_in_blocks(monkeypatch):
    lines = [row(y, 0, 400) for y in range(0, 200, 20)]
    found = [row(y + 3, 10, 380) for y in range(0, 200, 20)]
    whole = measure_distances(lines, found)
    monkeypatch.setattr("uncial.metrics.layout.baseline_points.BLOCK", 50)
    pieces = measure_distances(lines, found)
    assert whole.tolerances.tolist() == pieces.tolerances.tolist()
    for one, other in zip(whole.near, pieces.near, strict=True):
        assert (one.from_truth == other.from_truth).all()
        assert (one.from_found == other.from_found).all()
