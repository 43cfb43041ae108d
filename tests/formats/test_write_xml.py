"""Recognised text written into copies of PAGE and ALTO files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from readings import write_transcriptions
from xml_samples import COORDS, alto_block, alto_line, alto_xml, page_line, page_region, page_xml, put

from uncial.document import Page, TextSpan, Transcription
from uncial.errors import UnusableInput, UserError
from uncial.formats.alto.update import split_words
from uncial.formats.lines.styles import MARKS
from uncial.formats.provenance import Reader
from uncial.formats.transcription_files import read_transcription
from uncial.formats.xml.parsing import parse

WORD = f"<Word id='w1'>{COORDS}<Glyph id='g1'>{COORDS}</Glyph><TextEquiv><Unicode>old</Unicode></TextEquiv></Word>"


def page_of(path: Path) -> Page:
    return read_transcription(parse(path).getroot(), path, "a", lambda name: path).pages[0]


def texts_of(path: Path) -> dict[str, str | None]:
    return {one.id: one.text for one in page_of(path).lines}


def write(folder: Path, content: str, texts: dict[str, str], confidence: float = 0.75) -> str:
    source = put(folder / "source.xml", content)
    target = folder / "out" / "target.xml"
    write_transcriptions(source, target, {key: Transcription(text, confidence) for key, text in texts.items()})
    assert source.read_text(encoding="utf-8") == content
    return target.read_text(encoding="utf-8")


def elements(content: str, name: str) -> list[etree._Element]:
    return list(etree.fromstring(content.encode()).iter(f"{{*}}{name}"))


def test_page_line_gets_text_and_confidence_and_loses_words_and_alternatives(tmp_path: Path) -> None:
    several = (
        "<TextEquiv index='1'><Unicode>b</Unicode></TextEquiv><TextEquiv index='0'><Unicode>a</Unicode></TextEquiv>"
    )
    line = page_line(None, "l1", inside=WORD + several + "<TextStyle bold='true'/><UserDefined/>")
    out = write(tmp_path, page_xml(page_region(line)), {"l1": "ny <tekst> & mere"})
    found = page_of(tmp_path / "out" / "target.xml").lines[0]
    assert (found.text, found.confidence) == ("ny <tekst> & mere", 0.75)
    assert not elements(out, "Word")
    assert not elements(out, "Glyph")
    names = [etree.QName(one).localname for one in elements(out, "TextLine")[0]]
    assert names == ["Coords", "Baseline", "TextEquiv", "TextStyle", "UserDefined"]


def test_plain_text_follows_and_other_lines_stay(tmp_path: Path) -> None:
    plain = "<TextEquiv conf='0.1'><PlainText>old</PlainText><Unicode>old</Unicode></TextEquiv>"
    lines = page_line(None, "l1", inside=plain) + page_line("kept", "l2", inside=WORD)
    out = write(tmp_path, page_xml(page_region(lines)), {"l1": "new"})
    assert elements(out, "PlainText")[0].text == "new"
    assert "conf='0.1'" not in out
    assert page_line("kept", "l2", inside=WORD).split("<Word")[1].split("</Word")[0].replace("'", '"') in out.replace(
        "'", '"'
    )


def test_region_text_follows_in_reading_order(tmp_path: Path) -> None:
    lines = page_line("b", "l2", 'custom="readingOrder {index:1;}"') + page_line(
        "a", "l1", 'custom="readingOrder {index:0;}"'
    )
    old = "<TextEquiv conf='0.9'><Unicode>a\nb</Unicode></TextEquiv><TextStyle italic='true'/>"
    out = write(tmp_path, page_xml(page_region(lines + old)), {"l1": "first"})
    assert [one.text for one in elements(out, "Unicode")][-1] == "first\nb"
    assert "0.9" not in out


@pytest.mark.parametrize(("before", "written"), [(None, 1), ("text", 0)])
def test_region_text_is_added_only_where_all_text_is_new(tmp_path: Path, before: str | None, written: int) -> None:
    lines = page_line(before, "l1") + page_line(None, "l2")
    out = write(tmp_path, page_xml(page_region(lines + "<TextStyle/>")), {"l1": "one", "l2": "two"})
    region = elements(out, "TextRegion")[0]
    own = [one for one in region if etree.QName(one).localname == "TextEquiv"]
    assert len(own) == written
    if own:
        assert "".join(own[0].itertext()) == "one\ntwo"
        assert etree.QName(region[-1]).localname == "TextStyle"


def test_offsets_into_the_old_text_go_and_all_else_in_custom_stays(tmp_path: Path) -> None:
    custom = (
        'custom="readingOrder {index:0;} unclear {offset:1; length:1;} structure {type:heading;} '
        'textStyle {offset:0;length:2;bold:true;}"'
    )
    out = write(tmp_path, page_xml(page_region(page_line("old", "l1", custom))), {"l1": "new"})
    assert elements(out, "TextLine")[0].get("custom") == "readingOrder {index:0;} structure {type:heading;}"
    same = write(tmp_path, page_xml(page_region(page_line("old", "l1", custom))), {"l1": "old"})
    assert "unclear {offset:1; length:1;}" in same


def test_versions_before_2013_get_no_confidence(tmp_path: Path) -> None:
    namespace = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2010-03-19"
    out = write(tmp_path, page_xml(page_region(page_line("a", "l1")), namespace=namespace), {"l1": "b"})
    assert "conf" not in out


def test_everything_else_is_byte_for_byte_the_same(tmp_path: Path) -> None:
    content = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- before -->\n'
        '<pc:PcGts xmlns:pc="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15" xmlns:x="urn:x"'
        "\n\n    x:own='1'>\n"
        "  <!-- inside --><?pi data?>\n"
        '  <pc:Page imageFilename="a &amp; b.jpg" imageWidth="1" imageHeight="1">\n'
        '    <pc:TextRegion id="r">\n      <x:extra>keep\u00a0</x:extra>\n'
        '      <pc:TextLine id="l1">\n        <pc:Coords points="1,1 2,2"/>\n'
        "        <pc:TextEquiv>\n          <pc:Unicode>OLD</pc:Unicode>\n        </pc:TextEquiv>\n"
        '      </pc:TextLine>\n      <pc:TextLine\n  id="l2" >\n        <pc:Coords points="1,1 2,2"/>\n'
        "      </pc:TextLine>\n"
        "    </pc:TextRegion>\n  </pc:Page>\n</pc:PcGts>\n<!-- after -->\n"
    )
    out = write(tmp_path, content, {"l1": "NEW", "l2": "SECOND"})
    expected = content.replace("OLD", "NEW").replace("<pc:TextEquiv>", '<pc:TextEquiv conf="0.7500">')
    second = (
        '        <pc:TextEquiv conf="0.7500">\n          <pc:Unicode>SECOND</pc:Unicode>\n        </pc:TextEquiv>\n'
    )
    end = '<pc:Coords points="1,1 2,2"/>\n      </pc:TextLine>\n    </pc:TextRegion>'
    assert out == expected.replace(end, end.replace("      </pc:TextLine>", second + "      </pc:TextLine>", 1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"])
def test_encoding_declaration_and_line_ends_are_kept(tmp_path: Path, encoding: str) -> None:
    content = page_xml("\n" + page_region(page_line("æ", "l1"))).replace("UTF-8", encoding.removesuffix("-sig"))
    content = content.replace("\n", "\r\n")
    (tmp_path / "a.xml").write_bytes(content.encode(encoding))
    write_transcriptions(tmp_path / "a.xml", tmp_path / "b.xml", {"l1": Transcription("ſø", 0.5)})
    out = (tmp_path / "b.xml").read_bytes()
    assert texts_of(tmp_path / "b.xml") == {"l1": "ſø"}
    if encoding != "utf-16":
        assert out.count(b"\r\n") == content.count("\r\n")
        assert out[:30] == content.encode(encoding)[:30]


def test_missing_and_repeated_identifiers_are_found_again(tmp_path: Path) -> None:
    content = page_xml(page_region(page_line("1", "a") + page_line("2", None) + page_line("3", "a")))
    source = put(tmp_path / "s.xml", content)
    new = {identifier: f"{text}!" for identifier, text in texts_of(source).items()}
    write(tmp_path, content, new)
    assert texts_of(tmp_path / "out" / "target.xml") == new


def strings(out: str, number: int = 0) -> list[tuple[str, str | None, str | None, str | None]]:
    line = elements(out, "TextLine")[number]
    return [(etree.QName(s).localname, s.get("CONTENT"), s.get("HPOS"), s.get("WIDTH")) for s in line]


def test_alto_line_of_one_string_stays_one(tmp_path: Path) -> None:
    old = (
        '<String ID="s" CONTENT="old text" HPOS="11" VPOS="12" WIDTH="13" HEIGHT="14" WC="0.1" CC="00" TAGREFS="T" '
        'SUBS_TYPE="HypPart1" SUBS_CONTENT="x"><ALTERNATIVE>y</ALTERNATIVE><Glyph CONTENT="o"><Variant CONTENT="0"/>'
        '</Glyph></String><HYP CONTENT="-"/>'
    )
    out = write(tmp_path, alto_xml(alto_block(alto_line(old))), {"l1": " whole  line "})
    string = elements(out, "String")[0]
    box = {"HPOS": "11", "VPOS": "12", "WIDTH": "13", "HEIGHT": "14"}
    assert dict(string.attrib) == {"ID": "s", "CONTENT": " whole  line ", **box, "WC": "0.7500", "TAGREFS": "T"}
    assert len(string) == 0
    assert not elements(out, "HYP")


def test_alto_words_get_boxes_in_proportion(tmp_path: Path) -> None:
    other = alto_line('<String CONTENT="a"/><SP/><String CONTENT="b"/>', "l2")
    out = write(tmp_path, alto_xml(alto_block(alto_line('<String CONTENT="old"/>') + other)), {"l1": "ab  cdef"})
    assert strings(out) == [("String", "ab ", "10", "20"), ("SP", None, "30", "20"), ("String", "cdef", "50", "40")]
    assert texts_of(tmp_path / "out" / "target.xml") == {"l1": "ab  cdef", "l2": "a b"}


def test_alto_words_get_boxes_and_confidences_of_their_characters(tmp_path: Path) -> None:
    words = '<String CONTENT="a"/><SP/><String CONTENT="b"/>'
    source = put(tmp_path / "s.xml", alto_xml(alto_block(alto_line(words))))
    read = Transcription("a b", 0.5, (0.25, 0.5, 0.75), ((0.75, 1.0), (0.5, 0.75), (0.0, 0.5)))
    write_transcriptions(source, tmp_path / "t.xml", {"l1": read})
    out = (tmp_path / "t.xml").read_text()
    assert strings(out) == [("String", "a", "70", "20"), ("SP", None, "50", "20"), ("String", "b", "10", "40")]
    assert [one.get("WC") for one in elements(out, "String")] == ["0.2500", "0.7500"]


def test_right_to_left_words_without_positions_start_at_the_right(tmp_path: Path) -> None:
    words = '<String CONTENT="a"/><SP/><String CONTENT="b"/>'
    out = write(tmp_path, alto_xml(alto_block(alto_line(words))), {"l1": "אבג ד"})
    assert strings(out) == [("String", "אבג", "42", "48"), ("SP", None, "26", "16"), ("String", "ד", "10", "16")]


def test_alto_pages_without_sp_stay_so(tmp_path: Path) -> None:
    lines = alto_line('<String CONTENT="a"/><String CONTENT="b"/>') + alto_line(
        '<String CONTENT="c"/><String CONTENT="d"/>', "l2"
    )
    out = write(tmp_path, alto_xml(alto_block(lines)), {"l1": "x y  z"})
    assert not elements(out, "SP")
    assert texts_of(tmp_path / "out" / "target.xml") == {"l1": "x y  z", "l2": "c d"}


def test_references_to_strings_that_are_gone_go_too(tmp_path: Path) -> None:
    entries = "".join(f'<ElementRef ID="e{n}" REF="{ref}"/>' for n, ref in enumerate(("s1", "s2", "g1 l1", "b1")))
    inner = '<OrderedGroup ID="h"><ElementRef ID="e9" REF="s2"/></OrderedGroup>'
    order = f'<ReadingOrder><OrderedGroup ID="g">{inner}{entries}</OrderedGroup></ReadingOrder>'
    line = alto_line('<String ID="s1" CONTENT="a"><Glyph ID="g1" CONTENT="a"/></String><String ID="s2" CONTENT="b"/>')
    out = write(tmp_path, alto_xml(alto_block(line), head=order), {"l1": "one"})
    assert [one.get("REF") for one in elements(out, "ElementRef")] == ["s1", "l1", "b1"]
    assert [one.get("ID") for one in elements(out, "OrderedGroup")] == ["g"]
    assert [one.get("ID") for one in elements(out, "String")] == ["s1"]


def test_relations_of_words_that_are_gone_go_too(tmp_path: Path) -> None:
    def relation(one: str, other: str) -> str:
        return f'<Relation><SourceRegionRef regionRef="{one}"/><TargetRegionRef regionRef="{other}"/></Relation>'

    lines = page_line("old", "l1", inside=WORD) + page_line("kept", "l2", inside=WORD.replace("1'", "2'"))
    pairs = [("r1", "w1"), ("g1", "g2"), ("w2", "g2"), ("r1", "r1")]
    before = f"<Relations>{''.join(relation(*pair) for pair in pairs)}</Relations>"
    out = write(tmp_path, page_xml(before + page_region(lines)), {"l1": "new"})
    left = [tuple(one.get("regionRef") for one in relation) for relation in elements(out, "Relation")]
    assert left == [("w2", "g2"), ("r1", "r1")]
    only = write(tmp_path, page_xml(f"<Relations>{relation('w1', 'r1')}</Relations>" + page_region(lines)), {"l1": "x"})
    assert not elements(only, "Relations")


@pytest.mark.parametrize("before", ["old", "𝔄en \u0441a"])
def test_styles_that_the_model_read_are_written_as_such_and_not_as_characters(tmp_path: Path, before: str) -> None:
    custom = 'custom="structure {type:x;} textStyle {offset:0; length:3; bold:true;} readingOrder {index:0;}"'
    read = "𝔄en ␅␆\u0441␅a"
    expected = {TextSpan("underline", 4, 2), TextSpan("superscript", 4, 1)}
    out = write(tmp_path, page_xml(page_region(page_line(before, "l1", custom))), {"l1": read})
    assert elements(out, "Unicode")[0].text == "𝔄en \u0441a"
    line = page_of(tmp_path / "out" / "target.xml").lines[0]
    assert (set(line.spans), line.tags) == (expected, ("x",))
    assert "{offset:5; length:2; underlined:true;}" in elements(out, "TextLine")[0].get("custom", "")


def test_styles_of_whole_words_are_those_of_altos_strings(tmp_path: Path) -> None:
    several = alto_line('<String CONTENT="a"/><SP/><String CONTENT="b"/>')
    out = write(tmp_path, alto_xml(alto_block(several)), {"l1": "␃a␃b ␃c␆d e"})
    assert [(one.get("CONTENT"), one.get("STYLE")) for one in elements(out, "String")] == [
        ("ab", "strikethrough"),
        ("cd", None),
        ("e", None),
    ]
    one = alto_line('<String CONTENT="a"/>')
    out = write(tmp_path, alto_xml(alto_block(one)), {"l1": "␅a␅ ␅b"})
    assert [(string.get("CONTENT"), string.get("STYLE")) for string in elements(out, "String")] == [
        ("a b", "underline")
    ]


@pytest.mark.parametrize(
    ("version", "style"), [("2", "underline"), ("3", "underline"), ("4", "strikethrough underline")]
)
def test_alto_before_version_4_has_no_style_for_what_is_struck(tmp_path: Path, version: str, style: str) -> None:
    content = alto_xml(
        alto_block(alto_line('<String CONTENT="a"/>')), namespace=f"http://www.loc.gov/standards/alto/ns-v{version}#"
    )
    out = write(tmp_path, content, {"l1": "␃␅a"})
    assert [(one.get("CONTENT"), one.get("STYLE")) for one in elements(out, "String")] == [("a", style)]
    out = write(tmp_path, content, {"l1": "␃a"})
    assert elements(out, "String")[0].get("STYLE") == ("strikethrough" if version == "4" else None)


def test_what_all_words_of_an_alto_line_state_alike_stays(tmp_path: Path) -> None:
    strings_of = '<String CONTENT="{}" LANG="la" STYLEREFS="TXT_0 PAR_0" TAGREFS="t" STYLE="{}"/>'
    line = alto_line(strings_of.format("duo", "bold") + "<SP/>" + strings_of.format("verba", "italics"))
    out = write(tmp_path, alto_xml(alto_block(line)), {"l1": "tria verba nova"})
    kept = [(one.get("STYLEREFS"), one.get("TAGREFS")) for one in elements(out, "String")]
    assert kept == [("TXT_0 PAR_0", "t")] * 3
    assert not any(one.get("STYLE") for one in elements(out, "String"))
    assert page_of(tmp_path / "out" / "target.xml").lines[0].language == "la"


def test_a_line_without_strings_gets_one_after_its_shape(tmp_path: Path) -> None:
    line = alto_line('<Shape><Polygon POINTS="1 2 3 4 5 1"/></Shape>')
    out = write(tmp_path, alto_xml(alto_block(line)), {"l1": "two words"})
    assert strings(out) == [("Shape", None, None, None), ("String", "two words", "10", "80")]


@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\ud800b", "a\uffffb"])
def test_characters_that_xml_cannot_hold_are_left_out(tmp_path: Path, text: str) -> None:
    write(tmp_path, page_xml(page_region(page_line("o", "l1"))), {"l1": text})
    assert texts_of(tmp_path / "out" / "target.xml") == {"l1": "ab"}
    write(tmp_path, alto_xml(alto_block(alto_line('<String CONTENT="o"/>'))), {"l1": text})
    assert texts_of(tmp_path / "out" / "target.xml") == {"l1": "ab"}


LINE_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn"), exclude_characters="".join(MARKS.values())),
    max_size=20,
)


@settings(deadline=None)
@given(text=LINE_TEXT, style=st.sampled_from(["line", "words", "spaces"]))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, text: str, style: str) -> None:
    folder = tmp_path_factory.mktemp("round")
    divided = {"line": '<String CONTENT="a"/>', "words": '<String CONTENT="a"/><String CONTENT="b"/>'}
    old = divided.get(style, '<String CONTENT="a"/><SP/><String CONTENT="b"/>')
    kept = alto_line(old, "l2")
    write(folder, alto_xml(alto_block(alto_line(old) + kept)), {"l1": text})
    # Where no program is said to have read it, an empty line is one that was found alone.
    assert (texts_of(folder / "out" / "target.xml")["l1"] or "") == text
    write(folder, page_xml(page_region(page_line("old", "l1"))), {"l1": text})
    assert texts_of(folder / "out" / "target.xml")["l1"] == text


@settings(deadline=None)
@given(text=st.text(st.sampled_from("ab  \u00a0"), max_size=12))
def test_words_joined_by_spaces_are_the_text(text: str) -> None:
    words = split_words(text, spaces_marked=True)
    assert " ".join(word.content for word in words) == text
    assert all(text[word.start : word.end] in word.content for word in words)


def test_the_original_is_never_overwritten_and_nothing_half_is_left(tmp_path: Path) -> None:
    source = put(tmp_path / "a.xml", page_xml(page_region(page_line("old", "l1"))))
    (tmp_path / "link.xml").symlink_to(source)
    for target in (source, tmp_path / "link.xml"):
        with pytest.raises(UserError, match="originals are not overwritten"):
            write_transcriptions(source, target, {"l1": Transcription("new", 1.0)})
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_transcriptions(source, tmp_path / "file" / "b.xml", {})
    assert texts_of(source) == {"l1": "old"}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.xml", "file", "link.xml"]


def test_a_write_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = put(tmp_path / "a.xml", page_xml(page_region(page_line("old", "l1"))))

    def interrupted(path: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_transcriptions(source, tmp_path / "out" / "a.xml", {"l1": Transcription("new", 1.0)})
    assert list((tmp_path / "out").iterdir()) == []


def test_a_line_that_is_not_there_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    source = put(tmp_path / "a.xml", page_xml(page_region(page_line("old", "l1"))))
    with pytest.raises(UnusableInput, match=r"has no line 'l9'"):
        write_transcriptions(source, tmp_path / "b.xml", {"l9": Transcription("new", 1.0)})
    assert not (tmp_path / "b.xml").exists()


def test_another_image_name(tmp_path: Path) -> None:
    for name, content in (("p", page_xml("")), ("a", alto_xml(""))):
        source = put(tmp_path / f"{name}.xml", content)
        write_transcriptions(source, tmp_path / "out.xml", {}, image_name="ny & god.jpg")
        assert page_of(tmp_path / "out.xml").metadata["image"] == "ny & god.jpg"
        assert elements((tmp_path / "out.xml").read_text(), "Page")


def test_a_second_page_with_the_same_identifiers_keeps_its_text(tmp_path: Path) -> None:
    second = f"<Page>{page_region(page_line('other', 'l1'))}</Page>"
    content = page_xml(page_region(page_line("old", "l1"))).replace("</Page>", f"</Page>{second}")
    out = write(tmp_path, content, {"l1": "new"})
    assert [one.text for one in elements(out, "Unicode")] == ["new", "other"]


def test_region_text_keeps_lines_that_are_in_words_only_and_reaches_outer_regions(tmp_path: Path) -> None:
    whole = "<TextEquiv><Unicode>stale</Unicode></TextEquiv>"
    inner = page_region(page_line("a", "l1") + page_line(None, "l2", inside=WORD) + whole, "inner")
    out = write(tmp_path, page_xml(page_region(inner + whole, "outer")), {"l1": "new"})
    assert [one.text for one in elements(out, "Unicode")] == ["new", "old", "new\nold", "new\nold"]


@pytest.mark.parametrize(
    ("declared", "encoding"), [("UTF-16", "utf-16-be"), ("UTF-16", "utf-16-le"), ("UTF-16", "utf-16")]
)
def test_sixteen_bit_files_with_and_without_mark(tmp_path: Path, declared: str, encoding: str) -> None:
    content = page_xml(page_region(page_line("old", "l1"))).replace("UTF-8", declared)
    source, target = tmp_path / "source.xml", tmp_path / "out.xml"
    source.write_bytes(content.encode(encoding))
    write_transcriptions(source, target, {"l1": Transcription("ſyn", 0.5)})
    assert texts_of(target) == {"l1": "ſyn"}
    assert target.read_bytes()[:4] == source.read_bytes()[:4]


def test_alto_words_keep_the_place_of_a_line_that_states_none(tmp_path: Path) -> None:
    strings = "".join(f"<String CONTENT='x' HPOS='{x}' VPOS='10' WIDTH='9' HEIGHT='20'/>" for x in (20, 40))
    content = alto_xml(alto_block(f"<TextLine ID='l1'>{strings}</TextLine>"))
    write(tmp_path, content, {"l1": "ny tekst her"})
    found = page_of(tmp_path / "out" / "target.xml").lines[0]
    assert (found.text, found.box) == ("ny tekst her", (20.0, 10.0, 49.0, 30.0))


def test_a_line_that_a_program_read_as_blank_is_blank(tmp_path):
    source = put(tmp_path / "source.xml", alto_xml(alto_block(alto_line('<String CONTENT="a"/>'))))
    read = {"l1": Transcription("", 0.75)}
    write_transcriptions(source, tmp_path / "read.xml", read, reader=Reader("best.safetensors", "0" * 64, "0.1.0"))
    write_transcriptions(source, tmp_path / "found.xml", read)
    assert texts_of(tmp_path / "read.xml") == {"l1": ""}
    assert texts_of(tmp_path / "found.xml") == {"l1": None}
