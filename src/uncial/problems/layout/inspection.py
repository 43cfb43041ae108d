"""What is in the pages that a layout model would learn from, and what is wrong with them: task=inspect of layouts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from omegaconf import DictConfig

from uncial.config.schema import as_tuple
from uncial.data.checks.findings import Finding
from uncial.data.checks.geometry import find_empty_parts, find_geometry_faults
from uncial.data.checks.partial_pages import (
    FoundLines,
    PartialPage,
    compare_found_lines,
    find_free_regions,
    report_partial_page,
    select_partial_pages,
)
from uncial.data.checks.unusable import report_notes, report_problems
from uncial.data.splits.leakage import SplitLeakage, find_leakage
from uncial.data.splits.split_file import COLUMNS
from uncial.errors import UserError
from uncial.models.files import find_model_file
from uncial.models.layout.pages import make_found_page
from uncial.models.precision import enter_inference_autocast
from uncial.models.segmenter import Segmenter
from uncial.problems.layout.finding import load_for_finding
from uncial.problems.layout.ground_truth import PageTruth, list_split_rows, load_pages
from uncial.problems.layout.setup import read_region_types
from uncial.reports.html.findings_page import LineView, write_findings_page
from uncial.reports.plots.layout_sheets import LayoutSheets
from uncial.reports.tables.findings import write_findings
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.inspection import Inspection, PartSize, inspection_to_json, make_inspection_tables
from uncial.reports.terminal.progress_bar import show_progress
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_csv, write_skipped

HEIGHT = 620
"""Pixels of the picture of a page in findings.html."""

MARKED, MISSING = (70, 110, 190), (210, 30, 30)
"""Colours of the lines that a page has, and of those that were found where it has none."""


def inspect_layouts(config: DictConfig) -> list[Finding]:
    """Say what the pages of `data` hold and what is wrong with them, whether or not they have text, and return the
    findings. A layout model in `checkpoint` tells which pages are perhaps transcribed in part."""
    model = None if config.checkpoint is None else _load(config)
    folder = run_folder()
    write_config(config, folder)
    truth = load_pages(config)
    partial = [] if model is None else _find_partial_pages(truth, model)
    sides = find_leakage(truth.store, truth.rows)
    findings = list(_find(truth, partial, sides, config.data.split))
    inspection = replace(
        _measure(config, truth),
        source=", ".join(as_tuple(config.data.root)) or config.data.name,
        findings=findings,
        separation=sides,
        split=config.data.split,
    )
    files = RunFolder(folder)
    write_skipped(files.skipped, truth.problems)
    write_csv(files.splits, COLUMNS, list_split_rows(truth))
    write_findings(files.findings, inspection_to_json(inspection), findings)
    missing = {page.row: page for page in partial}
    write_findings_page(
        files.findings_page, inspection, lambda row: _draw_page(truth, missing[row]), config.inspect.pictures
    )
    _draw_sheets(truth, int(config.inspect.samples), int(config.seed), files.layout_sheets)
    show(
        make_console(),
        make_inspection_tables(inspection),
        f"findings.html, findings.json, skipped.csv and sheets of pages: {folder}",
    )
    return findings


def _load(config: DictConfig) -> Segmenter:
    model = load_for_finding(config, find_model_file(Path(str(config.checkpoint)), "checkpoint"))
    if model.channels != int(config.data.channels):
        raise UserError(
            f"data.channels={config.data.channels}: checkpoint={config.checkpoint} sees {model.channels}; give "
            f"data.channels={model.channels}."
        )
    return model.eval()


def _find(truth: PageTruth, partial: list[PartialPage], sides: SplitLeakage, by: str) -> Iterator[Finding]:
    """Yield all findings."""
    yield from report_problems(truth.problems)
    yield from report_notes(truth.store.notes)
    for leak in sides.leaks(by):
        message = f"{leak}: scores will look better than on new pages"
        yield Finding("error", "leaking_page", message, "", "", "Keep each page, document or hand on one side.")
    for warning in () if sides.leaks(by) else truth.warnings:
        yield Finding("information", "split", warning)
    yield from (replace(report_partial_page(page), row=page.row) for page in partial)
    told = {str(page.marked.source) for page in partial}
    for row in range(len(truth.store)):
        page = truth.store.page(row)
        # Only what concerns places: the texts of the lines are not looked at.
        places = {(page.id, line.id): row for line in page.lines}
        yield from (replace(finding, row=None) for finding in find_geometry_faults([page], places))
        if page.lines or str(page.source) not in told:
            yield from (one for one in find_empty_parts([page]) if one.kind != "untranscribed_lines")
        if str(page.source) not in told:
            yield from find_free_regions(page, truth.store.shapes(row).interline / truth.store.scale(row)[1])


def _find_partial_pages(truth: PageTruth, model: Segmenter) -> list[PartialPage]:
    compared = []
    with show_progress("finding lines", len(truth.store), "pages") as advance:
        for row in range(len(truth.store)):
            compared.append(_compare(truth, row, model))
            advance(1)
    return select_partial_pages(compared)


def _compare(truth: PageTruth, row: int, model: Segmenter) -> FoundLines:
    sheet, marked, scale = np.array(truth.store.pixels(row)), truth.store.page(row), truth.store.scale(row)
    truth.store.let_go()
    with torch.inference_mode(), enter_inference_autocast(next(model.parameters()).device.type):
        layout = model.find(sheet)
    return compare_found_lines(marked, make_found_page(layout, marked, scale))


def _measure(config: DictConfig, truth: PageTruth) -> Inspection:
    """Return the figures of the pages."""
    lines, types = np.array(truth.store.column("lines"), np.int64), read_region_types(config)
    pages = [types.rename_page(truth.store.page(row)) for row in range(len(truth.store))]
    parts = {part: PartSize(len(rows), int(lines[rows].sum())) for part, rows in truth.rows.items()}
    return Inspection(
        source="",
        pages=len(pages),
        lines=int(lines.sum()),
        lines_without_text=0,
        alphabet={},
        parts=parts,
        regions=dict(Counter(region.type or "" for page in pages for region in page.regions).most_common()),
        problems=truth.problems,
        lines_of_pages=lines.tolist(),
    )


def _draw_sheets(truth: PageTruth, count: int, seed: int, folder: Path) -> None:
    """Draw pages with their lines and regions, the same ones for the same seed."""
    sheets = LayoutSheets(folder)
    for row in sorted(np.random.default_rng(seed).permutation(len(truth.store))[:count].tolist()):
        sheets.add(truth.store.page(row), truth.store.pixels(row), truth.store.scale(row))
    sheets.close()


def _draw_page(truth: PageTruth, page: PartialPage) -> LineView:
    """Return the picture of a page with the lines that its file has, and those that were found where it has none."""
    pixels, scale = truth.store.pixels(page.row), np.array(truth.store.scale(page.row))
    factor = min(1.0, HEIGHT / pixels.shape[0])
    size = max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    canvas = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB) if small.ndim == 2 else small.copy()
    for lines, colour, width in ((page.marked.lines, MARKED, 1), (page.missing, MISSING, 2)):
        for line in lines:
            if line.baseline:
                points = np.rint(np.array(line.baseline) * scale * factor).astype(np.int32)
                cv2.polylines(canvas, [points], False, colour, width, cv2.LINE_AA)
    return LineView(canvas, "", HEIGHT)
