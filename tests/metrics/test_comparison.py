"""Systems compared on the same lines, and the verdict in words."""

import random

import pytest

from uncial.errors import UserError
from uncial.metrics.comparison import compare_systems
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Bootstrap
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.tables.comparison import comparison_to_json, format_comparison
from uncial.reports.terminal.verdict import describe_verdict

QUICK = EvaluationSettings(bootstrap=Bootstrap(resamples=200))


def reading(wrong, pages=10, lines=6, seed=0):
    """Lines of which a share of the characters is read as another."""
    draw, texts = random.Random(seed), random.Random(7)
    found = []
    for number in range(pages * lines):
        truth = "".join(texts.choice("abcdefgh ") for _ in range(30)) + "."
        read = "".join("x" if draw.random() < wrong else letter for letter in truth)
        where = LineOrigin(f"p{number % pages}", f"l{number}", hand=f"h{number % 2}")
        found.append(evaluate_line(where, truth, read))
    return found


def told(*systems, settings=QUICK):
    names = "ABCD"[: len(systems)]
    found = compare_systems({name: [one] for name, one in zip(names, systems, strict=True)}, settings)
    return found, [describe_verdict(pair, found) for pair in found.pairs]


def test_the_better_one_is_named_whatever_its_place():
    good, bad = reading(0.02, seed=1), reading(0.2, seed=2)
    for systems, best, worst in (((good, bad), "A", "B"), ((bad, good), "B", "A")):
        found, words = told(*systems)
        assert found.pairs[0].better == best
        assert words[0].startswith(f"{best} is better than {worst}: CER ")
        assert "60 lines of 10 pages" in words[0]
        difference = found.pairs[0].cer.difference
        assert difference.value == pytest.approx(found.systems[0].cer.value - found.systems[1].cer.value)


def test_where_no_difference_can_be_shown_it_says_how_many_lines_would_be_needed():
    found, words = told(reading(0.10, seed=1), reading(0.105, seed=3))
    assert found.pairs[0].better is None
    assert words[0].startswith("No difference between A and B can be shown with 60 lines of 10 pages")
    needed = found.pairs[0].needed_lines
    assert needed > 60
    assert f"about {needed:,} lines" in words[0]


def test_the_same_readings_twice():
    _, words = told(reading(0.1), reading(0.1))
    assert "They need the same number of edits in every line." in words[0]


def test_one_page_says_nothing_of_others_and_five_can_show_nothing():
    found, words = told(reading(0.0, pages=1), reading(0.5, pages=1))
    assert found.pairs[0].better is None
    assert "cannot be said: all lines are from one page" in words[0]
    assert "at least 6 pages" in words[0]
    _, words = told(reading(0.0, pages=5), reading(0.5, pages=5))
    assert "With fewer than 6 pages no difference can be shown" in words[0]


def test_several_are_compared_two_by_two():
    found, words = told(reading(0.02, seed=1), reading(0.02, seed=2), reading(0.3, seed=3))
    assert [(pair.first, pair.second, pair.better) for pair in found.pairs] == [
        ("A", "B", None), ("A", "C", "A"), ("B", "C", "B"),
    ]  # fmt: skip
    assert all("corrected for 3 comparisons" in one for one in words)
    assert all(pair.p >= pair.cer.p for pair in found.pairs)


def test_who_wins_where():
    truth = ["aaaa", "bbbb", "cccc", "dddd"]
    one, other = ["aaaa", "bbbx", "ccxx", "dddx"], ["aaax", "bbbb", "ccxx", "dddd"]
    systems = [
        [
            evaluate_line(LineOrigin(f"p{place}", f"l{place}", hand="first" if place < 2 else "second"), *pair)
            for place, pair in enumerate(zip(truth, read, strict=True))
        ]
        for read in (one, other)
    ]
    found, _ = told(*systems)
    pair = found.pairs[0]
    assert (pair.first_wins, pair.ties, pair.second_wins) == (1, 1, 2)
    hands = {group.name: (group.cer, group.wins, group.best) for group in found.groups if group.kind == "hand"}
    assert hands == {"first": ((1 / 8, 1 / 8), (1, 1), None), "second": ((3 / 8, 2 / 8), (0, 1), 1)}
    assert [line.origin.line for line in found.missed_by_all] == ["l2"]
    assert [system.characters.kinds["letter"] for system in found.systems] == [4, 3]


def test_the_order_of_the_lines_changes_nothing():
    good, bad = reading(0.02, seed=1), reading(0.1, seed=2)
    assert told(good[::-1], bad) == told(good, bad[::-1])


def test_seeds_are_averaged():
    seeds = [reading(0.09, seed=1), reading(0.11, seed=2)]
    found = compare_systems({"two seeds": seeds, "one": [reading(0.1, seed=3)]}, QUICK)
    alone = [told(one, reading(0.1, seed=3))[0].systems[0].cer.value for one in seeds]
    system = found.systems[0]
    assert (system.seeds, system.cer.value) == (2, pytest.approx(sum(alone) / 2))
    assert system.cer.interval.seeds == 2
    spans = [one.cer.interval.high - one.cer.interval.low for one in (system, found.systems[1])]
    assert spans[0] > spans[1], "seeds that differ this much are part of the doubt"


def test_means_over_seeds_that_are_equal_do_not_differ_by_rounding():
    def read(*wrong):
        return [
            evaluate_line(LineOrigin(f"p{number}", "l"), "a" * 10, ("b" if number in wrong else "a") + "a" * 9)
            for number in range(6)
        ]

    found = compare_systems({"A": [read(0, 1), read(2, 3), read(4, 5)], "B": [read(0, 1)]}, QUICK)
    assert found.pairs[0].cer.difference.value == 0
    assert [group.best for group in found.groups if group.kind == "script"] == [None]
    assert "the same number of errors in all" in describe_verdict(found.pairs[0], found)
    assert "those of its first one" in format_comparison(found)


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        ((reading(0.1),), "two models"),
        (((), ()), "no line"),
        ((reading(0.1), reading(0.1)[1:]), "B holds other lines"),
    ],
)
def test_what_cannot_be_compared(systems, said):
    with pytest.raises(UserError, match=said):
        told(*systems)


def test_texts_are_shown_as_they_are_and_never_as_markup():
    lines = [
        [evaluate_line(LineOrigin("p|<b>", str(number)), "a|<script> *b*", read) for number in range(3)]
        for read in ("a|<script> *c*", "a|<i>")
    ]
    found, _ = told(*lines)
    text = format_comparison(found)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "a\\|\\<script\\> \\*b\\*" in text
    assert comparison_to_json(found)["pairs"][0]["better"] is None
