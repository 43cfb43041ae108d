"""Files that must not or cannot be read end in one sentence with name, reason and remedy."""

import gzip
from pathlib import Path

import pytest
from xml_samples import page_line, page_region, page_xml

from uncial.errors import UnusableInput
from uncial.formats.xml.parsing import describe_other, find_kind, parse

GOOD = page_xml(page_region(page_line("text")))
BOMB = '<!DOCTYPE PcGts [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def with_prolog(prolog: str) -> str:
    return GOOD.replace("?>\n", f"?>\n{prolog}\n", 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "binary data"),
        (b"just text", "is not XML"),
        (gzip.compress(GOOD.encode()), "is packed with gzip; unpack it"),
        (GOOD[: len(GOOD) // 2].encode(), "is cut short"),
        (GOOD.rstrip()[:-3].encode(), "is cut short"),
        (GOOD.replace("</Unicode>", "</Unikode>").encode(), "not well-formed"),
        (GOOD.replace("text<", "a & b<").encode(), "not well-formed"),
        (GOOD.encode() + b"<extra/>", "not well-formed"),
        (GOOD.encode("latin-1").replace(b"text", b"\xe6"), "not well-formed"),
        (with_prolog('<!DOCTYPE PcGts SYSTEM "http://example.org/page.dtd">').encode(), "document type declaration"),
        (with_prolog(BOMB).replace("text<", "&b;<").encode(), "document type declaration"),
        (
            with_prolog('<!-- c --><?pi?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>').encode(),
            "document type",
        ),
        (with_prolog(BOMB).replace("UTF-8", "UTF-16").encode("utf-16"), "document type declaration"),
        (GOOD.replace("UTF-8", "no-such-encoding").encode(), "export it again"),
        (b"<a>" * 300 + b"</a>" * 300, "not well-formed"),
    ],
)
def test_one_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "bad page, 1=å.xml"
    path.write_bytes(data)
    with pytest.raises(UnusableInput) as raised:
        parse(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message
    assert ";" in message


def test_entities_of_another_file_are_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    bad = with_prolog(f'<!DOCTYPE PcGts [<!ENTITY e SYSTEM "{secret.as_uri()}">]>').replace("text<", "&e;<")
    (tmp_path / "a.xml").write_text(bad)
    with pytest.raises(UnusableInput) as raised:
        parse(tmp_path / "a.xml")
    assert "DOCTYPE" in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = page_xml(page_region(page_line("blåbærgrød"))).replace("UTF-8", encoding.removesuffix("-sig"))
    (tmp_path / "a.xml").write_bytes(content.encode(encoding))
    assert "blåbærgrød" in "".join(parse(tmp_path / "a.xml").getroot().itertext())


def test_a_doctype_in_a_comment_or_in_text_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(with_prolog("<!-- <!DOCTYPE x> -->").replace("text<", "&lt;!DOCTYPE&gt;<"))
    assert find_kind(parse(tmp_path / "a.xml").getroot()) == "page"


def test_a_folder_or_missing_file_is_a_sentence_too(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.xml"):
        with pytest.raises(UnusableInput, match="cannot be read"):
            parse(path)


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ('<mets xmlns="http://www.loc.gov/METS/"/>', "mets", "METS"),
        ("<TEI/>", "other", "<TEI>"),
        ('<PcGts xmlns="urn:other"/>', "other", "urn:other"),
        ('<alto xmlns="urn:other"/>', "other", "neither PAGE"),
        ("<PcGts/>", "page", ""),
        ("<alto/>", "alto", ""),
        ("<ALTO/>", "alto", ""),
    ],
)
def test_kinds(tmp_path: Path, content: str, kind: str, words: str) -> None:
    (tmp_path / "a.xml").write_text(content)
    root = parse(tmp_path / "a.xml").getroot()
    assert find_kind(root) == kind
    if words:
        assert words in describe_other(root)
