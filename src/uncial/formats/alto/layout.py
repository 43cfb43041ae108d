"""The blocks and lines of an ALTO page in reading order: what the reader and the writer of text both go by."""

from dataclasses import dataclass, replace

from lxml import etree

from uncial.formats.xml.identifiers import count_generated, unique_identifiers
from uncial.formats.xml.parsing import children, descendants, local_name

BLOCKS = ("TextBlock", "ComposedBlock", "Illustration", "GraphicalElement")


@dataclass(frozen=True, slots=True)
class BlockElement:
    """A block with its identifier and the elements around it up to the page, the nearest first."""

    element: etree._Element
    id: str
    around: tuple[etree._Element, ...]


@dataclass(frozen=True, slots=True)
class AltoLine:
    """A TextLine with its identifier and its block, None where it lies in none. `is_ordered` says whether the file's
    ReadingOrder names it, one of its strings, or a block around it."""

    element: etree._Element
    id: str
    block: BlockElement | None
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class AltoLayout:
    """Blocks and lines of one page in reading order, and how many of the lines' identifiers had to be made."""

    page: etree._Element
    blocks: tuple[BlockElement, ...]
    lines: tuple[AltoLine, ...]
    generated: int


def alto_layouts(root: etree._Element) -> list[AltoLayout]:
    """One for each Page element, in the order of `ReadingOrder`, else the document's."""
    lines, blocks = descendants(root, "TextLine"), descendants(root, *BLOCKS)
    stated = [one.get("ID") for one in lines]
    line_ids = dict(zip(lines, unique_identifiers(stated, "line"), strict=True))
    block_ids = dict(zip(blocks, unique_identifiers([one.get("ID") for one in blocks], "region"), strict=True))
    ranks = _ranks(root)
    return [_layout(page, line_ids, block_ids, ranks) for page in descendants(root, "Page")]


def _layout(
    page: etree._Element,
    line_ids: dict[etree._Element, str],
    block_ids: dict[etree._Element, str],
    ranks: dict[str, int],
) -> AltoLayout:
    found: dict[etree._Element, BlockElement] = {}
    for element in descendants(page, *BLOCKS):
        found[element] = BlockElement(element, block_ids[element], _around(element, page))
    lines = []
    for element in descendants(page, "TextLine"):
        block = next((found[one] for one in element.iterancestors() if one in found), None)
        lines.append(AltoLine(element, line_ids[element], block))
    generated = count_generated([one.element.get("ID") for one in lines], [one.id for one in lines])
    if ranks:
        ranked = sorted(((_line_rank(line, ranks), line) for line in lines), key=lambda item: item[0])
        lines = [replace(line, is_ordered=rank < len(ranks)) for rank, line in ranked]
    return AltoLayout(page, tuple(_ordered_blocks(found, lines, ranks)), tuple(lines), generated)


def _around(element: etree._Element, page: etree._Element) -> tuple[etree._Element, ...]:
    above = []
    for one in element.iterancestors():
        above.append(one)
        if one is page:
            break
    return tuple(above)


def _ranks(root: etree._Element) -> dict[str, int]:
    """The place of each identifier in the reading order; of several orders side by side, the first one's."""
    ranks: dict[str, int] = {}
    for order in descendants(root, "ReadingOrder"):
        for entry in order.iter("{*}ElementRef", "{*}OrderedGroup", "{*}UnorderedGroup"):
            for reference in entry.get("REF", "").split():
                ranks.setdefault(reference, len(ranks))
    return ranks


def _line_rank(line: AltoLine, ranks: dict[str, int]) -> int:
    """A line's own place, else that of its first string, else that of its block; lines without one come last."""
    last = len(ranks)
    own = [line.element, *children(line.element, "String")]
    rank = min(ranks.get(one.get("ID", ""), last) for one in own)
    if rank == last and line.block is not None:
        chain = [line.block.element, *line.block.around]
        rank = next((ranks[one.get("ID", "")] for one in chain if one.get("ID", "") in ranks), last)
    return rank


def _ordered_blocks(
    blocks: dict[etree._Element, BlockElement], lines: list[AltoLine], ranks: dict[str, int]
) -> list[BlockElement]:
    if not ranks:
        return list(blocks.values())
    last = len(ranks)
    best = {element: ranks.get(element.get("ID", ""), last) for element in blocks}
    for line in lines:
        if line.block is not None:
            best[line.block.element] = min(best[line.block.element], _line_rank(line, ranks))
    return sorted(blocks.values(), key=lambda block: best[block.element])


def is_text_block(element: etree._Element) -> bool:
    """Whether the block is one that holds lines itself."""
    return local_name(element) == "TextBlock"
