"""Folders, lists and globs of PAGE and ALTO files, read through the sources."""

import os
import shutil
import struct
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from xml_samples import alto_block, alto_line, alto_xml, page_line, page_region, page_xml, put, put_image

from uncial.data.settings import SourceSettings
from uncial.data.sources import bonnevie, manifest, xml
from uncial.data.sources import xml as alto
from uncial.data.sources import xml as page
from uncial.document import SourceContents
from uncial.errors import UserError

SOURCES = {"page": page, "alto": alto, "xml": xml, "bonnevie": bonnevie, "manifest": manifest}


def read(name: str, *roots: Path | str, **keys: Any) -> SourceContents:
    return SOURCES[name].read(SourceSettings(format=name, root=tuple(map(str, roots)), **keys))


def put_page(path: Path, image: str, text: str | None = "text", grey: int | None = None) -> Path:
    """A PAGE file in `page/` of the image's folder, each image with its own grey."""
    target = path.parent.parent / image if path.parent.name == "page" else path.parent / image
    put_image(target, grey if grey is not None else sum(map(ord, str(target))) % 251)
    return put(path, page_xml(page_region(page_line(text)), image))


def put_alto(path: Path, image: str) -> Path:
    return put(path, alto_xml(alto_block(alto_line('<String CONTENT="text"/>')), image))


def ids(reading: SourceContents) -> list[str]:
    return [one.id for one in reading.pages]


def subsets(reading: SourceContents) -> dict[str, str | None]:
    return {one.id: one.subset for one in reading.pages}


def test_ids_documents_and_hands(tmp_path: Path) -> None:
    for name in ("letters/page/a", "letters/page/b", "diary/1850/a", "page/top"):
        put_page(tmp_path / f"{name}.xml", f"{Path(name).name}.png")
    found = read("page", tmp_path).pages
    assert {(one.id, one.document, one.hand) for one in found} == {
        ("letters/page/a", "letters", "letters"),
        ("letters/page/b", "letters", "letters"),
        ("diary/1850/a", "diary/1850", "diary/1850"),
        ("page/top", tmp_path.name, tmp_path.name),
    }
    assert all(one.image is not None and one.image.path.is_file() for one in found)
    assert all(one.lines[0].page_id == one.id for one in found)


def test_ids_are_in_composed_form_whatever_the_file_system_gives(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "procès")
    put_page(tmp_path / name / "a.xml", "a.png")
    assert ids(read("page", tmp_path)) == ["procès/a"]


def test_other_xml_in_the_folder_is_silent_and_faults_are_listed(tmp_path: Path) -> None:
    put_page(tmp_path / "a.xml", "a.png")
    put(tmp_path / "METS.xml", '<mets xmlns="http://www.loc.gov/METS/"/>')
    put(tmp_path / "tei.xml", "<TEI/>")
    put(tmp_path / ".hidden.xml", "broken")
    put(tmp_path / "broken.xml", "<PcGts>")
    put(tmp_path / "no_image.xml", page_xml(page_region(page_line()), "gone.png"))
    reading = read("page", tmp_path)
    assert ids(reading) == ["a"]
    assert {Path(one.file).name for one in reading.problems} == {"broken.xml", "no_image.xml"}


def test_a_named_file_of_another_kind_is_mentioned(tmp_path: Path) -> None:
    put_page(tmp_path / "a.xml", "a.png")
    mets = put(tmp_path / "METS.xml", '<mets xmlns="http://www.loc.gov/METS/"/>')
    reading = read("xml", tmp_path / "a.xml", mets)
    assert [Path(one.file).name for one in reading.problems] == ["METS.xml"]
    assert "METS" in reading.problems[0].reason
    assert reading.problems[0].kind == "other_file"


def test_the_format_decides_which_files_count(tmp_path: Path) -> None:
    put_page(tmp_path / "p.xml", "p.png")
    put_image(tmp_path / "q.png")
    put_alto(tmp_path / "q.xml", "q.png")
    assert [ids(read(name, tmp_path)) for name in ("page", "alto", "xml")] == [["p"], ["q"], ["p", "q"]]


def test_lines_and_pages_without_text_are_kept(tmp_path: Path) -> None:
    put_page(tmp_path / "a.xml", "a.png", text=None)
    assert read("page", tmp_path).pages[0].lines[0].text is None


