"""The files that hold the texts of line images: pairs, Loghi's lists, label files, manifests, style characters."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.document import TextSpan
from uncial.errors import UnusableInput
from uncial.formats.encoding import read_utf8
from uncial.formats.lines.labels import Label, read_labels, read_manifest
from uncial.formats.lines.loghi import read_list
from uncial.formats.lines.pairs import find_text_beside, pair, read_transcription
from uncial.formats.lines.styles import MARKS, insert_marks, split_marks


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Værsaagod \n", "Værsaagod "),
        (codecs.BOM_UTF8 + b"ab\r\n\r\n", "ab"),
        ("", ""),
        ("a\u2028b\x0bc", "a\u2028b\x0bc"),
    ],
)
def test_a_transcription_loses_its_line_end_only(tmp_path, content, text):
    assert read_transcription(write(tmp_path / "a.gt.txt", content)) == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [("Øl".encode("latin-1"), "not UTF-8"), ("Øl".encode("utf-16"), "UTF-16"), ("a\nb\n", "2 lines")],
)
def test_a_text_that_cannot_be_told_is_refused(tmp_path, content, reason):
    path = write(tmp_path / "a.gt.txt", content)
    with pytest.raises(UnusableInput, match=rf"a\.gt\.txt: .*{reason}"):
        read_transcription(path)


def test_an_absent_file_is_a_line_error(tmp_path):
    with pytest.raises(UnusableInput, match="cannot be read"):
        read_utf8(tmp_path / "none.txt")


def test_pairs_and_what_has_no_partner(tmp_path):
    names = ["a.png", "a.gt.txt", "b.bin.PNG", "b.gt.txt", "c.jpg", "d.gt.txt", "a.txt", "v1.2.tif", "v1.2.gt.txt"]
    files = [write(tmp_path / name, "x") for name in names]
    found = pair(files)
    assert [(image.name, text.name) for image, text in found.pairs] == [
        ("a.png", "a.gt.txt"),
        ("b.bin.PNG", "b.gt.txt"),
        ("v1.2.tif", "v1.2.gt.txt"),
    ]
    assert [path.name for path in found.images_without_text] == ["c.jpg"]
    assert [path.name for path in found.texts_without_image] == ["d.gt.txt"]


def test_two_images_of_one_text_are_not_both_used(tmp_path):
    files = [write(tmp_path / name, "x") for name in ("a.png", "a.bin.png", "a.gt.txt")]
    found = pair(files)
    assert len(found.pairs) == len(found.copies) == 1


def test_plain_txt_counts_only_in_folders_without_gt_txt(tmp_path):
    plain = [write(tmp_path / "loghi" / name, "x") for name in ("a.png", "a.txt", "notes.txt")]
    mixed = [write(tmp_path / "kraken" / name, "x") for name in ("a.png", "a.txt", "b.png", "b.gt.txt")]
    found = pair([*plain, *mixed])
    assert [(image.parent.name, text.name) for image, text in found.pairs] == [
        ("kraken", "b.gt.txt"),
        ("loghi", "a.txt"),
    ]
    assert found.texts_without_image == ()
    assert find_text_beside(tmp_path / "loghi" / "a.png") == tmp_path / "loghi" / "a.txt"
    assert find_text_beside(tmp_path / "kraken" / "a.png") is None


def test_loghi_list(tmp_path):
    path = write(
        tmp_path / "list.txt",
        "\ufeff# made by hand\n\na.png\tein ␆e␆rText \r\nb, c=d.png\t0.25\tx\ne.png\nf.png\ta\tb\ng.png\t\n\tx\n",
    )
    rows, problems = read_list(path)
    assert [(row.number, row.image, row.weight, row.text) for row in rows] == [
        (3, "a.png", None, "ein erText "),
        (4, "b, c=d.png", 0.25, "x"),
        (7, "g.png", None, ""),
    ]
    assert rows[0].spans == (TextSpan("superscript", 4, 2),)
    assert [problem.line for problem in problems] == ["row 5", "row 6", "row 8"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("labels.txt", "a01-000u A MOVE\tto stop\nb one two\n", [("a01-000u", "A MOVE\tto stop"), ("b", "one two")]),
        ("labels.txt", "min side 1.png\ten to\nb.png\ttre\n", [("min side 1.png", "en to"), ("b.png", "tre")]),
        ("labels.tsv", "image\ttext\nb.png\t fire \n", [("b.png", " fire ")]),
        ("labels.csv", 'a.png,"ja, ""nei"""\r\nb.png,x\r\n', [("a.png", 'ja, "nei"'), ("b.png", "x")]),
        ("labels.csv", "id;transcription;filename\n1;a, b, c;p.png\n", [("p.png", "a, b, c")]),
        ("labels.csv", "\ufefffile_name,text\n\nx,\n", [("x", "")]),
    ],
)
def test_label_files(tmp_path, name, content, expected):
    labels, problems = read_labels(write(tmp_path / name, content))
    assert [(label.name, label.text) for label in labels] == expected
    assert problems == []


def test_label_rows_that_cannot_be_told_are_listed(tmp_path):
    labels, problems = read_labels(write(tmp_path / "labels.txt", "only\na b\n"))
    assert labels == [Label(2, "a", "b")]
    assert problems[0].line == "row 1"
    labels, problems = read_labels(write(tmp_path / "labels.csv", "a.png,one, two\nb.png,x\n,y\n"))
    assert [label.name for label in labels] == ["b.png"]
    assert "quote" in problems[0].reason
    assert "names no image" in problems[1].reason


def test_manifest_rows(tmp_path):
    path = write(tmp_path / "m.txt", "# set M\n a b.xml \n\nc.xml\r\n")
    assert read_manifest(path) == [(2, "a b.xml"), (4, "c.xml")]


styled = st.text(st.sampled_from("abcß ſ."), min_size=1, max_size=12)


@given(styled, st.data())
def test_style_characters_come_back(text, data):
    """Spans of one kind that neither touch nor overlap: the only form that splitting yields."""
    spans = []
    for kind in MARKS:
        flags = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
        start = None
        for i, flag in enumerate([*flags, False]):
            if flag and start is None:
                start = i
            elif not flag and start is not None:
                spans.append(TextSpan(kind, start, i - start))
                start = None
    assert split_marks(insert_marks(text, spans)) == (text, tuple(spans))


def test_a_combining_mark_keeps_the_style_of_its_base():
    spans = (TextSpan("underline", 0, 3),)
    assert insert_marks("te\u0303x", spans) == "␅t␅e\u0303x"
    assert split_marks("␅t␅e\u0303x") == ("te\u0303x", spans)


def test_other_spans_are_no_style_characters():
    assert insert_marks("ab", (TextSpan("unclear", 0, 2),)) == "ab"
    assert split_marks("ab␃") == ("ab", ())
