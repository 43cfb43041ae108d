"""How many of the lines that a script corrupted task=audit puts first: python tests/benchmarks/audit.py [options].

    python tests/benchmarks/audit.py --data page --root DIR --share 0.02 --folds 2 --work FOLDER [trainer.time_budget=…]

Corrupts the given share of a PAGE or ALTO set (copies of its files below `--work`; the images are linked, the originals
untouched), trains one model for each fold on the corrupted set with `python run.py`, audits it, and says how many of
the corrupted lines are in the first 2 x share of the ranking, by kind. Further arguments go to the trainings.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "src")]

from corrupted_truths import KINDS, corrupted

from uncial.data.ground_truth import read_source
from uncial.data.settings import SourceSettings
from uncial.document import Transcription
from uncial.formats.transcription_files import write_pages
from uncial.text.normalization import normalize

Place = tuple[str, str]


def main() -> None:
    options, training = arguments()
    work = options.work.absolute()
    kinds = corrupted_copy(options, work / "data")
    data = [f"data={options.data}", f"data.root='{work / 'data'}'", f"data.folds={options.folds}"]
    common = [*data, "data.ratio=[.9,.1,0]", f"paths.store='{work / 'store'}'"]
    for fold in range(options.folds):
        run(work / "runs" / str(fold), ["task=train", *common, f"data.fold={fold}", *training])
    run(work / "audit", ["task=audit", *common, f"checkpoint='{work / 'runs'}'", f"audit.share={2 * options.share}"])
    report(json.loads((work / "audit" / "audit.json").read_text(encoding="utf-8")), kinds, work)


def arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="page", choices=("page", "alto", "xml"))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--include", nargs="*", default=[], help="globs of the files to take")
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True)
    return parser.parse_known_args()


def corrupted_copy(options: argparse.Namespace, target: Path) -> dict[Place, str]:
    """Writes the copy and returns the kinds of the corrupted lines by page and line."""
    settings = SourceSettings(options.data, (str(options.root),), include=tuple(options.include))
    pages = read_source(settings).pages
    lines = [(page, line) for page in pages for line in page.lines if line.text and line.text.strip()]
    wrong = corrupted([normalize(line.text or "") for _, line in lines], options.share, options.seed)
    kinds = {(lines[place][0].id, lines[place][1].id): kind for place, (kind, _) in wrong.items()}
    texts: dict[str, dict[str, Transcription]] = {page.id: {} for page in pages}
    for place, (_, text) in wrong.items():
        page, line = lines[place]
        texts[page.id][line.id] = Transcription(text, 1.0)
    for page in pages:
        assert page.image is not None
        copy = target / f"{page.id}.xml"
        copy.parent.mkdir(parents=True, exist_ok=True)
        lines = tuple(replace(line, transcription=texts[page.id].get(line.id)) for line in page.lines)
        write_pages([replace(page, lines=lines)], copy)
        link = copy.with_name(page.image.path.name)
        if not link.exists():
            link.symlink_to(page.image.path.absolute())
    print(f"{len(lines):,} lines of {len(pages)} pages, {len(kinds)} corrupted", flush=True)
    return kinds


def run(folder: Path, typed: list[str]) -> None:
    command = [sys.executable, str(ROOT / "run.py"), f"hydra.run.dir='{folder}'", *typed]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)


def report(audit: dict, kinds: dict[Place, str], work: Path) -> None:
    ranking = [(line["page"], line["line"]) for line in audit["lines"]]
    first = {place for place, line in zip(ranking, audit["lines"], strict=True) if line["suspect"]}
    found = Counter(kinds[place] for place in first if place in kinds)
    there = Counter(kinds[place] for place in ranking if place in kinds)
    scores = [json.loads(file.read_text())["val"]["cer"] for file in sorted(work.glob("runs/*/metrics.json"))]
    print("CER of the folds:", ", ".join(f"{score:.1%}" for score in scores))
    print(f"{found.total()} of {there.total()} corrupted lines among the first {len(first)} of {len(ranking)}")
    for kind in KINDS:
        print(f"  {kind}: {found[kind]} of {there[kind]}")


if __name__ == "__main__":
    main()
