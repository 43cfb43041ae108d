"""The ranges from which transforms draw, as a config gives them: one number, or the least and the most."""

from collections.abc import Sequence

from uncial.errors import UserError

Range = float | Sequence[float]
"""One number, whose meaning the key explains, or [least, most]."""


def either_side(value: Range, key: str, most: float) -> tuple[float, float]:
    """Return the bounds of a draw that goes to both sides: a number is the farthest, to the left as to the right.

    Raises `UserError` for what is no range within -`most` and `most`.
    """
    pair = _pair(value, key)
    low, high = (-abs(pair[0]), abs(pair[0])) if len(pair) == 1 else pair
    return _within(low, high, key, -most, most)


def up_to(value: Range, key: str, most: float) -> tuple[float, float]:
    """Return the bounds of a draw from 0 on: a number is the most. Raises `UserError` for what is no range within 0
    and `most`.
    """
    pair = _pair(value, key)
    low, high = (0.0, pair[0]) if len(pair) == 1 else pair
    return _within(low, high, key, 0.0, most)


def between(value: Range, key: str, least: float, most: float) -> tuple[float, float]:
    """Return the bounds of a draw; a number is drawn always. Raises `UserError` for what is no range within `least` and
    `most`.
    """
    pair = _pair(value, key)
    return _within(pair[0], pair[-1], key, least, most)


def number(value: float, key: str, least: float, most: float) -> float:
    """Return a number. Raises `UserError` for what is none within `least` and `most`."""
    if not _is_number(value) or not least <= value <= most:
        raise UserError(f"{key} is {value!r}; a number from {least:g} to {most:g} is needed")
    return value


def _pair(value: Range, key: str) -> tuple[float, ...]:
    values = (value,) if _is_number(value) else tuple(value) if isinstance(value, Sequence) else ()
    if len(values) not in (1, 2) or not all(map(_is_number, values)):
        raise UserError(f"{key} is {value!r}; a number or [least, most] is needed")
    return tuple(float(number) for number in values)  # type: ignore[arg-type]


def _within(low: float, high: float, key: str, least: float, most: float) -> tuple[float, float]:
    if not least <= low <= high <= most:
        raise UserError(f"{key} is [{low:g}, {high:g}]; a range from {least:g} to {most:g} is needed, the least first")
    return low, high


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
