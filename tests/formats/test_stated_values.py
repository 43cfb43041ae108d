"""Single values in files: units and sizes, one point, the first of several pages, limits, and rows without text."""

import numpy as np
import pytest
from lxml import etree
from readings import write_transcriptions
from xml_samples import alto_block, alto_line, alto_xml, page_line, page_region, page_xml, put

from uncial.document import Transcription
from uncial.errors import UnusableInput
from uncial.formats.alto.layout import ImageFacts
from uncial.formats.alto.reading import read_alto
from uncial.formats.lines.loghi import ExportLine, export
from uncial.formats.lines.results import holds_results
from uncial.formats.transcription_files import collect_image_facts, read_transcription
from uncial.formats.xml.parsing import MAX_BYTES, parse

WORD = '<String CONTENT="word"/>'


def alto_page(content, path, image=None):
    return read_alto(etree.fromstring(content.encode()), path, "a", image).pages[0]


def test_a_page_of_one_unit_has_a_scale_like_any_other(tmp_path):
    """Its size counts as soon as it is above 0."""
    baseline = 'BASELINE="0.1 0.5 0.9 0.5"'
    for size in (1, 0.5):
        content = alto_xml(
            alto_block(alto_line(WORD, attributes=baseline)), unit="mm10", size=f'WIDTH="{size}" HEIGHT="{size}"'
        )
        found = alto_page(content, tmp_path / "a.xml", ImageFacts(300, 300))
        assert found.lines[0].baseline[0] == pytest.approx((30 / size, 150 / size))
    content = alto_xml(alto_block(alto_line(WORD)), unit="mm10", size='WIDTH="0" HEIGHT="0"')
    with pytest.raises(UnusableInput, match="export it again in pixels"):
        alto_page(content, tmp_path / "a.xml", ImageFacts(300, 300))


@pytest.mark.parametrize("stated", ["12,20", "12 20"])
def test_a_baseline_of_one_point_costs_no_line(tmp_path, stated):
    content = alto_xml(alto_block(alto_line(WORD, attributes=f'BASELINE="{stated}"')))
    contents = read_alto(etree.fromstring(content.encode()), tmp_path / "a.xml", "a")
    assert contents.problems == ()
    assert contents.pages[0].lines[0].baseline == ((12, 20),)


def test_a_block_with_senseless_coordinates_keeps_its_lines(tmp_path):
    shape = '<Shape><Polygon POINTS="1,2 3,x 5,6"/></Shape>'
    content = alto_xml(alto_block(shape + alto_line(WORD)))
    contents = read_alto(etree.fromstring(content.encode()), tmp_path / "a.xml", "a")
    assert [line.text for line in contents.pages[0].lines] == ["word"]
    assert contents.pages[0].regions[0].polygon == ()
    [problem] = contents.problems
    assert problem.reason.startswith("region b1: ")


@pytest.mark.parametrize(("data", "told"), [(b"no image", "is no readable image"), (None, "is no readable image")])
def test_an_image_that_says_no_size_is_told_by_its_name(tmp_path, data, told):
    path = tmp_path / "a.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UnusableInput, match=rf"a\.png: {told}"):
        collect_image_facts(path)
    content = alto_xml(alto_block(alto_line(WORD)), unit="mm10")
    with pytest.raises(UnusableInput, match=told):
        read_transcription(etree.fromstring(content.encode()), tmp_path / "a.xml", "a", lambda name: path)


def written(folder, content, texts):
    source = put(folder / "source.xml", content)
    target = folder / "out" / "target.xml"
    write_transcriptions(source, target, texts)
    return etree.parse(str(target)).getroot()


def test_the_whole_text_of_a_line_has_the_confidence_of_the_line(tmp_path):
    """Which counts its blanks too, unlike the mean of its characters; an empty text has one as well."""
    read = {"l1": Transcription("ab", 0.25, (0.9, 0.7), ((0.0, 0.5), (0.5, 1.0))), "l2": Transcription("", 0.5)}
    content = alto_xml(alto_block(alto_line(WORD) + alto_line(WORD, "l2")))
    root = written(tmp_path, content, read)
    assert [one.get("WC") for one in root.iter("{*}String")] == ["0.2500", "0.5000"]


