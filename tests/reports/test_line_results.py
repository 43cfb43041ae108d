"""lines.jsonl: what was scored and compared comes back as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.errors import UserError
from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.tables.line_results import (
    read_compared_lines,
    read_line_results,
    write_compared_lines,
    write_line_results,
)

ORIGIN = LineOrigin("p1", "l,1", sheet="s1", document="d", hand="h", region_type="main", row=7)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(truth=anything, prediction=anything)
def test_lines_come_back(tmp_path_factory, truth, prediction):
    path = tmp_path_factory.mktemp("lines") / "lines.jsonl"
    lines = [
        evaluate_line(ORIGIN, truth, prediction, "none", 0.25, [0.5] * len(prediction)),
        evaluate_line(LineOrigin("p2", "l2"), prediction, truth),
    ]
    write_line_results(path, lines)
    assert read_line_results(path) == lines


def test_compared_lines_come_back(tmp_path):
    def reading(*texts):
        return [
            evaluate_line(LineOrigin("p", str(place)), "abc", text, "none", 0.5) for place, text in enumerate(texts)
        ]

    systems = {"one": [reading("abc", "abd"), reading("ab", "abd")], "other": [reading("a\u2028c", "")]}
    compared = compare_systems(systems, EvaluationSettings("none"))
    write_compared_lines(tmp_path / "lines.jsonl", compared.lines, [system.name for system in compared.systems])
    assert tuple(read_compared_lines(tmp_path / "lines.jsonl")) == compared.lines
    first = json.loads((tmp_path / "lines.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert [(one["system"], one["reading"], one["edits"]) for one in first["readings"]] == [
        ("one", "abc", 0.5),
        ("other", "a\u2028c", 1.0),
    ]


@pytest.mark.parametrize("wrong", [{"sheet": None}, {"truth": 3}, {"reading": None}, {"confidence": "x"}])
def test_a_line_that_lacks_something_is_told_with_its_place(tmp_path, wrong):
    path = tmp_path / "lines.jsonl"
    write_line_results(path, [evaluate_line(ORIGIN, "abc", "abd")] * 2)
    first, second = path.read_text(encoding="utf-8").splitlines()
    name = next(iter(wrong))
    for changed in (
        json.loads(second) | wrong,
        {key: value for key, value in json.loads(second).items() if key != name},
    ):
        path.write_text(f"{first}\n{json.dumps(changed)}\n", encoding="utf-8")
        with pytest.raises(UserError, match=r"lines\.jsonl, line 2"):
            read_line_results(path)


@pytest.mark.parametrize("content", ["{", "[1]\n", '{"page": "p"}\n', "\xff"])
def test_another_file_is_told_in_one_sentence(tmp_path, content):
    path = tmp_path / "lines.jsonl"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(UserError, match=r"lines\.jsonl"):
        read_line_results(path)
    with pytest.raises(UserError, match=r"lines\.jsonl"):
        read_line_results(tmp_path / "none.jsonl")
