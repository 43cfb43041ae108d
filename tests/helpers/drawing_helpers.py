"""Pages that tests draw: with a known curve of their lines, and in the folders that users have."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from uncial.data.synthetic.options import DrawingOptions
from uncial.data.synthetic.page import DrawnPage, draw_page
from uncial.data.synthetic.writer import write_page

SMALL = DrawingOptions(pages=2, lines=(3, 4), characters=(14, 20), hands=2)
"""Options for small pages, quickly drawn."""

CLEAN = replace(
    SMALL, texture=0.0, stains=0.0, show_through=0.0, ruling=0.0, noise=0.0, blur=(0.0, 0.0), fading=0.0, furniture=0.0
)
"""Writing on an even sheet."""


def draw_curved_page(
    texts: list[str],
    *,
    curvature: float = 0.0,
    skew: float = 0.0,
    waviness: float = 0.0,
    spacing: float = 1.4,
    seed: int = 1,
    options: DrawingOptions = CLEAN,
) -> DrawnPage:
    """A page with these texts whose lines are bowed by `curvature` (a fraction of their length, positive: upwards),
    askew by `skew` degrees and wavy; `page` holds the exact baselines, `inks` the ink of each line.
    """
    bent = {"curvature": curvature, "skew": skew, "waviness": waviness, "spacing": spacing}
    return draw_page(0, replace(options, seed=seed, **{key: (v, v) for key, v in bent.items()}), texts)


def ink_owner(drawn: DrawnPage, threshold: int = 128) -> np.ndarray:
    """(height, width) int: the number of the line, from 1, whose ink covers a pixel; 0 where there is none."""
    owner = np.zeros(drawn.image.shape[:2], np.int32)
    for number, ink in enumerate(drawn.inks, start=1):
        rows, columns = ink.coverage.shape
        owner[ink.top : ink.top + rows, ink.left : ink.left + columns][ink.coverage > threshold] = number
    return owner


def draw_bonnevie_layout(
    root: Path, *, finetune: int = 6, test: int = 2, seed: int = 1, options: DrawingOptions = SMALL
) -> Path:
    """Pages as `data=bonnevie` expects them, named like the National Library's scans: `<root>/finetune/*.jpg` with
    `<root>/finetune/page/*.xml`, and `<root>/test/` likewise. Returns `root`.
    """
    options = replace(options, seed=seed, image="jpg", version="2013-07-15")
    for number in range(finetune + test):
        drawn = draw_page(number, options)
        name = f"no-nb_digimanus_300599_{number + 3:04d}"
        assert drawn.page.image is not None
        image = replace(drawn.page.image, path=Path(f"{name}.jpg"))
        named = replace(drawn, page=replace(drawn.page, source=Path(f"page/{name}.xml"), image=image))
        write_page(named, root / ("finetune" if number < finetune else "test"), options)
    return root
