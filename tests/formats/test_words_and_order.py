"""The words of lines, and the reading order, as PAGE and ALTO files state them."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from uncial.document import Page, TextLine, Transcription, Word
from uncial.formats.alto.layout import ImageFacts
from uncial.formats.alto.reading import read_alto
from uncial.formats.page_xml.reading import read_page
from uncial.formats.transcription_files import read_transcription
from uncial.formats.xml.parsing import parse

COORDS = '<Coords points="0,0 9,0 9,9"/>'
REFERENCES = '<RegionRefIndexed index="1" regionRef="a"/><RegionRefIndexed index="0" regionRef="b"/>'


def page(body: str) -> Page:
    stated = 'imageFilename="a.png" imageWidth="99" imageHeight="99"'
    contents = read_page(etree.fromstring(f"<PcGts><Page {stated}>{body}</Page></PcGts>"), Path("a.xml"), "p")
    assert contents.problems == ()
    return contents.pages[0]


def alto(body: str, before: str = "", unit: str = "pixel") -> Page:
    head = f"<Description><MeasurementUnit>{unit}</MeasurementUnit></Description>{before}"
    root = etree.fromstring(f"<alto>{head}<Layout><Page><PrintSpace>{body}</PrintSpace></Page></Layout></alto>")
    return read_alto(root, Path("a.xml"), "p", ImageFacts(9, 9, 508.0)).pages[0]


def test_page_words_with_their_outlines_texts_and_confidences() -> None:
    found = page(
        f'<TextRegion id="r">{COORDS}<TextLine id="l">{COORDS}'
        '<Word id="1"><Coords points="1,2 3,2 3,4 1,4"/><TextEquiv conf="0.5"><Unicode>Det</Unicode></TextEquiv></Word>'
        '<Word id="2"><Coords points="3,2 4,2 4,4"/><TextEquiv><Unicode> </Unicode></TextEquiv></Word>'
        '<Word id="3"><Glyph><TextEquiv conf="0.2"><Unicode>v</Unicode></TextEquiv></Glyph>'
        '<Glyph><TextEquiv conf="0.4"><Unicode>ar</Unicode></TextEquiv></Glyph></Word>'
        '<Word id="4"><Coords points="5,2 6,x 6,4"/></Word>'
        "<TextEquiv><Unicode>Det war</Unicode></TextEquiv></TextLine></TextRegion>"
    )
    assert found.lines[0].text == "Det war"
    assert found.lines[0].words == (
        Word(((1, 2), (3, 2), (3, 4), (1, 4)), "Det", 0.5),
        Word((), "var", 0.3),
        Word((), "", None),
    )


def test_alto_words_with_their_boxes_and_shapes_in_pixels() -> None:
    line = (
        '<TextLine ID="l"><String CONTENT="Det" HPOS="1" VPOS="2" WIDTH="3" HEIGHT="4" WC="0.5"/><SP/>'
        '<String CONTENT="var"><Shape><Polygon POINTS="5,2 9,2 9,6"/></Shape></String><HYP CONTENT="-"/></TextLine>'
    )
    one, two = alto(f'<TextBlock ID="b">{line}</TextBlock>').lines[0].words
    assert one == Word(((1, 2), (4, 2), (4, 6), (1, 6)), "Det", 0.5)
    assert two == Word(((5, 2), (9, 2), (9, 6)), "var", None)
    scaled = alto(f'<TextBlock ID="b">{line}</TextBlock>', unit="mm10").lines[0].words
    assert scaled[0].polygon == ((2, 4), (8, 4), (8, 12), (2, 12))
    assert scaled[1].polygon == ((10, 4), (18, 4), (18, 12))


def test_a_string_that_holds_a_whole_line_is_no_word() -> None:
    whole = '<TextLine ID="l1"><String CONTENT="det var en" HPOS="1" VPOS="2" WIDTH="3" HEIGHT="4"/></TextLine>'
    divided = '<TextLine ID="l2"><String CONTENT="det"/><String CONTENT="var"/></TextLine>'
    assert [line.words for line in alto(f'<TextBlock ID="b">{whole}</TextBlock>').lines] == [()]
    texts = [
        [word.text for word in line.words] for line in alto(f'<TextBlock ID="b">{whole}{divided}</TextBlock>').lines
    ]
    assert texts == [["det var en"], ["det", "var"]]


@pytest.mark.parametrize(
    ("references", "custom", "lines", "stated"),
    [
        ("", ("", ""), "a1 a2 b1", ""),
        (REFERENCES, ("", ""), "b1 a1 a2", "b1 a1 a2"),
        ('<RegionRefIndexed index="0" regionRef="b"/>', ("", ""), "b1 a1 a2", "b1"),
        ("", ("readingOrder {index:1;}", "readingOrder {index:0;}"), "a2 a1 b1", "a2 a1"),
    ],
)
def test_the_order_that_a_page_file_states(references, custom, lines, stated) -> None:
    order = f'<ReadingOrder><OrderedGroup id="o">{references}</OrderedGroup></ReadingOrder>' if references else ""
    found = page(
        f'{order}<TextRegion id="a">{COORDS}<TextLine id="a1" custom="{custom[0]}">{COORDS}</TextLine>'
        f'<TextLine id="a2" custom="{custom[1]}">{COORDS}</TextLine></TextRegion>'
        f'<TextRegion id="b">{COORDS}<TextLine id="b1">{COORDS}</TextLine></TextRegion>'
    )
    assert [line.id for line in found.lines] == lines.split()
    assert list(found.reading_order) == stated.split()


def test_lines_of_a_region_within_an_ordered_one_are_ordered() -> None:
    inner = f'<TextRegion id="i">{COORDS}<TextLine id="l1">{COORDS}</TextLine></TextRegion>'
    table = f'<TableRegion id="t" custom="readingOrder {{index:0;}}">{COORDS}{inner}</TableRegion>'
    outside = f'<TextRegion id="x">{COORDS}<TextLine id="l2">{COORDS}</TextLine></TextRegion>'
    assert page(table + outside).reading_order == ("l1",)


@pytest.mark.parametrize(
    ("references", "lines", "stated"),
    [("", "l1 l2 l3", ""), ("l3 l1", "l3 l1 l2", "l3 l1"), ("b2 s1", "l3 l1 l2", "l3 l1"), ("b1", "l1 l2 l3", "l1 l2")],
)
def test_the_order_that_an_alto_file_states(references: str, lines: str, stated: str) -> None:
    entries = "".join(f'<ElementRef REF="{one}"/>' for one in references.split())
    order = f"<ReadingOrder><OrderedGroup>{entries}</OrderedGroup></ReadingOrder>" if entries else ""
    body = '<TextLine ID="l1"><String ID="s1" CONTENT="x"/></TextLine><TextLine ID="l2"/>'
    found = alto(f'<TextBlock ID="b1">{body}</TextBlock><TextBlock ID="b2"><TextLine ID="l3"/></TextBlock>', order)
    assert [line.id for line in found.lines] == lines.split()
    assert list(found.reading_order) == stated.split()


def test_what_does_not_decide_on_a_strip_stays_out_of_the_hash_of_stores_and_readings() -> None:
    line = TextLine("l", "p", text="x")
    told = replace(line, words=(Word((), "x"),), transcription=Transcription("y", 0.5), reader="somebody")
    assert repr(told) == repr(line)
    assert repr(Page("p", Path("a"), lines=(line,))) == repr(Page("p", Path("a"), lines=(told,), reading_order=("l",)))


@pytest.mark.real_data
def test_real_files_state_orders_that_agree_with_their_lines_and_words_within_them(real_data: Path) -> None:
    ordered = words = 0
    for path in sorted(real_data.rglob("*.xml")):
        if path.name == "mu.xml":
            continue
        for found in read_transcription(parse(path).getroot(), path, "p", lambda name, path=path: path).pages:
            ids = [line.id for line in found.lines]
            assert list(found.reading_order) == [one for one in ids if one in set(found.reading_order)]
            ordered += bool(found.reading_order)
            words += sum(len(line.words) for line in found.lines)
            assert all(word.polygon for line in found.lines for word in line.words)
    assert ordered > 0
    assert words > 0