def test_twins_of_one_image_are_reported_and_the_namesake_is_used(tmp_path: Path) -> None:
    put_page(tmp_path / "x.xml", "x.png")
    shutil.copy(tmp_path / "x.xml", tmp_path / "x.chocomufin.xml")
    shutil.copy(tmp_path / "x.xml", tmp_path / "a.xml")
    reading = read("xml", tmp_path)
    assert ids(reading) == ["x"]
    assert {Path(one.file).name for one in reading.problems} == {"x.chocomufin.xml", "a.xml"}
    assert ids(read("xml", tmp_path, include=("*.chocomufin.xml",))) == ["x.chocomufin"]


def test_a_twin_with_text_counts_before_one_without(tmp_path: Path) -> None:
    put_page(tmp_path / "x.xml", "x.png", text=None)
    put(tmp_path / "x.gt.xml", page_xml(page_region(page_line("text")), "x.png"))
    assert ids(read("page", tmp_path)) == ["x.gt"]


def test_one_image_under_two_names_is_a_twin_too(tmp_path: Path) -> None:
    put_page(tmp_path / "a.xml", "a.png", grey=7)
    put_page(tmp_path / "sub" / "b.xml", "b.png", grey=7)
    put_page(tmp_path / "c.xml", "c.png", grey=8)
    reading = read("page", tmp_path)
    assert len(reading.pages) == 2
    assert len(reading.problems) == 1


def test_one_file_reached_twice_counts_once_without_complaint(tmp_path: Path) -> None:
    put_page(tmp_path / "in" / "a.xml", "a.png")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    reading = read("page", tmp_path, tmp_path / "in", tmp_path / "in" / "a.xml", str(tmp_path / "in" / "*.xml"))
    assert (len(reading.pages), reading.problems) == (1, ())


def test_equal_names_below_several_roots_get_different_ids(tmp_path: Path) -> None:
    for root in ("one/data", "two/data"):
        put_page(tmp_path / root / "a.xml", "a.png")
    found = ids(read("page", tmp_path / "one" / "data", tmp_path / "two" / "data"))
    assert len(set(found)) == 2


def test_suffixes_in_capitals_and_symbolic_folders_are_found(tmp_path: Path) -> None:
    put_page(tmp_path / "real" / "a.xml", "a.png").rename(tmp_path / "real" / "a.XML")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "root" / "link" / "loop").symlink_to(tmp_path / "root")
    assert ids(read("page", tmp_path / "root")) == ["link/a"]


def test_a_glob_over_links_that_lead_in_circles_ends_and_names_pages_by_their_own_folders(tmp_path: Path) -> None:
    for name in ("b", "c", "d"):
        put_page(tmp_path / "root" / name / "x.xml", "x.png")
    (tmp_path / "root" / "b" / "again").symlink_to(tmp_path / "root")
    assert ids(read("page", str(tmp_path / "root" / "**" / "*.xml"))) == ["b/x", "c/x", "d/x"]
    assert ids(read("page", str(tmp_path / "root" / "**"))) == ["b/x", "c/x", "d/x"]


