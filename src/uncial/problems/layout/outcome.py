"""What dashboards are shown of a layout model: its scores, and pictures of the pages on which it did worst."""

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from omegaconf import DictConfig

from uncial.models.files import load_card
from uncial.problems.layout.ground_truth import PageTruth
from uncial.problems.layout.page_results import read_found_page
from uncial.problems.layout.setup import read_region_types
from uncial.reports.plots.layout_sheets import draw_truth_beside_found
from uncial.runs.files import RunFolder
from uncial.training.loggers.outcome import FoundPage, Outcome

MAX_PAGES = 8
"""Pages that dashboards show."""


def build_outcome(config: DictConfig, folder: Path, truth: PageTruth, part: str) -> Outcome:
    """Return what metrics.json of a run says of a part of the data, with some of its pages as the best model found
    them."""
    figures = json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))[part]
    scores = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
    best = RunFolder(folder).best_model
    is_trained = part == "val" and best.is_file()
    return Outcome(
        scores,
        [],
        [],
        best if is_trained else None,
        load_card(best)["training"] if is_trained else {},
        pages=tuple(_draw_pages(config, folder, truth)),
    )


def _draw_pages(config: DictConfig, folder: Path, truth: PageTruth) -> Iterator[FoundPage]:
    """Yield the pages that page_scores.csv names first, the worst, as found.jsonl has them."""
    types, files = read_region_types(config), RunFolder(folder)
    rows = {str(name): row for row, name in enumerate(truth.store.column("page"))}
    with files.page_scores.open(encoding="utf-8", newline="") as file:
        worst = list(islice(csv.DictReader(file), MAX_PAGES))
    found = _read_found(files.found_pages, {scores["page"] for scores in worst})
    for scores in worst:
        row = rows[scores["page"]]
        marked = types.rename_page(truth.store.page(row))
        seen = read_found_page(found[marked.id], marked)
        image = draw_truth_beside_found(marked, seen, truth.store.pixels(row), truth.store.scale(row))
        figures = {name: float(scores[name]) for name in ("f_measure", "precision", "recall")}
        counts = {name: int(scores[name]) for name in ("lines", "found", "intact", "missed", "false")}
        yield FoundPage(marked.id, image, figures, counts)


def _read_found(path: Path, pages: set[str]) -> dict[str, Mapping[str, object]]:
    with path.open(encoding="utf-8") as file:
        described = (json.loads(line) for line in file)
        return {one["page"]: one for one in described if one["page"] in pages}
