"""PAGE files of all versions and exporters, read through `read_page`."""

from pathlib import Path

import pytest
from lxml import etree
from xml_samples import BASELINE, COORDS, PAGE_NAMESPACE, page_line, page_region, page_xml

from uncial.document import Page, SourceContents, TextLine, TextSpan
from uncial.errors import UnusableInput
from uncial.formats.page_xml.reading import read_page


def read(content: str) -> SourceContents:
    return read_page(etree.fromstring(content.encode()), Path("a.xml"), "a")


def page(content: str) -> Page:
    return read(content).pages[0]


def line(content: str) -> TextLine:
    return page(page_xml(page_region(content))).lines[0]


def ids(content: str) -> list[str]:
    return [one.id for one in page(content).lines]


@pytest.mark.parametrize("year", ["2009-03-16", "2010-03-19", "2013-07-15", "2016-07-15", "2019-07-15", "2031-01-01"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_version_is_read(year: str, scheme: str) -> None:
    namespace = f"{scheme}://schema.primaresearch.org/PAGE/gts/pagecontent/{year}"
    found = page(page_xml(page_region(page_line("æøå")), namespace=namespace)).lines[0]
    assert (found.text, found.baseline) == ("æøå", ((10, 25), (90, 25)))


def test_prefixed_namespace_is_read() -> None:
    content = page_xml(page_region(page_line("x"))).replace("xmlns=", "xmlns:pc=")
    for name in ("PcGts", "Metadata", "Creator", "Page", "TextRegion", "Coords", "TextLine", "Baseline", "TextEquiv"):
        content = content.replace(f"<{name}", f"<pc:{name}").replace(f"</{name}", f"</pc:{name}")
    content = content.replace("<Unicode", "<pc:Unicode").replace("</Unicode", "</pc:Unicode")
    assert page(content).lines[0].text == "x"


def test_old_point_elements_are_coordinates() -> None:
    old = '<TextLine id="l"><Coords><Point x="1" y="2"/><Point x="3" y="4"/><Point x="5" y="1"/></Coords></TextLine>'
    assert line(old).polygon == ((1, 2), (3, 4), (5, 1))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("-3,4 5.5,-6.25", ((-3, 4), (5.5, -6.25))),
        ("1,2\n   3,4", ((1, 2), (3, 4))),
        ("1, 2 3 ,4", ((1, 2), (3, 4))),
        ("", ()),
        ("7,8", ((7, 8),)),
    ],
)
def test_points_in_all_spellings(stated: str, expected: tuple[tuple[float, float], ...]) -> None:
    assert line(f'<TextLine id="l"><Coords points="{stated}"/></TextLine>').polygon == expected


@pytest.mark.parametrize("stated", ["1,2 x,4", "1,2 3", "nan,1 2,3", "1,inf 2,3", "1,2,3 4,5"])
def test_a_line_with_senseless_points_is_a_problem_and_the_others_stay(stated: str) -> None:
    bad = f'<TextLine id="bad"><Coords points="{stated}"/></TextLine>'
    reading = read(page_xml(page_region(bad + page_line("good", "good"))))
    assert [one.id for one in reading.pages[0].lines] == ["good"]
    assert [problem.line for problem in reading.problems] == ["bad"]


def test_missing_and_empty_text_differ() -> None:
    found = page(page_xml(page_region(page_line(None, "a") + page_line("", "b") + page_line("  ", "c")))).lines
    assert [one.text for one in found] == [None, "", "  "]


def test_indentation_of_the_xml_is_no_text_but_edge_space_is() -> None:
    indented = page_line("\n            two\n            words \n        ")
    assert line(indented).text == "two words"
    assert line(page_line(" edge\u00a0 ")).text == " edge\u00a0 "


