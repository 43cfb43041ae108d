"""Pages of PDF files as pixels, by pypdfium2, which comes with the extra `pdf`."""

from pathlib import Path
from typing import Any

import numpy as np

from uncial.errors import UnusableInput, UserError

POINTS_PER_INCH = 72.0

REASONS = {
    "password": "it is encrypted; save it without its password",
    "security": "it is encrypted in a way that is not known; save it without its password",
    "format": "it is damaged or no PDF; fetch it again",
}
"""What PDFium's words for what is wrong with a file mean for its user."""


def is_pdf(path: Path) -> bool:
    """Return whether the name is that of a PDF file."""
    return path.suffix.lower() == ".pdf"


def count_pdf_pages(path: Path) -> int:
    """Return how many pages a file has.

    Raises `UnusableInput` where it cannot be read, `UserError` where the package that reads it is not installed."""
    document = _open(path)
    try:
        return len(document)
    finally:
        document.close()


def render_pdf_page(path: Path, number: int, dpi: float, max_pixels: int) -> np.ndarray:
    """Return page `number`, from 0, as (H, W, 3) uint8 RGB with `dpi` pixels an inch.

    Raises `UnusableInput` where it cannot be read or has more than `max_pixels`, `UserError` where the package that
    reads it is not installed."""
    document = _open(path)
    try:
        page = document[number]
        width, height = (size * dpi / POINTS_PER_INCH for size in page.get_size())
        if width * height > max_pixels:
            reason = (
                f"{path}: page {number + 1} has {width:.0f} x {height:.0f} pixels at {dpi:g} dpi, over the limit of"
            )
            raise UnusableInput(
                f"{reason} {max_pixels}; lower predict.dpi, or raise data.max_pixels", "too_large_image"
            )
        pixels = page.render(scale=dpi / POINTS_PER_INCH, rev_byteorder=True, prefer_bgrx=False).to_numpy()
        return np.ascontiguousarray(pixels[:, :, :3] if pixels.ndim == 3 else np.stack([pixels] * 3, axis=2))
    except (IndexError, RuntimeError, ValueError) as error:
        raise UnusableInput(
            f"{path}: page {number + 1} cannot be shown ({_shorten(error)}); fetch the file again", "unreadable_image"
        ) from error
    finally:
        document.close()


def _open(path: Path) -> Any:
    try:
        import pypdfium2
    except ImportError:
        raise UserError(
            f"{path} is a PDF, which the package pypdfium2 reads: install it with pip install 'uncial[pdf]', or leave "
            "such files out with data.exclude=['*.pdf']."
        ) from None
    try:
        return pypdfium2.PdfDocument(path)
    except FileNotFoundError:
        raise UnusableInput(f"{path}: the file is missing; put it there", "missing_image") from None
    except (OSError, RuntimeError, ValueError) as error:
        told = str(error).lower()
        reason = next((reason for word, reason in REASONS.items() if word in told), None)
        raise UnusableInput(
            f"{path}: {reason or f'it cannot be opened ({_shorten(error)}); fetch it again'}", "unreadable_image"
        ) from error


def _shorten(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
