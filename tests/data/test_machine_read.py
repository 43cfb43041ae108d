"""Lines that a program read on their way from the files to the parts of the data."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from uncial.data.machine_read import add_pseudo_labels, drop_machine_read
from uncial.data.splits.split import Split
from uncial.data.store import store
from uncial.data.store.store import Store, StoredLine, write_rows
from uncial.document import Page, Region, SourceContents, TextLine
from uncial.errors import UserError

STRIP = np.zeros((8, 8), dtype=np.uint8)


def line(name: str, reader: str | None = None, region: str | None = None, text: str | None = "text") -> TextLine:
    return TextLine(name, "p", text=text, reader=reader, region_id=region)


def page(name: str, *lines: TextLine, document: str = "", subset: str | None = None) -> Page:
    regions = tuple(Region(one) for one in sorted({line.region_id for line in lines if line.region_id} | {"bare"}))
    return Page(name, Path(f"{name}.xml"), lines=lines, document=document, subset=subset, regions=regions)


def test_lines_that_people_wrote_stay_and_the_others_are_counted_by_file() -> None:
    mixed = page("a", line("1", region="r1"), line("2", "it", "r1"), line("3", "it", "r2"), line("4", text=None))
    found = drop_machine_read(SourceContents((mixed, page("b", line("1", "it")), page("c", line("1")), page("d"))))
    assert {one.id: [line.id for line in one.lines] for one in found.pages} == {"a": ["1", "4"], "c": ["1"], "d": []}
    assert [region.id for region in found.pages[0].regions] == ["bare", "r1"], "a region is not empty for that"
    assert [(Path(one.file).name, one.machine_read, one.kind) for one in found.problems] == [
        ("a.xml", 2, "machine_read"),
        ("b.xml", 1, "machine_read"),
    ]
    assert "2 of 4 lines were written by it" in found.problems[0].reason


def test_what_is_advised_for_readings_depends_on_what_they_are_for() -> None:
    pages = (page("a", line("1"), subset="train"), page("b", line("2", "it"), subset="val"), page("c", line("3", "it")))
    told = {one.part: one.reason for one in drop_machine_read(SourceContents(pages)).problems}
    assert "data.min_confidence" in told[""]
    assert "data.min_confidence" not in told["val"]
    assert "no model is scored on them" in told["val"]


def test_data_without_readings_are_left_as_they_are() -> None:
    reading = SourceContents((page("a", line("1")), page("b")))
    assert drop_machine_read(reading) is reading


def test_readings_alone_are_refused_with_their_number() -> None:
    reading = SourceContents((page("a", line("1", "it"), line("2", "it", text="")), page("b", line("3", text=None))))
    with pytest.raises(UserError, match=re.escape("2 were written by it")):
        drop_machine_read(reading)


def test_readings_train_but_for_those_of_a_document_that_is_scored() -> None:
    pages = [page(name, line("1"), document=name[0]) for name in ("a1", "b1", "c1")]
    read = [page(name, line("1", "it"), document=name[0]) for name in ("a2", "b2", "d2")]
    read.append(page("e2", line("1", "it"), document="e", subset="test"))
    split = Split({"a1": "train", "b1": "val", "c1": "test"})
    by_document = add_pseudo_labels(split, [*pages, *read], "document", {})
    assert by_document.parts == {**split.parts, "a2": "train", "d2": "train"}
    assert [(Path(one.file).stem, one.machine_read) for one in by_document.problems] == [("b2", 1), ("e2", 1)]
    by_page = add_pseudo_labels(split, [*pages, *read], "page", {})
    assert by_page.parts == {**split.parts, "a2": "train", "b2": "train", "d2": "train"}
    by_image = add_pseudo_labels(split, [*pages, *read], "page", {"c1": "same", "d2": "same"})
    assert "d2" not in by_image.parts
    assert [one.part for one in by_image.problems] == ["", "test"]
    taken = Split({"a1": "train", "b1": "val"}, apart={"c1": "test", "hash": "val", "a2": "test"})
    by_file = add_pseudo_labels(taken, [*pages[:2], *read], "page", {"d2": "hash"})
    assert by_file.parts == {**taken.parts, "b2": "train"}, "the listed pages need not be among the transcribed ones"


def stored(name: str, reader: str | None) -> StoredLine:
    return StoredLine("p", name, "d", "h", "", None, "", None, None, None, "text", STRIP, reader)


def test_a_store_keeps_who_read_a_line(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.arrow", [stored("1", None), stored("2", "it")], 1, "digest")
    assert Store(tmp_path / "a.arrow").readers() == [None, "it"]
    assert Store(tmp_path / "a.arrow").transcribed().tolist() == [True, False]


def test_a_store_that_does_not_say_is_a_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(store, "SCHEMA", pa.schema([field for field in store.SCHEMA if field.name != "reader"]))
        write_rows(tmp_path / "a.arrow", [stored("1", None)], 1, "digest")
    assert Store(tmp_path / "a.arrow").readers() == [None]
    assert Store(tmp_path / "a.arrow").transcribed().tolist() == [True]


def test_stores_of_what_people_wrote_are_found_again() -> None:
    assert "reader" not in repr(line("1")), "the digest of a store is made of how its lines are shown"
