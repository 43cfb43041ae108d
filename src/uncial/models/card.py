"""What a model's file says about itself, checked: plain data of known kinds, whatever stands in the file."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from uncial.text.normalization import DEFAULT_PROFILE
from uncial.text.rules import TextRules

DEPTH = 32
"""Levels of lists and tables in a card; the config of a model has six."""

SHOWN = 60

LONGEST_CONFIG = 1 << 18
"""Characters of a model's config as JSON; those of this program have two thousand."""

LARGEST = 1e6
"""A temperature beyond which nothing is left of a confidence; fitted ones are 10 at most."""


def parse_card(text: str) -> dict[str, Any]:
    """The card that a file holds as JSON, without keys that are null. Raises `ValueError`, with the reason, where it is
    none."""
    try:
        card = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(card, dict):
        raise ValueError("it is no table")
    _check_depth(card)
    stated = {key: value for key, value in card.items() if value is not None}
    if len(json.dumps(stated.get("model"))) > LONGEST_CONFIG:
        raise ValueError("its model has more settings than any")
    for key, (is_right, wanted) in KINDS.items():
        if key in stated and not is_right(stated[key]):
            raise ValueError(f"its {key} is {_shown(stated[key])}, where {wanted} is needed")
    return stated


def text_rules_of(card: Mapping[str, Any]) -> TextRules:
    """Return the rules for text that a model's card states; one that states none was trained in the order of the files.

    Raises `UserError` where they cannot be read.
    """
    stated = card.get("text")
    if isinstance(stated, dict):
        return TextRules.from_json(stated)
    return TextRules(str(card.get("normalization", DEFAULT_PROFILE)))


def _check_depth(card: Mapping[str, Any]) -> None:
    level: list[Any] = [card]
    for _ in range(DEPTH):
        inside = [list(value.values()) if isinstance(value, dict) else value for value in level]
        level = [one for values in inside for one in values if isinstance(one, dict | list)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_word(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str | None) for one in value)


def _is_calibration(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(one, int | float) and not isinstance(one, bool) and 0 < one < LARGEST for one in value.values()
    )


def _is_training(value: object) -> bool:
    return isinstance(value, dict) and _are_words(value.get("page_hashes", []))


KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "format": (_is_word, "a word"),
    "format_version": (_is_count, "a whole number"),
    "model": (_is_table, "a table"),
    "codec": (_is_table, "a table"),
    "preprocessing": (_is_table, "a table"),
    "text": (_is_table, "a table"),
    "normalization": (_is_word, "a word"),
    "calibration": (_is_calibration, "a table of temperatures above 0"),
    "problem": (_is_table, "a table"),
    "scores": (_is_table, "a table"),
    "training": (_is_training, "a table with a list of page_hashes"),
    "seen_before": (_are_words, "a list of words"),
    "lineage": (_are_words, "a list of words"),
    "averaged": (_are_words, "a list of words"),
    "seed": (_is_count, "a whole number"),
    "version": (_is_word, "a word"),
    "precision": (_is_word, "a word"),
}
"""Of what kind the value of each key is, where it has one."""