def test_words_of_a_page_without_sp_hold_no_space_that_a_reader_adds(tmp_path):
    """One between them stands for itself; several are kept with the word before them."""
    words = '<String CONTENT="two"/><String CONTENT="words"/>'
    root = written(tmp_path, alto_xml(alto_block(alto_line(words))), {"l1": Transcription("en to  tre", 0.5)})
    assert [one.get("CONTENT") for one in root.iter("{*}String")] == ["en", "to  ", "tre"]
    marked = '<String CONTENT="two"/><SP/><String CONTENT="words"/>'
    root = written(tmp_path, alto_xml(alto_block(alto_line(marked))), {"l1": Transcription("en to  tre", 0.5)})
    assert [one.get("CONTENT") for one in root.iter("{*}String")] == ["en", "to ", "tre"]


def test_only_the_first_page_of_a_page_file_is_written_as_only_it_is_read(tmp_path):
    content = page_xml(page_region(page_line("first")))
    second = '<Page imageFilename="b.png" imageWidth="9" imageHeight="9">' + page_region(
        page_line("second", "l9") + page_line("third"), "r9"
    )
    content = content.replace("</PcGts>", f"{second}</Page></PcGts>")
    root = written(tmp_path, content, {"l1": Transcription("new", 0.5)})
    assert [one.text for one in root.iter("{*}Unicode")] == ["new", "second", "third"]
    with pytest.raises(UnusableInput, match="has no line 'l9'"):
        written(tmp_path / "other", content, {"l9": Transcription("new", 0.5)})


@pytest.mark.parametrize("more", [1, 100_000])
def test_a_file_over_the_limit_is_refused_by_its_size_alone(tmp_path, more):
    path = tmp_path / "huge.xml"
    with path.open("wb") as file:
        file.truncate(256 * 1024 * 1024 + more)
    with pytest.raises(UnusableInput, match="is larger than 256 MB, which no page's transcription is"):
        parse(path)
    assert MAX_BYTES == 256 * 1024**2


def test_what_is_not_well_formed_says_the_line_and_why(tmp_path):
    path = put(tmp_path / "a.xml", page_xml(page_region(page_line("a & b"))))
    with pytest.raises(UnusableInput, match=r"is not well-formed XML \(line 2: [^)]*\w[^)]*\); export it again"):
        parse(path)


def strip(seed):
    return np.random.default_rng(seed).integers(0, 255, (12, 40), dtype=np.uint8)


def test_a_line_without_text_ends_no_export(tmp_path):
    """Those after it are written, and of the lists those that have lines, with training and validation in any case."""
    lines = [ExportLine("p", f"l{n}", text, strip(n), "train") for n, text in enumerate(["one", " ", "two"])]
    found = export([*lines, ExportLine("p", "x", "nowhere", strip(9))], tmp_path)
    assert (found.lines, found.without_text) == (3, 1)
    rows = {path.name: path.read_text().splitlines() for path in tmp_path.glob("*.txt")}
    assert {name: [row.split("\t")[1] for row in found] for name, found in rows.items()} == {
        "training_all.txt": ["one", "two", "nowhere"],
        "training_all_train.txt": ["one", "two"],
        "training_all_val.txt": [],
    }


def test_only_an_empty_file_or_results_may_be_replaced_by_results(tmp_path):
    cases = {
        "empty.tsv": (b"", True),
        "blank.tsv": (b"\n \n", True),
        "results.tsv": (b"a.png\t{}\t0.5\ttext\n", True),
        "lines.jsonl": (b'{"line": "a", "text": "b", "confidence": 0.5}\n', True),
        "notes.txt": (b"what I thought of it\n", False),
        "list.txt": (b"a.png\ttext\n", False),
        "latin.txt": ("æøå\n".encode("latin-1"), False),
    }
    for name, (data, expected) in cases.items():
        (tmp_path / name).write_bytes(data)
        assert holds_results(tmp_path / name) == expected, name
    assert not holds_results(tmp_path / "nothing.tsv")
    assert not holds_results(tmp_path)