def test_a_name_in_another_encoding_gives_ids_that_can_be_stored(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        put_page(folder / "page" / Path(os.fsdecode(b"f\xfcnf.xml")), "a.png")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    (found,) = read("page", tmp_path).pages
    assert (found.id, found.document) == ("caf\\udce9/page/f\\udcfcnf", "caf\\udce9")
    assert read("page", folder).pages[0].document == "caf\\udce9"
    listed = put(tmp_path / "all.txt", str(tmp_path / "*" / "page" / "*.xml"))
    assert SOURCES["manifest"].read(SourceSettings("manifest", (str(listed),))).pages[0].id == found.id


def test_names_with_spaces_commas_equals_and_accents(tmp_path: Path) -> None:
    put_page(tmp_path / "år, 1=2 [x]" / "page" / "fol 1, r=é.xml", "fol 1, r=é.png")
    assert ids(read("page", tmp_path / "år, 1=2 [x]")) == ["page/fol 1, r=é"]


def put_set(root: Path, *names: str) -> None:
    for grey, name in enumerate(names):
        put_page(root / f"{name}.xml", f"{Path(name).name}.png", grey=grey)


def test_explicit_lists_relative_to_root_and_to_themselves(tmp_path: Path) -> None:
    root = tmp_path / "data"
    put_set(root, "x/a", "x/b", "x/c", "unlisted")
    train = put(tmp_path / "lists" / "train.txt", "\ufeff# a comment\nx/a.xml\r\n\n" + str(root / "x/b.xml") + "\n")
    val = put(tmp_path / "lists" / "val.txt", "x/c.png\n")
    reading = read("page", root, train=(str(train),), val=(str(val),))
    assert subsets(reading) == {"x/a": "train", "x/b": "train", "x/c": "val"}
    own = put(root / "own.txt", "x/a.xml\nx/missing.xml\n")
    reading = read("page", train=(str(own),))
    assert subsets(reading) == {"x/a": "train"}
    assert "missing.xml" in reading.problems[0].reason


def test_explicit_folders_and_globs_below_the_root(tmp_path: Path) -> None:
    put_set(tmp_path, "t/a", "t/b", "v/c", "w/d")
    reading = read("page", tmp_path, train=("t",), val=("v/*.xml",), test=(str(tmp_path / "w"),))
    assert subsets(reading) == {"t/a": "train", "t/b": "train", "v/c": "val", "w/d": "test"}


def test_an_explicit_test_leaves_the_rest_of_the_root_to_the_split(tmp_path: Path) -> None:
    put_set(tmp_path, "t/a", "t/b", "w/d")
    reading = read("page", tmp_path, test=("w",))
    assert subsets(reading) == {"t/a": None, "t/b": None, "w/d": "test"}
    assert reading.problems == ()


def test_a_page_named_for_two_sides_stays_in_the_evaluation(tmp_path: Path) -> None:
    put_set(tmp_path, "a", "b", "c")
    train = put(tmp_path / "train.txt", "a.xml\nb.xml\nc.xml\n")
    val = put(tmp_path / "val.txt", "b.xml\nc.xml\n")
    test = put(tmp_path / "test.txt", "c.xml\n")
    reading = read("page", tmp_path, train=(str(train),), val=(str(val),), test=(str(test),))
    assert subsets(reading) == {"a": "train", "b": "val", "c": "test"}
    assert {Path(one.file).name for one in reading.problems} == {"b.xml", "c.xml"}


def test_an_image_on_two_sides_under_two_names_stays_in_the_evaluation(tmp_path: Path) -> None:
    put_page(tmp_path / "train" / "a.xml", "a.png", grey=5)
    put_page(tmp_path / "train" / "b.xml", "b.png", grey=6)
    put_page(tmp_path / "val" / "zzz.xml", "zzz.png", grey=5)
    reading = read("page", train=(str(tmp_path / "train"),), val=(str(tmp_path / "val"),))
    assert sorted((one.source.name, one.subset) for one in reading.pages) == [("b.xml", "train"), ("zzz.xml", "val")]
    assert "val" in reading.problems[0].reason


def test_the_side_counts_before_the_text(tmp_path: Path) -> None:
    put_page(tmp_path / "train" / "a.xml", "a.png", grey=5)
    put_page(tmp_path / "train" / "b.xml", "b.png", grey=6)
    put_page(tmp_path / "test" / "c.xml", "c.png", text=None, grey=5)
    reading = read("page", train=(str(tmp_path / "train"),), test=(str(tmp_path / "test"),))
    assert sorted((one.source.name, one.subset) for one in reading.pages) == [("b.xml", "train"), ("c.xml", "test")]


def test_pages_of_a_multi_page_tiff(tmp_path: Path) -> None:
    frames = [Image.new("L", (100, 100), grey) for grey in (10, 20)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    block = alto_block(alto_line('<String CONTENT="x"/>'))
    content = alto_xml(block, "a.tif").replace(
        "</Layout>", f'<Page ID="p2"><PrintSpace>{block}</PrintSpace></Page></Layout>'
    )
    put(tmp_path / "a.xml", content)
    found = read("alto", tmp_path).pages
    assert [(one.id, one.image.frame if one.image else None) for one in found] == [("a", 0), ("a#2", 1)]


def test_several_pages_for_one_jpeg_are_a_problem(tmp_path: Path) -> None:
    put_image(tmp_path / "a.jpg")
    content = alto_xml(alto_block(""), "a.jpg").replace("</Layout>", '<Page ID="p2"><PrintSpace/></Page></Layout>')
    put(tmp_path / "a.xml", content)
    reading = read("alto", tmp_path)
    assert (ids(reading), len(reading.problems)) == (["a"], 1)


def test_tenths_of_millimetres_by_the_image(tmp_path: Path) -> None:
    put_image(tmp_path / "a.png", size=(500, 1000))
    line = alto_line('<String CONTENT="x"/>', attributes='BASELINE="10 20 90 20"')
    put(tmp_path / "a.xml", alto_xml(alto_block(line), unit="mm10", size='WIDTH="1000" HEIGHT="2000"'))
    found = read("alto", tmp_path).pages[0]
    assert (found.width, found.height) == (500, 1000)
    assert found.lines[0].baseline == ((5, 10), (45, 10))


def test_how_large_a_page_may_be_is_not_decided_where_units_are_converted(tmp_path: Path) -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 30_000, 8, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    line = alto_line('<String CONTENT="x"/>', attributes='BASELINE="10 20 90 20"')
    put(tmp_path / "a.xml", alto_xml(alto_block(line), unit="mm10", size='WIDTH="2000" HEIGHT="3000"'))
    assert read("alto", tmp_path).pages[0].lines[0].baseline == ((100, 200), (900, 200))


@pytest.mark.parametrize(
    ("name", "prepare", "words"),
    [
        ("page", lambda root: put(root / "a.xml", alto_xml("")), "use data=alto"),
        ("alto", lambda root: put(root / "a.xml", page_xml("")), "use data=page"),
        ("page", lambda root: put(root / "a.gt.txt", "x"), "data=lines"),
        ("xml", lambda root: root.mkdir(parents=True), "no files"),
        ("xml", lambda root: put(root / "a.xml", "<PcGts"), "no usable page"),
        ("xml", lambda root: put(root / "a.xml", page_xml("", "gone.png")), "'gone.png' is not in"),
        ("xml", lambda root: None, "does not exist"),
    ],
)
def test_a_root_without_pages_is_one_sentence(tmp_path: Path, name: str, prepare: Any, words: str) -> None:
    prepare(tmp_path / "root")
    with pytest.raises(UserError, match=words) as raised:
        read(name, tmp_path / "root")
    assert str(tmp_path / "root") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_wrong_is_said_of_the_key_that_was_given(tmp_path: Path) -> None:
    put(tmp_path / "a.xml", page_xml("", "gone.png"))
    with pytest.raises(UserError, match=r"^predict\.input: no usable page"):
        read("xml", tmp_path, key="predict.input")
    with pytest.raises(UserError, match=r"^predict\.input: .*gone does not exist"):
        read("xml", tmp_path / "gone", key="predict.input")


def test_globs_that_leave_nothing_are_named(tmp_path: Path) -> None:
    put_page(tmp_path / "a.xml", "a.png")
    with pytest.raises(UserError, match=r"data\.include"):
        read("xml", tmp_path, include=("nothing*",))


def test_bonnevie_layout(tmp_path: Path) -> None:
    for number in range(3):
        put_page(
            tmp_path / f"finetune/page/no-nb_digimanus_300599_{number:04d}.xml",
            f"no-nb_digimanus_300599_{number:04d}.jpg",
        )
    put_page(tmp_path / "test/page/no-nb_digimanus_300600_0001.xml", "no-nb_digimanus_300600_0001.jpg")
    put_page(tmp_path / "elsewhere/page/x.xml", "x.jpg")
    assert subsets(read("bonnevie", tmp_path)) == {
        "finetune/page/no-nb_digimanus_300599_0000": "trainval",
        "finetune/page/no-nb_digimanus_300599_0001": "trainval",
        "finetune/page/no-nb_digimanus_300599_0002": "trainval",
        "test/page/no-nb_digimanus_300600_0001": "test",
    }


@pytest.mark.parametrize("present", [None, "finetune/readme.txt", "test/page/a.xml"])
def test_bonnevie_without_pages_says_what_is_expected_where(tmp_path: Path, present: str | None) -> None:
    root = tmp_path / "bonnevie"
    if present is not None:
        put(root / present, page_xml("", "gone.jpg"))
    with pytest.raises(UserError) as raised:
        read("bonnevie", root)
    message = str(raised.value)
    for part in ("finetune/*.jpg", "finetune/page/*.xml", "test/", "data=synthetic", str(root)):
        assert part in message
