"""Splits by the hash of a group: stable, complete, and never through a page or an image."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uncial.data.splits.split import Split, SplitRequest, SplitSettings
from uncial.document import Page
from uncial.errors import UserError

RATIO = (0.8, 0.1, 0.1)
names = st.lists(st.text("abcdef0123", min_size=1, max_size=6), unique=True, min_size=1, max_size=40)
seeds = st.integers(0, 2**32)


def split(pages, ratio, by, seed, hashes=None) -> Split:
    return SplitSettings(ratio, by, seed).split(SplitRequest(pages, hashes or {}))


def fold_split(pages, ratio, by, seed, folds, fold, hashes=None) -> Split:
    return SplitSettings(ratio, by, seed, folds, fold).split(SplitRequest(pages, hashes or {}))


def page(name: str, subset: str | None = None, group: str = "", document: str = "") -> Page:
    return Page(name, Path(f"{name}.xml"), subset=subset, group=group, document=document)


@given(names, seeds, st.randoms())
def test_the_order_of_pages_does_not_matter(ids, seed, random):
    pages = [page(name) for name in ids]
    shuffled = random.sample(pages, len(pages))
    assert split(pages, RATIO, "page", seed).parts == split(shuffled, RATIO, "page", seed).parts


@given(names, seeds)
def test_every_page_has_a_part_and_train_is_never_empty(ids, seed):
    parts = split([page(name) for name in ids], RATIO, "page", seed).parts
    assert set(parts) == set(ids)
    assert "train" in parts.values()
    if len(ids) > 1:
        assert "val" in parts.values()
    if len(ids) > 2:
        assert "test" in parts.values()


@given(seeds, st.integers(1, 40))
def test_adding_pages_moves_no_page(seed, added):
    few = [page(f"p{i}") for i in range(150)]
    many = [*few, *(page(f"new{i}") for i in range(added))]
    before = split(few, RATIO, "page", seed).parts
    after = split(many, RATIO, "page", seed).parts
    assert {name: after[name] for name in before} == before


def test_shares_are_met_and_seeds_differ():
    pages = [page(f"p{i}") for i in range(5000)]
    parts = split(pages, RATIO, "page", 1).parts
    counts = {part: list(parts.values()).count(part) for part in ("train", "val", "test")}
    assert counts["train"] == pytest.approx(4000, abs=100)
    assert counts["val"] == pytest.approx(500, abs=70)
    assert counts["test"] == pytest.approx(500, abs=70)
    assert split(pages, RATIO, "page", 2).parts != parts


def test_the_split_is_the_same_on_every_machine():
    """Figures recorded once: a hash that depends on the process or platform would change them."""
    parts = split([page(f"p{i}") for i in range(12)], (0.5, 0.25, 0.25), "page", 7).parts
    assert "".join(part[1] for part in parts.values()) == "aaeerearaare"


@given(names, seeds, st.integers(1, 5))
def test_no_group_is_cut(ids, seed, groups):
    pages = [page(name, group=f"g{i % groups}", document=f"d{i % 2}") for i, name in enumerate(ids)]
    for by, key in (("page", "group"), ("document", "document")):
        parts = split(pages, RATIO, by, seed).parts
        sides = {}
        for one in pages:
            sides.setdefault(getattr(one, key), set()).add(parts[one.id])
        assert all(len(found) == 1 for found in sides.values())


@given(names, seeds, st.data())
def test_one_image_under_several_names_lies_on_one_side(ids, seed, data):
    hashes = {name: data.draw(st.sampled_from(["x", "y", "z", name])) for name in ids}
    subsets = {name: data.draw(st.sampled_from([None, "trainval", "train", "val", "test"])) for name in ids}
    result = split([page(name, subsets[name]) for name in ids], RATIO, "page", seed, hashes)
    sides = {}
    for name, part in result.parts.items():
        sides.setdefault(hashes[name], set()).add(part)
    assert all(len(found) == 1 for found in sides.values())
    assert len(result.parts) + len(result.problems) == len(ids)
    for name, part in result.parts.items():
        assert subsets[name] in (None, part, "trainval", "train")
        assert subsets[name] != "trainval" or part != "test"


def test_a_leak_between_stated_parts_keeps_the_stricter_one():
    pages = [page("a", "train"), page("b", "test"), page("c", "val"), page("d", "train")]
    result = split(pages, RATIO, "page", 1, {"a": "x", "b": "x", "c": "x", "d": "y"})
    assert result.parts == {"b": "test", "d": "train"}
    assert [problem.file for problem in result.problems] == ["a.xml", "c.xml"]
    assert "b" in result.problems[0].reason


def test_stated_parts_are_taken_as_given_and_no_test_is_invented():
    pages = [page(f"t{i}", "train") for i in range(50)] + [page("v", "val")]
    parts = split(pages, RATIO, "page", 1).parts
    assert parts == {one.id: one.subset for one in pages}


def test_a_missing_validation_is_taken_from_train():
    pages = [page(f"t{i}", "train") for i in range(300)] + [page("e", "test")]
    parts = split(pages, RATIO, "page", 1).parts
    assert set(parts.values()) == {"train", "val", "test"}
    assert [name for name, part in parts.items() if part == "test"] == ["e"]
    assert list(parts.values()).count("val") == pytest.approx(300 / 9, abs=15)
    assert set(split(pages, (1, 0, 0), "page", 1).parts.values()) == {"train", "test"}


def test_trainval_is_never_tested_on():
    pages = [page(f"f{i}", "trainval") for i in range(40)] + [page("t", "test")]
    parts = split(pages, RATIO, "page", 1).parts
    assert {part for name, part in parts.items() if name != "t"} == {"train", "val"}


def test_unstated_pages_beside_a_stated_split_mostly_train():
    pages = [page("a", "train"), page("b", "val"), *(page(f"p{i}") for i in range(200))]
    parts = split(pages, (0.8, 0.2, 0), "page", 1).parts
    assert all(part == "train" for name, part in parts.items() if name != "b")


def test_a_page_joins_the_side_of_its_twin():
    pages = [page("a", "test"), *(page(f"p{i}") for i in range(30))]
    parts = split(pages, RATIO, "page", 1, {"a": "x", "p3": "x", "p4": "x"}).parts
    assert parts["p3"] == parts["p4"] == "test"


def test_one_group_leaves_the_validation_empty_with_a_warning():
    pages = [page(f"l{i}", group="g") for i in range(5)]
    result = split(pages, RATIO, "page", 1)
    assert set(result.parts.values()) == {"train"}
    assert "one page (g)" in result.warnings[0]
    assert "data.val" in result.warnings[0]


def test_stated_parts_through_a_page_are_warned_of():
    pages = [page("a", "train", group="g"), page("b", "val", group="g")]
    result = split(pages, RATIO, "page", 1)
    assert result.parts == {"a": "train", "b": "val"}
    assert "g" in result.warnings[0]


@pytest.mark.parametrize(
    ("ratio", "by", "words"),
    [
        ((0, 0, 0), "page", "data.ratio"),
        ((-1, 1, 1), "page", "data.ratio"),
        (RATIO, "line", "page, document or hand"),
        (RATIO, "hand", "data.hand_pattern"),
    ],
)
def test_wrong_settings_are_named(ratio, by, words):
    with pytest.raises(UserError, match=words):
        split([page("a"), page("b")], ratio, by, 1)


@given(names.filter(lambda ids: len(ids) > 12), seeds, st.integers(2, 5))
def test_folds_are_disjoint_and_complete_and_spare_the_test(ids, seed, folds):
    pages = [page(name) for name in ids]
    runs = [fold_split(pages, RATIO, "page", seed, folds, fold).parts for fold in range(folds)]
    whole = split(pages, RATIO, "page", seed).parts
    tested = {name for name, part in whole.items() if part == "test"}
    validated = [{name for name, part in run.items() if part == "val"} for run in runs]
    assert all(validated)
    assert sum(map(len, validated)) == len(set.union(*validated)) == len(ids) - len(tested)
    for run in runs:
        assert set(run) == set(ids)
        assert {name for name, part in run.items() if part == "test"} == tested


@given(seeds)
def test_adding_pages_moves_none_into_another_fold(seed):
    few = [page(f"p{i}") for i in range(150)]
    many = [*few, *(page(f"new{i}") for i in range(20))]
    before, after = (fold_split(pages, (1.0, 0.0, 0.0), "page", seed, 4, 2).parts for pages in (few, many))
    assert {name: after[name] for name in before} == before


def joined(ids):
    """The sets of names that the first letter, their document, or the last, their image, holds together."""
    groups: list[set[str]] = []
    for name in ids:
        touching = [group for group in groups if any(one[0] == name[0] or one[-1] == name[-1] for one in group)]
        groups = [group for group in groups if group not in touching] + [set().union({name}, *touching)]
    return groups


@given(names.filter(lambda ids: len(ids) > 12), seeds)
@example([f"{first}{number}{last}" for first, last in ("ab", "cd", "ef") for number in range(5)], 1)
def test_documents_and_images_lie_in_one_fold(ids, seed):
    pages = [page(name, document=name[0]) for name in ids]
    hashes = {name: name[-1] for name in ids}
    if len(joined(ids)) == 1:
        with pytest.raises(UserError, match="folds"):
            fold_split(pages, (1.0, 0.0, 0.0), "document", seed, 2, 0, hashes)
        return
    runs = [fold_split(pages, (1.0, 0.0, 0.0), "document", seed, 2, fold, hashes).parts for fold in range(2)]
    for run in runs:
        assert set(run) == set(ids)
        assert "val" in run.values()
        sides = {part: {one.document for one in pages if run[one.id] == part} for part in ("train", "val")}
        images = {part: {hashes[name] for name in ids if run[name] == part} for part in ("train", "val")}
        assert not sides["train"] & sides["val"]
        assert not images["train"] & images["val"]


def test_what_the_data_state_as_test_is_in_no_fold_and_the_rest_is_pooled():
    stated = ["train"] * 8 + ["val"] * 4 + ["test"] * 3
    pages = [page(f"p{i}", part) for i, part in enumerate(stated)]
    runs = [fold_split(pages, RATIO, "page", 1, 3, fold) for fold in range(3)]
    tested = {f"p{i}" for i in range(12, 15)}
    assert all({name for name, part in run.parts.items() if part == "test"} == tested for run in runs)
    validated = set().union(*({name for name, part in run.parts.items() if part == "val"} for run in runs))
    assert validated == {f"p{i}" for i in range(12)}
    assert any("4 pages" in warning for warning in runs[0].warnings)


def test_fewer_pages_than_folds_are_refused():
    with pytest.raises(UserError, match="no more than 3 pages"):
        fold_split([page(f"p{i}") for i in range(3)], (1.0, 0.0, 0.0), "page", 1, 4, 0)


stated_pages = st.lists(
    st.tuples(st.sampled_from([None, "train", "val", "test", "trainval"]), st.integers(0, 4), st.integers(0, 2)),
    min_size=1,
    max_size=8,
)


@given(stated_pages, st.sampled_from(["page", "document"]), seeds)
def test_one_image_is_on_one_side_whatever_is_stated_of_its_pages_and_documents(stated, by, seed):
    """A page that states nothing may be the twin of a training page in a document of the test; no page is lost."""
    pages = [page(f"p{i}", subset, document=f"d{document}") for i, (subset, _, document) in enumerate(stated)]
    hashes = {f"p{i}": f"image{image}" for i, (_, image, _) in enumerate(stated)}
    found = split(pages, RATIO, by, seed, hashes)
    sides: dict[str, set[str]] = {}
    for name, part in found.parts.items():
        sides.setdefault(hashes[name], set()).add(part)
    assert all(len(parts) == 1 for parts in sides.values())
    assert set(sides) == set(hashes.values())
    assert len(found.parts) + len(found.problems) == len(pages)
