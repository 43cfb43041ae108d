"""Files say which lines a program read; what somebody changes afterwards is a person's."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from readings import write_transcriptions
from xml_samples import alto_block, alto_line, alto_xml, page_line, page_region, page_xml, put

from uncial.document import Transcription
from uncial.formats.lines.styles import MARKS
from uncial.formats.provenance import Reader, ReadingStep, format_step, hash_text, list_readers, parse_steps
from uncial.formats.transcription_files import read_texts

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/{}"
ALTO = "http://www.loc.gov/standards/alto/ns-v{}#"
VERSIONS = [
    *(PAGE.format(version) for version in ("2010-03-19", "2013-07-15", "2017-07-15", "2019-07-15")),
    *(ALTO.format(version) for version in ("2", "3", "4")),
    "",
]
DATES = "<Created>2020-01-01T00:00:00</Created><LastChange>2020-01-01T00:00:00</LastChange>"
FIRST = Reader("first.safetensors", "a" * 64, "1.0")
SECOND = Reader("best [2] of = 9.safetensors", "b" * 64, "1.1")
LINE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn"), exclude_characters="".join(MARKS.values())),
    max_size=12,
)


def transcription(namespace: str, texts: dict[str, str], metadata: str = DATES) -> str:
    if "PAGE" in namespace:
        lines = "\n".join(page_line(text, line) for line, text in texts.items())
        return page_xml(page_region(f"\n{lines}\n"), namespace=namespace, metadata=metadata)
    lines = "".join(alto_line(f'<String CONTENT="{text}"/>', line) for line, text in texts.items())
    return alto_xml(alto_block(lines), namespace=namespace)


def read(source: Path, texts: dict[str, str], reader: Reader = FIRST) -> Path:
    """The copy with what the reader read."""
    target = source.with_name(f"{source.stem}_{reader.model[:1]}.xml")
    write_transcriptions(source, target, {k: Transcription(v, 0.5) for k, v in texts.items()}, reader=reader)
    return target


def readers(path: Path) -> dict[str, str | None]:
    return {line.id: line.reader for line in read_texts(path)}


def change(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1
    path.write_text(content.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("namespace", VERSIONS)
def test_correcting_one_line_makes_that_line_a_persons(tmp_path: Path, namespace: str) -> None:
    source = put(tmp_path / "a.xml", transcription(namespace, {"l1": "old", "l2": "old", "l3": "a person's"}))
    assert readers(source) == {"l1": None, "l2": None, "l3": None}
    copy = read(source, {"l1": "reed wrongly", "l2": "read rightly"})
    assert readers(copy) == {"l1": str(FIRST), "l2": str(FIRST), "l3": None}
    change(copy, "reed wrongly", "read wrongly")
    assert readers(copy) == {"l1": None, "l2": str(FIRST), "l3": None}


@pytest.mark.parametrize("namespace", VERSIONS)
def test_a_second_reading_replaces_what_the_first_said_of_its_lines_alone(tmp_path: Path, namespace: str) -> None:
    source = put(tmp_path / "a.xml", transcription(namespace, {"l1": "x", "l2": "y", "l3": "z"}))
    first = read(source, {"l1": "one", "l2": "two"})
    second = read(first, {"l2": "three"}, SECOND)
    assert readers(second) == {"l1": str(FIRST), "l2": str(SECOND), "l3": None}
    last = read(second, {"l1": "four", "l2": "four"}, FIRST)
    assert readers(last) == {"l1": str(FIRST), "l2": str(FIRST), "l3": None}
    assert last.read_text(encoding="utf-8").count("[uncial-reading") == 1


@settings(deadline=None, max_examples=60)
@given(
    namespace=st.sampled_from(VERSIONS),
    texts=st.lists(LINE, min_size=1, max_size=4),
    place=st.integers(0, 3),
    other=LINE,
)
def test_whatever_was_read_is_known_again_until_it_is_changed(
    tmp_path_factory: pytest.TempPathFactory, namespace: str, texts: list[str], place: int, other: str
) -> None:
    folder = tmp_path_factory.mktemp("round")
    wanted = {f"l{number}": text for number, text in enumerate(texts)}
    copy = read(put(folder / "a.xml", transcription(namespace, dict.fromkeys(wanted, "before"))), wanted)
    assert set(readers(copy).values()) == {str(FIRST)}
    line = f"l{place % len(texts)}"
    corrected = folder / "b.xml"
    write_transcriptions(copy, corrected, {line: Transcription(other, 1.0)})
    changed = hash_text(other) != hash_text(wanted[line])
    assert readers(corrected) == dict.fromkeys(wanted, str(FIRST)) | ({line: None} if changed else {})


def moved(texts: dict[str, str | None], read_before: dict[str, str]) -> set[str]:
    step = ReadingStep(FIRST, "", {line: hash_text(text) for line, text in read_before.items()})
    return set(list_readers(texts, [step]))


def test_lines_with_other_ids_are_known_by_their_texts() -> None:
    before = {"l1": "incipit liber", "l2": "12", "l3": "explicit"}
    assert moved({"tr_1": "incipit liber", "tr_2": "12", "tr_3": "explicit!"}, before) == {"tr_1", "tr_2"}
    assert moved({"l1": "new first line", "l2": "incipit liber", "l3": "12", "l4": "explicit"}, before) == {"l2", "l4"}


def test_short_texts_that_people_exchange_are_theirs() -> None:
    assert moved({"l1": "12", "l2": "13", "l3": ""}, {"l1": "13", "l2": "12", "l3": ""}) == {"l3"}
    assert moved({"l1": "12", "l2": "12"}, {"l1": "13", "l2": "12"}) == {"l2"}
    assert moved({"l1": None}, {"l1": ""}) == set()


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: f"  {text}\n",
        lambda text: text.replace(" ", "\u00a0  "),
        lambda text: f"\u200f{text}\ufeff",
    ],
)
def test_what_programs_rewrite_is_no_correction(rewritten) -> None:
    assert hash_text(rewritten("déjà vu \u05d0")) == hash_text("déjà vu \u05d0")


@pytest.mark.parametrize("corrected", ["deja vu", "déjàvu", "déjà  vu.", "Déjà vu", "déjà vu\u0304"])
def test_what_people_rewrite_is_one(corrected: str) -> None:
    assert hash_text(corrected) != hash_text("déjà vu")


@given(
    st.builds(Reader, st.text(max_size=8), st.text(max_size=8), st.text(max_size=8)),
    st.dictionaries(st.text(min_size=1, max_size=6), st.just("0123456789"), max_size=3),
)
def test_statements_are_read_as_they_were_written(reader: Reader, lines: dict[str, str]) -> None:
    step = ReadingStep(reader, "2025-01-31T12:00:00Z", lines)
    text = format_step(step)
    assert parse_steps(f"by hand [x] {text}\n{text}]") == [step, step]
    assert parse_steps(text.replace(" ", "\n\t ")) == [step], "however a program wraps it"
    assert parse_steps(text[:-1]) == [], "a torn one says nothing"


@pytest.mark.parametrize("namespace", [PAGE.format("2013-07-15"), PAGE.format("2019-07-15")])
def test_what_other_programs_wrote_about_a_page_stays_in_its_order(tmp_path: Path, namespace: str) -> None:
    item = '<MetadataItem type="processingStep" name="htr" value="loghi-htr"><Labels><Label value="x"/></Labels>'
    others = f"{DATES}<Comments>by hand [1]</Comments>" + (f"{item}</MetadataItem>" if "2019" in namespace else "")
    own = '<TranskribusMetadata docId="7" status="GT"/>' if "2013" in namespace else ""
    source = put(tmp_path / "a.xml", transcription(namespace, {"l1": "x"}, others + own))
    twice = read(read(source, {"l1": "one"}), {"l1": "two"}, SECOND)
    metadata = next(etree.parse(twice).iter("{*}Metadata"))
    names = [etree.QName(one).localname for one in metadata]
    tail = ["MetadataItem", "MetadataItem"] if "2019" in namespace else ["TranskribusMetadata"]
    assert names == ["Creator", "Created", "LastChange", "Comments", *tail]
    comments = next(metadata.iter("{*}Comments")).text or ""
    assert comments.startswith("by hand [1]")
    assert comments.count("[uncial-reading") == (0 if "2019" in namespace else 1)
    assert (next(metadata.iter("{*}LastChange")).text or "") > "2025"
    assert next(metadata.iter("{*}Created")).text == "2020-01-01T00:00:00"
    if "2019" in namespace:
        assert [one.get("value", "")[:5] for one in metadata.iter("{*}MetadataItem")] == ["loghi", "uncia"]


@pytest.mark.parametrize(("version", "name"), [("2", "OCRProcessing"), ("3", "OCRProcessing"), ("4", "Processing")])
def test_what_other_programs_wrote_about_an_alto_file_stays_and_counts_for_nobody(
    tmp_path: Path, version: str, name: str
) -> None:
    step = "<processingStepSettings>kraken read it all</processingStepSettings>"
    inner = f"<ocrProcessingStep>{step}</ocrProcessingStep>" if name == "OCRProcessing" else step
    content = transcription(ALTO.format(version), {"l1": "x"})
    content = content.replace("</Description>", f'<{name} ID="uncial_1">{inner}</{name}></Description>')
    source = put(tmp_path / "a.xml", content)
    assert readers(source) == {"l1": None}
    twice = read(read(source, {"l1": "one"}), {"l1": "two"}, SECOND)
    found = list(etree.parse(twice).iter(f"{{*}}{name}"))
    assert [one.get("ID") for one in found] == ["uncial_1", "uncial_2"]
    assert "kraken read it all" in "".join(found[0].itertext())
    assert readers(twice) == {"l1": str(SECOND)}


def test_a_program_that_drops_what_it_does_not_know_makes_a_person_of_the_reader(tmp_path: Path) -> None:
    copy = read(put(tmp_path / "a.xml", transcription(VERSIONS[1], {"l1": "x"})), {"l1": "one"})
    content = re.sub("<Comments>.*?</Comments>", "", copy.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert readers(put(tmp_path / "b.xml", content)) == {"l1": None}


def test_a_file_without_a_place_for_it_gets_one(tmp_path: Path) -> None:
    bare = re.sub("<Metadata>.*</Metadata>", "", transcription(VERSIONS[3], {"l1": "x"}))
    assert readers(read(put(tmp_path / "a.xml", bare), {"l1": "one"})) == {"l1": str(FIRST)}
    bare = re.sub("<Description>.*</Description>", "", transcription(VERSIONS[6], {"l1": "x"}))
    assert readers(read(put(tmp_path / "b.xml", bare), {"l1": "one"})) == {"l1": str(FIRST)}


def test_statements_of_large_pages_are_small(tmp_path: Path) -> None:
    texts = {f"line_{number:04d}": f"the text of a line of usual length, number {number}" for number in range(500)}
    source = put(tmp_path / "a.xml", transcription(VERSIONS[3], texts))
    copy = read(source, texts)
    assert set(readers(copy).values()) == {str(FIRST)}
    assert copy.stat().st_size < 1.2 * source.stat().st_size


@pytest.mark.real_data
@pytest.mark.parametrize("year", ["2013-07-15", "2019-07-15"])
def test_pages_break_no_schema(real_data: Path, tmp_path: Path, year: str) -> None:
    xsd = (real_data / "kraken-resources/tests/resources/pagecontent.xsd").read_text(encoding="utf-8")
    schema = etree.XMLSchema(etree.fromstring(xsd.replace("2019-07-15", year).encode()))
    source = put(tmp_path / "a.xml", transcription(PAGE.format(year), {"l1": "x", "l2": "y"}))
    assert schema.validate(etree.parse(source)), schema.error_log
    first = read(source, {"l1": "one", "l2": "two"})
    second = read(first, {"l2": "three"}, SECOND)
    assert schema.validate(etree.parse(first)), schema.error_log
    assert schema.validate(etree.parse(second)), schema.error_log
    bare = re.sub("<Metadata>.*</Metadata>", "", transcription(PAGE.format(year), {"l1": "x"}))
    assert schema.validate(etree.parse(read(put(tmp_path / "b.xml", bare), {"l1": "x"}))), schema.error_log


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_alto_files_break_no_schema(real_data: Path, tmp_path: Path, version: str) -> None:
    resources = real_data / "kraken-resources/tests/resources"
    xsd = (resources / "alto-4-3.xsd").read_text(encoding="utf-8").replace("ns-v4#", f"ns-v{version}#")
    imported = (resources / "xlink.xsd").as_posix()
    schema = etree.XMLSchema(etree.fromstring(xsd.replace("xlink.xsd", imported).encode()))
    size = 'WIDTH="100" HEIGHT="100" PHYSICAL_IMG_NR="1"'
    block = alto_block(alto_line('<String CONTENT="x"/>'), attributes='HPOS="0" VPOS="0" WIDTH="9" HEIGHT="9"')
    content = alto_xml(block, namespace=ALTO.format(version), size=size)
    content = content.replace("<PrintSpace>", '<PrintSpace HPOS="0" VPOS="0" WIDTH="9" HEIGHT="9">')
    source = put(tmp_path / "a.xml", content)
    before = schema.validate(etree.parse(source))
    assert before, schema.error_log
    assert schema.validate(etree.parse(read(read(source, {"l1": "one"}), {"l1": "two"}, SECOND))), schema.error_log
