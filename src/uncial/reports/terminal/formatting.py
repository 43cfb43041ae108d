"""How numbers, tables, and text that may hold anything, are written for a person."""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from uncial.metrics.intervals import Estimate
from uncial.text.characters import describe


def format_percent(fraction: float, digits: int = 2) -> str:
    """Return a fraction as a percentage, as in `4.37 %`; `–` where it is not a number."""
    return f"{100 * fraction:.{digits}f} %" if math.isfinite(fraction) else "–"


def format_percent_with_interval(estimate: Estimate, digits: int = 2) -> str:
    """Return an error rate or share with its interval, as in `4.37 % (3.90 to 4.88)`; alone where it has none."""
    value, interval = format_percent(estimate.value, digits), estimate.interval
    if interval is None:
        return value
    return f"{value} ({_to_percent(interval.low, digits)} to {_to_percent(interval.high, digits)})"


def _to_percent(fraction: float, digits: int) -> str:
    """Hundredths without a sign; beyond a thousand percent, which no one needs exactly, shortened."""
    return f"{100 * fraction:.{digits}f}" if abs(fraction) < 10 else "over 1000"


def format_duration(seconds: float) -> str:
    """Return seconds as `mm:ss`, or `h:mm:ss` from one hour on; `–` where they are not known (infinite or NaN)."""
    if not math.isfinite(seconds):
        return "–"
    minutes, second = divmod(round(max(seconds, 0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def format_rate(per_second: float, unit: str = "lines") -> str:
    """Return a speed, as in `118 lines/s`; `–` where it is not a number."""
    if not math.isfinite(per_second):
        return f"– {unit}/s"
    return f"{per_second:.0f} {unit}/s" if per_second >= 10 else f"{per_second:.1f} {unit}/s"


def plural(number: int, noun: str) -> str:
    """Return a count with its noun, as in `1 line` and `1,060 lines`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_character(character: str) -> str:
    """Return a code point as it is where it can be seen by itself, else by its name; `nothing` where there is none."""
    if not character:
        return "nothing"
    return character if unicodedata.category(character)[0] in "LNPS" else describe(character)


def make_visible(text: str) -> str:
    """Return `text` with control characters, and Unicode's separators of lines and paragraphs, as their pictures, so
    that a line stays one line and no escape code reaches a terminal.
    """
    if text.isprintable():
        return text
    return "".join(_find_picture(one) if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)


def _find_picture(control: str) -> str:
    number = ord(control)
    if number in (0x2028, 0x2029):
        return "\N{SYMBOL FOR NEWLINE}"
    if number < 0x20:
        return chr(0x2400 + number)
    return "\N{SYMBOL FOR DELETE}" if number == 0x7F else "\N{REPLACEMENT CHARACTER}"


def format_markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of GitHub's Markdown, the first column to the left and the others to the right."""
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(
        _format_markdown_row(cells)
        for cells in (header, rule, *([format_markdown_cell(text) for text in row] for row in rows))
    )


def format_markdown_cell(text: str) -> str:
    """Return text that shows as it is in a cell: what Markdown or HTML would take for markup is escaped."""
    return re.sub(r"([\\|`*_<>\[\]&#~])", r"\\\1", make_visible(text))


def _format_markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
