"""How synthetic pages are drawn: the `options` of `conf/data/synthetic.yaml`, checked."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uncial.errors import UserError

DRAWING_VERSION = 3
"""Counts up whenever the same options draw other pages, so that older pages are not taken for these."""

LAYOUT_VERSION = 1
"""The same for pages with layouts."""

LAYOUTS = (
    "columns",
    "margins",
    "numbers",
    "titles",
    "initials",
    "tables",
    "interlinear",
    "curved",
    "turned",
    "vertical",
    "right_to_left",
    "sizes",
    "graphics",
    "print",
    "blank",
)
"""What pages may have beside one block of lines."""

LANGUAGES = ("latin", "german", "french", "norwegian", "spanish")


@dataclass(frozen=True)
class DrawingOptions:
    """What decides the pixels of a set of pages. Pairs are (least, most); chances and strengths are fractions.

    The meaning, unit and choices of each field stand in `conf/data/synthetic.yaml`.
    """

    seed: int = 1
    pages: int = 92
    lines: tuple[float, float] = (14, 20)
    characters: tuple[float, float] = (12, 28)
    hands: int = 3
    languages: tuple[str, ...] = ("latin", "german", "french", "norwegian")
    text: str | None = None
    wrap: bool = True
    fonts: str | None = None
    size: tuple[float, float] = (50, 62)
    spacing: tuple[float, float] = (1.0, 1.2)
    slant: tuple[float, float] = (-7, 18)
    curvature: tuple[float, float] = (-0.015, 0.015)
    waviness: tuple[float, float] = (0.01, 0.09)
    skew: tuple[float, float] = (-1.0, 1.0)
    jitter: float = 0.4
    connected: float = 0.8
    fading: float = 0.3
    texture: float = 0.5
    stains: float = 0.4
    show_through: float = 0.4
    ruling: float = 0.2
    furniture: float = 0.4
    italic: float = 0.0
    bold: float = 0.0
    underline: float = 0.0
    upper_case: float = 0.0
    long_s: float = 0.25
    noise: float = 2.0
    blur: tuple[float, float] = (0.0, 0.6)
    colour: bool = True
    image: str = "jpg"
    quality: int = 90
    version: str = "2013-07-15"
    layouts: tuple[str, ...] = ()


_FRACTIONS = [
    "jitter",
    "connected",
    "fading",
    "texture",
    "stains",
    "show_through",
    "ruling",
    "furniture",
    "italic",
    "bold",
    "underline",
    "upper_case",
    "long_s",
]
_POSITIVE_PAIRS = ("size", "spacing")
_WHOLE_PAIRS = ("lines", "characters")
_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(_FRACTIONS, (0, 1)),
    **dict.fromkeys(("pages", "hands", *_WHOLE_PAIRS), (1, math.inf)),
    **dict.fromkeys(("seed", "waviness", "blur"), (0, math.inf)),
    "noise": (0, 255),
    "quality": (1, 100),
    "slant": (-75, 75),
    "skew": (-45, 45),
    "curvature": (-1, 1),
}
"""The least and the most that a number, or both of a pair, may be."""
_NAMES = {"languages": LANGUAGES, "layouts": LAYOUTS}
_CHOICES = {"image": ("jpg", "png"), "version": ("2013-07-15", "2019-07-15")}


def parse_drawing_options(options: Mapping[str, Any]) -> DrawingOptions:
    """Return the options as typed values. Raises `UserError` that names the key which is unknown or out of range."""
    fields = {f.name: f for f in dataclasses.fields(DrawingOptions)}
    for key in options:
        if key not in fields:
            raise UserError(f"data.options.{key} is not an option of synthetic pages; known are: {', '.join(fields)}.")
    values = {key: _parse_value(key, value, fields[key].default) for key, value in options.items()}
    drawn = DrawingOptions(**values)
    _check_options(drawn)
    return drawn


def _parse_value(key: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise UserError(f"data.options.{key} is {value!r}; write true or false.")
        return value
    if key in _NAMES:
        if not isinstance(value, str | Sequence):
            raise UserError(f"data.options.{key} is {value!r}; write one of {', '.join(_NAMES[key])}, or a list.")
        names = tuple([value] if isinstance(value, str) else [str(v) for v in value])
        return LAYOUTS if key == "layouts" and names == ("all",) else names
    if isinstance(default, tuple):
        return _parse_pair(key, value)
    if isinstance(default, int | float):
        if not _is_number(value):
            raise UserError(f"data.options.{key} is {value!r}; write a number.")
        return _parse_whole(key, value, value) if isinstance(default, int) else float(value)
    return None if value is None else str(value)


def _parse_pair(key: str, value: Any) -> tuple[float, float]:
    pair = [value, value] if _is_number(value) else list(value) if isinstance(value, list | tuple) else []
    if len(pair) != 2 or not all(map(_is_number, pair)) or pair[0] > pair[1]:
        raise UserError(f"data.options.{key} is {value!r}; write [least, most], or one number for both.")
    if key in _WHOLE_PAIRS:
        return (_parse_whole(key, pair[0], value), _parse_whole(key, pair[1], value))
    return (float(pair[0]), float(pair[1]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _parse_whole(key: str, number: float, given: Any) -> int:
    if int(number) != number:
        raise UserError(f"data.options.{key} is {given!r}; write whole numbers.")
    return int(number)


def _check_options(options: DrawingOptions) -> None:
    for key, (least, most) in _RANGES.items():
        value = getattr(options, key)
        low, high = value if isinstance(value, tuple) else (value, value)
        if low < least or high > most:
            needed = f"at least {least}" if most == math.inf else f"between {least} and {most}"
            raise UserError(f"data.options.{key} is {_format_value(value)}; it must be {needed}.")
    for key in _POSITIVE_PAIRS:
        if getattr(options, key)[0] <= 0:
            raise UserError(f"data.options.{key} is {_format_value(getattr(options, key))}; both must be above 0.")
    for key, choices in _CHOICES.items():
        if getattr(options, key) not in choices:
            raise UserError(f"data.options.{key} is {getattr(options, key)}; choose {' or '.join(choices)}.")
    for key, names in _NAMES.items():
        unknown = [name for name in getattr(options, key) if name not in names]
        if unknown or (key == "languages" and not options.languages):
            others = "all, or some of " if key == "layouts" else ""
            raise UserError(f"data.options.{key} names {unknown}; known are: {others}{', '.join(names)}.")


def _format_value(value: Any) -> str:
    return str(list(value) if isinstance(value, tuple) else value)
