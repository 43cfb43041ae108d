"""Laypa's way to merge types of regions, as the command line hands it on: a list that was divided at all commas."""

import pytest

from uncial.data.pages.region_types import parse_region_types
from uncial.errors import UserError


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["a:b", "c"], {"b": "a", "c": "a"}),
        (["a:b", "c", "d:e", "f", "g"], {"b": "a", "c": "a", "e": "d", "f": "d", "g": "d"}),
        (["a:b,c"], {"b": "a", "c": "a"}),
        ("a:b,c", {"b": "a", "c": "a"}),
        ([{"a": ["b"]}, "d:e", "f"], {"b": "a", "e": "d", "f": "d"}),
    ],
)
def test_what_stands_behind_a_rule_belongs_to_it(value, names):
    assert parse_region_types(value).names == names


@pytest.mark.parametrize("value", [["b", "a:c"], ["a", "b"], [{"a": ["b"]}, "c"]])
def test_a_word_without_a_rule_is_told(value):
    with pytest.raises(UserError, match="a table is needed"):
        parse_region_types(value)
