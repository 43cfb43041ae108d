"""What a comparison of two systems comes to, in words."""

import math

from uncial.metrics.comparison import Comparison, PairScore
from uncial.metrics.paired import find_min_clusters
from uncial.reports.terminal.formatting import format_percent, plural


def describe_verdict(pair: PairScore, comparison: Comparison) -> str:
    """Return which of two systems is better, by how much and how surely; or that it cannot be shown, and why."""
    if pair.cer.difference.interval is None:
        return f"{_describe_figures(pair, comparison)} {_explain_unknown(pair, comparison)}"
    if pair.better is not None:
        worse = pair.second if pair.better == pair.first else pair.first
        figures, evidence = _describe_figures(pair, comparison), _describe_evidence(pair, comparison)
        return f"{pair.better} is better than {worse}: {figures} {evidence}"
    return (
        f"No difference between {pair.first} and {pair.second} can be shown with {_describe_basis(comparison)}: "
        f"{_describe_figures(pair, comparison)} {_describe_evidence(pair, comparison)} "
        f"{_describe_needed(pair, comparison)}"
    )


def _describe_figures(pair: PairScore, comparison: Comparison) -> str:
    cer = {system.name: format_percent(system.cer.value) for system in comparison.systems}
    return f"CER {cer[pair.first]} ({pair.first}) and {cer[pair.second]} ({pair.second})."


def _describe_evidence(pair: PairScore, comparison: Comparison) -> str:
    difference = pair.cer.difference
    assert difference.interval is not None
    low, high = sorted(abs(bound) for bound in (difference.interval.low, difference.interval.high))
    level = format_percent(difference.interval.level, 0)
    corrected = f", corrected for {plural(len(comparison.pairs), 'comparison')}" if len(comparison.pairs) > 1 else ""
    if pair.better is None:
        ends = (difference.interval.low, difference.interval.high)
        bounds = " to ".join(_format_points(end, sign=True) for end in ends)
        told = f"The difference is {_format_points(difference.value, sign=True)} points ({level} interval {bounds}"
    else:
        told = f"The difference is {_format_points(abs(difference.value))} points ({level} interval "
        told += f"{_format_points(low)} to {_format_points(high)}"
    basis = "" if pair.better is None else f", {_describe_basis(comparison)}"
    return f"{told}; p {_format_probability(pair.p)}{corrected}{basis})."


def _describe_needed(pair: PairScore, comparison: Comparison) -> str:
    if not pair.first_wins and not pair.second_wins:
        return "They need the same number of edits in every line."
    if not pair.cer.difference.value:
        return "They make the same number of errors in all."
    if pair.needed_lines is None:
        return "Runs with other seeds differ so much that more seeds are needed before more lines would help."
    pages = max(1, round(pair.needed_lines / len(comparison.lines) * comparison.clusters))
    cluster = comparison.settings.cluster
    needed = (
        f"If the true difference is as large, about {pair.needed_lines:,} lines ({plural(pages, cluster)} like these) "
        "would be needed to show it in 4 of 5 cases."
    )
    least = find_min_clusters((1 - comparison.settings.bootstrap.level) / len(comparison.pairs))
    if comparison.clusters < least:
        needed += f" With fewer than {plural(least, cluster)} no difference can be shown, however large."
    return needed


def _explain_unknown(pair: PairScore, comparison: Comparison) -> str:
    settings = comparison.settings
    least = plural(find_min_clusters((1 - settings.bootstrap.level) / len(comparison.pairs)), settings.cluster)
    return (
        f"Whether {pair.first} or {pair.second} is better on others cannot be said: {pair.cer.difference.reason}. "
        f"Lines of at least {least} are needed."
    )


def _describe_basis(comparison: Comparison) -> str:
    return f"{plural(len(comparison.lines), 'line')} of {plural(comparison.clusters, comparison.settings.cluster)}"


def _format_points(fraction: float, sign: bool = False) -> str:
    """Percentage points; more digits where two would show nothing."""
    digits = 2 if abs(fraction) >= 5e-4 or not fraction else min(6, 2 - math.floor(math.log10(abs(100 * fraction))))
    return f"{100 * fraction:+.{digits}f}" if sign else f"{100 * fraction:.{digits}f}"


def _format_probability(p: float | None) -> str:
    if p is None:
        return "unknown"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
