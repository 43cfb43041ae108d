"""Opening images to read their headers, however many pixels they state."""

import threading
from pathlib import Path
from typing import IO

from PIL import Image

_limit_lock = threading.Lock()


def open_header(file: IO[bytes] | Path, limit: int | None = None, formats: list[str] | None = None) -> Image.Image:
    """The image as Pillow opens it, nothing decoded yet.

    Pillow warns of more pixels than a module variable of its own allows and refuses at twice as many, which would
    stand in the way of a higher `data.max_pixels`; here `limit` takes its place, and None is no limit. Raises what
    Pillow raises.
    """
    with _limit_lock:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, limit
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before
