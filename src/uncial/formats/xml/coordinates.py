"""Reading coordinates as the exporters write them."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from uncial.document import Point
from uncial.errors import UnusableInput

AROUND_COMMA = re.compile(r"\s*,\s*")
SHOWN = 40


@lru_cache(maxsize=1 << 16)
def number(text: str) -> float:
    """Return a finite number. Raises `UnusableInput`.

    Equal ones are one object, since a large data set holds the same few thousand values over and over.
    """
    try:
        value = float(text)
    except ValueError:
        raise UnusableInput(f"{text!r} is not a number") from None
    if not math.isfinite(value) or "_" in text:
        raise UnusableInput(f"{text!r} is not a finite number")
    return value


def read_number(text: str | None) -> float | None:
    """Return the number, or None where the attribute is missing, empty or no number."""
    try:
        return number(text.strip()) if text else None
    except UnusableInput:
        return None


def read_points(text: str) -> tuple[Point, ...]:
    """Return the points of "x,y x,y" (PAGE, ALTO) or "x y x y" (eScriptorium's ALTO). Raises `UnusableInput`."""
    if "," not in text:
        return _pair(text.split(), text)
    try:
        return tuple([(number(x), number(y)) for x, y in [pair.split(",") for pair in text.split()]])
    except (ValueError, UnusableInput):
        return _read_points_in_other_forms(text)


def _read_points_in_other_forms(text: str) -> tuple[Point, ...]:
    """Points with white space around their commas, or with commas alone."""
    joined = AROUND_COMMA.sub(",", text.strip())
    pairs = joined.split()
    return _pair(joined.split(",") if len(pairs) == 1 else [v for pair in pairs for v in _read_two(pair, text)], text)


def _pair(values: Sequence[str], text: str) -> tuple[Point, ...]:
    if len(values) % 2:
        raise UnusableInput(f"the points {_shorten(text)!r} hold an odd number of coordinates")
    numbers = [number(value) for value in values]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def read_fraction(text: str | None) -> float | None:
    """Return a confidence between 0 and 1, None where there is none or it lies outside."""
    value = read_number(text)
    return value if value is not None and 0 <= value <= 1 else None


def mean_fraction(values: Sequence[tuple[float | None, int]]) -> float | None:
    """Return the mean of confidences by the length of what they are about, None where one of them is missing.

    Rounded, so that equal ones give just what each of them states.
    """
    known = [(value, max(length, 1)) for value, length in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return round(sum(value * weight for value, weight in known) / sum(weight for _, weight in known), 9)


def read_size(text: str | None) -> int:
    """Return a width or height in pixels, 0 where the file states none that makes sense."""
    value = read_number(text)
    return round(value) if value is not None and value > 0 else 0


def _read_two(pair: str, text: str) -> list[str]:
    values = pair.split(",")
    if len(values) != 2:
        raise UnusableInput(f"the points {_shorten(text)!r} are not pairs of coordinates at {pair!r}")
    return values


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
