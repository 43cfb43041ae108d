"""Lines without letters, for what only looks at pixels."""

import numpy as np


def line(height: int = 48, width: int = 300) -> np.ndarray:
    """Upright strokes on white paper, well inside the line."""
    image = np.full((height, width), 255, np.uint8)
    for x in range(20, width - 20, 20):
        image[height // 4 : -height // 4, x : x + 4] = 10
    return image
