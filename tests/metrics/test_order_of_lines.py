"""Lines of one page and one id, rows of a list, are told apart by their rows, whatever the order they come in."""

from uncial.metrics.calibration import Temperatures
from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings, evaluate
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import LineOrigin, evaluate_line

SETTINGS = EvaluationSettings(bootstrap=Bootstrap(50))


def rows(*numbers, wrong=()):
    return [
        evaluate_line(LineOrigin("list.txt", "line", row=row), f"text {row}", "?" if row in wrong else f"text {row}")
        for row in numbers
    ]


def test_rows_are_scored_in_their_order():
    assert [line.truth for line in evaluate(rows(3, 1, 2), SETTINGS).lines] == ["text 1", "text 2", "text 3"]


def test_rows_of_two_systems_are_compared_row_by_row():
    found = compare_systems({"one": [rows(2, 3, 1)], "other": [rows(3, 1, 2, wrong=[2])]}, SETTINGS)
    assert [line.truth for line in found.lines] == ["text 1", "text 2", "text 3"]
    assert [line.edits for line in found.lines] == [(0, 0), (0, 6), (0, 0)]


def test_lines_without_rows_keep_to_their_ids():
    lines = [evaluate_line(LineOrigin("p", name), name, name) for name in ("b", "a", "a")]
    assert [line.truth for line in evaluate(lines, SETTINGS).lines] == ["a", "a", "b"]


def test_without_a_measurement_confidences_stay_as_they_are():
    assert Temperatures() == Temperatures(characters=1.0, lines=1.0)
