"""How long task=inspect takes on lines and pages that all look alike: python tests/benchmarks/inspection.py --work FOLDER.

Writes pages of one form, each filled in with other words, and inspects them: as pages (`--pages`, ten lines each), and
as line images (`--lines`), half of them printed words that every page has. Says how long each took by the clock and in
seconds of the processors. Further arguments go to the task.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

from drawn_forms import LABELS, draw_forms, write_forms  # noqa: E402

POOL = 200
"""Forms that are drawn; the others take their lines in another order and with other noise."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--lines", type=int, default=20000)
    options, typed = parser.parse_known_args()
    work = options.work.absolute()
    if options.pages:
        inspect("page", forms(work / "pages", options.pages), work, typed)
    if options.lines:
        inspect("lines", numbered(work / "lines", options.lines), work, typed)


def forms(root: Path, count: int) -> Path:
    """Pages of sixteen lines, of which each page has eight."""
    if not root.is_dir():
        for start in range(0, count, POOL):
            few = draw_forms(min(POOL, count - start), printed="apart", seed=start + 1)
            write_forms(root / f"box_{start:05d}", few)
    return root


def numbered(root: Path, count: int) -> Path:
    """Line images of a printed form: its labels, and `Nr.` with a number, each with noise of its own."""
    if not root.is_dir():
        root.mkdir(parents=True)
        for number in range(count):
            text = LABELS[number % len(LABELS)] if number % 2 else f"Eintrag Nr. {number // 2}"
            random = np.random.default_rng(number)
            image = np.full((64, 420), 232, np.uint8)
            cv2.putText(image, text, (14, 44), cv2.FONT_HERSHEY_COMPLEX, 1.0, 40, 2, cv2.LINE_AA)
            image = np.clip(image + random.normal(0, 4, image.shape), 0, 255)
            cv2.imwrite(str(root / f"form{number:05d}x.png"), image.astype(np.uint8))
            (root / f"form{number:05d}x.gt.txt").write_text(text, encoding="utf-8")
    return root


def inspect(kind: str, root: Path, work: Path, typed: list[str]) -> None:
    command = [sys.executable, str(ROOT / "run.py"), "task=inspect", f"data={kind}", f"data.root='{root}'"]
    folders = [f"hydra.run.dir='{work / kind}'", f"paths.store='{work / 'store'}'"]
    start, before = time.monotonic(), os.times()
    subprocess.run([*command, *folders, *typed], check=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{kind}: {time.monotonic() - start:.0f} s by the clock, {used:.0f} s of the processors", flush=True)


if __name__ == "__main__":
    main()
