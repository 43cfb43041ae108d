"""report.html of a layout model: its scores, and each page with what is marked and what was found, the worst first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from uncial.document import Page
from uncial.metrics.intervals import Bootstrap, Estimate
from uncial.metrics.layout.baselines import list_baselines
from uncial.metrics.layout.layout_metric import PageLayout, PageResult, summarise_layouts
from uncial.metrics.layout.paired_f_measure import PageScores, estimate_f
from uncial.reports.html.rendering import encode_data_url, encode_picture, write_page
from uncial.reports.html.report_page import ReportHeader

LONGEST = 1100
"""Pixels of a page's picture on its longer side."""

COLOURS = ("#1f78b4", "#b15928", "#6a3d9a", "#33a02c", "#e31a1c", "#ff7f00", "#008b8b", "#a0522d")
"""Of the types of regions, in their order."""

FIGURES = {
    "F": "f_measure",
    "precision": "precision",
    "recall": "recall",
    "intact lines": "intact",
    "split": "split",
    "merged": "merged",
    "partial": "partial",
    "missed": "missed",
    "false": "false",
    "ink lost": "ink_lost",
    "others' ink": "ink_taken",
    "region IoU": "region_iou",
}
"""The figures of the page's head, and the scores that they are."""


@dataclass(frozen=True, eq=False)
class ComparedPage:
    """A page as the truth has it and as it was found, with how the two compare; `image` gives its pixels, (h, w) or (h,
    w, 3) uint8, and `size` is (width, height) of the frame that the coordinates count in."""

    truth: Page
    found: Page
    result: PageResult[PageLayout]
    image: Callable[[], np.ndarray]
    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line of the picture: SVG points of its baseline and its polygon, its id, and what became of it; of a found one
    also what its polygon does with the ink, empty where it holds it well or that was not measured."""

    baseline: str
    polygon: str
    name: str
    fate: str
    ink: str = ""


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """A region of the picture: SVG points of its outline, its type and the colour of that."""

    points: str
    type: str
    colour: str


@dataclass(frozen=True, slots=True)
class PageCard:
    """A page of the report. `picture` is empty where it is shown without; `types` are those of its regions, `figures`
    its scores as fractions by name, `counts` how many lines met which fate."""

    page: str
    document: str
    width: float
    height: float
    picture: str
    types: str
    figures: Mapping[str, float]
    counts: Mapping[str, int]
    truth_lines: Sequence[DrawnLine]
    found_lines: Sequence[DrawnLine]
    truth_regions: Sequence[DrawnRegion]
    found_regions: Sequence[DrawnRegion]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A row of a table: a document or a type of region, and its figures as they are shown."""

    name: str
    cells: tuple[tuple[float, str], ...]


def write_layout_page(
    path: Path, pages: Sequence[ComparedPage], about: ReportHeader, bootstrap: Bootstrap, pictures: int = 150
) -> None:
    """Write the page, one file; the `pictures` worst pages have theirs."""
    ranked = sorted(pages, key=lambda one: (one.result.scores.baselines.f_measure, one.result.page))
    types = sorted({region.type or "" for one in pages for region in (*one.truth.regions, *one.found.regions)})
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(types)}
    curves = about.curves.read_bytes() if about.curves is not None and about.curves.is_file() else b""
    total = summarise_layouts([one.result.scores for one in pages])
    write_page(
        path,
        "layout.html",
        about=about,
        curves=encode_data_url(curves, "image/png") if curves else "",
        f_measure=_estimate(pages, bootstrap),
        figures={name: total[key] for name, key in FIGURES.items() if key in total},
        total=total,
        level=bootstrap.level,
        documents=_list_documents(pages),
        types=_list_types(total, pages),
        colours=colours,
        cards=[_make_card(one, colours, place < pictures) for place, one in enumerate(ranked)],
        pictured=min(pictures, len(ranked)),
    )


def _estimate(pages: Sequence[ComparedPage], bootstrap: Bootstrap) -> Estimate:
    scores = [one.result.scores.baselines for one in pages]
    found = PageScores(np.array([[one.precision for one in scores]]), np.array([[one.recall for one in scores]]))
    return estimate_f(found, [one.result.page for one in pages], bootstrap)


