"""What inspect finds of planted copies of pages, and what it takes for copies: python tests/benchmarks/duplicates.py.

    python tests/benchmarks/duplicates.py --work FOLDER page=DIR alto=DIR …

For each set (`FORMAT=FOLDER`, PAGE or ALTO; drawn forms without any) every n-th page is copied as people copy them:
saved anew and darker, smaller, askew, cropped; with its text, with that of another transcriber, or with a text that has
nothing to do with it. Says how many of the copies are found, by kind, and how many pairs of other pages are suspected.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "src")]

from drawn_forms import draw_forms, write_forms

from uncial.data.checks.duplicate_pages import find_page_pairs
from uncial.data.ground_truth import read_source
from uncial.data.settings import SourceSettings
from uncial.document import ImageSource, Page

COPIES = 5
"""Pages of each set that are copied, each in all ways."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("sets", nargs="*", help="FORMAT=FOLDER")
    options = parser.parse_args()
    sets = [tuple(one.split("=", 1)) for one in options.sets]
    if not sets:
        for printed in ("left out", "before", "apart"):
            root = write_forms(options.work / printed.replace(" ", "_"), draw_forms(60, printed=printed))
            sets.append(("page", str(root)))
    for kind, root in sets:
        pages = list(read_source(SourceSettings(kind, (root,))).pages)
        report(root, pages, options.work / "copies" / Path(root).name)


def report(name: str, pages: list[Page], work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    written = [page for page in pages if sum(len(line.text or "") for line in page.lines) > 30]
    step = max(len(written) // COPIES, 1)
    copies: dict[str, tuple[str, str]] = {}
    planted = []
    for page in written[::step][:COPIES]:
        for image, change in IMAGES.items():
            for text, retold in TEXTS.items():
                copy = copied(page, f"{image}-{text}", change, retold, work)
                copies[copy.id] = (page.id, f"{image}, {text}")
                planted.append(copy)
    start = time.process_time()
    alone = find_page_pairs(pages)
    seconds = time.process_time() - start
    print(f"{name}: {len(pages)} pages, {len(alone)} pairs suspected without copies, {seconds:.1f} s CPU", flush=True)
    for pair in alone[:5]:
        print(f"    {pair.first.id} {pair.second.id} by {pair.by}")
    found, asked, wrong = Counter[str](), Counter[str](), 0
    for identity, (original, way) in copies.items():
        # One copy at a time: a page is rarely there nine times.
        copy = next(page for page in planted if page.id == identity)
        pairs = {frozenset((pair.first.id, pair.second.id)) for pair in find_page_pairs([*pages, copy])}
        asked[way] += 1
        found[way] += frozenset((original, identity)) in pairs
        wrong += len([pair for pair in pairs if identity in pair and original not in pair])
    print("    " + "; ".join(f"{way} {found[way]}/{asked[way]}" for way in asked) + f"; wrong partners {wrong}")


def copied(
    page: Page, way: str, change: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], retold: Callable, work: Path
) -> Page:
    assert page.image is not None
    image = cv2.imread(str(page.image.path), cv2.IMREAD_GRAYSCALE)
    changed, moved = change(image)
    path = work / f"{page.id.replace('/', '_')}-{way}.jpg"
    cv2.imwrite(str(path), changed, [cv2.IMWRITE_JPEG_QUALITY, 50])
    scale = np.array([image.shape[1] / max(page.width, 1), image.shape[0] / max(page.height, 1)])

    def placed(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        at = np.array(points).reshape(-1, 2) * scale
        return tuple(map(tuple, (at @ moved[:, :2].T + moved[:, 2]).tolist()))

    lines = tuple(
        replace(line, polygon=placed(line.polygon), baseline=placed(line.baseline), box=None, text=retold(line.text))
        for line in page.lines
    )
    height, width = changed.shape
    return replace(page, id=f"{page.id}-{way}", image=ImageSource(path), width=width, height=height, lines=lines)


def saved_anew(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return cv2.convertScaleAbs(image, alpha=0.8, beta=9), np.eye(2, 3)


def smaller(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 0.5 * np.eye(2, 3)


def askew(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turn = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), 0.4, 1.0)
    return cv2.warpAffine(image, turn, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), turn


def cropped(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    margin = round(0.03 * min(image.shape))
    moved = np.array([[1.0, 0, -margin], [0, 1.0, -margin]])
    return np.ascontiguousarray(image[margin:-margin, margin:-margin]), moved


def other_transcriber(text: str | None) -> str | None:
    """One letter in eight otherwise."""
    random = np.random.default_rng(len(text or ""))
    return None if text is None else "".join("e" if random.random() < 0.12 else letter for letter in text)


def unrelated(text: str | None) -> str | None:
    random = np.random.default_rng(len(text or ""))
    return None if text is None else "".join(random.choice(list("abdfgilmnoqrstuvx ")) for _ in text)


IMAGES = {"saved anew": saved_anew, "smaller": smaller, "askew": askew, "cropped": cropped}
TEXTS = {"same text": lambda text: text, "other transcriber": other_transcriber, "unrelated text": unrelated}

if __name__ == "__main__":
    main()
