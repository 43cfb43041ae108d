"""HTML pages that are one file each: templates filled in with everything escaped, pictures in them, no network."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from uncial.files import replace_text_file
from uncial.reports.terminal.formatting import (
    format_character,
    format_percent,
    format_percent_with_interval,
    make_visible,
)

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, script_file: str = "list.js", **values: Any) -> None:
    """Fill in a template of `templates/` and write it to `path`.

    What is filled in is escaped. The page may run no script but `script_file` of `templates/`, by which its cards or
    table rows are filtered, searched and sorted, and may load nothing: its Content-Security-Policy says so.
    """
    script = (TEMPLATES / script_file).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _make_environment().get_template(template)
    with replace_text_file(path) as file:
        # Files that were found under a name that is no Unicode have surrogates in it.
        for piece in page.stream(**values, script=Markup(script), script_hash=digest):
            file.write(piece.encode("utf-8", "replace").decode("utf-8"))


@cache
def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = make_visible
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["percent"] = format_percent
    environment.filters["with_interval"] = format_percent_with_interval
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    environment.filters["character"] = format_character
    return environment


HEIGHT, WIDTH = 64, 1200
"""The most pixels that a picture has."""


def encode_picture(pixels: np.ndarray, height: int = HEIGHT, width: int = WIDTH) -> str:
    """Return a line image, (h, w), (h, w, 1) or (h, w, 3) uint8 RGB, as a `data:` address of a WebP file; never
    enlarged."""
    grey = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    scale = min(1.0, height / grey.shape[0], width / grey.shape[1])
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    small = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, 70])
    return encode_data_url(encoded.tobytes(), "image/webp")


def encode_data_url(content: bytes, kind: str) -> str:
    """Return a file of that media type as a `data:` address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
