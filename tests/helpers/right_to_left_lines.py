"""Drawn lines in right-to-left scripts, laid out as a scribe would: word for word from the right, numbers and Latin
words from left to right. Nothing here knows the bidirectional algorithm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
HEBREW, ARABIC = "אגש", "ابس"
SIZE, GAP = 28, 12


@dataclass(frozen=True)
class Line:
    """A line image and its text as it is read, word after word."""

    image: Image.Image
    text: str


def draw_line(words: Sequence[str]) -> Line:
    """Each word a run of one direction: letters of one script, or a number."""
    font = ImageFont.truetype(str(FONT), SIZE, layout_engine=ImageFont.Layout.BASIC)
    seen = [word[::-1] if word[0] in HEBREW + ARABIC else word for word in words]
    widths = [font.getlength(word) for word in seen]
    image = Image.new("L", (int(sum(widths)) + GAP * (len(words) + 1), SIZE + 16), 255)
    pen, right = ImageDraw.Draw(image), float(image.width - GAP)
    for word, width in zip(seen, widths, strict=True):
        pen.text((right - width, SIZE), word, fill=0, font=font, anchor="ls")
        right -= width + GAP
    return Line(image, " ".join(words))


def draw_lines(count: int, letters: str, seed: int = 1) -> list[Line]:
    """Lines of three words: letters, then a number or a Latin word, then letters again."""
    random = np.random.default_rng(seed)

    def word(characters: str) -> str:
        return "".join(random.choice(list(characters), 2))

    return [
        draw_line([word(letters), word("27" if random.random() < 0.5 else "xz"), word(letters)]) for _ in range(count)
    ]


def write_lines(root: Path, lines: Sequence[Line]) -> Path:
    """`X.png` with `X.gt.txt`."""
    root.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(lines):
        line.image.save(root / f"p{number:03d}_l1.png")
        (root / f"p{number:03d}_l1.gt.txt").write_text(line.text + "\n", encoding="utf-8")
    return root
