"""Figures with their intervals, and paired tests, as plain types for JSON."""

from typing import Any

from uncial.metrics.intervals import Estimate
from uncial.metrics.paired import PairedTest


def estimate_to_json(estimate: Estimate) -> dict[str, Any]:
    """Return a figure, its interval, and why it has none."""
    interval = estimate.interval
    bounds = None if interval is None else [interval.low, interval.high]
    return {"value": estimate.value, "interval": bounds, "no_interval": estimate.reason}


def test_to_json(test: PairedTest) -> dict[str, Any]:
    """Return a difference and how surely it is one."""
    return {
        "difference": estimate_to_json(test.difference),
        "p_bootstrap": test.p_bootstrap,
        "p_randomisation": test.p_randomisation,
        "needed_clusters": test.needed_clusters,
    }
