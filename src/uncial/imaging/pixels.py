"""Samples of any depth to 8 bits, and transparency to background."""

import cv2
import numpy as np

from uncial.imaging.background import local_background


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


def without_alpha(pixels: np.ndarray) -> np.ndarray:
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
        ground = local_background(np.ascontiguousarray(colour), visible)
    else:
        ground = np.full_like(colour, 255)
    weight = alpha.astype(np.float32) / 255
    weight = weight[..., None] if colour.ndim == 3 else weight
    return np.rint(colour * weight + ground * (1 - weight)).astype(np.uint8)


def _is_surface(visible: np.ndarray) -> bool:
    """Whether the visible pixels are a piece of paper, not bare strokes: strokes vanish when they are eroded by a
    share of the height.
    """
    side = max(3, min(visible.shape) // 6)
    count = cv2.countNonZero(visible)
    left = cv2.countNonZero(
        cv2.erode(visible, np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=255)
    )
    return count > 0 and left > 0.1 * count
