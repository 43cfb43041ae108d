"""report.html of a comparison of layouts: who is better, and on which documents and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from uncial.metrics.layout.layout_comparison import LayoutComparison
from uncial.metrics.layout.layout_metric import PageLayout, PageResult, summarise_layouts
from uncial.reports.html.rendering import write_page
from uncial.reports.html.report_page import ReportHeader
from uncial.reports.tables.layout_comparison import describe_pair, list_figures


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A document or page: F of each system, and how the lines fared that are not intact, by system. `spread` is the
    largest F less the least."""

    name: str
    document: str
    lines: int
    f_measures: tuple[float, ...]
    fates: tuple[str, ...]
    spread: float


def write_layout_comparison_page(path: Path, comparison: LayoutComparison, about: ReportHeader) -> None:
    """Write the page, one file: the pages on which the systems differ most come first."""
    pages = _list_rows(comparison.findings, by_document=False)
    documents = _list_rows(comparison.findings, by_document=True)
    write_page(
        path,
        "layout_comparison.html",
        about=about,
        systems=comparison.systems,
        figures=list_figures(comparison),
        verdicts=[describe_pair(pair, comparison) for pair in comparison.pairs],
        documents=documents if len(documents) > 1 else [],
        pages=sorted(pages, key=lambda row: -row.spread),
    )


def _list_rows(findings: Mapping[str, Sequence[PageResult[PageLayout]]], by_document: bool) -> list[ComparedRow]:
    together = sorted(
        zip(*findings.values(), strict=True), key=lambda own: own[0].document if by_document else own[0].page
    )
    rows = []
    for name, group in groupby(together, key=lambda own: own[0].document if by_document else own[0].page):
        members = list(group)
        systems = [[result.scores for result in own] for own in zip(*members, strict=True)]
        scores = [summarise_layouts(own)["f_measure"] for own in systems]
        rows.append(
            ComparedRow(
                name=name,
                document=members[0][0].document,
                lines=sum(len(one.lines.fates) for one in systems[0]),
                f_measures=tuple(scores),
                fates=tuple(_describe_fates(own) for own in systems),
                spread=max(scores) - min(scores),
            )
        )
    return rows


def _describe_fates(pages: Sequence[PageLayout]) -> str:
    kinds = ("missed", "merged", "split", "partial")
    counts = {kind: sum(page.lines.fates.count(kind) for page in pages) for kind in kinds}
    counts["false"] = sum(len(page.lines.false) for page in pages)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
