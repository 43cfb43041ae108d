"""How much worse a model reads lines whose images were degraded: the same lines, clean and under each condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Estimate, estimate_rate, sum_by_cluster
from uncial.metrics.lines import EvaluatedLine, choose_cluster_key
from uncial.metrics.paired import PairedTest, adjust_by_holm, run_paired_test

CLEAN = "clean"
"""What the lines as they are are called."""


@dataclass(frozen=True, slots=True)
class ConditionScore:
    """Scores of all lines under one condition. `difference` is the test of its CER less that of the clean lines, page
    by page, None for the clean lines themselves; `p` is its p-value corrected by Holm for the number of conditions,
    None where there is one page alone, and `is_shown` that it is more than chance.
    """

    name: str
    cer: Estimate
    wer: Estimate
    line_accuracy: float
    difference: PairedTest | None = None
    p: float | None = None
    is_shown: bool = False


def score_conditions(
    clean: Sequence[EvaluatedLine], conditions: Mapping[str, Sequence[EvaluatedLine]], settings: EvaluationSettings
) -> tuple[ConditionScore, ...]:
    """Score lines as they are, named `CLEAN`, and under conditions, by name and in their order: the same lines in the
    same order each.
    """
    clusters = list(map(choose_cluster_key(settings.cluster), clean))
    found = [_score(CLEAN, clean, clean, clusters, settings, 0)]
    found += [_score(name, lines, clean, clusters, settings, len(conditions)) for name, lines in conditions.items()]
    known = [place for place, one in enumerate(found) if one.p is not None]
    corrected = adjust_by_holm([one.p for one in found if one.p is not None])
    for place, p in zip(known, corrected, strict=True):
        found[place] = replace(found[place], p=p, is_shown=p <= 1 - settings.bootstrap.level)
    return tuple(found)


def _score(
    name: str,
    lines: Sequence[EvaluatedLine],
    clean: Sequence[EvaluatedLine],
    clusters: Sequence[str],
    settings: EvaluationSettings,
    comparisons: int,
) -> ConditionScore:
    how = (settings.bootstrap, settings.cluster)
    edits, before, characters, word_edits, words = sum_by_cluster(
        clusters,
        [line.counts.edits for line in lines],
        [line.counts.edits for line in clean],
        [line.counts.characters for line in lines],
        [line.counts.word_edits for line in lines],
        [line.counts.words for line in lines],
    ).T
    one, other = edits[np.newaxis], before[np.newaxis]
    test = None
    if comparisons:
        test = run_paired_test(one, other, characters, settings.bootstrap, comparisons, settings.cluster)
    return ConditionScore(
        name,
        cer=estimate_rate(one, characters, *how),
        wer=estimate_rate(word_edits[np.newaxis], words, *how),
        line_accuracy=sum(line.counts.correct_lines for line in lines) / max(len(lines), 1),
        difference=test,
        p=None if test is None else test.p,
    )