@pytest.mark.parametrize(
    ("equivalents", "expected"),
    [
        ([("index='1'", "b"), ("index='0'", "a")], "a"),
        ([("index='2'", "c"), ("index='1'", "b")], "b"),
        ([("", "first"), ("", "second")], "first"),
        ([("index='1'", "other"), ("", "plain")], "plain"),
        ([("index='0'", "zero"), ("", "plain")], "zero"),
    ],
)
def test_which_of_several_texts_counts(equivalents: list[tuple[str, str]], expected: str) -> None:
    inside = "".join(f"<TextEquiv {own}><Unicode>{text}</Unicode></TextEquiv>" for own, text in equivalents)
    assert line(page_line(None, inside=inside)).text == expected


def test_unicode_counts_before_plain_text() -> None:
    both = "<TextEquiv conf='0.25'><PlainText>ae</PlainText><Unicode>æ</Unicode></TextEquiv>"
    found = line(page_line(None, inside=both))
    assert (found.text, found.confidence) == ("æ", 0.25)
    assert line(page_line(None, inside="<TextEquiv><PlainText>ae</PlainText></TextEquiv>")).text == "ae"


def test_confidence_outside_of_its_range_is_none() -> None:
    assert line(page_line(None, inside="<TextEquiv conf='87'><Unicode>x</Unicode></TextEquiv>")).confidence is None


def word(text: str, extra: str = "", confidence: str = "") -> str:
    return f"<Word id='w{text}'>{COORDS}<TextEquiv {confidence}><Unicode>{text}</Unicode></TextEquiv>{extra}</Word>"


def test_words_stand_in_for_a_missing_line_text_only() -> None:
    words = word("two", "<TextStyle underlined='true'/>", "conf='0.5'") + word("words", "", "conf='1'")
    found = line(page_line(None, inside=words))
    assert found.text == "two words"
    assert found.confidence == pytest.approx((0.5 * 3 + 5) / 8)
    assert found.spans == (TextSpan("underline", 0, 3),)
    assert line(page_line("own text", inside=words)).text == "own text"
    assert line(page_line("", inside=words)).text == ""


def test_words_that_are_spaces_and_words_of_glyphs_as_kraken_writes_them() -> None:
    def glyphs(text: str, confidence: str) -> str:
        one = "<Glyph>" + COORDS + "<TextEquiv conf='{}'><Unicode>{}</Unicode></TextEquiv></Glyph>"
        return f"<Word>{COORDS}{''.join(one.format(confidence, character) for character in text)}</Word>"

    found = line(page_line(None, inside=glyphs("amor", "0.5") + glyphs(" ", "0.5") + glyphs("vincit", "0.8")))
    assert found.text == "amor vincit"
    assert found.confidence == pytest.approx((0.5 * 5 + 0.8 * 6) / 11)


def test_equal_confidences_of_words_are_that_of_the_line() -> None:
    words = "".join(word(text, confidence="conf='0.7'") for text in ("abc", "de", "f"))
    assert line(page_line(None, inside=words)).confidence == 0.7


def test_cells_without_a_reading_order_are_read_row_by_row() -> None:
    def table(cells: list[str]) -> str:
        return page_xml(f"<TableRegion id='t1'>{COORDS}{''.join(cells)}</TableRegion>")

    places = [(0, 0), (1, 0), (10, 0), (0, 1), (1, 1)]
    of_transkribus = [f"<TableCell row='{r}' col='{c}'>{page_line('x', f'l{r}{c}')}</TableCell>" for r, c in places]
    role = "<Roles><TableCellRole rowIndex='{}' columnIndex='{}'/></Roles>"
    of_page = [page_region(role.format(r, c) + page_line("x", f"l{r}{c}"), f"r{r}{c}") for r, c in places]
    for cells in (of_transkribus, of_page):
        assert ids(table(cells)) == ["l00", "l01", "l10", "l11", "l100"]
    indexed = [
        cell.replace(" row", f" custom='readingOrder {{index:{n};}}' row") for n, cell in enumerate(of_transkribus)
    ]
    assert ids(table(indexed)) == ["l00", "l10", "l100", "l01", "l11"]


