"""The regions and lines of a PAGE file in reading order: what the reader and the writer of text both go by."""

from dataclasses import dataclass

from lxml import etree

from uncial.formats.page_xml.custom import parse_custom, read_reading_index
from uncial.formats.xml.identifiers import count_generated, make_identifiers_unique
from uncial.formats.xml.parsing import find_child, get_local_name, iterate_children

Ordered = tuple[etree._Element, bool]
"""An element, and whether the file states its place in the reading order."""

GROUPS = ("OrderedGroup", "OrderedGroupIndexed", "UnorderedGroup", "UnorderedGroupIndexed")


@dataclass(frozen=True, slots=True)
class RegionElement:
    """A region or table cell with its identifier and the regions around it, the nearest first. `is_ordered` says
    whether the file states its place in the reading order, or that of a region around it."""

    element: etree._Element
    id: str
    around: tuple[etree._Element, ...]
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class LineElement:
    """A TextLine with its identifier and its region, None where it lies on the page itself. `is_ordered` says whether
    the file states its place in the reading order, or that of its region."""

    element: etree._Element
    id: str
    region: RegionElement | None
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Regions and lines in reading order. `generated` counts the lines whose stated identifier is missing or taken."""

    regions: tuple[RegionElement, ...]
    lines: tuple[LineElement, ...]
    generated: int


def read_layout(page: etree._Element) -> PageLayout:
    """Reading order is that of `ReadingOrder`, else of Transkribus' `readingOrder {index:N;}`, else of the document.

    The cells of a table without one are read row by row.
    """
    line_elements = list(page.iter("{*}TextLine"))
    region_elements = [one for one in page.iter(etree.Element) if is_region(one)]
    stated = [one.get("id") for one in line_elements]
    line_ids = make_identifiers_unique(stated, "line")
    region_ids = make_identifiers_unique([one.get("id") for one in region_elements], "region")
    walk = _Walk(
        ranks=_compute_ranks(page),
        line_ids=dict(zip(line_elements, line_ids, strict=True)),
        region_ids=dict(zip(region_elements, region_ids, strict=True)),
        regions=[],
        lines=[],
    )
    walk.visit(page, None)
    return PageLayout(tuple(walk.regions), tuple(walk.lines), count_generated(stated, line_ids))


def is_region(element: etree._Element) -> bool:
    """TextRegion, TableRegion, ImageRegion …, and Transkribus' TableCell."""
    name = get_local_name(element)
    return name.endswith("Region") or name == "TableCell"


@dataclass(slots=True)
class _Walk:
    ranks: dict[str, int]
    line_ids: dict[etree._Element, str]
    region_ids: dict[etree._Element, str]
    regions: list[RegionElement]
    lines: list[LineElement]

    def visit(self, container: etree._Element, region: RegionElement | None) -> None:
        lines = iterate_children(container, "TextLine")
        nested = [one for one in iterate_children(container) if is_region(one)]
        nested_first = bool(nested and lines) and container.index(nested[0]) < container.index(lines[0])
        if nested_first:
            self._visit_regions(nested, region)
        is_ordered = region is not None and region.is_ordered
        self.lines += [
            LineElement(one, self.line_ids[one], region, is_ordered or has_index)
            for one, has_index in _order_by_index(lines)
        ]
        if not nested_first:
            self._visit_regions(nested, region)

    def _visit_regions(self, nested: list[etree._Element], outer: RegionElement | None) -> None:
        around = () if outer is None else (outer.element, *outer.around)
        is_outer_ordered = outer is not None and outer.is_ordered
        for element, is_ordered in self._by_rank(_order_by_index(_order_by_row(nested))):
            region = RegionElement(element, self.region_ids[element], around, is_outer_ordered or is_ordered)
            self.regions.append(region)
            self.visit(element, region)

    def _by_rank(self, regions: list[Ordered]) -> list[Ordered]:
        """Regions that the ReadingOrder does not name, nor anything in them, come after those it does."""
        if not self.ranks:
            return regions
        last = len(self.ranks)
        ranked = [
            (min((self.ranks.get(e.get("id", ""), last) for e in one.iter("{*}*")), default=last), one, is_ordered)
            for one, is_ordered in regions
        ]
        ranked.sort(key=lambda item: item[0])
        return [(one, is_ordered or rank < last) for rank, one, is_ordered in ranked]


def _order_by_index(elements: list[etree._Element]) -> list[Ordered]:
    """By the `custom` index, else by the `index` attribute; those without one stay behind the one before them."""
    indices = [read_reading_index(parse_custom(one.get("custom"))) for one in elements]
    if not any(index is not None for index in indices):
        indices = [int(value) if (value := one.get("index", "")).isdecimal() else None for one in elements]
    keys, last = [], -1
    for index in indices:
        last = last if index is None else index
        keys.append(last)
    places = sorted(range(len(keys)), key=keys.__getitem__)
    return [(elements[place], indices[place] is not None) for place in places]


def _order_by_row(regions: list[etree._Element]) -> list[etree._Element]:
    """Return the cells of a table row by row; what is not made of cells alone stays as it is."""
    places = [_find_cell(one) for one in regions]
    if any(place is None for place in places):
        return regions
    return [one for _, _, one in sorted(zip(places, range(len(regions)), regions, strict=True), key=lambda x: x[:2])]


def _find_cell(region: etree._Element) -> tuple[int, int] | None:
    """Row and column, of Transkribus' TableCell and of a region with PAGE's TableCellRole."""
    stated = region.get("row"), region.get("col")
    roles = find_child(region, "Roles")
    if roles is not None and (role := find_child(roles, "TableCellRole")) is not None:
        stated = role.get("rowIndex"), role.get("columnIndex")
    row, column = (int(value) if value and value.isdecimal() else None for value in stated)
    return None if row is None or column is None else (row, column)


def _compute_ranks(page: etree._Element) -> dict[str, int]:
    order = find_child(page, "ReadingOrder")
    ranks: dict[str, int] = {}
    for group in iterate_children(order) if order is not None else []:
        _rank_group(group, ranks)
    return ranks


def _rank_group(group: etree._Element, ranks: dict[str, int]) -> None:
    """Entries of an ordered group by their index, of an unordered one as they stand."""
    if reference := group.get("regionRef"):
        ranks.setdefault(reference, len(ranks))
    members = [one for one in iterate_children(group) if one.get("regionRef") or get_local_name(one) in GROUPS]
    if get_local_name(group).startswith("Ordered"):
        members.sort(key=lambda one: int(value) if (value := one.get("index", "")).isdecimal() else len(members))
    for member in members:
        _rank_group(member, ranks)
