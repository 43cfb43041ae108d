"""Trainings whose learning curve is known, without training: their edits page by page, and the folders they leave."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uncial.metrics.learning_curve import MeasuredRun
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.reports.tables.line_results import write_line_results

UP_TO_HALF = (1 / 16, 1 / 8, 1 / 4, 1 / 2)


@dataclass(frozen=True)
class Law:
    """CER `final` with `most` lines, of which the share `floor` no line would take away, and the rest falls with the
    `exponent`. `luck` is by how much (the logarithm of) a training's CER differs from that."""

    exponent: float
    floor: float = 0.0
    luck: float = 0.05
    final: float = 0.05
    most: int = 3200

    def cer(self, lines: float) -> float:
        return self.final * ((1 - self.floor) * (lines / self.most) ** -self.exponent + self.floor)


def trainings(law: Law, random, pages=20, shares=UP_TO_HALF, seeds=1) -> tuple[list[MeasuredRun], np.ndarray]:
    """Runs, and the characters of their pages, some of which are harder than others."""
    characters = random.poisson(1000, pages) + 50.0
    hard = random.gamma(6, 1 / 6, pages)
    runs = []
    for share in shares:
        for seed in range(1, seeds + 1):
            rate = law.cer(share * law.most) * np.exp(law.luck * random.normal())
            own = np.minimum(1, rate * hard * random.gamma(30, 1 / 30, pages))
            runs.append(MeasuredRun(round(share * law.most), seed, random.poisson(own * characters)))
    return runs, characters


def write_runs(folder: Path, law: Law, shares=(*UP_TO_HALF, 1), seeds=1, pages=5) -> None:
    """The folders that a multirun of sweep=learning_curve leaves, of lines with 50 letters, ten a page."""
    random = np.random.default_rng(1)
    for number, (share, seed) in enumerate((share, seed) for share in shares for seed in range(1, seeds + 1)):
        run = folder / str(number)
        run.mkdir(parents=True)
        rate = law.cer(share * law.most)
        edits = random.multinomial(round(rate * 500 * pages), np.full(10 * pages, 0.1 / pages))
        lines = [
            evaluate_line(
                LineOrigin(f"page_{place // 10}", f"line_{place % 10}"),
                "a" * 50,
                "b" * min(50, wrong) + "a" * (50 - min(50, wrong)),
                confidence=0.9,
            )
            for place, wrong in enumerate(edits.tolist())
        ]
        write_line_results(run / "lines.jsonl", lines)
        (run / "metrics.json").write_text(json.dumps({"val": {}, "train": {"lines": round(share * law.most)}}))
        (run / "config.yaml").write_text(f"seed: {seed}\ndata: {{share: {share}, seed: 1}}\noptimizer: {{lr: 0.001}}\n")
