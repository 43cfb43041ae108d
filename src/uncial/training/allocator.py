"""Memory that a training step frees, kept for the next step."""

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20
KEPT = 1_500_000_000


def keep_freed_memory() -> bool:
    """Tell glibc to reuse large blocks instead of handing them back; returns whether it did.

    Every operation on the CPU allocates its result anew. By default glibc maps blocks of megabytes from the system and
    returns them, and a third of a step goes into the page faults. Elsewhere than on glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, KEPT))
