"""task=predict: the text goes where it belongs, and nothing else changes."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_layouts import cut_lines, draw_pages, read_csv, write_alto_layout, write_page_layout, write_pairs
from lxml import etree
from PIL import Image
from program import quoted
from xml_samples import page_region, page_xml, put, put_image

import uncial
from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.document import ImageSource, Page, TextLine
from uncial.errors import UnusableInput, UserError
from uncial.formats.lines.results import read_tsv
from uncial.imaging.extraction import ExtractionSettings, extract_page
from uncial.pipelines import page_copies
from uncial.pipelines.line_recognition import set_direction
from uncial.pipelines.recognition import Transcriber


@pytest.fixture
def lines(tmp_path):
    """Six line images without text; their folder."""
    paths = write_pairs(tmp_path / "lines", cut_lines(draw_pages(2)))
    for path in paths:
        path.with_suffix(".gt.txt").unlink()
    return tmp_path / "lines"


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def texts(root: Path, images: Path) -> dict[str, dict[str, str]]:
    """What the files say, by name and line."""
    pages = xml.read_xml(SourceSettings("xml", (str(root),), images=(images,))).pages
    return {page.source.name: {line.id: line.text for line in page.lines} for page in pages}


def rows_of(ended) -> list[dict]:
    return [json.loads(line) for line in ended.read("results.jsonl").splitlines()]


@pytest.mark.parametrize("layout", ["page", "alto"])
def test_copies_hold_what_was_read(predict, drawn, layout):
    before = contents(drawn / layout)
    ended = predict(drawn / layout)
    assert ended.code == 0, ended
    assert contents(drawn / layout) == before, "the originals are never written to"
    assert read_csv(ended.folder / "skipped.csv") == []
    found = texts(ended.folder / "pages", drawn / layout)
    truth = texts(drawn / layout, drawn / layout)
    assert {name: set(lines) for name, lines in found.items()} == {name: set(lines) for name, lines in truth.items()}
    pairs = [(line, truth[name][key]) for name, lines in found.items() for key, line in lines.items()]
    assert sum(one == other for one, other in pairs) > len(pairs) / 3


def test_the_same_pages_read_alike_from_page_and_alto(predict, drawn):
    """The polygons are those of the same lines; only the texts of the copies are compared."""
    found = [predict(drawn / layout, "predict.format=jsonl", into=layout) for layout in ("page", "alto")]
    ids = [{row["line"] for row in rows_of(ended)} for ended in found]
    assert ids[0] == ids[1]
    assert len(rows_of(found[0])) == len(rows_of(found[1])) == 36


def test_reading_again_gives_the_same_bytes(predict, drawn, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one, other = predict(drawn / "page", into="a"), predict(drawn / "page", into="b")
    assert contents(one.folder / "pages") == contents(other.folder / "pages")
    assert len(contents(one.folder / "pages")) == 12


def test_all_formats_hold_the_same_texts(predict, drawn):
    rows = rows_of(predict(drawn / "page", "predict.format=jsonl", into="jsonl"))
    tsv, problems = read_tsv(predict(drawn / "page", "predict.format=tsv", into="tsv").folder / "results.tsv")
    copies = texts(predict(drawn / "page", into="xml").folder / "pages", drawn / "page")
    assert problems == []
    assert [row.text for row in tsv] == [row["text"] for row in rows]
    names = [f"{name}/{name}-{row['line']}" for row in rows for name in [Path(row["source"]).stem]]
    assert [row.image for row in tsv] == [f"{drawn / 'page' / name}.png" for name in names], "Loghi finds lines by them"
    assert {row["image"] for row in rows} == {str(path) for path in (drawn / "page").glob("*.png")}
    assert {(Path(row["source"]).name, row["line"]): row["text"] for row in rows} == {
        (name, line): text for name, lines in copies.items() for line, text in lines.items()
    }
    assert all(0 <= row["confidence"] <= 1 and len(row["characters"]) == len(row["text"]) for row in rows)
    assert all(0 <= c["start"] <= c["end"] <= 1 for row in rows for c in row["characters"])


def test_what_was_read_is_what_the_test_scores(predict, run, trained, drawn):
    """Extraction, preprocessing and model of predict are those of the test."""
    scored = run(
        "task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={drawn / 'page'}", "data.subset=all"
    )
    found = rows_of(predict(drawn / "page", "predict.format=jsonl", into="predicted"))
    by_line = {(row["page"].split("/")[-1], row["line"]): row["text"] for row in found}
    tested = {
        (row["page"].split("/")[-1], row["line"]): row["prediction"]
        for row in read_csv(scored.folder / "predictions.csv")
    }
    assert by_line == tested


def test_line_images_are_read_and_python_reads_them_alike(predict, trained, lines):
    ended = predict(lines, "predict.format=jsonl")
    assert ended.code == 0, ended
    rows = rows_of(ended)
    images = sorted(lines.glob("*.png"))
    assert [Path(row["image"]) for row in rows] == images
    transcriber = uncial.load(trained.folder)
    from_paths = transcriber.transcribe(images)
    from_pixels = transcriber.transcribe([cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in images])
    assert [found.text for found in from_paths] == [row["text"] for row in rows]
    assert [found.confidence for found in from_paths] == pytest.approx([row["confidence"] for row in rows], abs=1e-4)
    assert [found.text for found in from_pixels] == [row["text"] for row in rows]
    one_by_one = [transcriber.transcribe([path])[0] for path in images]
    assert [found.text for found in one_by_one] == [row["text"] for row in rows]
    assert transcriber.transcribe([]) == []


def test_python_reads_large_transparent_and_deep_images_as_the_program_does(predict, trained, lines):
    """Higher than `data.max_height`, cut by its polygon as Loghi cuts, of 16 bits, turned by a camera."""
    grey = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(lines.glob("*.png"))]
    for path in lines.glob("*.png"):
        path.unlink()
    large = cv2.resize(grey[0], None, fx=7, fy=7)
    assert large.shape[0] > 128
    cv2.imwrite(str(lines / "large.png"), large)
    alpha = np.zeros_like(grey[1])
    alpha[2:-2, 3:-3] = 255
    cv2.imwrite(str(lines / "cut.png"), cv2.merge([np.where(alpha, grey[1], 0)] * 3 + [alpha]))
    cv2.imwrite(str(lines / "deep.png"), grey[2].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(grey[3][::-1, ::-1]).save(lines / "turned.jpg", quality=95, exif=exif)
    ended = predict(lines, "predict.format=jsonl")
    assert ended.code == 0, ended
    expected = [(row["text"], pytest.approx(row["confidence"], abs=1e-6)) for row in rows_of(ended)]
    assert len(expected) == 4
    images = sorted(path for path in lines.iterdir())
    transcriber = uncial.load(trained.folder)
    for given in (images, [Image.open(path) for path in images]):
        assert [(found.text, found.confidence) for found in transcriber.transcribe(given)] == expected
    assert [(found.text, found.confidence) for found in transcriber.transcribe([large])] == expected[2:3]


@pytest.mark.parametrize("single", [str, np.asarray, lambda image: image])
def test_a_single_image_is_no_list_of_images(trained, single):
    image = Image.new("RGB", (60, 30), "white")
    with pytest.raises(UserError, match=r"into brackets, \[image\]"):
        uncial.load(trained.folder).transcribe(single(image))


def test_an_image_that_is_too_small_is_named(trained, tmp_path):
    Image.new("L", (60, 4), 255).save(tmp_path / "low.png")
    with pytest.raises(UnusableInput, match=r"low\.png: it is only 60 x 4 pixels"):
        uncial.load(trained.folder).transcribe([tmp_path / "low.png"])


def test_a_line_image_alone_is_read(predict, lines):
    ended = predict(sorted(lines.glob("*.png"))[0], "predict.format=tsv")
    assert ended.code == 0, ended
    assert len(ended.read("results.tsv").splitlines()) == 1


def test_line_images_have_no_xml_to_write_into(predict, lines):
    ended = predict(lines)
    assert ended.code == 1
    assert "predict.format=tsv or jsonl" in ended.output


def test_pages_without_any_text_are_read(predict, drawn, tmp_path):
    shutil.copytree(drawn / "page", tmp_path / "bare")
    for path in (tmp_path / "bare/page").glob("*.xml"):
        tree = etree.parse(path)
        for element in tree.xpath("//*[local-name()='TextEquiv']"):
            element.getparent().remove(element)
        tree.write(path, encoding="utf-8")
    ended = predict(tmp_path / "bare", "predict.format=jsonl")
    assert ended.code == 0, ended
    assert len(rows_of(ended)) == 36


def test_what_cannot_be_read_is_listed_and_the_rest_is_read(predict, drawn, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    (root / "drawn_0001.png").unlink()
    (root / "drawn_0002.png").write_bytes((root / "drawn_0002.png").read_bytes()[:100])
    broken = root / "page/drawn_0003.xml"
    broken.write_text(broken.read_text(encoding="utf-8")[:300], encoding="utf-8")
    odd = root / "page/drawn_0004.xml"
    tree = etree.parse(odd)
    line = tree.xpath("//*[local-name()='TextLine']")[1]
    for element in line.xpath("*[local-name()='Baseline' or local-name()='Coords']"):
        element.set("points", "5,5")
    tree.write(odd, encoding="utf-8")
    ended = predict(root, "predict.format=jsonl")
    assert ended.code == 0, ended
    listed = {(Path(row["file"]).name, row["line"]) for row in read_csv(ended.folder / "skipped.csv")}
    assert {name for name, _ in listed} == {f"drawn_000{number}.xml" for number in range(1, 5)}
    assert ("drawn_0004.xml", "r1l2") in listed
    assert len(rows_of(ended)) == 36 - 9 - 1
    copies = predict(root, into="copies")
    assert min(path.name for path in (copies.folder / "pages").rglob("*.xml")) == "drawn_0004.xml"


def test_the_output_goes_where_it_is_wanted(predict, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "expanduser", lambda path: Path(str(path).replace("~", str(tmp_path))))
    (tmp_path / "input").mkdir()
    for folder in ("one", "two"):
        shutil.copytree(drawn / "page", tmp_path / "input" / folder)
    ended = predict(tmp_path / "input", f"predict.output={tmp_path / 'copies'}")
    assert ended.code == 0, ended
    expected = {str(path.relative_to(tmp_path / "input")) for path in (tmp_path / "input").rglob("*.xml")}
    assert set(contents(tmp_path / "copies")) == expected
    assert len(expected) == 24
    table = predict(drawn / "page", "predict.format=tsv", "predict.output='~/deep/er/table.tsv'", into="tsv")
    assert table.code == 0, table
    assert len((tmp_path / "deep/er/table.tsv").read_text(encoding="utf-8").splitlines()) == 36


def test_the_originals_are_never_overwritten(predict, drawn, tmp_path):
    shutil.copytree(drawn / "page", tmp_path / "in")
    before = contents(tmp_path / "in")
    ended = predict(tmp_path / "in", f"predict.output={tmp_path / 'in/page'}")
    assert ended.code == 1
    assert "predict.output" in ended.output
    assert contents(tmp_path / "in") == before


def test_a_table_takes_the_place_of_nothing_that_is_read(predict, drawn, tmp_path):
    shutil.copytree(drawn / "page", tmp_path / "in")
    (tmp_path / "in/page/drawn_0002.xml").write_text("<broken")
    before = contents(tmp_path / "in")
    for name in ("page/drawn_0002.xml", "drawn_0001.png"):
        ended = predict(tmp_path / "in", "predict.format=tsv", f"predict.output={tmp_path / 'in' / name}", into="run")
        assert (ended.code, contents(tmp_path / "in")) == (1, before), ended
        assert "is one of the files to read" in ended.output
    ended = predict(tmp_path / "in", "predict.format=jsonl", f"predict.output={tmp_path}", into="folder")
    assert ended.code == 1
    assert "is a folder: name the file" in ended.output


def test_pages_on_which_no_line_is_marked_are_told(predict, tmp_path):
    put_image(tmp_path / "in/a.png")
    put(tmp_path / "in/a.xml", page_xml(page_region("")))
    ended = predict(tmp_path / "in")
    assert ended.code == 1
    assert "no line is marked on the 1 page" in ended.output.replace("\n", " ")
    assert "skipped.csv says why" not in ended.output


def test_a_stopped_reading_leaves_whole_files_only(predict, drawn, tmp_path, monkeypatch):
    pages = []
    read = Transcriber.read

    def stopped(self, strips):
        pages.append(1)
        if len(pages) % 3 == 0:
            raise KeyboardInterrupt
        return read(self, strips)

    monkeypatch.setattr(Transcriber, "read", stopped)
    monkeypatch.setattr(page_copies, "MAX_LINES_IN_FLIGHT", 1)
    copies = predict(drawn / "page", f"predict.output={tmp_path / 'copies'}")
    assert copies.code == 130
    assert sorted(contents(tmp_path / "copies")) == ["page/drawn_0001.xml", "page/drawn_0002.xml"]
    assert set(texts(tmp_path / "copies", drawn / "page")) == {"drawn_0001.xml", "drawn_0002.xml"}
    table = predict(drawn / "page", "predict.format=tsv", f"predict.output={tmp_path / 'table/a.tsv'}", into="table")
    assert table.code == 130
    assert list((tmp_path / "table").glob("*.tsv")) == []


@pytest.mark.parametrize("at_once", [1, 7])
def test_how_many_pages_are_read_together_changes_nothing(predict, drawn, at_once, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    together = predict(drawn / "page")
    monkeypatch.setattr(page_copies, "MAX_LINES_IN_FLIGHT", at_once)
    apart = predict(drawn / "page", into="apart")
    assert contents(apart.folder / "pages") == contents(together.folder / "pages")
    assert len(contents(apart.folder / "pages")) == 12


def test_two_files_of_one_image_are_both_read(predict, drawn, tmp_path):
    """In training the second would leak; here each file wants its text."""
    shutil.copytree(drawn / "page", tmp_path / "in")
    shutil.copy(tmp_path / "in/page/drawn_0001.xml", tmp_path / "in/page/drawn_0001.second.xml")
    ended = predict(tmp_path / "in")
    assert len(contents(ended.folder / "pages")) == 13
    left = predict(tmp_path / "in", "data.exclude=[*.second.xml]", into="left")
    assert len(contents(left.folder / "pages")) == 12


def test_images_of_pages_are_read_by_the_files_beside_them(predict, drawn):
    ended = predict(quoted(drawn / "page" / "*.png"))
    assert ended.code == 0, ended
    assert sorted(contents(ended.folder / "pages")) == sorted(
        f"page/{path.name}" for path in (drawn / "page/page").glob("*.xml")
    )


def test_several_inputs_are_read_in_one_run(predict, drawn):
    ended = predict(f"[{drawn / 'page'},{drawn / 'alto'}]", "predict.format=jsonl")
    assert ended.code == 0, ended
    assert len(rows_of(ended)) == 72
    assert len({(row["page"], row["line"]) for row in rows_of(ended)}) == 72
    copies = predict(f"[{drawn / 'page'},{drawn / 'alto'}]", into="copies")
    assert len(contents(copies.folder / "pages")) == 24


@pytest.mark.parametrize(
    ("source", "more", "told"),
    [
        ("nowhere", (), "nowhere"),
        ("", (), "predict.input"),
        ("{drawn}/page", ("predict.format=txt",), "predict.format=txt"),
        ("{here}", (), "no PAGE or ALTO"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(predict, drawn, tmp_path, source, more, told):
    (tmp_path / "empty").mkdir()
    ended = predict(source.format(drawn=drawn, here=tmp_path / "empty"), *more)
    assert ended.code == 1, ended
    assert told in ended.output.strip().splitlines()[-1]


def test_a_name_with_everything_in_it_is_read(run, trained, tmp_path):
    folder = tmp_path / "Bücher, 1. Teil = α 'x' (neu) [2]"
    write_page_layout(folder, draw_pages(1))
    write_alto_layout(folder / "alto, too", draw_pages(1, seed=3))
    ended = run(
        "task=predict", f"checkpoint={trained.folder}", f"predict.input={quoted(folder)}", "predict.format=jsonl"
    )
    assert ended.code == 0, ended
    assert len(rows_of(ended)) == 6


def test_lines_without_text_are_cut_in_the_direction_that_training_knew(tmp_path):
    """A hanging baseline drawn from right to left: without a direction its line is taken for one upside down."""
    page = np.full((120, 400), 220, np.uint8)
    cv2.putText(page, "ABC DEF", (60, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 30, 3)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    place = {"polygon": ((40, 40), (300, 40), (300, 95), (40, 95)), "baseline": ((295, 47), (45, 47))}
    untranscribed = TextLine("l", "p", **place)
    image = ImageSource(tmp_path / "page.png")
    known, unknown = (
        Page("p", tmp_path / "p.xml", image, lines=(line,))
        for line in (replace(untranscribed, text="שלום"), untranscribed)
    )
    expected = extract_page(known, ExtractionSettings()).strips[0]
    for directed in (set_direction(unknown, None, "rtl"), set_direction(unknown, "rtl", None)):
        assert np.array_equal(extract_page(directed, ExtractionSettings()).strips[0], expected)
    assert set_direction(unknown, None, None) == unknown
    assert set_direction(known, None, "rtl") == known, "its text tells"


def test_columns_without_text_are_cut_downwards_by_a_model_of_such_a_script(tmp_path):
    page = np.random.default_rng(1).integers(0, 255, (400, 200), np.uint8)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    places = {"column": ((20, 20), (60, 20), (60, 380), (20, 380)), "row": ((80, 20), (190, 20), (190, 60), (80, 60))}
    unknown = tuple(TextLine(name, "p", polygon=polygon) for name, polygon in places.items())
    known = tuple(replace(line, text="史記卷一本紀") for line in unknown)
    page_of = Page("p", tmp_path / "p.xml", ImageSource(tmp_path / "page.png"))
    trained = extract_page(replace(page_of, lines=known), ExtractionSettings()).strips
    read = extract_page(set_direction(replace(page_of, lines=unknown), None, "ttb"), ExtractionSettings()).strips
    assert all(map(np.array_equal, trained, read))
    upwards = extract_page(replace(page_of, lines=unknown), ExtractionSettings()).strips
    assert not np.array_equal(trained[0], upwards[0])


def test_a_reading_that_the_model_is_unsure_of_is_told(predict, lines, tmp_path, monkeypatch):
    """A model of other writing: whoever does not know what a confidence is would take its text for read."""
    warning = "The model is sure of little of it"
    monkeypatch.setattr("uncial.problems.reading.UNSURE", 1.01)
    assert warning in predict(lines, "predict.format=tsv", into="unsure").output
    monkeypatch.setattr("uncial.problems.reading.UNSURE", 0.0)
    assert warning not in predict(lines, "predict.format=tsv", into="sure").output


def test_a_page_that_is_read_with_a_doubt_is_told(predict, drawn, tmp_path):
    shutil.copytree(drawn / "page", tmp_path / "in")
    for xml_file in sorted((tmp_path / "in" / "page").iterdir())[2:]:
        xml_file.unlink()
    picture = sorted((tmp_path / "in").glob("*.png"))[0]
    image = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(picture), cv2.resize(image, None, fx=2, fy=2))
    ended = predict(tmp_path / "in")
    assert ended.code == 0, ended
    assert "its coordinates were scaled by 2" in ended.output.replace("\n", " ")
    refused = predict(tmp_path / "in", "data.direction=up", into="refused")
    assert refused.code == 1
    assert "data.direction=up: choose ltr, rtl, ttb or btt" in refused.output.replace("\n", " ")
