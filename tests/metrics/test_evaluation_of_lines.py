"""An evaluation: the same whatever the order, by parts that add up, and with intervals only where there can be some."""

import random

import pytest

from uncial.errors import UserError
from uncial.metrics.evaluation import EvaluationSettings, Evaluator, evaluate
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import CLUSTERS, KEYS, LineOrigin, choose_cluster_key, evaluate_line, find_length_group

QUICK = EvaluationSettings(bootstrap=Bootstrap(resamples=200))


def some_lines(pages=6, lines=5):
    draw = random.Random(1)
    found = []
    for number in range(pages * lines):
        page = number % pages
        truth = "".join(draw.choice("abcde É,") for _ in range(draw.randrange(1, 60)))
        read = "".join(letter for letter in truth if draw.random() > 0.02 * (page + 1))
        where = LineOrigin(f"p{page}", f"l{number}", document=f"d{page % 2}", hand="h", region_type="x" * (page > 2))
        found.append(evaluate_line(where, truth, read, confidence=0.9, character_confidences=[0.9] * len(read)))
    return found


def test_order_and_sharing_out_change_nothing():
    lines = some_lines()
    whole = evaluate(lines, QUICK)
    shuffled = random.Random(2).sample(lines, len(lines))
    parts = [Evaluator(QUICK), Evaluator(QUICK)]
    for place, line in enumerate(shuffled):
        parts[place % 2].update(line)
    parts[0].aggregate(parts[1:])
    assert parts[0].compute() == whole
    parts[0].reset()
    assert parts[0].compute().total.scores.lines == 0


@pytest.mark.parametrize("kind", [kind for kind in KEYS if kind != "region_type"])
def test_the_parts_of_each_kind_add_up(kind):
    found = evaluate(some_lines(), QUICK)
    groups = [one.scores for one in found.groups if one.kind == kind]
    assert sum(one.lines for one in groups) == found.total.scores.lines == 30
    edits = sum(one.insertions + one.deletions + one.substitutions for one in groups)
    assert edits / sum(one.characters for one in groups) == found.total.scores.cer


def test_lines_of_no_region_are_in_no_group_of_regions():
    groups = [one for one in evaluate(some_lines(), QUICK).groups if one.kind == "region_type"]
    assert [(one.name, one.scores.lines) for one in groups] == [("x", 15)]


def test_what_is_ignored_is_no_error():
    lines = [evaluate_line(LineOrigin("p", "l"), "Élève, oui", "eleve oui")]
    found = {one.name.partition("+")[2]: one.scores for one in evaluate(lines, QUICK).variants}
    edits = {name: one.cer * one.characters for name, one in found.items()}
    assert edits == pytest.approx(
        {
            "ignore_case": 3,
            "ignore_punctuation": 2,
            "ignore_diacritics": 2,
            "ignore_case+ignore_punctuation+ignore_diacritics": 0,
        }
    )


def test_groups_of_lengths():
    assert [find_length_group(number) for number in (0, 1, 10, 11, 80, 81)] == [
        "0", "1–10", "1–10", "11–20", "41–80", "81 and more",
    ]  # fmt: skip


def test_intervals_hold_the_score_and_are_the_same_again():
    found = evaluate(some_lines(), QUICK).total
    for estimate in (found.cer, found.wer, found.line_accuracy):
        assert 0 <= estimate.interval.low < estimate.value < estimate.interval.high
    assert found.line_accuracy.interval.high <= 1
    assert found.cer.interval.clusters == 6
    assert evaluate(some_lines(), QUICK).total == found


def test_lines_of_a_page_that_are_alike_do_not_make_an_interval_narrower():
    once = evaluate(some_lines(), QUICK).total.cer.interval
    copies = [
        evaluate_line(LineOrigin(line.page, f"{line.origin.line}/{copy}"), line.truth, line.prediction)
        for line in some_lines()
        for copy in range(4)
    ]
    assert evaluate(copies, QUICK).total.cer.interval == once


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (some_lines(pages=1), "one page"),
        ([evaluate_line(LineOrigin(page, "l"), "a", "a") for page in "pq"], "not one error"),
        ([evaluate_line(LineOrigin(page, "l"), "", "a") for page in "pq"], "no text"),
        ([], "no text"),
    ],
)
def test_where_no_interval_can_be_given_the_reason_is(lines, reason):
    estimate = evaluate(lines, QUICK).total.cer
    assert estimate.interval is None
    assert reason in estimate.reason


def test_a_line_image_belongs_to_the_page_that_it_was_cut_from():
    line = evaluate_line(LineOrigin("line7", "line7", sheet="p3", hand="h"), "a", "b")
    assert [choose_cluster_key(cluster)(line) for cluster in CLUSTERS] == ["p3", "p3", "h"]


def test_what_cannot_be_scored():
    with pytest.raises(UserError, match=r"metrics\.cluster=lines"):
        EvaluationSettings(cluster="lines").check()
    with pytest.raises(UserError, match="ignore_case"):
        Evaluator(EvaluationSettings(variants=("ignorecase",)))
    with pytest.raises(ValueError, match="none"):
        Evaluator(QUICK).update(evaluate_line(LineOrigin("p", "l"), "a", "a", "none"))
