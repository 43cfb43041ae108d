"""task=predict with a layout model: images in, PAGE or ALTO with lines and regions out."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bar_pages import BARS, SIZE, draw_bars, see_bars, write_bars
from drawn_layouts import read_csv
from lxml import etree
from PIL import Image

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.document import ImageSource, Page, Region, TextLine
from uncial.formats.page_xml.new_document import build_page_xml
from uncial.formats.transcription_files import read_texts
from uncial.models.segmenter import Segmenter


@pytest.fixture
def find(run, layout_model, monkeypatch):
    monkeypatch.setattr(Segmenter, "find", see_bars)

    def find(source, *more, into="run"):
        return run("task=predict", f"checkpoint={layout_model}", f"predict.input={source}", *more, into=into)

    return find


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    write_bars(folder / "a.png")
    write_bars(folder / "deep/b.jpg", *BARS[:2], quality=95)
    return folder


def read_pages(folder: Path, images: Path | None = None) -> dict[str, Page]:
    found = xml.read_xml(SourceSettings("xml", (str(folder),), images=(images,) if images else ()))
    assert found.problems == ()
    return {page.source.relative_to(folder).as_posix(): page for page in found.pages}


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write_page(path: Path, lines=(), regions=(), name="") -> Path:
    found = Page("p", path, ImageSource(Path(name or f"{path.stem}.png")), *SIZE, tuple(regions), tuple(lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build_page_xml(found))
    return path


BOX = ((30.0, 60.0), (370.0, 60.0), (370.0, 560.0), (30.0, 560.0))
REGION = Region("given", "heading", BOX)
OWN = TextLine("own", "p", BOX, ((40.0, 300.0), (200.0, 300.0)), text="by hand", region_id="given")


def test_each_image_gets_a_file_that_our_readers_take(find, scans):
    before = hashes(scans)
    ended = find(scans)
    assert ended.code == 0, ended
    assert hashes(scans) == before
    assert read_csv(ended.folder / "skipped.csv") == []
    pages = read_pages(ended.folder / "pages")
    assert sorted(pages) == ["a.xml", "deep/b.xml"]
    page = pages["a.xml"]
    assert (page.width, page.height, page.image.path.name) == (*SIZE, "a.png")
    assert [line.baseline for line in page.lines] == [
        ((40, 120), (300, 120)),
        ((40, 160), (340, 160)),
        ((40, 200), (200, 200)),
    ]
    assert [(line.text, line.confidence) for line in page.lines] == [(None, 0.875)] * 3
    assert [region.type for region in page.regions] == ["MainZone"]
    assert len(pages["deep/b.xml"].lines) == 2
    for told in ("5 lines", "2 regions", "2 pages", "seconds a page", "checkpoint=RECOGNISER"):
        assert told in ended.output
    assert [path.name for path in (ended.folder / "sheets").iterdir()] == ["sheet_001.png"]


def test_the_files_are_read_on_by_a_recogniser(find, run, trained, scans):
    """Also ALTO: what nobody has read gets text there."""
    for form in ("page", "alto"):
        found = find(scans, f"predict.format={form}", into=f"found {form}")
        read = run("task=predict", f"checkpoint={trained.folder}", f"predict.input='{found.folder}/pages'", into=form)
        assert read.code == 0, read
        assert "Read 5 lines of 2 pages" in read.output
        lines = [line for path in (read.folder / "pages").rglob("*.xml") for line in read_texts(path)]
        assert len(lines) == 5
        assert all(line.text is not None and line.reader for line in lines)


@pytest.mark.parametrize(("form", "root"), [("page", "PcGts"), ("alto", "alto"), ("xml", "PcGts")])
def test_the_format_is_what_was_asked_for(find, scans, form, root):
    ended = find(scans / "a.png", f"predict.format={form}")
    assert etree.QName(etree.parse(ended.folder / "pages/a.xml").getroot()).localname == root


@pytest.mark.parametrize("typed", ["2013", "2013-07-15"])
def test_an_older_version_of_page_is_written(find, scans, typed):
    ended = find(scans / "a.png", f"predict.version={typed}")
    assert ended.code == 0, ended
    assert etree.parse(ended.folder / "pages/a.xml").getroot().tag.endswith("pagecontent/2013-07-15}PcGts")


def test_pages_of_a_tiff_are_images_of_their_own(find, tmp_path):
    frames = [Image.fromarray(draw_bars(BARS[:count])) for count in (1, 2, 3)]
    frames[0].save(tmp_path / "scan.tif", save_all=True, append_images=frames[1:])
    write_bars(tmp_path / "one.tiff")
    ended = find(f"[{tmp_path}/scan.tif,{tmp_path}/one.tiff]")
    assert ended.code == 0, ended
    pages = read_pages(ended.folder / "pages")
    assert {name: len(page.lines) for name, page in pages.items()} == {
        "one.xml": 3,
        "scan_0001.xml": 1,
        "scan_0002.xml": 2,
        "scan_0003.xml": 3,
    }
    assert pages["scan_0003.xml"].image.path.name == "scan_0003.png"
    assert (np.array(Image.open(ended.folder / "pages/scan_0002.png")) == draw_bars(BARS[:2])).all()
    assert pages["one.xml"].image.path.name == "one.tiff"
    apart = find(tmp_path / "scan.tif", f"predict.page_images={tmp_path / 'png'}", into="apart")
    assert sorted(path.name for path in (tmp_path / "png").iterdir()) == [f"scan_000{n}.png" for n in (1, 2, 3)]
    assert not list((apart.folder / "pages").glob("*.png"))


def test_pages_of_a_pdf_are_images_of_their_own(find, tmp_path):
    pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")
    frames = [Image.fromarray(draw_bars(BARS[:count])) for count in (1, 3)]
    frames[0].save(tmp_path / "scan.pdf", save_all=True, append_images=frames[1:], resolution=100)
    ended = find(tmp_path / "scan.pdf", "predict.dpi=200")
    assert ended.code == 0, ended
    pages = read_pages(ended.folder / "pages")
    assert {name: len(page.lines) for name, page in pages.items()} == {"scan_0001.xml": 1, "scan_0002.xml": 3}
    page = pages["scan_0002.xml"]
    assert (page.width, page.height) == (2 * SIZE[0], 2 * SIZE[1])
    assert np.abs(np.array(page.lines[0].baseline) - [[80, 240], [600, 240]]).max() <= 3
    assert Image.open(ended.folder / "pages/scan_0002.png").size == (2 * SIZE[0], 2 * SIZE[1])


def test_a_pdf_that_cannot_be_opened_is_told_and_the_rest_goes_on(find, scans):
    pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")
    (scans / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    (scans / "locked.pdf").write_bytes(LOCKED_PDF)
    ended = find(scans)
    assert ended.code == 0, ended
    told = {Path(row["file"]).name: row["reason"] for row in read_csv(ended.folder / "skipped.csv")}
    assert "damaged" in told["broken.pdf"]
    assert "encrypted" in told["locked.pdf"]
    assert len(read_pages(ended.folder / "pages")) == 2


def test_blank_and_damaged_pages_are_listed_and_the_rest_goes_on(find, scans):
    write_bars(scans / "blank.png", (0, 0, 0, 0))
    (scans / "cut.jpg").write_bytes((scans / "deep/b.jpg").read_bytes()[:300])
    (scans / "empty.tif").write_bytes(b"")
    (scans / "marred.tif").write_bytes(b"II*\0 no more of it")
    ended = find(scans)
    assert ended.code == 0, ended
    told = {Path(row["file"]).name: row["reason"] for row in read_csv(ended.folder / "skipped.csv")}
    assert set(told) == {"blank.png", "cut.jpg", "empty.tif", "marred.tif"}
    assert "no line was found" in told["blank.png"]
    pages = read_pages(ended.folder / "pages")
    assert {name: len(page.lines) for name, page in pages.items()} == {"a.xml": 3, "blank.xml": 0, "deep/b.xml": 2}
    assert "Skipped 3" in ended.output
    assert "No line on 1 page" in ended.output


def test_nothing_but_damaged_pages_is_an_error(find, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"no image")
    ended = find(tmp_path / "in")
    assert ended.code == 1
    assert "No page could be used" in ended.output


def test_lines_that_a_page_has_are_kept_to_the_byte_or_found_anew(find, scans):
    own = write_page(scans / "page/a.xml", [OWN], [REGION])
    ended = find(scans)
    assert ended.code == 0, ended
    assert (ended.folder / "pages/a.xml").read_bytes() == own.read_bytes()
    [row] = read_csv(ended.folder / "skipped.csv")
    assert row["file"] == str(own)
    assert "1 line, kept" in row["reason"]
    anew = read_pages(find(scans, "predict.lines=find", into="anew").folder / "pages")["a.xml"]
    assert [line.baseline[0] for line in anew.lines] == [(40, 120), (40, 160), (40, 200)]
    assert [region.type for region in anew.regions] == ["MainZone"]
    kept = find(scans, "predict.lines=find", "predict.regions=keep", into="kept").folder / "pages"
    page = read_pages(kept)["a.xml"]
    assert [(region.id, region.type) for region in page.regions] == [("given", "heading")]
    assert {line.region_id for line in page.lines} == {"given"}
    assert len(page.lines) == 3


def test_a_page_with_regions_alone_gets_lines_in_them(find, scans):
    half = ((30.0, 60.0), (370.0, 60.0), (370.0, 165.0), (30.0, 165.0))
    write_page(scans / "a.xml", regions=[replace(REGION, polygon=half)])
    page = read_pages(find(scans, "predict.regions=keep").folder / "pages")["a.xml"]
    assert [line.baseline[0][1] for line in page.lines] == [120, 160], "the third lies below the region"


def test_an_alto_file_stays_alto(find, scans, drawn):
    shutil.copytree(drawn / "alto", scans / "alto pages")
    ended = find(scans / "alto pages", "predict.lines=find", "data.include=[drawn_0001.*]")
    assert ended.code == 0, ended
    [file] = (ended.folder / "pages").glob("*.xml")
    assert etree.QName(etree.parse(file).getroot()).localname == "alto"


def test_a_damaged_file_beside_an_image_is_told_and_nothing_is_guessed(find, scans):
    (scans / "a.xml").write_text("<PcGts><Page>")
    ended = find(scans)
    assert [Path(row["file"]).name for row in read_csv(ended.folder / "skipped.csv")] == ["a.xml"]
    assert sorted(read_pages(ended.folder / "pages")) == ["deep/b.xml"]


def test_images_of_one_name_get_files_of_two(find, scans):
    write_bars(scans / "a.jpg", *BARS[:1])
    pages = read_pages(find(scans, "data.exclude=[deep]").folder / "pages")
    assert {name: len(page.lines) for name, page in pages.items()} == {"a.jpg.xml": 1, "a.png.xml": 3}


@pytest.mark.parametrize(("how", "is_link"), [("link", True), ("copy", False)])
def test_the_image_comes_beside_its_file(find, scans, how, is_link):
    ended = find(scans / "a.png", f"predict.images={how}")
    assert (ended.folder / "pages/a.png").is_symlink() == is_link
    assert (ended.folder / "pages/a.png").read_bytes() == (scans / "a.png").read_bytes()


def test_without_images_the_next_command_says_where_they_are(find, scans):
    ended = find(scans / "a.png", "predict.images=none")
    assert [path.name for path in (ended.folder / "pages").iterdir()] == ["a.xml"]
    assert "data.images=" in ended.output


def test_the_direction_that_is_typed_is_that_of_the_lines(find, scans):
    pages = read_pages(find(scans, "data.direction=rtl").folder / "pages")
    assert {line.direction for page in pages.values() for line in page.lines} == {"rtl"}


def test_what_was_stopped_goes_on_and_what_was_corrected_stays(find, scans, tmp_path, monkeypatch):
    seen = []

    def stop(model, sheet):
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return see_bars(model, sheet)

    monkeypatch.setattr(Segmenter, "find", stop)
    first = find(scans, f"predict.output={tmp_path / 'out'}")
    assert first.code == 130
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.xml")) == ["a.xml"]
    again = find(scans, f"predict.output={tmp_path / 'out'}", into="again")
    assert again.code == 0, again
    assert len(seen) == 3, "the first page is not looked at again"
    assert sorted(read_pages(tmp_path / "out")) == ["a.xml", "deep/b.xml"]
    assert "5 lines" in again.output
    assert not list(tmp_path.glob("*.partial"))


def test_nothing_in_the_output_is_overwritten(find, scans, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.xml").write_text("<mine/>")
    ended = find(scans, f"predict.output={tmp_path / 'out'}")
    assert ended.code == 1
    assert "is there already" in ended.output
    assert (tmp_path / "out/a.xml").read_text() == "<mine/>"
    inside = find(scans, f"predict.output={scans}", into="inside")
    assert inside.code == 1
    assert sorted(hashes(scans)) == ["a.png", "deep/b.jpg"]


def test_an_output_within_the_input_is_not_looked_at_again(find, scans):
    first = find(scans, f"predict.output={scans / 'found'}")
    assert first.code == 0, first
    second = find(scans, f"predict.output={scans / 'found 2'}", "data.exclude=[found]", into="second")
    assert sorted(read_pages(scans / "found 2")) == ["a.xml", "deep/b.xml"], second


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("predict.format=tsv", "choose one of xml, page, alto"),
        ("predict.version=2017", "choose one of 2019-07-15, 2013-07-15"),
        ("predict.regions=some", "predict.regions"),
        ("metrics.review_cer=0.1", "holds a layout model"),
        ("data.max_height=64", "holds a layout model"),
    ],
)
def test_what_does_not_fit_ends_in_a_sentence(find, scans, typed, told):
    ended = find(scans, typed)
    assert ended.code == 1
    assert told in ended.output


def test_a_recogniser_reads_no_key_of_a_layout_model(run, trained, drawn):
    ended = run("task=predict", f"checkpoint={trained.folder}", f"predict.input={drawn / 'page'}", "predict.lines=find")
    assert ended.code == 1
    assert "predict.lines: checkpoint=… holds a recogniser" in ended.output


def test_a_gap_is_bridged_as_typed(find, scans, monkeypatch):
    widths = []

    def see(model, sheet):
        widths.append(model.reader.finding.max_gap)
        return see_bars(model, sheet)

    monkeypatch.setattr(Segmenter, "find", see)
    find(scans / "a.png", "predict.max_gap=4.5")
    assert widths == [4.5]


def test_sheets_show_as_many_pages_as_wanted(find, tmp_path):
    for number in range(8):
        write_bars(tmp_path / f"scans/{number}.png")
    assert len(list((find(tmp_path / "scans").folder / "sheets").iterdir())) == 2
    assert len(list((find(tmp_path / "scans", "predict.sheets=3", into="few").folder / "sheets").iterdir())) == 1
    assert not (find(tmp_path / "scans", "predict.sheets=0", into="none").folder / "sheets").exists()


def test_an_untrained_model_itself_runs_over_any_page(run, layout_model, scans):
    """Whatever it finds: the file is one."""
    ended = run("task=predict", f"checkpoint={layout_model}", f"predict.input={scans}")
    assert ended.code == 0, ended
    assert sorted(read_pages(ended.folder / "pages")) == ["a.xml", "deep/b.xml"]


NOTHING = b"<" + 64 * b"0" + b">"
LOCKED_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj
3 0 obj<</Filter/Standard/V 1/R 2/O NOTHING/U NOTHING/P -4>>endobj
trailer<</Root 1 0 R/Encrypt 3 0 R/ID[<00><00>]>>
""".replace(b"NOTHING", NOTHING)
