"""Whether one system finds lines better than another on the same pages: F, its interval, and paired tests.

Systems are compared by the F of the set of pages (`paired_f_measure`), since that is no sum over pages; p-values are
corrected for the number of pairs by Holm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from uncial.metrics.intervals import Bootstrap, Estimate
from uncial.metrics.layout.layout_metric import PageLayout, PageResult, summarise_layouts
from uncial.metrics.layout.paired_f_measure import PageScores, compare_f, estimate_f
from uncial.metrics.paired import PairedTest, adjust_by_holm

Findings = Sequence[Sequence[PageResult[PageLayout]]]
"""What a system found: the results of the same pages in the same order, once for each seed that it was trained with."""


@dataclass(frozen=True, slots=True)
class LayoutSystem:
    """A system's F with its interval, and all figures of its first seed."""

    name: str
    seeds: int
    f_measure: Estimate
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LayoutPair:
    """Two systems against each other. `test` is that of the first one's F less the second's; `p` is corrected for the
    number of pairs, None where there is one page alone; `better` is the name of the system that is better at the level
    asked for, None where no difference is shown."""

    first: str
    second: str
    test: PairedTest
    p: float | None
    better: str | None


@dataclass(frozen=True)
class LayoutComparison:
    """Systems on the same pages. `clusters` is what each page belongs to, `cluster` what that is called; `findings` are
    the results of each system's first seed, page by page."""

    systems: Sequence[LayoutSystem]
    pairs: Sequence[LayoutPair]
    clusters: Sequence[str]
    cluster: str
    bootstrap: Bootstrap
    findings: Mapping[str, Sequence[PageResult[PageLayout]]]


def compare_layout_systems(
    systems: Mapping[str, Findings], clusters: Sequence[str], cluster: str, bootstrap: Bootstrap
) -> LayoutComparison:
    """Compare systems; `clusters` names what each page belongs to, `cluster` is what it is called."""
    tables = {name: _to_scores(findings) for name, findings in systems.items()}
    scored = [
        LayoutSystem(
            name,
            len(systems[name]),
            estimate_f(table, clusters, bootstrap, cluster),
            summarise_layouts([result.scores for result in systems[name][0]]),
        )
        for name, table in tables.items()
    ]
    pairs = list(combinations(tables, 2))
    tests = [compare_f(tables[one], tables[other], clusters, bootstrap, len(pairs), cluster) for one, other in pairs]
    known = [test.p for test in tests if test.p is not None]
    corrected: Sequence[float | None] = adjust_by_holm(known) if len(known) == len(tests) else [None] * len(tests)
    return LayoutComparison(
        systems=scored,
        pairs=[
            LayoutPair(*names, test, p, _find_better(names, test, p, 1 - bootstrap.level))
            for names, test, p in zip(pairs, tests, corrected, strict=True)
        ],
        clusters=clusters,
        cluster=cluster,
        bootstrap=bootstrap,
        findings={name: findings[0] for name, findings in systems.items()},
    )


def _to_scores(findings: Findings) -> PageScores:
    scores = [[result.scores.baselines for result in results] for results in findings]
    return PageScores(
        np.array([[one.precision for one in own] for own in scores]),
        np.array([[one.recall for one in own] for own in scores]),
    )


def _find_better(names: tuple[str, str], test: PairedTest, p: float | None, alpha: float) -> str | None:
    if p is None or p > alpha:
        return None
    return names[0] if test.difference.value > 0 else names[1]
