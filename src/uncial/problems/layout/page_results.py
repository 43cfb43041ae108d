"""What a layout run leaves of its pages: a table of their scores, what was found on them, and the report."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from uncial.data.pages.store import describe_layout, read_layout
from uncial.document import Page
from uncial.files import replace_text_file
from uncial.metrics.layout.areas import score_pixels
from uncial.metrics.layout.layout_metric import PageLayout, PageResult, compare_layouts
from uncial.problems.build import build_bootstrap
from uncial.problems.layout.ground_truth import PageTruth
from uncial.problems.layout.setup import build_whole_pages
from uncial.problems.layout.told import keep_told
from uncial.reports.html.layout_page import ComparedPage, write_layout_page
from uncial.reports.html.report_page import ReportHeader
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv

PAGE_COLUMNS = (
    "page",
    "document",
    "f_measure",
    "precision",
    "recall",
    "lines",
    "found",
    "intact",
    "split",
    "merged",
    "partial",
    "missed",
    "false",
    "region_iou",
    "ink_lost",
    "ink_taken",
)


INK_FATES = ("is_lost", "is_taken")
"""Of the last two of these columns: lines that lose too much of their ink, and that take in too much of another's."""


def write_page_scores(path: Path, results: Sequence[PageResult[PageLayout]]) -> None:
    """Write how each page did, the worst first."""
    rows = sorted(map(_list_page_scores, results), key=lambda row: (row[2], row[0]))
    write_csv(path, PAGE_COLUMNS, rows)


def write_found_pages(path: Path, pages: Sequence[Page]) -> None:
    """Write what was found on each page: a JSON object a line, without any text."""
    with replace_text_file(path) as file:
        for page in pages:
            file.write(json.dumps({"page": page.id, **describe_layout(page)}, ensure_ascii=False) + "\n")


def write_report(
    folder: Path, config: DictConfig, part: str, title: str, model: Path, pages: Sequence[ComparedPage]
) -> None:
    """Write report.html of the pages of a part."""
    facts = {"part": part, "model": str(model), "data": str(config.data.name)}
    header = ReportHeader(title, facts, curves=RunFolder(folder).curves)
    bootstrap = build_bootstrap(config)
    write_layout_page(RunFolder(folder).report, pages, header, bootstrap, int(config.report.pictures))


def pair_pages(
    config: DictConfig, truth: PageTruth, results: Sequence[PageResult[PageLayout]], found: Sequence[Page]
) -> list[ComparedPage]:
    """Return the pages of the results with what is marked and what was found on them."""
    marked, pages = build_whole_pages(config, truth, "all"), {page.id: page for page in found}
    rows = {name: row for row, name in enumerate(truth.store.column("page"))}
    return [
        ComparedPage(
            *keep_told(marked.page(row), pages[result.page]),
            result,
            partial(truth.store.pixels, row),
            truth.store.frame(row),
        )
        for result in results
        for row in [rows[result.page]]
    ]


def read_found_page(described: Mapping[str, Any], marked: Page) -> Page:
    """Return what was found on the page that is `marked` so, from its line of found.jsonl."""
    about = {"page": marked.id, "document": marked.document, "hand": marked.hand, "group": marked.group}
    return read_layout(described, about)


def compare_found_pages(folder: Path, config: DictConfig, truth: PageTruth) -> list[ComparedPage]:
    """Return the pages of the best validation, as found.jsonl has them: the last one may have been another."""
    whole, found, results = build_whole_pages(config, truth, "all"), [], []
    rows = {name: row for row, name in enumerate(truth.store.column("page"))}
    for line in RunFolder(folder).found_pages.read_text(encoding="utf-8").splitlines():
        described = json.loads(line)
        marked = whole.page(rows[described["page"]])
        found.append(read_found_page(described, marked))
        scores = compare_layouts(*keep_told(marked, found[-1]))
        results.append(PageResult(marked.id, marked.document or marked.id, scores))
    return pair_pages(config, truth, results, found)


def _list_page_scores(result: PageResult[PageLayout]) -> list[Any]:
    layout = result.scores
    fates = [layout.lines.fates.count(fate) for fate in ("intact", "split", "merged", "partial", "missed")]
    scores = layout.baselines
    figures = [round(value, 4) for value in (scores.f_measure, scores.precision, scores.recall)]
    counts = [len(layout.lines.fates), len(layout.lines.found_lengths), *fates, len(layout.lines.false)]
    return [
        result.page,
        result.document,
        *figures,
        *counts,
        round(score_pixels(layout.region_pixels).mean_iou, 4) if layout.regions else "",
        *([sum(getattr(ink, fate) for ink in layout.ink.values()) for fate in INK_FATES] if layout.ink else ("", "")),
    ]
