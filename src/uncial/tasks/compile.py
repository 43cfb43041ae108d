"""task=compile: builds the compiled store, and on request Loghi's training layout."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.data.ground_truth import GroundTruth
from uncial.errors import UserError
from uncial.files import replace_file
from uncial.formats.lines.loghi import ExportLine, export
from uncial.problems.ground_truth import load_ground_truth, write_splits
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_skipped

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Compiles the data, or finds them compiled, and exports them where `data.export` says so."""
    folder, output = run_folder(), output_of(config)
    write_config(config, folder)
    truth = load_ground_truth(config)
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_splits(folder, truth)
    size = truth.store.path.stat().st_size / 2**20
    told = [
        f"{len(truth.store):,} lines, {size:,.0f} MB: {truth.store.path}",
        f"Train on it: {format_command('data=compiled', format_override('data.root', output or truth.store.path))}",
    ]
    if output is not None:
        with replace_file(output) as temporary:
            shutil.copyfile(truth.store.path, temporary)
        told.insert(1, f"To be handed on: {output}")
    show(make_console(), *told)
    if config.data.export == "loghi":
        show(make_console(), _export(truth, config.data.subset, folder / "loghi"))


def output_of(config: DictConfig) -> Path | None:
    """Return the file of `compile.output`. Raises `UserError` for one that exists, or that would not be known for what
    it is."""
    if config.compile.output is None:
        return None
    path = Path(str(config.compile.output)).expanduser()
    if path.suffix != ".arrow":
        raise UserError(f"compile.output={path}: its name has to end in .arrow, by which data=compiled knows it.")
    if path.exists():
        raise UserError(f"compile.output={path} exists already: choose another name, or remove it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _export(truth: GroundTruth, subset: str | None, folder: Path) -> str:
    """Writes Loghi's layout and tells how much it holds. Raises `UserError` where that is nothing."""
    written = export(_list_lines(truth, subset), folder)
    without = f", {plural(written.without_text, 'line')} without text left out" if written.without_text else ""
    if read := int(np.sum(~truth.store.transcribed())):
        without += f", {plural(read, 'line')} that a program read left out, since Loghi's lists cannot say so"
    if not written.lines:
        where = f"the {subset} part" if subset in truth.rows else "the data"
        raise UserError(f"data.export=loghi: {where} has no line to write{without}; choose another with data.subset.")
    return f"Loghi's layout, {plural(written.lines, 'line')}{without}: {folder}"


def _list_lines(truth: GroundTruth, subset: str | None) -> Iterator[ExportLine]:
    transcribed = truth.store.transcribed()
    for part, rows in truth.rows.items():
        if subset in (None, "all", part):
            for row in np.asarray(rows)[transcribed[rows]].tolist():
                names = {name: truth.store.value(row, name) for name in ("page", "line", "text")}
                yield ExportLine(names["page"], names["line"], names["text"], truth.store.strip(row), part)
