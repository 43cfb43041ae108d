"""ALTO files of all versions and exporters, read through `read_alto`."""

from pathlib import Path

import pytest
from lxml import etree
from xml_samples import alto_block, alto_line, alto_xml

from uncial.document import Page, TextLine, TextSpan
from uncial.errors import UnusableInput
from uncial.formats.alto.layout import ImageFacts
from uncial.formats.alto.reading import read_alto

WORD = '<String CONTENT="word"/>'


def page(content: str, image: ImageFacts | None = None) -> Page:
    return read_alto(etree.fromstring(content.encode()), Path("a.xml"), "a", image).pages[0]


def line(content: str, attributes: str = "", **rest: str) -> TextLine:
    return page(alto_xml(alto_block(alto_line(content, attributes=attributes)), **rest)).lines[0]


@pytest.mark.parametrize(
    "namespace",
    ["", *(f"http://www.loc.gov/standards/alto/ns-v{n}#" for n in (2, 3, 4, 5)), "http://schema.ccs-gmbh.com/ALTO"],
)
def test_every_namespace(namespace: str) -> None:
    assert line(WORD, namespace=namespace).text == "word"


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        ('<String CONTENT="two"/><SP/><String CONTENT="words"/>', "two words"),
        ('<String CONTENT="two"/><SP/><String CONTENT="words"/><String CONTENT="."/>', "two words."),
        ('<String CONTENT="two"/><String CONTENT="words"/>', "two words"),
        ('<String CONTENT="two "/><String CONTENT="words"/>', "two words"),
        ('<String CONTENT="two&#10;words&#13;&#10;here"/>', "two words here"),
        ('<String CONTENT="bro"/><HYP CONTENT="-"/>', "bro-"),
        ('<String CONTENT="bro" SUBS_TYPE="HypPart1" SUBS_CONTENT="broken"/><HYP CONTENT="\u00ad"/>', "bro\u00ad"),
        ('<String CONTENT=" whole line kept "/>', " whole line kept "),
        ('<String CONTENT=""/>', ""),
        ("", None),
        ("<Shape/>", None),
    ],
)
def test_text_of_strings_spaces_and_hyphens(strings: str, expected: str | None) -> None:
    assert line(strings).text == expected


def test_strings_are_words_only_on_pages_that_mark_no_space() -> None:
    lines = alto_line('<String CONTENT="a"/><SP/><String CONTENT="b"/>', "l1")
    lines += alto_line('<String CONTENT="c"/><String CONTENT=","/>', "l2")
    assert [one.text for one in page(alto_xml(alto_block(lines))).lines] == ["a b", "c,"]


@pytest.mark.parametrize(
    "stated", ["12,20 40,21 80,22", "12 20 40 21 80 22", "12 20\n40 21  80 22", "12.0,20 40,21 80,22"]
)
def test_baseline_as_points(stated: str) -> None:
    assert line(WORD, f'BASELINE="{stated}"').baseline == ((12, 20), (40, 21), (80, 22))


def test_baseline_as_one_number_lies_across_the_box() -> None:
    assert line(WORD, 'BASELINE="25"').baseline == ((10, 25), (90, 25))
    assert line(WORD, 'BASELINE="25.5"').baseline == ((10, 25.5), (90, 25.5))
    assert line(WORD, 'BASELINE="900"').baseline == ()


@pytest.mark.parametrize("points", ["1 2 3 4 5 1", "1,2 3,4 5,1"])
def test_polygon_and_box(points: str) -> None:
    found = line(f'<Shape><Polygon POINTS="{points}"/></Shape>{WORD}')
    assert found.polygon == ((1, 2), (3, 4), (5, 1))
    assert found.box == (10, 10, 90, 30)


def test_circle_and_ellipse_become_polygons() -> None:
    circle = line(f'<Shape><Circle HPOS="50" VPOS="40" RADIUS="10"/></Shape>{WORD}').polygon
    assert all((x - 50) ** 2 + (y - 40) ** 2 == pytest.approx(100) for x, y in circle)
    turned = '<Shape><Ellipse HPOS="50" VPOS="40" HLENGTH="60" VLENGTH="10" ROTATION="90"/></Shape>'
    ellipse = line(turned + WORD).polygon
    assert max(y for _, y in ellipse) == pytest.approx(70)
    assert max(x for x, _ in ellipse) == pytest.approx(55)