def test_reading_order_element_nested_and_out_of_document_order() -> None:
    order = (
        "<ReadingOrder><OrderedGroup id='g'><RegionRefIndexed index='2' regionRef='r1'/>"
        "<UnorderedGroupIndexed id='u' index='0'><RegionRef regionRef='r3'/><RegionRef regionRef='r2'/>"
        "</UnorderedGroupIndexed></OrderedGroup></ReadingOrder>"
    )
    regions = "".join(page_region(page_line("x", f"l{n}"), f"r{n}") for n in range(5))
    found = page(page_xml(order + regions))
    assert [one.id for one in found.lines] == ["l3", "l2", "l1", "l0", "l4"]
    assert [(one.id, one.order) for one in found.regions][:2] == [("r3", 0), ("r2", 1)]


def test_transkribus_reading_order_of_regions_and_lines() -> None:
    def at(n: int) -> str:
        return f'custom="readingOrder {{index:{n};}}"'

    first = page_region(page_line("x", "l1", at(1)) + page_line("x", "l0", at(0)), "r2", at(1))
    second = page_region(page_line("x", "l2", at(10)) + page_line("x", "l3", at(9)), "r1", at(0))
    assert ids(page_xml(first + second)) == ["l3", "l2", "l0", "l1"]


def test_nested_regions_and_table_cells() -> None:
    cell = f"<TableCell id='c1' row='0' col='0'>{COORDS}{page_line('in a cell', 'l2')}</TableCell>"
    table = f"<TableRegion id='t1'>{COORDS}{cell}</TableRegion>"
    found = page(
        page_xml(page_region(page_region(page_line("x", "l0"), "inner") + page_line("y", "l1"), "outer") + table)
    )
    assert [(one.id, one.region_id) for one in found.lines] == [("l0", "inner"), ("l1", "outer"), ("l2", "c1")]
    assert {one.id: one.type for one in found.regions} == {
        "outer": None,
        "inner": None,
        "t1": "TableRegion",
        "c1": "TableCell",
    }


def test_custom_attribute_of_line_and_region() -> None:
    custom = (
        'custom="readingOrder {index:0;} structure {type:marginal\\u0020note;} language {type: deu;} '
        "textStyle {offset:2; length:3;underlined:true;bold:false;superscript:true;} "
        'unclear {offset:4; length:99; continued:true; reason:a\\u003bb;} person {offset:0; length:0;}"'
    )
    found = page(page_xml(page_region(page_line("0123456789", "l", custom), attributes=custom)))
    assert (found.lines[0].tags, found.lines[0].language) == (("marginal note",), "deu")
    assert found.regions[0].type == "marginal note"
    assert set(found.lines[0].spans) == {
        TextSpan("underline", 2, 3),
        TextSpan("superscript", 2, 3),
        TextSpan("unclear", 4, 6),
    }


def test_offsets_count_utf_16_units_in_the_file_and_code_points_here() -> None:
    assert line(page_line("𐌰𐌱cd", "l", 'custom="unclear {offset:4; length:1;}"')).spans == (TextSpan("unclear", 2, 1),)


@pytest.mark.parametrize(
    "custom", ["", "structure", "{", "structure {type", "}{", "a {b} c {:;;:}", "unclear {offset:x;length:1}"]
)
def test_a_broken_custom_attribute_is_passed_over(custom: str) -> None:
    found = line(page_line("text", "l", f'custom="{custom}"'))
    assert (found.text, found.tags, found.spans) == ("text", (), ())


def test_text_style_element_marks_the_whole_line() -> None:
    found = line(
        f"<TextLine id='l'>{COORDS}<TextEquiv><Unicode>abc</Unicode></TextEquiv>"
        "<TextStyle strikethrough='true'/></TextLine>"
    )
    assert found.spans == (TextSpan("strike", 0, 3),)


