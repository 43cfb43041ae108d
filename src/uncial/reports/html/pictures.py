"""Line images and other pictures as part of an HTML page."""

import base64

import cv2
import numpy as np

HEIGHT, WIDTH = 64, 1200
"""The most pixels that a picture has."""


def picture(pixels: np.ndarray, height: int = HEIGHT, width: int = WIDTH) -> str:
    """A line image, (h, w), (h, w, 1) or (h, w, 3) uint8 RGB, as a `data:` address of a WebP file; never enlarged."""
    grey = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    scale = min(1.0, height / grey.shape[0], width / grey.shape[1])
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    small = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, 70])
    return embedded(encoded.tobytes(), "image/webp")


def embedded(content: bytes, kind: str) -> str:
    """A file of that media type as a `data:` address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
