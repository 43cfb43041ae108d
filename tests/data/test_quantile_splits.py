"""The split by quantiles of lines: as near to the shares as whole pages allow, complete, and the same everywhere."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.data.splits.division import cut_at_quantiles, deal_evenly
from uncial.data.splits.groups import PARTS
from uncial.data.splits.split import SplitRequest, SplitSettings
from uncial.document import Page
from uncial.errors import UserError

RATIO = (0.8, 0.1, 0.1)
seeds = st.integers(0, 2**32)
sizes = st.lists(st.integers(1, 60), min_size=1, max_size=40)
ratios = st.sampled_from([RATIO, (0.9, 0.1, 0.0), (0.5, 0.25, 0.25), (0.7, 0.0, 0.3), (1.0, 0.0, 0.0)])


def page(name: str, subset: str | None = None, group: str = "", document: str = "") -> Page:
    return Page(name, Path(f"{name}.xml"), subset=subset, group=group, document=document)


def pages_of(counts: list[int]) -> tuple[list[Page], dict[str, int]]:
    return [page(f"p{i}") for i in range(len(counts))], {f"p{i}": count for i, count in enumerate(counts)}


def split(pages, lines, ratio=RATIO, by="page", seed=1, hashes=None, stated=(), folds=None, fold=0):
    return SplitSettings(ratio, by, seed, folds, fold, rule="quantile").split(
        SplitRequest(pages, hashes or {}, lines, stated)
    )


def lines_by_part(parts: dict[str, str], lines: dict[str, int]) -> dict[str, int]:
    return {part: sum(lines[name] for name, own in parts.items() if own == part) for part in PARTS}


@given(sizes, seeds, ratios)
def test_every_page_has_a_part_and_every_asked_part_a_page(counts, seed, ratio):
    pages, lines = pages_of(counts)
    parts = split(pages, lines, ratio, seed=seed).parts
    assert set(parts) == set(lines)
    asked = [part for part, share in zip(PARTS, ratio, strict=True) if share]
    assert {part for part in PARTS if part in parts.values()} == set(asked[: len(pages)])


@given(st.lists(st.integers(1, 60), min_size=30, max_size=80), seeds, ratios)
def test_shares_are_within_a_page_of_what_was_asked(counts, seed, ratio):
    pages, lines = pages_of(counts)
    found = lines_by_part(split(pages, lines, ratio, seed=seed).parts, lines)
    for part, share in zip(PARTS, ratio, strict=True):
        assert abs(found[part] - share * sum(counts)) <= max(counts)


@given(sizes, seeds, st.randoms())
def test_the_order_of_pages_does_not_matter(counts, seed, random):
    pages, lines = pages_of(counts)
    shuffled = random.sample(pages, len(pages))
    assert split(pages, lines, seed=seed).parts == split(shuffled, lines, seed=seed).parts


@given(st.lists(st.integers(1, 30), min_size=3, max_size=9), ratios)
def test_no_cut_between_the_same_pages_comes_nearer(counts, ratio):
    """Against all cuts in the order of the parts, tried one by one."""
    shares = [share for share in ratio if share]
    asked = [sum(counts) * share for share in shares]
    sides = cut_at_quantiles(counts, shares, [1] * len(shares))

    def missed(own):
        held = [
            sum(count for count, side in zip(counts, own, strict=True) if side == part) for part in range(len(shares))
        ]
        return sum((got - wanted) ** 2 for got, wanted in zip(held, asked, strict=True))

    ends = [[first, second] for first in range(1, len(counts)) for second in range(first, len(counts))]
    every = [[(i >= first) + (i >= second) for i in range(len(counts))] for first, second in ends]
    every = [own if len(shares) == 3 else [min(side, len(shares) - 1) for side in own] for own in every]
    valid = [own for own in every if set(own) == set(range(len(shares)))]
    assert set(sides) == set(range(len(shares)))
    assert missed(sides) <= min(map(missed, valid), default=missed(sides)) + 1e-6


def test_the_split_is_the_same_on_every_machine():
    """Figures recorded once: a hash that depends on the process or platform would change them."""
    pages, lines = pages_of([5, 9, 2, 7, 7, 1, 12, 3, 4, 8, 6, 10])
    parts = split(pages, lines, (0.5, 0.25, 0.25), seed=7).parts
    assert "".join(parts[f"p{i}"][1] for i in range(12)) == "rreerearrare"
    assert lines_by_part(parts, lines) == {"train": 34, "val": 20, "test": 20}
    assert split(pages, lines, (0.5, 0.25, 0.25), seed=8).parts != parts


def test_fourteen_pages_come_near_to_what_was_asked():
    counts = [4, 6, 31, 8, 9, 5, 22, 13, 3, 17, 9, 6, 19, 7]
    for seed in range(1, 20):
        pages, lines = pages_of(counts)
        found = lines_by_part(split(pages, lines, seed=seed).parts, lines)
        assert found["train"] >= 0.6 * sum(counts), (seed, found)
        assert found["val"] >= 3 <= found["test"]


def test_one_large_document_trains_wherever_its_hash_lies():
    pages = [page(f"d{i}/p{j}", document=f"d{i}") for i in range(6) for j in range(40 if i == 2 else 3)]
    lines = {one.id: 10 for one in pages}
    for seed in range(30):
        found = lines_by_part(split(pages, lines, by="document", seed=seed).parts, lines)
        assert found["train"] >= 400


def test_what_is_far_from_the_shares_is_told_with_a_remedy_that_exists():
    pages, lines = pages_of([10, 10, 10])
    (told,) = split(pages, lines).warnings
    assert "33, 33 and 33 % of the lines (10, 10 and 10), where 80, 10 and 10 % were asked" in told
    assert "data.folds=2" in told
    assert "data.split=page" not in told
    pages = [page(f"d{i}/p{j}", document=f"d{i}") for i in range(3) for j in range(9)]
    (told,) = split(pages, {one.id: 10 for one in pages}, by="document").warnings
    assert "data.split=page" in told
    assert split(*pages_of([10] * 20)).warnings == ()


def test_documents_of_one_page_are_not_told_to_split_by_page():
    pages = [page(f"d{i}/p", document=f"d{i}") for i in range(3)]
    (told,) = split(pages, {one.id: 10 for one in pages}, by="document").warnings
    assert "data.split=page" not in told


def test_one_page_is_named_with_what_can_be_done():
    result = split([page(f"l{i}", group="g") for i in range(5)], {f"l{i}": 1 for i in range(5)})
    assert set(result.parts.values()) == {"train"}
    assert set(result.empty) == {"val", "test"}
    assert "one page (g)" in result.empty["val"]
    assert "data.page_pattern" in result.empty["val"]
    assert "finer" not in result.empty["val"]


def test_one_document_of_several_pages_is_divided_by_page():
    pages = [page(f"p{i}", document="d") for i in range(5)]
    result = split(pages, {f"p{i}": 1 for i in range(5)}, by="document")
    assert "data.split=page" in result.empty["val"]


@given(sizes.filter(lambda counts: len(counts) > 2), seeds)
def test_stated_parts_stay_and_a_missing_validation_is_taken_from_train(counts, seed):
    pages, lines = pages_of(counts)
    pages = [page(one.id, "test" if i == 0 else "train") for i, one in enumerate(pages)]
    parts = split(pages, lines, seed=seed).parts
    assert [name for name, part in parts.items() if part == "test"] == ["p0"]
    assert set(parts.values()) == {"train", "val", "test"}


@given(sizes.filter(lambda counts: len(counts) > 2), seeds, st.sampled_from(["val", "test"]))
def test_a_part_that_is_stated_and_has_no_page_left_gets_none(counts, seed, part):
    pages, lines = pages_of(counts)
    assert part not in split(pages, lines, seed=seed, stated=[part]).parts.values()
    pages = [page(one.id, "train") for one in pages]
    assert part not in split(pages, lines, seed=seed, stated=["train", part]).parts.values()


@given(sizes, seeds, st.data())
def test_one_image_and_one_document_lie_on_one_side(counts, seed, data):
    pages, lines = pages_of(counts)
    pages = [page(one.id, document=f"d{i % 4}") for i, one in enumerate(pages)]
    hashes = {one.id: data.draw(st.sampled_from(["x", "y", one.id])) for one in pages}
    parts = split(pages, lines, by="document", seed=seed, hashes=hashes).parts
    for kind in (lambda one: hashes[one.id], lambda one: one.document):
        sides: dict[str, set[str]] = {}
        for one in pages:
            sides.setdefault(kind(one), set()).add(parts[one.id])
        assert all(len(found) == 1 for found in sides.values())


@given(st.lists(st.integers(1, 60), min_size=12, max_size=40), seeds, st.integers(2, 5))
def test_folds_are_balanced_by_lines_and_spare_the_test(counts, seed, folds):
    pages, lines = pages_of(counts)
    runs = [split(pages, lines, seed=seed, folds=folds, fold=fold).parts for fold in range(folds)]
    tested = [{name for name, part in run.items() if part == "test"} for run in runs]
    assert all(found == tested[0] for found in tested)
    validated = [{name for name, part in run.items() if part == "val"} for run in runs]
    assert set.union(*validated) == set(lines) - tested[0]
    assert sum(map(len, validated)) == len(counts) - len(tested[0])
    held = [sum(lines[name] for name in found) for found in validated]
    assert min(held) > 0
    assert max(held) - min(held) <= max(counts)


@given(st.lists(st.integers(1, 60), min_size=5, max_size=30), st.integers(2, 5))
def test_no_fold_is_further_than_one_group_from_another(counts, folds):
    sides = deal_evenly(counts, folds)
    held = [sum(count for count, side in zip(counts, sides, strict=True) if side == fold) for fold in range(folds)]
    assert min(held) > 0
    assert max(held) - min(held) <= max(counts)


def test_folds_of_other_seeds_differ_and_too_few_pages_are_refused():
    pages, lines = pages_of(list(range(5, 25)))
    first, second = (split(pages, lines, seed=seed, folds=4).parts for seed in (1, 2))
    assert first != second
    with pytest.raises(UserError, match="no more than 2 pages; use fewer folds"):
        split(*pages_of([5, 5, 5]), folds=4)
    with pytest.raises(UserError, match="no more than 1 page; add pages"):
        split(*pages_of([5, 5]), folds=2)


def test_a_hundred_thousand_line_images_are_cut_at_once():
    counts = [1 + i % 7 for i in range(100_000)]
    sides = cut_at_quantiles(counts, RATIO, [1, 1, 1])
    assert sides.count(0) == pytest.approx(80_000, abs=10)
