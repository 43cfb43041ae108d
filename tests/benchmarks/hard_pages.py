"""Pages on which finders of lines are known to fail, found whole by a model: network, reading of its maps, polygons.

    python tests/benchmarks/hard_pages.py [MODEL] [--out DIR]

The pages are those of tests/helpers/layout_pages.py, on which `make test` tries the reading of maps alone. A row a
page: how many lines there are and were found, how many are intact, split, merged and missed, how many are false, cBAD's
F, and the seconds of it. MODEL is base/layout where none is named. With --out each page is drawn there, its truth in
green and what was found in red.
"""

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
from layout_pages import PAGES

from uncial.metrics.layout.baselines import score_baselines
from uncial.metrics.layout.line_matches import match_lines
from uncial.models.files import load_any_model
from uncial.models.segmenter import Segmenter

FATES = ("intact", "split", "merged", "partial", "missed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=Path("base/layout"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    model, _ = load_any_model(options.model)
    assert isinstance(model, Segmenter)
    print(
        f"{'page':22}{'lines':>7}{'found':>7}"
        + "".join(f"{fate:>9}" for fate in (*FATES, "false"))
        + "      F  seconds"
    )
    for name, draw in PAGES.items():
        drawn = draw()
        grey = np.asarray(cv2.cvtColor(drawn.image, cv2.COLOR_RGB2GRAY)) if drawn.image.ndim == 3 else drawn.image
        began = time.perf_counter()
        found = [line.baseline for line in model.find(grey).lines]
        seconds = time.perf_counter() - began
        truth = [np.array(line.baseline) for line in drawn.page.lines]
        matches = match_lines(truth, found)
        scores = score_baselines(truth, found)
        counts = [*(matches.fates.count(fate) for fate in FATES), len(matches.false)]
        figures = "".join(f"{count:>9}" for count in counts)
        print(f"{name:22}{len(truth):>7}{len(found):>7}{figures}{100 * scores.f_measure:>7.1f}{seconds:>9.2f}")
        if options.out is not None:
            draw_page(options.out / f"{name}.png", grey, truth, found)


def draw_page(path: Path, grey: np.ndarray, truth: list[np.ndarray], found: list[np.ndarray]) -> None:
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) // 2 + 127
    for baselines, colour, width in ((truth, (0, 160, 0), 2), (found, (0, 0, 255), 1)):
        for baseline in baselines:
            cv2.polylines(picture, [np.round(baseline).astype(np.int32)], False, colour, width, cv2.LINE_AA)
            cv2.circle(picture, np.round(baseline[0]).astype(int).tolist(), 2 * width, colour, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


if __name__ == "__main__":
    main()
