"""What fine-tuning is worth with few lines: python tests/benchmarks/fine_tuning.py BASE FOLDER --out DIR [KEY=VALUE …]

FOLDER holds ALTO pages of one hand. Its first pages by name are the test, the next the validation, the others are
learned from, with each number of lines and several draws of them; `task=compare` then sets the base model against the
draws of each number, with intervals over the test pages. What is there already is not trained again.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).resolve().parents[2] / "run.py"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--test-pages", type=int, default=3)
    parser.add_argument("--val-pages", type=int, default=2)
    parser.add_argument("--lines", nargs="+", default=["16", "64", "null"], help="null: all that remain")
    parser.add_argument("--draws", type=int, default=3)
    options, more = parser.parse_known_args()
    pages = sorted(options.folder.glob("*.xml"))
    ends = options.test_pages, options.test_pages + options.val_pages
    parts = {"test": pages[: ends[0]], "val": pages[ends[0] : ends[1]], "train": pages[ends[1] :]}
    data = ["data=alto", *(f"data.{part}=[{','.join(map(typed, files))}]" for part, files in parts.items()), *more]
    for lines in options.lines:
        runs = [tuned(options, data, lines, draw) for draw in range(1, options.draws + 1)]
        report(options, data, lines, runs)


def typed(path: Path) -> str:
    return '"' + str(path).replace('"', '\\"') + '"'


def tuned(options: argparse.Namespace, data: list[str], lines: str, draw: int) -> Path:
    folder: Path = options.out / f"{lines}-{draw}"
    if not (folder / "comparison.json").is_file():
        own = [f"data.lines={lines}", f"seed={draw}", f"hydra.run.dir={folder}"]
        program("experiment=bonnevie_finetune", f"pretrained={options.base}", *data, *own)
    return folder


def report(options: argparse.Namespace, data: list[str], lines: str, runs: list[Path]) -> None:
    folder = options.out / f"{lines}-compared"
    given = f"checkpoint=[{options.base},[{','.join(map(str, runs))}]]"
    program("task=compare", given, "compare.names=[base,tuned]", *data, f"hydra.run.dir={folder}")
    systems = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))["systems"]
    for system in systems:
        low, high = system["cer"]["interval"] or (float("nan"),) * 2
        print(
            f"{lines:>6} lines  {system['name']:6} CER {system['cer']['value']:.2%} ({low:.2%} to {high:.2%})",
            flush=True,
        )


def program(*arguments: str) -> None:
    subprocess.run([sys.executable, str(RUN), *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
