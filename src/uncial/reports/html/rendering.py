"""HTML pages that are one file each: templates filled in with everything escaped, and no way to the network."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from uncial.files import replacing_text
from uncial.reports.terminal.formatting import percent, percent_with_interval, shown_character, visible

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, script_file: str = "list.js", **values: Any) -> None:
    """Fill in a template of `templates/` and write it to `path`.

    What is filled in is escaped. The page may run no script but `script_file` of `templates/`, by which its cards or
    table rows are filtered, searched and sorted, and may load nothing: its Content-Security-Policy says so.
    """
    script = (TEMPLATES / script_file).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _environment().get_template(template)
    with replacing_text(path) as file:
        # Files that were found under a name that is no Unicode have surrogates in it.
        for piece in page.stream(**values, script=Markup(script), script_hash=digest):
            file.write(piece.encode("utf-8", "replace").decode("utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["percent"] = percent
    environment.filters["with_interval"] = percent_with_interval
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    environment.filters["character"] = shown_character
    return environment
