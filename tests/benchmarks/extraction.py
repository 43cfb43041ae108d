"""Lines a second, on one core, from page images to raw strips in an Arrow file.

    taskset -c 0 python tests/benchmarks/extraction.py [--root DIR] [--list splits/cremma-medieval.train.txt]

The XML is parsed before the clock starts. Two figures are printed: by processor time, which other work on
the machine hardly touches, and by the clock on the wall.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.document import Page
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.imaging.images import read_image

HERE = Path(__file__).resolve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=HERE.parents[3] / "shared/data")
    parser.add_argument("--list", default="splits/cremma-medieval.train.txt", help="XML paths, relative to --root")
    parser.add_argument("--every", type=int, default=1, help="take every n-th page")
    parser.add_argument("--max-height", type=int, default=128)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    paths = [str(args.root / line) for line in (args.root / args.list).read_text().split("\n") if line][:: args.every]
    pages = xml.read_xml(SourceSettings("xml", root=tuple(paths))).pages
    settings = ExtractionSettings(args.max_height, args.channels)
    extract_page(pages[0], settings)
    if args.profile:
        with cProfile.Profile() as profile:
            extract_all(pages, settings)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    wall, processor = time.perf_counter(), time.process_time()
    lines, failed, size = extract_all(pages, settings)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{len(pages)} pages, {lines} lines, {failed} refused, {size / 2**20:.0f} MiB")
    print(f"{lines / processor:.0f} lines/s of processor time, {lines / wall:.0f} lines/s on the wall")
    decoding = time.process_time()
    for page in pages:
        assert page.image is not None
        read_image(page.image, args.channels, (page.width, page.height))
    print(f"{(time.process_time() - decoding) / processor:.0%} of it decoding")


def extract_all(pages: tuple[Page, ...], settings: ExtractionSettings) -> tuple[int, int, int]:
    """Cut all lines and write them; the numbers of lines written and refused, and the file's size in bytes."""
    schema = pa.schema([("id", pa.string()), ("height", pa.int32()), ("width", pa.int32()), ("pixels", pa.binary())])
    done = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "strips.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for page in pages:
                strips = extract_page(page, settings).strips
                cut = [(line.id, s) for line, s in zip(page.lines, strips, strict=True) if isinstance(s, np.ndarray)]
                columns = [
                    pa.array([name for name, _ in cut]),
                    pa.array([strip.shape[0] for _, strip in cut], pa.int32()),
                    pa.array([strip.shape[1] for _, strip in cut], pa.int32()),
                    pa.array([strip.data for _, strip in cut], pa.binary()),
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))
                done, failed = done + len(cut), failed + len(strips) - len(cut)
        return done, failed, path.stat().st_size


if __name__ == "__main__":
    main()
