"""PAGE and ALTO files as exporters really left them."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from readings import write_transcriptions

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.data.sources import xml as alto
from uncial.document import Page, SourceContents, Transcription
from uncial.errors import UnusableInput
from uncial.formats.transcription_files import read_transcription
from uncial.formats.xml.parsing import find_kind, parse

pytestmark = pytest.mark.real_data
NEW_TEXTS = ("neuer Text  mit & <Zeichen> ", "ܫܘܥ ܠܟ", "", "x", "ſø æ\u0303 end-")


def read(path: Path) -> SourceContents:
    return read_transcription(parse(path).getroot(), path, "p", lambda name: path)


def page_of(path: Path) -> Page:
    return read(path).pages[0]


def test_timeus_is_the_same_as_page_and_as_alto(real_data: Path) -> None:
    folder = real_data / "timeus-1858" / "data" / "cph_paris_tissage_1858"
    files = sorted((folder / "page").glob("*.xml"))
    assert len(files) == 39
    for path in files:
        one, other = page_of(path), page_of(folder / "alto" / path.name)
        assert [replace(line, box=None) for line in other.lines] == list(one.lines)
        assert (one.width, one.height) == (other.width, other.height)
        assert [(region.id, region.type) for region in one.regions] == [
            (region.id, region.type) for region in other.regions
        ]


def test_syriac_lines_are_the_same_in_both_formats(real_data: Path) -> None:
    folder = real_data / "syriac-xml-only" / "SMMJ_00036"
    files = sorted((folder / "page").glob("*.xml"))
    assert files
    spans = 0
    for path in files:
        others = {line.id: line for line in page_of(folder / "alto" / path.name).lines}
        lines = page_of(path).lines
        assert {line.id for line in lines} == set(others)
        for line in lines:
            other = others[line.id]
            assert (line.text, line.polygon, line.baseline, line.region_id) == (
                other.text,
                other.polygon,
                other.baseline,
                other.region_id,
            )
            spans += len(line.spans)
    assert spans > 0


def test_cremma_medieval_with_its_twins(real_data: Path) -> None:
    reading = alto.read_alto(SourceSettings(format="alto", root=(str(real_data / "cremma-medieval"),)))
    assert (len(reading.pages), len(reading.problems)) == (72, 72)
    assert not any("chocomufin" in page.id for page in reading.pages)
    assert all("chocomufin" in problem.file for problem in reading.problems)


def test_the_lists_of_the_benchmark(real_data: Path) -> None:
    lists = {name: (str(real_data / "splits" / f"cremma-medieval.{name}.txt"),) for name in ("train", "val")}
    reading = xml.read_xml(SourceSettings(format="xml", root=(str(real_data),), train=lists["train"], val=lists["val"]))
    lines = {name: sum(len(page.lines) for page in reading.pages if page.subset == name) for name in ("train", "val")}
    pages = {name: sum(page.subset == name for page in reading.pages) for name in ("train", "val")}
    assert pages == {"train": 65, "val": 7}
    assert lines["train"] >= 3810
    assert lines["val"] >= 607
    assert reading.problems == ()


def test_every_file_reads_or_fails_with_a_sentence(real_data: Path) -> None:
    failed = {}
    for path in sorted(real_data.rglob("*.xml")):
        try:
            assert read(path).problems == ()
        except UnusableInput as error:
            failed[path.name] = str(error)
    assert list(failed) == ["mu.xml"]
    assert re.fullmatch(r"/.*mu\.xml: its MeasurementUnit 'mm' is unknown; export it again in pixels", failed["mu.xml"])


def test_kraken_reading_orders(real_data: Path) -> None:
    folder = real_data / "kraken-resources" / "tests" / "resources"
    expected = {
        "page/explicit_ro.xml": ["l3", "l4", "l1", "l2", "l5"],
        "page/explicit_ro_unordered.xml": ["l1", "l2", "l3"],
        "page/missing_coords_ro.xml": ["l1", "l2", "l3", "l4"],
        "page/missing_coords_transkribus.xml": ["l1", "l2", "l3", "l4"],
        "alto/missing_coords_ro.xml": ["tl_1", "tl_2", "tl_3", "tl_4"],
    }
    assert {name: [line.id for line in page_of(folder / name).lines] for name in expected} == expected


def errors(schema: etree.XMLSchema, content: bytes) -> set[str]:
    """What a schema finds, every version of PAGE held against the newest and new texts left aside."""
    content = content.replace(b"https://schema.prima", b"http://schema.prima")
    content = re.sub(rb"pagecontent/20\d\d-\d\d-\d\d", b"pagecontent/2019-07-15", content)
    schema.validate(etree.fromstring(content))
    return {f"{error.type_name} {error.path}" for error in schema.error_log}


def test_written_text_is_read_again_and_breaks_no_schema(real_data: Path, tmp_path: Path) -> None:
    resources = real_data / "kraken-resources" / "tests" / "resources"
    schemas = {
        "page": etree.XMLSchema(etree.parse(resources / "pagecontent.xsd")),
        "alto": etree.XMLSchema(etree.parse(resources / "alto-4-3.xsd")),
    }
    choose = random.Random(1)
    paths = sorted(real_data.rglob("*.xml"))
    for path in choose.sample([one for one in paths if one.name != "mu.xml"], 80) + sorted(resources.rglob("b*7.xml")):
        before = page_of(path)
        texts = {
            line.id: Transcription(choose.choice(NEW_TEXTS), 0.875) for line in before.lines if choose.random() < 0.7
        }
        target = tmp_path / "written.xml"
        write_transcriptions(path, target, texts)
        after = page_of(target)
        for old, new in zip(before.lines, after.lines, strict=True):
            if old.id not in texts:
                assert new == old
                continue
            # An empty line of ALTO that no program is said to have read was found alone.
            assert (new.text or "", new.confidence) == (texts[old.id].text, pytest.approx(0.875))
            unchanged = {"text": old.text, "confidence": old.confidence, "spans": old.spans, "words": old.words}
            assert replace(new, **unchanged) == old
        assert after.regions == before.regions
        schema = schemas[find_kind(parse(path).getroot())]
        assert errors(schema, target.read_bytes()) <= errors(schema, path.read_bytes())


def test_lines_that_get_no_text_keep_every_byte(real_data: Path, tmp_path: Path) -> None:
    for path in sorted(real_data.rglob("*.xml"))[::10]:
        write_transcriptions(path, tmp_path / "copy.xml", {})
        assert (tmp_path / "copy.xml").read_bytes() == path.read_bytes()