def test_senseless_coordinates_are_a_problem() -> None:
    content = alto_xml(alto_block(alto_line(WORD, "bad", 'BASELINE="1 2 3"') + alto_line(WORD, "good")))
    reading = read_alto(etree.fromstring(content.encode()), Path("a.xml"), "a")
    assert [one.id for one in reading.pages[0].lines] == ["good"]
    assert [one.line for one in reading.problems] == ["bad"]


def in_units(unit: str, size: str = 'WIDTH="2540" HEIGHT="2540"') -> str:
    return alto_xml(alto_block(alto_line(WORD, attributes='BASELINE="10 20 90 20"')), unit=unit, size=size)


@pytest.mark.parametrize(
    ("unit", "size", "image", "factor"),
    [
        ("mm10", 'WIDTH="2540" HEIGHT="1270"', ImageFacts(3000, 1500), 3000 / 2540),
        ("mm10", "", ImageFacts(3000, 1500, 300), 300 / 254),
        ("inch1200", "", ImageFacts(3000, 1500, 300), 0.25),
        ("inch1200", 'WIDTH="1200" HEIGHT="2400"', ImageFacts(300, 300, 600), 0.5),
        (" Pixel ", "", None, 1.0),
    ],
)
def test_units_become_pixels(unit: str, size: str, image: ImageFacts | None, factor: float) -> None:
    found = page(in_units(unit, size), image).lines[0]
    assert found.baseline == (pytest.approx((10 * factor, 20 * factor)), pytest.approx((90 * factor, 20 * factor)))
    assert found.box == pytest.approx((10 * factor, 10 * factor, 90 * factor, 30 * factor))


@pytest.mark.parametrize(
    ("unit", "image"), [("mm", ImageFacts(9, 9, 9)), ("mm10", None), ("mm10", ImageFacts(100, 900))]
)
def test_units_that_cannot_be_converted_are_an_error(unit: str, image: ImageFacts | None) -> None:
    with pytest.raises(UnusableInput, match=r"a\.xml: .*export it again in pixels"):
        page(in_units(unit), image)


TAGS = (
    '<Tags><OtherTag ID="T1" LABEL="MainZone"/><LayoutTag ID="T2" LABEL="heading"/>'
    '<OtherTag ID="T3" LABEL="deu" TYPE="language"/><StructureTag ID="T4"/></Tags>'
)


def test_tags_name_region_and_line() -> None:
    block = alto_block(alto_line(WORD, attributes='TAGREFS="T2 T4 gone"'), attributes='TAGREFS="T1 T3"')
    found = page(alto_xml(block, head=TAGS))
    assert found.regions[0].type == "MainZone"
    assert (found.lines[0].tags, found.lines[0].language) == (("heading",), "deu")


def test_language_of_the_line_counts_before_that_of_the_block() -> None:
    lines = alto_line(WORD, "l1", 'LANG="fr"') + alto_line(WORD, "l2")
    assert [one.language for one in page(alto_xml(alto_block(lines, attributes='LANG="la"'))).lines] == ["fr", "la"]


def test_confidence_from_words_and_from_glyphs() -> None:
    assert line('<String CONTENT="abc" WC="0.5"/><SP/><String CONTENT="d" WC="0.9"/>').confidence == pytest.approx(0.6)
    glyphs = '<String CONTENT="ab"><Glyph CONTENT="a" GC="0.2"/><Glyph CONTENT="b" GC="0.4"/></String>'
    assert line(glyphs).confidence == pytest.approx(0.3)
    assert line('<String CONTENT="a" WC="0.5"/><String CONTENT="b"/>').confidence is None
    assert line('<String CONTENT="abc" WC="0.7"/>').confidence == 0.7


def test_reading_order_of_lines_strings_and_blocks() -> None:
    order = (
        '<ReadingOrder><OrderedGroup ID="g"><ElementRef ID="e1" REF="b2"/><ElementRef ID="e2" REF="l2"/>'
        '<ElementRef ID="e3" REF="s1"/></OrderedGroup></ReadingOrder>'
    )
    first = alto_block(alto_line('<String ID="s1" CONTENT="a"/>', "l1") + alto_line(WORD, "l2") + alto_line(WORD, "l5"))
    second = alto_block(alto_line(WORD, "l3") + alto_line(WORD, "l4"), "b2")
    found = page(alto_xml(first + second, head=order))
    assert [one.id for one in found.lines] == ["l3", "l4", "l2", "l1", "l5"]
    assert [one.id for one in found.regions] == ["b2", "b1"]


