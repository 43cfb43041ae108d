"""Text that no line holds, and files that the chosen format does not read, are told with what to do."""

import json
import re
import shutil

import pytest
from drawn_layouts import cut_lines, draw_pages, write_alto_layout, write_page_layout, write_pairs

QUICK = ("inspect.samples=1", "inspect.augmentation=0")
TEXT = "<TextEquiv><Unicode>all of it</Unicode></TextEquiv>"
REGION = re.compile(r"<TextLine.*?</TextLine>", re.DOTALL)


def inspected(run, *arguments: str) -> dict[str, list[dict[str, str]]]:
    ended = run("task=inspect", *arguments, *QUICK)
    assert ended.code == 0, ended
    found: dict[str, list[dict[str, str]]] = {}
    for one in json.loads(ended.read("findings.json"))["findings"]:
        found.setdefault(one["kind"], []).append(one)
    return found


def changed(file, change) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def without_line_texts(text: str) -> str:
    return REGION.sub(lambda line: re.sub(r"<TextEquiv>.*?</TextEquiv>", "", line[0], flags=re.DOTALL), text)


def in_a_table(text: str) -> str:
    """Each line in a cell of its own, as Transkribus writes tables."""
    start = re.search(r"<TextRegion.*?</Coords>|<TextRegion[^>]*>\s*<Coords[^>]*/>", text, re.DOTALL)
    coords = re.search(r"<Coords[^>]*/>", text)[0]
    cells = "".join(
        f'<TableCell id="c{n}" row="{n}" col="0">{coords}{line}</TableCell>'
        for n, line in enumerate(REGION.findall(text))
    )
    end = text.index("</TextRegion>") + len("</TextRegion>")
    empty = f'<TableCell id="c99" row="99" col="0">{coords}</TableCell>'
    return f'{text[: start.start()]}<TableRegion id="r1">{coords}{cells}{empty}</TableRegion>{text[end:]}'


@pytest.fixture
def pages(drawn, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    return root


def test_a_page_whose_text_stands_at_its_region_is_not_called_blank(run, pages):
    file = pages / "page" / "drawn_0003.xml"
    changed(file, lambda text: REGION.sub("", text))
    found = inspected(run, "data=page", f"data.root={pages}")
    (told,) = found["text_without_lines"]
    assert (told["severity"], told["file"]) == ("error", str(file))
    assert "r1" in told["message"]
    assert "lines" in told["remedy"]
    assert "empty_page" not in found


def test_a_page_whose_lines_have_no_text_but_its_region_has_is_told(run, pages):
    changed(pages / "page" / "drawn_0003.xml", without_line_texts)
    found = inspected(run, "data=page", f"data.root={pages}")
    (told,) = found["text_without_lines"]
    assert "its lines have none" in told["message"]


def test_one_region_without_lines_beside_others_is_a_warning(run, pages):
    file = pages / "page" / "drawn_0003.xml"
    more = (
        '<TextRegion id="extra"><Coords points="1,1 9,1 9,9"/><TextEquiv><Unicode>in margine</Unicode></TextEquiv>'
        "</TextRegion></Page>"
    )
    changed(file, lambda text: text.replace("</Page>", more))
    found = inspected(run, "data=page", f"data.root={pages}")
    (told,) = found["region_without_lines"]
    assert told["severity"] == "warning"
    assert "extra" in told["message"]
    assert "empty_region" not in found


def test_the_cells_of_a_table_are_read_and_the_table_is_not_called_empty(run, pages):
    changed(pages / "page" / "drawn_0003.xml", in_a_table)
    found = inspected(run, "data=page", f"data.root={pages}")
    assert not found.keys() & {"empty_region", "empty_page", "text_without_lines", "region_without_lines"}
    summary = json.loads((pages.parent / "run" / "findings.json").read_text(encoding="utf-8"))["summary"]
    assert summary["lines"] == 36


def test_alto_strings_without_a_line_are_told(run, drawn, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(drawn / "alto", root)
    changed(root / "drawn_0003.xml", lambda text: re.sub(r"</?TextLine[^>]*>|<Shape>.*?</Shape>", "", text))
    (told,) = inspected(run, "data=alto", f"data.root={root}")["text_without_lines"]
    assert told["file"].endswith("drawn_0003.xml")


@pytest.mark.parametrize(("data", "other"), [("page", "ALTO"), ("alto", "PAGE")])
def test_files_of_the_other_kind_are_told(run, tmp_path, data, other):
    drawn = draw_pages(6)
    root = tmp_path / "in"
    write = {"page": write_page_layout, "alto": write_alto_layout}
    rest = {"page": write_alto_layout, "alto": write_page_layout}
    write[data](root / "one", drawn[:4])
    rest[data](root / "two", drawn[4:])
    (told,) = inspected(run, f"data={data}", f"data.root={root}")["passed_over"]
    assert told["severity"] == "warning"
    assert f"2 {other} files" in told["message"]
    assert "data=xml" in told["remedy"]


def test_files_of_the_other_kind_about_the_same_images_are_information(run, tmp_path):
    drawn = draw_pages(4)
    root = write_page_layout(tmp_path / "in", drawn)
    write_alto_layout(root, drawn)
    found = inspected(run, "data=page", f"data.root={root}")
    assert "passed_over" not in found
    (told,) = found["other_format"]
    assert told["severity"] == "information"


def test_line_pairs_beside_pages_and_pages_beside_line_pairs_are_told(run, tmp_path):
    drawn = draw_pages(6)
    root = write_page_layout(tmp_path / "in", drawn[:3])
    write_pairs(root / "pairs", cut_lines(drawn[3:]))
    (told,) = inspected(run, "data=xml", f"data.root={root}")["passed_over"]
    assert "9 line images" in told["message"]
    assert "data=lines" in told["remedy"]
    (told,) = inspected(run, "data=lines", f"data.root={root}")["passed_over"]
    assert "3 XML files" in told["message"]
    assert "data=xml" in told["remedy"]


def test_other_xml_alone_is_named_for_what_it_is(run, tmp_path):
    root = tmp_path / "in"
    root.mkdir()
    (root / "letter.xml").write_text('<TEI xmlns="http://www.tei-c.org/ns/1.0"><text/></TEI>', encoding="utf-8")
    ended = run("task=inspect", "data=xml", f"data.root={root}")
    assert ended.code == 1
    assert "<TEI>" in ended.output
    assert "did you mean" not in ended.output


def test_what_lies_beside_the_data_does_not_end_a_strict_run(run, tmp_path):
    drawn = draw_pages(4)
    root = write_page_layout(tmp_path / "in", drawn)
    write_alto_layout(root, drawn)
    assert run("task=inspect", "data=page", f"data.root={root}", "data.strict=true", *QUICK).code == 0


def test_a_training_without_a_usable_page_says_why_of_the_file(run, pages):
    for file in pages.rglob("*.xml"):
        changed(file, lambda text: REGION.sub("", text).replace("</TextRegion>", f"{TEXT}</TextRegion>"))
    ended = run("data=page", f"data.root={pages}")
    assert ended.code == 1, ended
    assert re.search(r"the first because of this: \S+\.xml: the text of its region", ended.output)
