"""Memory that a training step frees, kept for the next step."""

import ctypes
import os
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20
KEPT = 1_500_000_000
PRIMITIVES = "4096"
"""How many prepared operations oneDNN keeps. A step needs about 40 for each shape of batch, and there are hundreds of
shapes: with its default of 1024 most are prepared anew, a fifth of a step on AVX512, for no less memory
(docs/benchmarks.md).
"""


def tune_malloc() -> bool:
    """Tell glibc to reuse large blocks instead of handing them back; returns whether it did.

    Every operation on the CPU allocates its result anew. By default glibc maps blocks of megabytes from the system and
    returns them, and a third of a step goes into the page faults. Elsewhere than on glibc nothing happens. To be called
    before the first operation of torch.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)  # read at the first operation
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, KEPT))
