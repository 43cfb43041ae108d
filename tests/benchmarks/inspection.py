"""How long task=inspect takes on lines and pages that look alike: python tests/benchmarks/inspection.py --work FOLDER.

Writes pages of one form, each filled in with other words, and inspects them: as pages (`--pages`), and
as line images (`--lines`), half of them printed words that every page has. Says how long each took by the clock and in
seconds of the processors. Further arguments go to the task.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "src")]

from drawn_forms import LABELS, STEP, TOP, FilledForm, draw_forms, write_forms

from uncial.document import ImageSource

POOL = 100
"""Forms that are drawn."""


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
    """Pages of sixteen lines, eight of them printed; their entries are those of a few drawn forms."""
    if root.is_dir():
        return root
    pool = draw_forms(POOL, printed="apart", noise=0)
    random = np.random.default_rng(1)
    for number in range(count):
        image, lines = pool[0].image.astype(np.float32), list(pool[0].page.lines)
        for place in range(len(LABELS)):
            chosen = pool[int(random.integers(POOL))]
            top = TOP + STEP * place - 60
            image[top : top + STEP] = chosen.image[top : top + STEP]
            lines[2 * place + 1] = chosen.page.lines[2 * place + 1]
        image = np.clip(image + random.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
        name = f"form_{number:05d}"
        named = ImageSource(Path(f"{name}.png"))
        page = replace(pool[0].page, id=name, source=Path(f"{name}.xml"), image=named, lines=tuple(lines))
        write_forms(root / f"box_{number // 200:02d}", [FilledForm(image, page)])
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
