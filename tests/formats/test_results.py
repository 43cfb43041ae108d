"""Results a line a row: Loghi's TSV in its two forms, and JSON lines."""

import json
from pathlib import Path

import pytest

from uncial.document import ImageSource, Page, TextLine, Transcription
from uncial.errors import UserError
from uncial.formats.lines.results import format_jsonl_rows, format_tsv_rows, read_tsv, write_rows


def recognized(*read, source="strips/p-l1.png"):
    lines = tuple(TextLine("l1", "p", transcription=one) for one in read)
    return Page("p", Path(source), ImageSource(Path("strips/p-l1.png")), lines=lines)


def test_tsv_comes_back(tmp_path):
    path = tmp_path / "out" / "results.txt"
    write_rows(path, format_tsv_rows(recognized(Transcription("ſåre  bær ", 0.5), None, Transcription("", 0.25))))
    assert path.read_text().startswith("strips/p-l1.png\t{}\t0.5\tſåre  bær \n")
    rows, problems = read_tsv(path)
    assert [(row.image, row.confidence, row.text) for row in rows] == [
        ("strips/p-l1.png", 0.5, "ſåre  bær "),
        ("strips/p-l1.png", 0.25, ""),
    ]
    assert problems == []


def test_tsv_has_one_row_a_line_whatever_the_text_holds(tmp_path):
    write_rows(tmp_path / "r.txt", format_tsv_rows(recognized(Transcription("a\tb\r\nc\rd\u2028e", 0.5))))
    rows, problems = read_tsv(tmp_path / "r.txt")
    assert [row.text for row in rows] == ["a b c d\u2028e"]
    assert problems == []


def test_both_of_loghis_forms_are_read(tmp_path):
    path = tmp_path / "r.txt"
    path.write_text('a.png\t0.5\told\nb.png\t{"model": "m"}\t0.25\tnew\nc.png\t{}\t0.1\nd.png\tx\ty\n\ne.png\n')
    rows, problems = read_tsv(path)
    assert [(row.image, row.confidence, row.text, dict(row.metadata)) for row in rows] == [
        ("a.png", 0.5, "old", {}),
        ("b.png", 0.25, "new", {"model": "m"}),
        ("c.png", 0.1, "", {}),
    ]
    assert [problem.line for problem in problems] == ["row 4", "row 6"]


def test_json_lines_hold_every_character(tmp_path):
    read = Transcription("aé", 0.5, character_confidences=(0.9, 0.8), positions=((0.0, 0.25), (0.5, 1.0)))
    write_rows(tmp_path / "r.jsonl", format_jsonl_rows(recognized(read, None, Transcription("x", 0.5), source="p.xml")))
    first, second = (json.loads(row) for row in (tmp_path / "r.jsonl").read_text().splitlines())
    assert first == {
        "page": "p",
        "line": "l1",
        "source": "p.xml",
        "image": "strips/p-l1.png",
        "text": "aé",
        "confidence": 0.5,
        "characters": [
            {"text": "a", "confidence": 0.9, "start": 0.0, "end": 0.25},
            {"text": "é", "confidence": 0.8, "start": 0.5, "end": 1.0},
        ],
    }
    assert second["characters"] == [{"text": "x"}]


def test_an_interrupted_file_is_not_there(tmp_path):
    def lines():
        yield from format_tsv_rows(recognized(Transcription("a", 0.5)))
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_rows(tmp_path / "r", lines())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"r\.tsv cannot be written"):
        write_rows(tmp_path / "file" / "r.tsv", [])


@pytest.mark.real_data
def test_loghis_own_results(real_data):
    path = next((real_data / "loghi-tooling-fixtures").rglob("loghi_htr_merge_page/results.txt"))
    rows, problems = read_tsv(path)
    assert len(rows) == 648
    assert problems == []
    assert rows[0].text == "ngublick bytrkgeld tehebben"
