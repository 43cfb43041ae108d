"""What finding the lines costs: the texts of pages whose lines were found beside those of given lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from uncial.metrics.comparison import Comparison, PairScore
from uncial.reports.terminal.formatting import format_percent


@dataclass(frozen=True, slots=True)
class PageTextScores:
    """The scores of a folder's pages. `is_given` says whether its lines are those of the truth, `readers` which
    programs and models read them, where its files say so; `values` are those of `score_text`."""

    is_given: bool
    readers: frozenset[str]
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DeltaCer:
    """hCER of `found`, a folder whose lines were found, less the CER of `given`, one with the lines of the truth that
    the same reader read: `value`, with the interval (low, high) where there is one."""

    found: str
    given: str
    value: float
    interval: tuple[float, float] | None
    level: float
    hcer: float
    cer: float


def list_delta_cer(comparison: Comparison, pages: Mapping[str, PageTextScores]) -> list[DeltaCer]:
    """Return what finding the lines costs, for each folder with found lines and the folder with given ones that the
    same reader read; where a file does not say who read it, any may be the same."""
    cer = {system.name: system.cer.value for system in comparison.systems}
    found = []
    for pair, sign, names in _orient(comparison.pairs, pages):
        one, other = names
        ends = pair.cer.difference.interval
        interval = (
            None if ends is None else (min(sign * ends.low, sign * ends.high), max(sign * ends.low, sign * ends.high))
        )
        level = comparison.settings.bootstrap.level
        found.append(DeltaCer(one, other, cer[one] - cer[other], interval, level, cer[one], cer[other]))
    return found


def _orient(
    pairs: tuple[PairScore, ...], pages: Mapping[str, PageTextScores]
) -> Iterator[tuple[PairScore, int, tuple[str, str]]]:
    for pair in pairs:
        one, other = pages[pair.first], pages[pair.second]
        if one.is_given == other.is_given or (one.readers and other.readers and one.readers != other.readers):
            continue
        yield (pair, -1, (pair.second, pair.first)) if one.is_given else (pair, 1, (pair.first, pair.second))


def describe_page_texts(comparison: Comparison, pages: Mapping[str, PageTextScores]) -> list[str]:
    """Return in words what finding the lines costs, then the error rates of each folder's pages."""
    costs = [describe_delta_cer(delta) for delta in list_delta_cer(comparison, pages)]
    return [*costs, *(describe_pages(name, scores) for name, scores in pages.items())]


def describe_delta_cer(delta: DeltaCer) -> str:
    """Return in words what finding the lines costs."""
    sure = ""
    if delta.interval is not None:
        low, high = (f"{100 * end:+.2f}" for end in delta.interval)
        sure = f" ({format_percent(delta.level, 0)} interval {low} to {high})"
    return (
        f"Finding the lines of {delta.found} costs {100 * delta.value:+.2f} points of CER{sure}: "
        f"{format_percent(delta.hcer)} with found lines, {format_percent(delta.cer)} with given ones ({delta.given})."
    )


def describe_pages(name: str, scores: PageTextScores) -> str:
    """Return the error rates of a folder's pages in words."""
    rates = {key: format_percent(scores.values[key]) for key in ("page_cer", "page_wer", "bcer", "bwer")}
    return (
        f"{name}: {'lines as given' if scores.is_given else 'found lines, paired by their text'}; whole pages in their "
        f"order CER {rates['page_cer']} and WER {rates['page_wer']}, in any order {rates['bcer']} and {rates['bwer']}."
    )


def page_texts_to_json(comparison: Comparison, pages: Mapping[str, PageTextScores]) -> dict[str, Any]:
    """Return the same as plain types, as comparison.json has it."""
    return {
        "pages": [
            {"name": name, "lines": "given" if one.is_given else "found", **one.values} for name, one in pages.items()
        ],
        "delta_cer": [
            {
                "found": one.found,
                "given": one.given,
                "value": one.value,
                "interval": None if one.interval is None else list(one.interval),
                "hcer": one.hcer,
                "cer": one.cer,
            }
            for one in list_delta_cer(comparison, pages)
        ],
    }
