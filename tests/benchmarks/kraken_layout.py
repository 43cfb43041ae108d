"""kraken's finder of lines beside ours: on the same pages, trained for the same time, scored from the files they write.

    python tests/benchmarks/kraken_layout.py pages LIST --root DATA --out DIR
    python tests/benchmarks/kraken_layout.py train LIST --root DATA --out DIR --kraken BIN --minutes 15 [--begin MODEL]
    python tests/benchmarks/kraken_layout.py find --out DIR --kraken BIN [--model MODEL] [--threads 2]

LIST names ALTO or PAGE files below DATA, one a line; BIN is the folder of the programs of an environment with kraken 7.
`pages` makes DIR/truth, the files with their images, and DIR/scans, the images alone. `train` trains on the files of
LIST for so many minutes of the clock, validates on one in twenty of them, and names the last model that was kept.
`find` finds lines on DIR/scans with MODEL, or with the one that comes with kraken, into DIR/NAME, and says how long it
took. Then ours, and both scored:

    python run.py task=predict checkpoint=LAYOUT predict.input=DIR/scans predict.output=DIR/ours
    python run.py task=compare compare.what=layout 'compare.folders=[DIR/ours,DIR/blla]' compare.truth=DIR/truth
"""

import argparse
import shutil
import signal
import subprocess
import time
from pathlib import Path

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("pages", "train", "find"):
        step = steps.add_parser(name)
        step.add_argument("--out", type=Path, required=True)
        if name != "find":
            step.add_argument("list", type=Path)
            step.add_argument("--root", type=Path, required=True)
        if name != "pages":
            step.add_argument("--kraken", type=Path, required=True)
            step.add_argument("--threads", type=int, default=2)
    steps.choices["train"].add_argument("--minutes", type=float, default=15.0)
    steps.choices["train"].add_argument("--begin", type=Path)
    steps.choices["find"].add_argument("--model", type=Path)
    options = parser.parse_args()
    {"pages": make_pages, "train": train, "find": find}[options.step](options)


def make_pages(options: argparse.Namespace) -> None:
    for name in read_list(options.list):
        source = options.root / name
        image = find_image(source)
        for folder, files in (("truth", (source, image)), ("scans", (image,))):
            target = options.out / folder / Path(name).parent
            target.mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copyfile(file, target / file.name)


def train(options: argparse.Namespace) -> None:
    files = [str(options.root / name) for name in read_list(options.list)]
    options.out.mkdir(parents=True, exist_ok=True)
    parts = {"train": [f for n, f in enumerate(files) if n % 20], "val": files[::20]}
    for part, names in parts.items():
        (options.out / f"{part}.txt").write_text("\n".join(names), encoding="utf-8")
    command = [options.kraken / "ketos", "--threads", options.threads, "segtrain", "-f", "alto", "-N", 1000]
    command += ["-t", options.out / "train.txt", "-e", options.out / "val.txt", "-o", options.out / "model"]
    if options.begin is not None:
        command += ["-i", options.begin, "--resize", "new"]
    began = time.monotonic()
    with (options.out / "ketos.log").open("w") as log:
        running = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)
        try:
            running.wait(60 * options.minutes)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGINT)
            running.wait()
    kept = sorted(options.out.glob("model*/**/*.ckpt"), key=lambda path: path.stat().st_mtime)
    print(f"{time.monotonic() - began:.0f} s; {kept[-1] if kept else 'no epoch was finished, and no model kept'}")


def find(options: argparse.Namespace) -> None:
    scans = options.out / "scans"
    target = options.out / ("blla" if options.model is None else options.model.stem)
    images = sorted(path for path in scans.rglob("*") if path.suffix.lower() in IMAGES)
    command = [options.kraken / "kraken", "--threads", options.threads, "-a"]
    for image in images:
        out = (target / image.relative_to(scans)).with_suffix(".xml")
        out.parent.mkdir(parents=True, exist_ok=True)
        command += ["-i", image, out]
    command += ["segment", "-bl", *(["-i", options.model] if options.model else [])]
    began = time.monotonic()
    subprocess.run([str(word) for word in command], check=True)
    seconds = time.monotonic() - began
    print(f"{len(images)} pages in {seconds:.0f} s, {seconds / len(images):.2f} s a page, into {target}")


def read_list(path: Path) -> list[str]:
    return [name for name in path.read_text(encoding="utf-8").splitlines() if name.strip()]


def find_image(source: Path) -> Path:
    found = [path for path in source.parent.glob(f"{source.stem}.*") if path.suffix.lower() in IMAGES]
    if not found:
        raise SystemExit(f"{source}: no image beside it")
    return found[0]


if __name__ == "__main__":
    main()
