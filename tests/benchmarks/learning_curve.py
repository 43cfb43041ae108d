"""Whether a band fitted on up to half of the lines holds the score on all: learning_curve.py RUNS.

    python run.py -m sweep=learning_curve data=page data.root=DIR name=curve
    python tests/benchmarks/learning_curve.py outputs/curve/DATE_TIME

Takes the finished runs of the folder, fits the curve without those on the most lines, and says whether its 80 % band
holds each of them. Meant for two real sets with the default model, which takes hours on a processor.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

from uncial.metrics.intervals import Bootstrap, sum_by_cluster
from uncial.metrics.learning_curve import MeasuredRun, fit_learning_curve
from uncial.metrics.lines import choose_cluster_key
from uncial.tasks.forecast import check_comparable, find_finished_runs


def main() -> None:
    runs = find_finished_runs(sys.argv[1:])
    check_comparable(runs)
    pages = list(map(choose_cluster_key("page"), runs[0].lines))
    characters = sum_by_cluster(pages, [line.counts.characters for line in runs[0].lines])[:, 0]
    edits = sum_by_cluster(pages, *([line.counts.edits for line in one.lines] for one in runs))
    most = max(one.trained_on for one in runs)
    smaller = [
        MeasuredRun(one.trained_on, int(one.config.seed), own)
        for one, own in zip(runs, edits.T, strict=True)
        if one.trained_on < most
    ]
    band = fit_learning_curve(smaller, characters, 0.8, Bootstrap()).at(most)
    print(f"{most:,} lines: {band.value:.2%} ({band.low:.2%} to {band.high:.2%}) from up to {smaller[-1].lines:,}")
    for one, own in zip(runs, edits.T, strict=True):
        if one.trained_on == most:
            cer = own.sum() / characters.sum()
            print(f"  seed {one.config.seed}: {cer:.2%}, {'held' if band.low <= cer <= band.high else 'missed'}")


if __name__ == "__main__":
    main()
