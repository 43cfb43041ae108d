"""Which of several files that transcribe one image is used, and when a person has to say so."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from readings import write_transcriptions
from xml_samples import alto_block, alto_line, alto_xml, page_line, page_region, page_xml, put, put_image

from uncial.data.settings import SourceSettings
from uncial.data.sources import mixed, xml
from uncial.document import SourceContents, Transcription
from uncial.errors import UserError
from uncial.formats.provenance import Reader

READER = Reader("model.safetensors", "a" * 64, "1.0")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put_image(tmp_path / "in" / "x.png")
    return tmp_path / "in"


def typed(path: Path, *texts: str) -> Path:
    lines = "".join(page_line(text, f"l{number}") for number, text in enumerate(texts))
    return put(path, page_xml(page_region(lines), "x.png"))


def machine(path: Path, *texts: str) -> Path:
    source = typed(path.with_name(f"{path.name}.source"), *texts)
    wanted = {f"l{number}": Transcription(text, 0.9) for number, text in enumerate(texts)}
    write_transcriptions(source, path, wanted, reader=READER)
    source.unlink()
    return path


def read(root: Path, **more) -> SourceContents:
    return xml.read_xml(SourceSettings("xml", (str(root),), **more))


def used(root: Path, **more) -> list[Path]:
    return [page.source.relative_to(root) for page in read(root, **more).pages]


PLACES = ("x.xml", "page/x.xml", "alto/x.xml", "x.gt.xml", "page/a.xml", "read/x.xml", "zz/x.xml", "a/x.xml")


@pytest.mark.parametrize(("person", "program"), itertools.permutations(PLACES, 2))
def test_a_persons_file_beats_a_machines_wherever_they_lie(root: Path, person: str, program: str) -> None:
    machine(root / program, "read", "by it")
    typed(root / person, "read", "by me")
    reading = read(root)
    assert [page.source for page in reading.pages] == [root / person]
    assert [(problem.kind, problem.machine_read) for problem in reading.problems] == [("machine_read", 2)]


def test_a_persons_file_beats_a_machines_on_the_stricter_side(root: Path) -> None:
    machine(root / "test" / "x.xml", "read")
    typed(root / "train" / "x.xml", "typed")
    reading = read(root, train=("train",), test=("test",))
    assert [(page.source.parent.name, page.subset) for page in reading.pages] == [("train", "train")]


@pytest.mark.parametrize("near", ["x.xml", "page/x.xml", "PAGE/x.xml", "alto/x.xml", "pagexml/x.xml"])
@pytest.mark.parametrize("far", ["a/x.xml", "export/x.xml", "zz/x.xml"])
def test_the_file_with_the_image_beats_others(root: Path, near: str, far: str) -> None:
    typed(root / near, "with the image")
    typed(root / far, "elsewhere")
    assert used(root) == [Path(near)]


@pytest.mark.parametrize("other", ["a.xml", "x.chocomufin.xml", "w.xml"])
def test_the_namesake_of_the_image_beats_others(root: Path, other: str) -> None:
    typed(root / "x.xml", "one")
    typed(root / other, "other")
    assert used(root) == [Path("x.xml")]


def test_a_file_that_is_a_persons_throughout_beats_one_in_part(root: Path) -> None:
    typed(root / "typed" / "x.xml", "one", "two")
    half = machine(root / "page" / "x.xml", "one", "too")
    half.write_text(half.read_text().replace("too", "two!"))
    assert used(root) == [Path("typed/x.xml")]


UNDECIDED = [
    ("x.xml", "page/x.xml"),
    ("page/x.xml", "alto/x.xml"),
    ("x.gt.xml", "x.chocomufin.xml"),
    ("a.xml", "b.xml"),
    ("a.xml", "ab.xml"),
    ("v1/x.xml", "v2/x.xml"),
    ("v[1]/x.xml", "v2/x.xml"),
]


@pytest.mark.parametrize(("one", "other"), UNDECIDED)
def test_two_transcriptions_that_differ_stop_the_run_until_one_is_chosen(root: Path, one: str, other: str) -> None:
    typed(root / one, "one", "line")
    typed(root / other, "another", "line")
    with pytest.raises(UserError, match="nothing tells which one counts") as caught:
        read(root)
    assert str(root / one) in str(caught.value)
    assert str(root / other) in str(caught.value)
    glob = str(caught.value).split('data.exclude=["')[1].split('"]')[0]
    assert len(used(root, exclude=(glob,))) == 1, "the advice works as printed"


def test_transcriptions_below_two_roots_are_told_apart_by_the_roots(root: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        typed(tmp_path / name / "page" / "x.xml", name)
    roots = tuple(str(tmp_path / name) for name in ("first", "second"))
    settings = SourceSettings("xml", roots, images=(root,))
    with pytest.raises(UserError, match="nothing tells") as caught:
        xml.read_xml(settings)
    glob = str(caught.value).split('data.exclude=["')[1].split('"]')[0]
    assert len(xml.read_xml(replace(settings, exclude=(glob,))).pages) == 1


@pytest.mark.parametrize(("one", "other"), UNDECIDED)
def test_two_files_with_the_same_text_are_one_transcription(root: Path, one: str, other: str) -> None:
    typed(root / one, "caf\u00e9 noir", "line ")
    typed(root / other, "line", "cafe\u0301  noir")
    assert len(used(root)) == 1


def test_a_page_as_page_and_as_alto_is_one_transcription(root: Path) -> None:
    typed(root / "page" / "x.xml", "two words")
    words = '<String CONTENT="two"/><SP/><String CONTENT="words"/>'
    put(root / "alto" / "x.xml", alto_xml(alto_block(alto_line(words)), "x.png"))
    assert used(root) == [Path("alto/x.xml")]


def test_parts_that_are_stated_decide(root: Path) -> None:
    typed(root / "a" / "x.xml", "one")
    typed(root / "b" / "x.xml", "other")
    assert used(root, train=("a",), val=("b",)) == [Path("b/x.xml")]


def test_of_two_readings_the_one_with_the_image_counts(root: Path) -> None:
    machine(root / "page" / "x.xml", "one")
    machine(root / "a" / "x.xml", "other")
    assert used(root) == [Path("page/x.xml")]


def test_sources_of_a_mixed_set_are_used_by_who_wrote_them_before_their_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        put_image(tmp_path / name / "x.png")
    machine(tmp_path / "a" / "x.xml", "read")
    typed(tmp_path / "b" / "x.xml", "typed")
    sources = [{"format": "page", "root": str(tmp_path / name)} for name in ("a", "b")]
    reading = mixed.read(SourceSettings("mixed", options={"sources": sources}))
    assert [page.id for page in reading.pages] == ["b/x"]
    assert [problem.kind for problem in reading.problems] == ["machine_read"]
