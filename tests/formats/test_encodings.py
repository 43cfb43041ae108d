"""Files in other encodings than UTF-8: read rightly, or refused in one sentence; never guessed."""

import codecs
import csv
import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import LEARNING

from uncial.errors import UnusableInput
from uncial.formats.encoding import read_utf8
from uncial.formats.xml.parsing import parse

TEXT = "Größe é"
PAGE = f'<?xml version="1.0" encoding="{{}}"?><PcGts><Page><Unicode>{TEXT}</Unicode></Page></PcGts>'


def written(path, encoding, stated, mark=b""):
    path.write_bytes(mark + PAGE.format(stated).encode(encoding, "xmlcharrefreplace"))
    return path


@pytest.mark.parametrize(
    ("encoding", "stated", "mark"),
    [
        ("utf-8", "UTF-8", b""),
        ("utf-8", "ISO-8859-1", codecs.BOM_UTF8),
        ("utf-16-le", "UTF-16", b""),
        ("utf-16-be", "UTF-16", codecs.BOM_UTF16_BE),
        ("utf-32-le", "UTF-32", b""),
        ("latin-1", "ISO-8859-1", b""),
        ("cp1252", "windows-1252", b""),
        ("mac_roman", "macintosh", b""),
    ],
)
def test_xml_is_read_in_its_encoding(tmp_path, encoding, stated, mark):
    root = parse(written(tmp_path / "a.xml", encoding, stated, mark)).getroot()
    assert root.findtext(".//Unicode") == TEXT


@pytest.mark.parametrize(
    ("encoding", "stated", "word"),
    [
        ("utf-7", "UTF-7", "UTF-7"),
        ("iso2022_jp", "ISO-2022-JP", "ISO-2022-JP"),
        ("cp037", "IBM037", "EBCDIC"),
        ("utf-8", "UTF-16", "UTF-16"),
        ("latin-1", "UTF-8", "UTF-8"),
        ("utf-8", "US-ASCII", "ASCII"),
        ("utf-8", "ISO-8859-1", "its letters are UTF-8"),
        ("utf-8", "klingon", "klingon"),
    ],
)
def test_xml_that_states_a_wrong_or_odd_encoding_is_refused_in_a_sentence(tmp_path, encoding, stated, word):
    path = written(tmp_path / "a.xml", encoding, stated)
    with pytest.raises(UnusableInput) as told:
        parse(path)
    assert word in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", ["abc", "a", "Größe\n", "Привет", "שלום", "مرحبا بك", "αβγ"])
def test_text_of_wide_characters_is_no_utf8(tmp_path, encoding, text):
    path = tmp_path / "x.gt.txt"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(UnusableInput, match="UTF-8"):
        read_utf8(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_says_which_wide_characters(tmp_path, encoding):
    path = tmp_path / "x.gt.txt"
    path.write_bytes("\ufeffabc".encode(encoding))
    with pytest.raises(UnusableInput, match=f"is {encoding[:6].upper()}, not UTF-8"):
        read_utf8(path)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30))
def test_utf8_is_read_as_it_is(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("in") / "x.txt"
    path.write_bytes(text.encode("utf-8"))
    assert read_utf8(path) == text.removeprefix("\ufeff")


def test_a_page_in_an_odd_encoding_is_skipped_by_predict_and_the_others_are_read(run, drawn, trained, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    for name, encoding in (("drawn_0002", "utf-7"), ("drawn_0003", "cp037")):
        file = root / "page" / f"{name}.xml"
        text = file.read_text(encoding="utf-8")
        file.write_bytes(
            text.replace("UTF-8", encoding.upper(), 1).replace("'", '"').encode(encoding, "xmlcharrefreplace")
        )
    ended = run("task=predict", f"checkpoint={trained.folder}", f"predict.input={root}")
    assert ended.code == 0, ended
    with (ended.folder / "skipped.csv").open(encoding="utf-8", newline="") as file:
        skipped = list(csv.DictReader(file))
    assert sorted(row["file"].rpartition("/")[2] for row in skipped) == ["drawn_0002.xml", "drawn_0003.xml"]
    assert len(list((ended.folder / "pages").rglob("*.xml"))) == 10


SEPARATORS = "\u2028\u2029\u0085\x0b\x0c\x1c"


def test_separators_in_texts_break_no_row_of_a_report(run, tmp_path, drawn):
    root = tmp_path / "in"
    shutil.copytree(drawn / "alto", root)
    for number, character in enumerate("\u2028\u2029\u0085", start=1):
        file = root / f"drawn_{number:04d}.xml"
        text = file.read_text(encoding="utf-8")
        place = text.index('CONTENT="') + len('CONTENT="') + 2
        file.write_text(text[:place] + character + text[place:], encoding="utf-8")
    ended = run("task=inspect", "data=alto", f"data.root={root}", "inspect.augmentation=1", "inspect.samples=40")
    assert ended.code == 0, ended
    assert not set(ended.output) & set(SEPARATORS)
    page = ended.read("findings.html")
    assert not set(page) & set("\u2028\u2029\u0085")
    found = json.loads(ended.read("findings.json"))["findings"]
    assert len([one for one in found if one["kind"] == "control_character"]) == 3


def test_a_tab_in_a_line_is_learned_as_a_space(run, tmp_path, drawn):
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    for file in (root / "page").glob("*.xml"):
        text = file.read_text(encoding="utf-8")
        place = text.index("<Unicode>") + len("<Unicode>") + 2
        file.write_text(text[:place] + "\t" + text[place:], encoding="utf-8")
    from uncial.models.files import load_card

    quick = ("trainer.max_steps=2", "trainer.validations=1")
    for tabs, letter in (("space", " "), ("keep", "\t")):
        typed = [one for one in LEARNING if not one.startswith(("trainer.max_steps", "trainer.validations"))]
        ended = run(
            "task=train", "data=page", f"data.root={root}", *typed, *quick, f"model.text.tabs={tabs}", into=tabs
        )
        assert ended.code == 0, ended
        codec = json.dumps(load_card(ended.folder / "best.safetensors")["codec"])
        assert json.dumps(letter) in codec
        assert json.dumps({" ": "\t", "\t": " "}[letter]) not in codec