def test_direction_and_language_are_inherited_and_overridden() -> None:
    lines = page_line("a", "l1") + page_line("b", "l2", "readingDirection='top-to-bottom' primaryLanguage='Latin'")
    region = page_region(lines, attributes="readingDirection='right-to-left'")
    other = page_region(page_line("c", "l3"), "r2")
    found = page(page_xml(region + other, attributes="readingDirection='bottom-to-top' primaryLanguage='Arabic'")).lines
    assert [(one.direction, one.language) for one in found] == [("rtl", "Arabic"), ("ttb", "Latin"), ("btt", "Arabic")]


def test_no_direction_is_none() -> None:
    assert line(page_line("ܫ")).direction is None


def test_production_and_type_are_tags() -> None:
    assert line(page_line("x", "l", "production='handwritten-cursive'")).tags == ("handwritten-cursive",)


def test_missing_and_repeated_identifiers_are_made_unique_and_stable() -> None:
    lines = "".join(page_line("x", one) for one in ("a", None, "a", "a~2"))
    content = page_xml(page_region(lines))
    assert ids(content) == ["a", "line_0002", "a~3", "a~2"]
    more = page_xml(page_region(lines + page_line("y", None)) + page_region(page_line("z", "a"), "r2"))
    assert ids(more)[:4] == ids(content), "lines behind them change no name"
    assert page(content).metadata["made_up_line_ids"] == "2"


def test_transkribus_metadata_image_and_size() -> None:
    metadata = '<TranskribusMetadata docId="7" pageNr="3" title="Bok" imgUrl="https://x/y?a&amp;b"/>'
    found = page(page_xml("", image="scan 1.jpg", metadata=metadata))
    assert (found.width, found.height, found.lines) == (100, 100, ())
    assert found.metadata.items() >= {"docId": "7", "pageNr": "3", "title": "Bok", "image": "scan 1.jpg"}.items()


def test_a_size_that_is_no_number_is_none_stated() -> None:
    content = page_xml(page_region(page_line())).replace('imageWidth="100"', 'imageWidth="foo"')
    assert page(content).width == 0


def test_region_without_coordinates_keeps_its_lines() -> None:
    content = page_xml(
        f"<TextRegion id='r'><Coords/>{page_line('x')}</TextRegion><NoiseRegion id='n'>{COORDS}</NoiseRegion>"
    )
    found = page(content)
    assert [one.polygon for one in found.regions] == [(), ((10, 10), (90, 10), (90, 30), (10, 30))]
    assert found.regions[1].type == "NoiseRegion"
    assert found.lines[0].region_id == "r"


def test_comments_and_processing_instructions_are_no_elements() -> None:
    content = page_xml("<!-- c -->" + page_region(f"<?pi?><!-- c -->{page_line('a<!-- b -->c')}"))
    assert page(content).lines[0].text == "ac"


def test_a_file_without_a_page_is_an_error() -> None:
    with pytest.raises(UnusableInput, match=r"a\.xml.*without a <Page>"):
        read(f'<PcGts xmlns="{PAGE_NAMESPACE}"/>')


def test_line_without_polygon_or_baseline() -> None:
    found = line(f"<TextLine id='l'>{BASELINE}</TextLine>")
    assert (found.polygon, found.box) == ((), None)
    assert line(f"<TextLine id='l'>{COORDS}</TextLine>").baseline == ()


def test_a_line_without_a_place_has_the_box_of_its_words() -> None:
    words = "".join(f"<Word id='w{x}'><Coords points='{x},10 {x + 9},12 {x + 9},30'/></Word>" for x in (20, 40))
    assert line(f"<TextLine id='l'>{words}</TextLine>").box == (20, 10, 49, 30)
    assert line(f"<TextLine id='l'>{COORDS}{words}</TextLine>").box is None


def test_a_second_page_element_is_told() -> None:
    content = page_xml(page_region(page_line("one"))).replace("</Page>", "</Page><Page>" + page_region("") + "</Page>")
    reading = read(content)
    assert [one.text for one in reading.pages[0].lines] == ["one"]
    assert "2 <Page> elements" in reading.problems[0].reason
