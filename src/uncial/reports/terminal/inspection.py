"""What `inspect` shows of a data set on the terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import category

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from uncial.data.checks.findings import Finding
from uncial.data.splits.leakage import SplitLeakage
from uncial.document import Issue
from uncial.reports.tables.findings import sort_by_severity, sum_reasons
from uncial.reports.terminal.formatting import make_visible, plural
from uncial.text.characters import format_code_point, name

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
MAX_FINDINGS = 20
MAX_OF_A_KIND = 3
MAX_TYPES = 60
COLOURS = {"information": "cyan", "warning": "yellow", "error": "bold red"}


@dataclass(frozen=True, slots=True)
class PartSize:
    """How much of the data one part of the split holds."""

    pages: int
    lines: int
    characters: int = 0


@dataclass(frozen=True, slots=True)
class Inspection:
    """The figures of a data set. `alphabet` counts the pieces that a model would learn (code points, or graphemes);
    `widths` and `heights` are those of the line images in pixels.

    `unseen` are characters of validation or test that training lacks. `separation` proves that the sides of a split by
    `split` (page, document or hand) have nothing in common. `pseudo_labels` counts the training lines that a program
    read, those that are left out because of that stand in the problems.
    """

    source: str
    pages: int
    lines: int
    lines_without_text: int
    alphabet: Mapping[str, int]
    parts: Mapping[str, PartSize] = field(default_factory=dict)
    widths: Sequence[float] = ()
    heights: Sequence[float] = ()
    lengths: Sequence[float] = ()
    unseen: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Issue] = ()
    findings: Sequence[Finding] = ()
    separation: SplitLeakage | None = None
    split: str = "page"
    pseudo_labels: int = 0
    regions: Mapping[str, int] = field(default_factory=dict)
    lines_of_pages: Sequence[float] = ()

    @property
    def machine_read(self) -> int:
        """Lines that a program read and nobody corrected, in use or not."""
        return self.pseudo_labels + sum(problem.machine_read for problem in self.problems)


def make_inspection_tables(inspection: Inspection) -> RenderableType:
    """Return the tables: sizes, parts, quantiles, alphabet with counts, findings, and reasons for leaving lines out."""
    parts: list[RenderableType] = [_make_sizes_table(inspection)]
    if inspection.parts:
        parts.append(_make_parts_table(inspection.parts))
    if inspection.separation is not None:
        parts.append(Text(f"Sides: {inspection.separation.sentence(inspection.split)}"))
    if _collect_measures(inspection):
        parts.append(_make_quantiles_table(inspection))
    if inspection.regions:
        parts.append(_make_regions_table(inspection.regions))
    if inspection.alphabet:
        parts.append(_make_alphabet_table("Alphabet", inspection.alphabet))
    if inspection.unseen:
        parts.append(_make_alphabet_table("In validation or test, not in training", inspection.unseen))
    if inspection.problems:
        parts.append(_make_problems_table(inspection.problems))
    if inspection.findings:
        parts.append(_make_findings_table(inspection.findings))
    return Group(*(item for part in parts for item in (part, Text())))


def inspection_to_json(inspection: Inspection) -> dict[str, Any]:
    """Return the figures as plain types, for `findings.json`; characters are keyed by themselves."""
    return {
        "source": inspection.source,
        "pages": inspection.pages,
        "lines": inspection.lines,
        "lines_without_text": inspection.lines_without_text,
        "machine_read": inspection.machine_read,
        "skipped": len(inspection.problems),
        "parts": {
            part: {"pages": size.pages, "lines": size.lines, "characters": size.characters}
            for part, size in inspection.parts.items()
        },
        "separation": inspection.separation.to_json() if inspection.separation else None,
        "quantiles": {
            measure: {f"{share:g}": value for share, value in zip(QUANTILES, compute_quantiles(values), strict=True)}
            for measure, values in _collect_measures(inspection).items()
        },
        "alphabet": dict(inspection.alphabet),
        "unseen": dict(inspection.unseen),
        **({"regions": dict(inspection.regions)} if inspection.regions else {}),
    }


def compute_quantiles(values: Sequence[float], shares: Sequence[float] = QUANTILES) -> list[float]:
    """Return the quantiles of at least one value, each one of the values (the nearest rank)."""
    ordered = sorted(values)
    return [ordered[round(share * (len(ordered) - 1))] for share in shares]


def _collect_measures(inspection: Inspection) -> dict[str, Sequence[float]]:
    measures = {
        "line width (px)": inspection.widths,
        "line height (px)": inspection.heights,
        "characters a line": inspection.lengths,
        "lines a page": inspection.lines_of_pages,
    }
    return {measure: values for measure, values in measures.items() if len(values)}


def _make_sizes_table(inspection: Inspection) -> RenderableType:
    figures = [plural(inspection.pages, "page"), plural(inspection.lines, "line")]
    if inspection.lines_without_text:
        figures.append(f"{plural(inspection.lines_without_text, 'line')} without text")
    if inspection.machine_read:
        use = f"{inspection.pseudo_labels:,} to train on" if inspection.pseudo_labels else "none of them used"
        figures.append(f"{plural(inspection.machine_read, 'machine-read line')} ({use})")
    if inspection.alphabet:
        figures.append(plural(len(inspection.alphabet), "character"))
    if inspection.problems:
        figures.append(f"{len(inspection.problems):,} left out")
    return Text.assemble((make_visible(inspection.source), "bold"), ": " + ", ".join(figures))


def _make_parts_table(parts: Mapping[str, PartSize]) -> Table:
    has_text = any(size.characters for size in parts.values())
    table = _make_table("Split", "pages", "lines", *(["characters"] if has_text else []))
    for part, size in parts.items():
        characters = [f"{size.characters:,}"] if has_text else []
        table.add_row(Text(part), f"{size.pages:,}", f"{size.lines:,}", *characters)
    return table


def _make_regions_table(counts: Mapping[str, int]) -> RenderableType:
    """Return the types of regions; those beyond the first are told by their number alone."""
    cells = [Text.assemble((make_visible(kind), "bold"), f" {count:,}") for kind, count in counts.items()]
    more = len(cells) - MAX_TYPES
    shown = [*cells[:MAX_TYPES], *([Text(f"and {more:,} more: see findings.json", style="dim")] if more > 0 else [])]
    return Group(Text("Regions", style="bold"), Constrain(Columns(shown, padding=(0, 3)), 110))


def _make_quantiles_table(inspection: Inspection) -> Table:
    headings = ["least", *(f"{share:.0%}" for share in QUANTILES[1:-1]), "most"]
    table = _make_table("Quantiles", *headings)
    for measure, values in _collect_measures(inspection).items():
        table.add_row(measure, *(f"{value:,.0f}" for value in compute_quantiles(values)))
    return table


def _make_alphabet_table(title: str, counts: Mapping[str, int]) -> RenderableType:
    cells = [Text.assemble((_format_glyph(character), "bold"), f" {count:,}") for character, count in counts.items()]
    rare = [character for character, count in counts.items() if count == 1]
    rows: list[RenderableType] = [Text(title, style="bold"), Constrain(Columns(cells, padding=(0, 3)), 110)]
    unclear = [
        character
        for character in counts
        if len(character) == 1 and (not character.isprintable() or category(character)[0] == "M")
    ]
    for character in unclear[:MAX_FINDINGS]:
        rows.append(
            Text(f"  {_format_glyph(character):<6}  {format_code_point(character)} {name(character)}", style="dim")
        )
    if len(unclear) > MAX_FINDINGS:
        rows.append(Text(f"  and {len(unclear) - MAX_FINDINGS} more: see findings.json", style="dim"))
    if rare:
        rows.append(Text(f"seen once: {' '.join(_format_glyph(character) for character in rare)}", style="dim"))
    return Group(*rows)


def _format_glyph(character: str) -> str:
    if character == " ":
        return "␣"
    if len(character) > 1:
        return make_visible(character)
    if not character.isprintable() and category(character) != "Co":
        return format_code_point(character)
    return f"\N{DOTTED CIRCLE}{character}" if category(character)[0] == "M" else character


def _make_problems_table(problems: Sequence[Issue]) -> Table:
    table = _make_table("Left out", "times", "for example")
    sums = sum_reasons(problems)
    for one in sums[:MAX_FINDINGS]:
        example = make_visible(f"{one.example.file} {one.example.line}".strip())
        table.add_row(Text(one.reason), f"{one.count:,}", Text(example, overflow="fold"))
    if len(sums) > MAX_FINDINGS:
        table.add_row(Text(f"and {len(sums) - MAX_FINDINGS} further reasons: see skipped.csv"))
    return table


def _make_findings_table(findings: Sequence[Finding]) -> RenderableType:
    """Return the gravest first, a few of each kind."""
    rows = [Text("Findings", style="bold")]
    of_kind: Counter[str] = Counter()
    for finding in sort_by_severity(findings):
        of_kind[finding.kind] += 1
        if of_kind[finding.kind] <= MAX_OF_A_KIND and len(rows) <= MAX_FINDINGS:
            rows.append(_format_finding(finding))
    shown = len(rows) - 1
    if len(findings) > shown:
        counts = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in of_kind.items())
        rows.append(Text(f"in all {len(findings):,}: {counts}; see findings.html", style="dim"))
    return Group(*rows)


def _format_finding(finding: Finding) -> Text:
    where = make_visible(" ".join(filter(None, (finding.file, finding.line))))
    return Text.assemble(
        (f"{finding.severity}: ", COLOURS[finding.severity]),
        make_visible(finding.message),
        f" ({where})" if where else "",
    )


def _make_table(title: str, *headings: str) -> Table:
    table = Table(title, box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "for example" else "right", overflow="fold")
    return table