def _list_documents(pages: Sequence[ComparedPage]) -> list[GroupRow]:
    """Return the figures of each document, the worst first; nothing where there is one alone."""
    ordered = sorted(pages, key=lambda one: one.result.document)
    rows = []
    for name, members in groupby(ordered, key=lambda one: one.result.document):
        own = [one.result.scores for one in members]
        scores = summarise_layouts(own)
        shown = ("f_measure", "precision", "recall", "intact", "merged", "split", "missed", "false")
        cells = [(scores[key], f"{100 * scores[key]:.1f} %") for key in shown]
        rows.append(GroupRow(name, (*cells, (scores["lines"], f"{scores['lines']:,.0f}"), (len(own), f"{len(own):,}"))))
    return sorted(rows, key=lambda row: row.cells[0][0]) if len(rows) > 1 else []


def _list_types(total: Mapping[str, float], pages: Sequence[ComparedPage]) -> list[GroupRow]:
    """Return the IoU of each type of region, and how many there are in the truth and were found."""
    rows = []
    for key, value in total.items():
        if not key.startswith("region_iou/"):
            continue
        name = key.partition("/")[2]
        truth = sum((region.type or "") == name for one in pages for region in one.truth.regions)
        found = sum((region.type or "") == name for one in pages for region in one.found.regions)
        rows.append(GroupRow(name, ((value, f"{100 * value:.1f} %"), (truth, f"{truth:,}"), (found, f"{found:,}"))))
    return sorted(rows, key=lambda row: -row.cells[1][0])


def _make_card(one: ComparedPage, colours: Mapping[str, str], has_picture: bool) -> PageCard:
    layout = one.result.scores
    lines = layout.lines
    false = set(lines.false)
    fates = ["false" if number in false else "found" for number in range(len(lines.found_lengths))]
    counts = {fate: lines.fates.count(fate) for fate in ("intact", "split", "merged", "partial", "missed")}
    return PageCard(
        page=one.result.page,
        document=one.result.document,
        width=one.size[0],
        height=one.size[1],
        picture=encode_picture(one.image(), LONGEST, LONGEST) if has_picture else "",
        types=" ".join(sorted({region.type or "" for region in (*one.truth.regions, *one.found.regions)})),
        figures={
            "F": layout.baselines.f_measure,
            "precision": layout.baselines.precision,
            "recall": layout.baselines.recall,
        },
        counts={**counts, "false": len(false), **_count_ink(layout)},
        truth_lines=_draw_lines(one.truth, lines.fates) if has_picture else (),
        found_lines=_draw_lines(one.found, fates, _describe_ink(layout)) if has_picture else (),
        truth_regions=_draw_regions(one.truth, colours) if has_picture else (),
        found_regions=_draw_regions(one.found, colours) if has_picture else (),
    )


def _count_ink(layout: PageLayout) -> dict[str, int]:
    """Return how many lines lose ink, and hold that of others; nothing where it was not measured."""
    if layout.ink is None:
        return {}
    inks = layout.ink.values()
    return {"with ink lost": sum(ink.is_lost for ink in inks), "with others' ink": sum(ink.is_taken for ink in inks)}


def _describe_ink(layout: PageLayout) -> dict[int, str]:
    """Return what poor polygons do with the ink, by the position of the found line."""
    told = {}
    for line, ink in (layout.ink or {}).items():
        faults = [f"loses {100 * ink.lost:.0f} % of its ink"] if ink.is_lost else []
        faults += [f"holds {100 * ink.taken:.0f} % of another's ink"] if ink.is_taken else []
        found = layout.lines.partners[line]
        if faults and found is not None:
            told[found] = " and ".join(faults)
    return told


def _draw_lines(page: Page, fates: Sequence[str], inks: Mapping[int, str] | None = None) -> list[DrawnLine]:
    return [
        DrawnLine(_to_svg(baseline.tolist()), _to_svg(line.polygon), line.id, fate, (inks or {}).get(number, ""))
        for number, (line, baseline, fate) in enumerate(zip(page.lines, list_baselines(page), fates, strict=True))
        if len(baseline) > 1
    ]


def _draw_regions(page: Page, colours: Mapping[str, str]) -> list[DrawnRegion]:
    return [
        DrawnRegion(_to_svg(region.polygon), region.type or "", colours[region.type or ""])
        for region in page.regions
        if len(region.polygon) > 2
    ]


def _to_svg(points: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
