"""Lines a second from a compiled store to text: python tests/benchmarks/recognition.py MODEL STORE.arrow [LINES]

Preprocessing, the network in the precision it reads in, and greedy decoding with confidences, in one process with all
cores. Each of three passes reads the same lines, batches of equal widths as in validation.
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from uncial.data.store.store import Store
from uncial.pipelines.recognition import load
from uncial.training.distributed.devices import tune_malloc


def main() -> None:
    tune_malloc()
    cv2.setNumThreads(1)
    transcriber = load(sys.argv[1])
    store = Store(Path(sys.argv[2]))
    count = min(int(sys.argv[3]) if len(sys.argv) > 3 else 2000, len(store))
    rows = np.random.default_rng(1).permutation(len(store))[:count].tolist()
    for number in range(3):
        start = time.perf_counter()
        transcriber.transcribe(store.strip(row) for row in rows)
        print(f"pass {number + 1}: {count / (time.perf_counter() - start):,.0f} lines/s")


if __name__ == "__main__":
    main()
