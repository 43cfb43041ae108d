"""HTML pages that are one file each: templates filled in with everything escaped, and no way to the network."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from uncial.formats.atomic import replacing_text
from uncial.reports.figures import visible

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, **values: Any) -> None:
    """Fill in a template of `templates/` and write it to `path`.

    What is filled in is escaped. The page may run no script but `templates/list.js`, by which its cards or table rows
    are filtered, searched and sorted, and may load nothing: its Content-Security-Policy says so.
    """
    script = (TEMPLATES / "list.js").read_text(encoding="utf-8")
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
    return environment