def test_of_several_reading_orders_the_first_counts() -> None:
    def group(name: str, *references: str) -> str:
        entries = "".join(f'<ElementRef ID="{name}{one}" REF="{one}"/>' for one in references)
        return f'<OrderedGroup ID="{name}">{entries}</OrderedGroup>'

    both = group("g1", "l2", "l1") + group("g2", "l1", "l2")
    head = f'<ReadingOrder><UnorderedGroup ID="u">{both}</UnorderedGroup></ReadingOrder>'
    content = alto_xml(alto_block(alto_line(WORD, "l1") + alto_line(WORD, "l2")), head=head)
    assert [one.id for one in page(content).lines] == ["l2", "l1"]


def test_composed_blocks_margins_and_illustrations() -> None:
    composed = (
        f'<ComposedBlock ID="c" TYPE="advert">{alto_block(alto_line(WORD))}<Illustration ID="i"/></ComposedBlock>'
    )
    content = alto_xml(composed).replace(
        "<PrintSpace>", f"<TopMargin>{alto_block(alto_line(WORD, 'm'), 'bm')}</TopMargin><PrintSpace>"
    )
    found = page(content)
    assert [(one.id, one.region_id) for one in found.lines] == [("m", "bm"), ("l1", "b1")]
    assert {one.id: one.type for one in found.regions} == {"bm": None, "c": "advert", "b1": None, "i": "Illustration"}


def test_several_pages_in_one_file() -> None:
    content = alto_xml(alto_block(alto_line(WORD)))
    second = f'<Page ID="p2"><PrintSpace>{alto_block(alto_line(WORD), "b2")}</PrintSpace></Page></Layout>'
    found = read_alto(etree.fromstring(content.replace("</Layout>", second).encode()), Path("a.xml"), "a").pages
    assert [one.id for one in found] == ["a", "a#2"]
    assert [one.lines[0].page_id for one in found] == ["a", "a#2"]
    assert [one.lines[0].id for one in found] == ["l1", "l1~2"]


STYLES = '<Styles><TextStyle ID="F1" FONTSTYLE="italics underline"/><TextStyle ID="F2" FONTFAMILY="x"/></Styles>'


def test_styles_of_strings_and_lines_become_spans() -> None:
    strings = '<String CONTENT="a" STYLE="bold"/><SP/><String CONTENT="bc" STYLE="bold superscript"/>'
    strings += '<SP/><String CONTENT="d"/>'
    assert set(line(strings).spans) == {TextSpan("bold", 0, 4), TextSpan("superscript", 2, 2)}
    styled = line('<String CONTENT="abc"/>', 'STYLEREFS="F1 F2"', head=STYLES)
    assert set(styled.spans) == {TextSpan("italic", 0, 3), TextSpan("underline", 0, 3)}


def test_direction_from_the_nearest_statement_or_the_rotation() -> None:
    lines = alto_line(WORD, "l1", 'BASEDIRECTION="ttb"') + alto_line(WORD, "l2")
    assert [one.direction for one in page(alto_xml(alto_block(lines, attributes='BASEDIRECTION="rtl"'))).lines] == [
        "ttb",
        "rtl",
    ]
    for rotation, expected in (("90", "btt"), ("-90.0", "ttb"), ("270", "ttb"), ("0", None), ("180", None)):
        turned = alto_block(alto_line(WORD), attributes=f'ROTATION="{rotation}"')
        assert page(alto_xml(turned)).lines[0].direction == expected


def test_the_file_identifier_stands_in_for_an_empty_file_name() -> None:
    content = alto_xml(alto_block(""), image="").replace(
        "</fileName>", "</fileName><fileIdentifier>zip//imgs.zip/a.JPG</fileIdentifier>"
    )
    assert page(content).metadata["image"] == "zip//imgs.zip/a.JPG"


def test_a_file_without_a_page_is_an_error() -> None:
    with pytest.raises(UnusableInput, match=r"without a <Page>"):
        page('<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"/>')
