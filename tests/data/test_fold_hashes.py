"""Folds by hash: what lies beside the test part is dealt evenly, and neither key nor seed is left out of the hash."""

from collections import Counter
from pathlib import Path

import pytest

from uncial.data.splits.split import SplitRequest, SplitSettings
from uncial.document import Page

PAGES = [Page(f"p{number}", Path(f"p{number}.xml")) for number in range(600)]
FOLDS = 5


def folds_of(ratio=(0.9, 0.0, 0.1), seed=1, rule="hash", pages=PAGES):
    return SplitSettings(ratio, "page", seed, FOLDS, 0, rule=rule).split(SplitRequest(pages, {}))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("rule", ["hash", "quantile"])
def test_folds_are_of_like_size_whatever_the_test_part_has_taken(share, rule):
    """The test part is one end of the split's hash: by the same hash the last folds would be empty."""
    found = folds_of((1 - share, 0.0, share), rule=rule)
    sizes = Counter(found.folds.values())
    rest = sum(sizes.values())
    assert rest == pytest.approx(600 * (1 - share), rel=0.2)
    assert set(sizes) == set(range(FOLDS))
    assert all(size == pytest.approx(rest / FOLDS, rel=0.35) for size in sizes.values()), sizes


def test_the_fold_of_a_page_says_nothing_of_its_place_in_the_split():
    """Pages that a smaller share would have put into the test are in all folds alike."""
    near = {page for page, part in folds_of((0.5, 0.0, 0.5)).parts.items() if part == "test"}
    sizes = Counter(fold for page, fold in folds_of((1.0, 0.0, 0.0)).folds.items() if page in near)
    assert all(size == pytest.approx(len(near) / FOLDS, rel=0.35) for size in sizes.values()), sizes
    assert len(sizes) == FOLDS


@pytest.mark.parametrize("rule", ["hash", "quantile"])
def test_another_seed_deals_other_folds(rule):
    one, other = (folds_of((1.0, 0.0, 0.0), seed, rule).folds for seed in (1, 2))
    same = sum(one[page] == other[page] for page in one)
    assert same == pytest.approx(len(PAGES) / FOLDS, rel=0.35)


def test_a_fold_is_that_of_the_page_s_name_alone():
    whole = folds_of((1.0, 0.0, 0.0)).folds
    half = folds_of((1.0, 0.0, 0.0), pages=PAGES[::-2]).folds
    assert half == {page: whole[page] for page in half}
