"""The pixels of a decoded image: their kinds of values, and which way the page stands."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from uncial.document import PageWarning
from uncial.errors import UnusableInput
from uncial.imaging.background import estimate_background

Size = tuple[int, int]

ASPECT_TOLERANCE = 0.01
"""How far the ratio of the two scales may be from 1 for an image to count as a scaled copy of what the file
describes.
"""


@dataclass(frozen=True, slots=True)
class Fit:
    """`turned`: whether the EXIF orientation is to be applied. `scale`: image pixels for one unit of the stated
    size, (x, y).
    """

    turned: bool
    scale: tuple[float, float] = (1.0, 1.0)
    notes: tuple[PageWarning, ...] = ()


def fit_to_stated_size(raw: Size, orientation: int, stated: Size, path: Path) -> Fit:
    """Choose between the pixels as stored and as turned by their EXIF `orientation` (1 to 8), given the `stated`
    (width, height).

    The variant whose size is the stated one is used, else the one of the same aspect within 1 %, its coordinates
    scaled. Where both fit alike (no size stated, a square, a mirrored or 180-degree orientation) the turned pixels
    are used, since those are what every viewer showed to the person who made the ground truth, and a note says so.

    Raises `UnusableInput` where neither fits: its lines would be cut from the wrong places.
    """
    turned = raw[::-1] if orientation >= 5 else raw
    if orientation == 1:
        return _fit(raw, stated, False, path)
    told = stated[0] > 0 and stated[1] > 0
    if told and orientation >= 5:
        distances = _describe_mismatch(raw, stated), _describe_mismatch(turned, stated)
        if abs(distances[0] - distances[1]) > 2 * ASPECT_TOLERANCE:
            return _fit(raw, stated, False, path) if distances[0] < distances[1] else _fit(turned, stated, True, path)
    fit = _fit(turned, stated, True, path)
    guess = (
        f"{path}: its EXIF orientation ({orientation}) was applied, but the ground truth does not tell "
        "whether its coordinates were made so; look at the lines"
    )
    return Fit(True, fit.scale, (PageWarning("doubtful_orientation", guess), *fit.notes))


def _describe_mismatch(size: Size, stated: Size) -> float:
    """Return how far the two scales are from one another; 0 for the same aspect."""
    ratio = (size[0] / stated[0]) / (size[1] / stated[1])
    return max(ratio, 1 / ratio) - 1


def _fit(size: Size, stated: Size, turned: bool, path: Path) -> Fit:
    if stated[0] <= 0 or stated[1] <= 0:
        return Fit(turned)
    if max(abs(size[0] - stated[0]), abs(size[1] - stated[1])) <= 1:
        return Fit(turned)  # exporters round; scaling by a pixel in thousands would only blur
    sizes = f"{size[0]} x {size[1]} pixels, but the ground truth states {stated[0]} x {stated[1]}"
    # A size stated in small whole units cannot have the exact aspect.
    tolerance = max(ASPECT_TOLERANCE, 1.0 / min(stated))
    if _describe_mismatch(size, stated) > tolerance:
        hint = "it seems to be turned; " if _describe_mismatch(size[::-1], stated) <= tolerance else ""
        reason = f"{path}: the image has {sizes}; {hint}put the image there that was transcribed"
        raise UnusableInput(reason, "wrong_image_size")
    scale = (size[0] / stated[0], size[1] / stated[1])
    reason = f"{path}: the image has {sizes}; its coordinates were scaled by {scale[0]:.4g}"
    return Fit(turned, scale, (PageWarning("scaled_coordinates", reason),))


def turn(pixels: np.ndarray, orientation: int, back: bool = False) -> np.ndarray:
    """Apply an EXIF `orientation` to (H, W, ...) pixels, or undo it with `back`. Gives a view."""
    flip_lr, flip_ud, swap = _STEPS[orientation]
    if swap and not back:
        pixels = pixels.swapaxes(0, 1)
    if flip_lr:
        pixels = pixels[:, ::-1]
    if flip_ud:
        pixels = pixels[::-1]
    if swap and back:
        pixels = pixels.swapaxes(0, 1)
    return pixels


# Orientation to (mirror left-right, mirror up-down, swap the axes first): Exif 2.32, tag 274.
_STEPS = {
    1: (False, False, False),
    2: (True, False, False),
    3: (True, True, False),
    4: (False, True, False),
    5: (False, False, True),
    6: (True, False, True),
    7: (True, True, True),
    8: (False, True, True),
}


def to_eight_bits(levels: np.ndarray) -> np.ndarray:
    """Scale grey or colour samples (H, W[, C]) to uint8.

    Integers are scaled by the depth that their largest value needs, of 8, 10, 12, 14 and 16 bits: cameras and
    scanners store 12-bit values in 16-bit files, and a page has white in it. Floats are taken as 0 to 1, else 0 to
    255, else 0 to 65535.

    Raises ValueError where the values are no grey levels (negative, NaN, beyond 16 bits).
    """
    if levels.dtype == np.uint8:
        return levels
    if levels.dtype == bool:
        return levels.astype(np.uint8) * 255
    low, high = float(levels.min()), float(levels.max())
    if not (low >= 0 and high <= 65535):
        raise ValueError(f"its values, from {low:g} to {high:g}, are no grey levels")
    if levels.dtype.kind == "f":
        white = next(limit for limit in (1.0, 255.0, 65535.0) if high <= limit)
    else:
        white = next(float((1 << bits) - 1) for bits in (8, 10, 12, 14, 16) if high < 1 << bits)
    return cv2.convertScaleAbs(levels.astype(np.float32), alpha=255.0 / white)


def drop_alpha(pixels: np.ndarray) -> np.ndarray:
    """Replace transparent pixels of (H, W, 2) or (H, W, 4) uint8 and drop the alpha channel.

    In a line image cut by its polygon (Loghi's RGBA) they take the local background of the visible ones, so that no
    edge and no black reads as ink. Where only the ink itself is visible, as in a drawing on a transparent ground,
    they become white.
    """
    if pixels.ndim == 2 or pixels.shape[2] in (1, 3):
        return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    colour, alpha = np.ascontiguousarray(pixels[..., :-1]), np.ascontiguousarray(pixels[..., -1])
    colour = colour[..., 0] if colour.shape[2] == 1 else colour
    if alpha.min() == 255:
        return colour
    visible = np.where(alpha >= 128, np.uint8(255), np.uint8(0))
    if _is_surface(visible):
        ground = estimate_background(np.ascontiguousarray(colour), visible)
    else:
        ground = np.full_like(colour, 255)
    weight = alpha.astype(np.float32) / 255
    weight = weight[..., None] if colour.ndim == 3 else weight
    return np.rint(colour * weight + ground * (1 - weight)).astype(np.uint8)


def _is_surface(visible: np.ndarray) -> bool:
    """Return whether the visible pixels are a piece of paper, not bare strokes: strokes vanish when they are eroded by
    a share of the height."""
    side = max(3, min(visible.shape) // 6)
    count = cv2.countNonZero(visible)
    left = cv2.countNonZero(
        cv2.erode(visible, np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=255)
    )
    return count > 0 and left > 0.1 * count
