"""What stands on a page: its lines with their styles, in regions, each with the curve that it is written along."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from uncial.data.synthetic.line_ink import Baseline, draw_baseline
from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.text import to_capitals, with_long_s


@dataclass(frozen=True)
class PlannedLine:
    """A line to be written: its text as it will be transcribed, its style, and the number of its region."""

    text: str
    region: int
    italic: bool = False
    bold: bool = False
    underline: bool = False


@dataclass(frozen=True)
class Plan:
    """The lines of a page from top to bottom, and the types of its regions in reading order."""

    lines: tuple[PlannedLine, ...]
    regions: tuple[str, ...]


def plan_page(
    texts: Sequence[str],
    options: DrawingOptions,
    rng: np.random.Generator,
    *,
    long_s: Callable[[str], bool],
    furniture: bool,
) -> Plan:
    """Distributes the texts over regions: a heading perhaps, and paragraphs.

    `long_s` says of a line whether it is written with it. With `furniture` a page number and a catch-word may be added
    to the texts.
    """
    regions: list[str] = []
    kinds: list[str] = []
    numbered, headed, caught = rng.random(3) < options.furniture
    lines = list(texts)
    if numbered and furniture:
        lines.insert(0, str(rng.integers(1, 400)))
        kinds.append("page-number")
    if headed and len(texts) > 4:
        kinds.append("heading")
    body = len(lines) - len(kinds)
    cuts = set(rng.choice(np.arange(2, body - 1), size=min(2, (body - 3) // 4), replace=False)) if body > 7 else set()
    kinds += [f"paragraph-{sum(c <= i for c in cuts)}" for i in range(body)]
    if caught and furniture and (word := re.search(r"[^\W\d_]+", lines[-1])):
        lines.append(word.group())
        kinds.append("catch-word")
    planned = []
    for text, kind in zip(lines, kinds, strict=True):
        if kind not in regions:
            regions.append(kind)
        planned.append(_style_line(text, regions.index(kind), options, rng, long_s))
    return Plan(tuple(planned), tuple(re.sub(r"-\d+$", "", kind) for kind in regions))


def _style_line(
    text: str, region: int, options: DrawingOptions, rng: np.random.Generator, long_s: Callable[[str], bool]
) -> PlannedLine:
    italic, bold, underline, upper = rng.random(4) < (
        options.italic,
        options.bold,
        options.underline,
        options.upper_case,
    )
    text = with_long_s(text) if long_s(text) else text
    text = to_capitals(text) if upper else unicodedata.normalize("NFC", text)
    return PlannedLine(text, region, bool(italic), bool(bold), bool(underline))


def place_lines(
    plan: Plan, lengths: Sequence[float], size: float, options: DrawingOptions, rng: np.random.Generator
) -> list[Baseline]:
    """Return the baselines of lines of these `lengths` in pixels, `size` pixels from ascender to descender.

    The origin is arbitrary: the page is laid round them. Bow and skew are the page's, and each line differs a little.
    """
    column = max(lengths)
    pitch = size * rng.uniform(*options.spacing)
    bow = rng.uniform(*options.curvature)
    slope = float(np.tan(np.radians(rng.uniform(*options.skew))))
    loose = options.jitter
    baselines: list[Baseline] = []
    y = 0.0
    for k, (line, length) in enumerate(zip(plan.lines, lengths, strict=True)):
        kind = plan.regions[line.region]
        if k:
            gap = 0.0 if line.region == plan.lines[k - 1].region else rng.uniform(0.15, 0.5)
            y += pitch * (1 + gap + float(np.clip(rng.normal(0, 0.03), -0.05, 0.08)) * loose)
        indented = kind == "paragraph" and (k == 0 or plan.lines[k - 1].region != line.region) and rng.random() < 0.6
        x = _draw_start(kind, column, length, rng) + size * (0.8 * indented + 0.12 * loose * float(rng.normal()))
        waves = tuple(
            v
            for wavelength in rng.uniform([4.5, 9], [9, 18]) * size
            for v in (
                0.5 * size * rng.uniform(*options.waviness) * rng.uniform(0.5, 1),
                wavelength,
                rng.uniform(0, 2 * np.pi),
            )
        )
        own_slope = slope + 0.003 * loose * float(np.clip(rng.normal(), -2, 2))
        own_bow = (bow + 0.1 * loose * bow * float(np.clip(rng.normal(), -1, 1))) * length
        baselines.append(draw_baseline((x, y + slope * x), length, own_slope, own_bow, waves))
    return baselines


def _draw_start(kind: str, column: float, length: float, rng: np.random.Generator) -> float:
    if kind == "heading":
        return max(0.0, (column - length) / 2)
    if kind in ("page-number", "catch-word"):
        return max(0.0, column - length) * float(rng.uniform(0.85, 1.0))
    return 0.0
