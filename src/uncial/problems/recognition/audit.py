"""The lines of the data as several models judge their ground truth, none of which was trained on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.data.ground_truth import GroundTruth
from uncial.errors import UserError
from uncial.metrics.label_errors import compute_surprisals, find_misaligned, find_shifts
from uncial.problems.recognition.cross_validation import FoldModel, LineVerdict, judge_lines
from uncial.problems.recognition.evaluation import find_origin
from uncial.reports.html.audit_page import AuditedLine, ShiftedTexts
from uncial.reports.terminal.progress_bar import show_progress


@dataclass(frozen=True)
class Verdict:
    """What the judges of a line say: the mean of their log-odds, and the one whose are nearest to it."""

    log_odds: float
    spokesman: LineVerdict
    model: Path


def choose_rows_to_judge(config: DictConfig, truth: GroundTruth) -> np.ndarray:
    """Return the lines to judge: all that have a text of a person, or those of `data.subset`."""
    subset = str(config.data.subset or "all")
    rows = np.concatenate(list(truth.rows.values())) if subset == "all" else truth.rows[subset]
    rows = rows[truth.store.transcribed()[rows]]
    kept = [row for row in sorted(rows.tolist()) if truth.store.value(row, "text").strip()]
    if not kept:
        raise UserError(f"data.subset={subset}: there is no line with a text; choose another, or all.")
    return np.array(kept, dtype=np.int64)


def collect_verdicts(
    config: DictConfig, truth: GroundTruth, found: Sequence[FoldModel], prior: float
) -> tuple[dict[int, Verdict], list[float]]:
    said: dict[int, list[tuple[LineVerdict, Path]]] = {}
    temperatures = []
    texts = truth.store.column("text")
    with show_progress("judging", sum(len(judge.rows) for judge in found)) as advance:
        for judge in found:
            surprise = compute_surprisals(map(judge.recognizer.text.prepare, texts))
            width = int(config.trainer.evaluation_batch_width)
            temperature, own = judge_lines(judge, truth, surprise, prior, width, config.seed, advance)
            temperatures.append(temperature)
            for judgement in own:
                said.setdefault(judgement.row, []).append((judgement, judge.file))
    return {row: _sum_up_verdict(own) for row, own in said.items()}, temperatures


def _sum_up_verdict(said: Sequence[tuple[LineVerdict, Path]]) -> Verdict:
    odds = float(np.mean([judgement.log_odds for judgement, _ in said]))
    nearest = min(said, key=lambda one: abs(one[0].log_odds - odds) if np.isfinite(odds) else -one[0].log_odds)
    return Verdict(odds, *nearest)


def mean_truth_likelihood(verdict: Verdict) -> float:
    """Return how likely a character of the truth is, which orders the lines that were read as they are transcribed."""
    said = verdict.spokesman
    return said.truth_likelihood / max(1, len(said.truth))


def group_by_page(truth: GroundTruth, rows: Iterable[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in sorted(rows):
        found.setdefault(truth.store.value(row, "page"), []).append(row)
    return found


def find_texts_elsewhere(
    truth: GroundTruth, verdicts: Mapping[int, Verdict]
) -> tuple[dict[int, str], list[ShiftedTexts]]:
    """By row the id of the line of its page whose text was read in its image, and the runs of such lines."""
    text_of: dict[int, str] = {}
    runs = []
    for page, rows in group_by_page(truth, verdicts).items():
        truths = [verdicts[row].spokesman.truth for row in rows]
        readings = [verdicts[row].spokesman.reading for row in rows]
        ids = [truth.store.value(row, "line") for row in rows]
        found = find_misaligned(truths, readings)
        text_of |= {rows[place]: ids[other] for place, other in found.items()}
        runs += [
            ShiftedTexts(page, ids[run.first], ids[run.last], run.lines, run.offset)
            for run in find_shifts(truths, readings, found)
        ]
    return text_of, runs


def build_audited_line(
    truth: GroundTruth,
    row: int,
    verdict: Verdict,
    suspect: bool,
    exported: Mapping[int, str],
    sources: Mapping[str, str],
    text_of: str,
) -> AuditedLine:
    said = verdict.spokesman
    where = find_origin(truth.store, row)
    return AuditedLine(
        row=row,
        page=where.page,
        line=where.line,
        hand=where.hand,
        file=sources.get(where.page, ""),
        truth=said.truth,
        reading=said.reading,
        confidence=said.confidence,
        log_odds=verdict.log_odds,
        truth_likelihood=said.truth_likelihood / max(1, len(said.truth)),
        reading_likelihood=said.reading_likelihood / max(1, len(said.reading)),
        model=str(verdict.model),
        places=said.places,
        suspect=suspect,
        exported=exported.get(row, ""),
        text_of=text_of,
    )
