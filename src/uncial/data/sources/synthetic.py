"""Pages that the program draws itself, once for each choice of options, then reads like any other PAGE XML."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml as page
from uncial.data.synthetic.options import drawing_options
from uncial.data.synthetic.writer import collection_name, draw_collection, inputs
from uncial.document import Page, SourceContents
from uncial.errors import UserError

_RECORD = "drawn.json"

log = logging.getLogger(__name__)


def read(settings: SourceSettings) -> SourceContents:
    """The pages that `settings.options` describe, drawn below `settings.root[0]` unless they are there already.

    Each choice of options has its own folder there, `seed<seed>-<hash>`, with a `drawn.json` that says what is in it.
    Raises `UserError` for options, text or fonts that cannot be used, and where the pages cannot be written.
    """
    options = dict(settings.options)
    workers = options.pop("workers", 2)
    if len(settings.root) != 1:
        raise UserError("data.root: name one folder below which synthetic pages are drawn.")
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise UserError(f"data.options.workers is {workers!r}; write a number of processes, 1 or more.")
    folder, record = drawn_pages(Path(settings.root[0]), options, workers)
    reading = page.read_page(replace(settings, format="page", root=(str(folder),), options={}))
    by_name = {entry["name"]: entry for entry in record["pages"]}
    return replace(reading, pages=tuple(_with_hand(p, by_name.get(p.source.stem)) for p in reading.pages))


def drawn_pages(root: Path, options: dict[str, Any], workers: int = 2) -> tuple[Path, dict[str, Any]]:
    """The folder of the pages for these options, drawn if need be, and what its `drawn.json` says.

    Several processes may ask at once: one draws, the others wait. The folder has its name only when it is complete.
    """
    drawing = drawing_options(options)
    decided = inputs(drawing)
    folder = root / collection_name(decided)
    # Before anything is written: complete pages may lie where only reading is allowed.
    if (there := _complete(folder, decided)) is not None:
        return folder, there
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{folder.name}.lock"):
            record = _complete(folder, decided)
            if record is None:
                record = _draw(folder, decided, lambda place, bar: draw_collection(place, drawing, workers, bar))
    except OSError as error:
        raise UserError(f"Synthetic pages cannot be written below {root}: {error.strerror or error}.") from error
    return folder, record


def _complete(folder: Path, decided: dict[str, Any]) -> dict[str, Any] | None:
    """What `drawn.json` says, where it speaks of these inputs and every page is there."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        names = [entry["name"] for entry in record["pages"]]
        image = decided["image"]
        there = all((folder / f"{n}.{image}").is_file() and (folder / "page" / f"{n}.xml").is_file() for n in names)
        return record if record["inputs"] == decided and there else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _draw(folder: Path, decided: dict[str, Any], draw: Callable[[Path, Any], list[dict[str, str]]]) -> dict[str, Any]:
    """Draws under a temporary name and renames when all is done; the caller holds the lock."""
    for left_over in folder.parent.glob(f".{folder.name}.drawing-*"):  # Of a run that was killed.
        shutil.rmtree(left_over, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.drawing-", dir=folder.parent))
    try:
        with _progress(folder) as bar:
            record = {"pages": draw(place, bar), "inputs": decided}
        (place / _RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        place.chmod(0o777 & ~_umask())
        if folder.exists():  # Incomplete: pages of it have been taken away.
            shutil.rmtree(folder)
        place.replace(folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return record


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def _progress(folder: Path) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, a log line for every quarter elsewhere."""
    console = Console(stderr=True)
    log.info("Drawing synthetic pages into %s", folder)
    if not console.is_terminal:
        yield _log_quarters
        return
    columns = (TextColumn("Drawing pages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("drawing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _log_quarters(done: int, total: int) -> None:
    if done and done * 4 // total > (done - 1) * 4 // total:
        log.info("Drew %d of %d pages", done, total)


def _with_hand(read_page: Page, entry: dict[str, str] | None) -> Page:
    if entry is None:
        return read_page
    return replace(read_page, document=entry["document"], hand=entry["hand"])
