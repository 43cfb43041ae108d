"""Lines as kraken cuts them, for one training on both.

    python tests/benchmarks/kraken_strips.py LIST --root DATA --out DIR

To be run by the python of an environment with kraken 7. LIST names PAGE or ALTO files below DATA, one a line; each of
their lines becomes PAGE__LINE.png and PAGE__LINE.gt.txt in DIR, which `data=lines data.train=DIR` reads.
"""

import argparse
from pathlib import Path

from kraken.lib.segmentation import extract_polygons  # type: ignore[import-not-found]
from kraken.lib.xml import XMLPage  # type: ignore[import-not-found]
from PIL import Image


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("list", type=Path)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    count = 0
    for name in filter(None, options.list.read_text(encoding="utf-8").splitlines()):
        page = XMLPage(options.root / name).to_container()
        with Image.open(page.imagename) as image:
            for strip, line in extract_polygons(image, page):
                if line.text.strip():
                    target = f"{Path(name).stem}__{line.id}"
                    strip.convert("L").save(options.out / f"{target}.png")
                    (options.out / f"{target}.gt.txt").write_text(line.text, encoding="utf-8")
                    count += 1
    print(f"{count:,} lines in {options.out}")


if __name__ == "__main__":
    main()
