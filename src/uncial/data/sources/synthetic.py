"""Pages that the program draws itself, once for each choice of options, then reads like any other PAGE XML."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from uncial.data.settings import Progress, SourceSettings, show_no_progress
from uncial.data.sources.xml import read_page
from uncial.data.synthetic.options import parse_drawing_options
from uncial.data.synthetic.writer import collect_inputs, draw_collection, name_collection
from uncial.document import Page, SourceContents
from uncial.errors import UserError

_RECORD = "drawn.json"

_OF_READING = ("unlabelled", "every_file")
"""Options by which any source is read for more than its transcribed lines: drawn pages are read whole anyway."""

log = logging.getLogger(__name__)


def read(settings: SourceSettings) -> SourceContents:
    """Return the pages that `settings.options` describe, drawn below `settings.root[0]` unless they are there already.

    Each choice of options has its own folder there, `seed<seed>-<hash>`, with a `drawn.json` that says what is in it.
    Raises `UserError` for options, text or fonts that cannot be used, and where the pages cannot be written.
    """
    options = {key: value for key, value in settings.options.items() if key not in _OF_READING}
    workers = options.pop("workers", 2)
    if len(settings.root) != 1:
        raise UserError(f"{settings.key}: name one folder below which synthetic pages are drawn.")
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise UserError(f"data.options.workers is {workers!r}; write a number of processes, 1 or more.")
    folder, record = draw_pages(Path(settings.root[0]), options, workers, settings.progress)
    reading = read_page(replace(settings, format="page", root=(str(folder),), options={}))
    by_name = {entry["name"]: entry for entry in record["pages"]}
    return replace(reading, pages=tuple(_with_hand(p, by_name.get(p.source.stem)) for p in reading.pages))


def draw_pages(
    root: Path, options: dict[str, Any], workers: int = 2, progress: Progress = show_no_progress
) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the pages for these options, drawn if need be, and what its `drawn.json` says.

    Several processes may ask at once: one draws, the others wait. The folder has its name only when it is complete.
    """
    drawing = parse_drawing_options(options)
    decided = collect_inputs(drawing)
    folder = root / name_collection(decided)
    # Before anything is written: complete pages may lie where only reading is allowed.
    if (there := _load_complete(folder, decided)) is not None:
        return folder, there
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{folder.name}.lock"):
            record = _load_complete(folder, decided)
            if record is None:
                record = _draw(folder, decided, lambda place: draw_collection(place, drawing, workers, progress))
    except OSError as error:
        raise UserError(f"Synthetic pages cannot be written below {root}: {error.strerror or error}.") from error
    return folder, record


def _load_complete(folder: Path, decided: dict[str, Any]) -> dict[str, Any] | None:
    """Return what `drawn.json` says, where it speaks of these inputs and every page is there."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        names = [entry["name"] for entry in record["pages"]]
        image = decided["image"]
        there = all((folder / f"{n}.{image}").is_file() and (folder / "page" / f"{n}.xml").is_file() for n in names)
        return record if record["inputs"] == decided and there else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _draw(folder: Path, decided: dict[str, Any], draw: Callable[[Path], list[dict[str, str]]]) -> dict[str, Any]:
    """Draw under a temporary name and rename when all is done; the caller holds the lock."""
    for left_over in folder.parent.glob(f".{folder.name}.drawing-*"):  # Of a run that was killed.
        shutil.rmtree(left_over, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.drawing-", dir=folder.parent))
    try:
        log.info("Drawing synthetic pages into %s", folder)
        record = {"pages": draw(place), "inputs": decided}
        (place / _RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        place.chmod(0o777 & ~_read_umask())
        if folder.exists():  # Incomplete: pages of it have been taken away.
            shutil.rmtree(folder)
        place.replace(folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return record


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _with_hand(read_page: Page, entry: dict[str, str] | None) -> Page:
    if entry is None:
        return read_page
    return replace(read_page, document=entry["document"], hand=entry["hand"])
