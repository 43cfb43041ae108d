"""task=compare compare.what=pages: what was read on found lines, whose ids and number are not those of the truth."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from program import run_program

LINE = re.compile(r"<TextLine.*?</TextLine>", re.DOTALL)
TEXT = re.compile(r"(<Unicode>)(.*?)(</Unicode>)", re.DOTALL)


def change(root: Path, edit) -> None:
    """Rewrite the lines of each page: `edit(number of the page, lines)` returns the new ones."""
    for number, path in enumerate(sorted(root.rglob("*.xml"))):
        text = path.read_text(encoding="utf-8")
        lines = [found[0] for found in LINE.finditer(text)]
        joined = "\n".join(edit(number, lines))
        start, end = text.index(lines[0]), text.index(lines[-1]) + len(lines[-1])
        path.write_text(text[:start] + joined + text[end:], encoding="utf-8")


def set_text(line: str, text: str) -> str:
    return TEXT.sub(lambda found: found[1] + text + found[3], line)


def get_text(line: str) -> str:
    return TEXT.search(line)[2]


def rename(line: str, name: str) -> str:
    """Return a line under another id, without its place in the order."""
    return re.sub(r"<TextLine[^>]*>", f'<TextLine id="{name}">', line, count=1)


def read_given(number, lines):
    """One character of the first line of every page is wrong."""
    return [set_text(lines[0], "~" + get_text(lines[0])[1:]), *lines[1:]]


def read_found(number, lines):
    """The same, in other lines and another order; on the first page the last line was missed, on the second there is
    one too many."""
    lines = read_given(number, lines)
    found = [rename(line, f"l{place}") for place, line in enumerate(lines[::-1], 1)]
    if number == 0:
        found = found[1:]
    if number == 1:
        found.append(set_text(rename(lines[0], "l9"), "xyz"))
    return found


@pytest.fixture(scope="module")
def folders(drawn, tmp_path_factory):
    root = tmp_path_factory.mktemp("texts")
    for name, edit in (("truth", lambda number, lines: lines), ("given", read_given), ("found", read_found)):
        shutil.copytree(drawn / "page" / "page", root / name)
        change(root / name, edit)
    return root


def compare(tmp_path, root, *names, more=()):
    given = ",".join(str(root / name) for name in names)
    what = (f"compare.folders=[{given}]", f"compare.truth={root / 'truth'}", "compare.what=pages")
    return run_program(tmp_path / "compared", "task=compare", *what, *more)


def count(root):
    files = [path.read_text(encoding="utf-8") for path in sorted((root / "truth").rglob("*.xml"))]
    texts = [[get_text(found[0]) for found in LINE.finditer(text)] for text in files]
    return texts, sum(len(text) for page in texts for text in page)


def test_what_finding_the_lines_costs(folders, tmp_path):
    ended = compare(tmp_path, folders, "found", "given")
    assert ended.code == 0, ended
    texts, characters = count(folders)
    compared = json.loads((ended.folder / "comparison.json").read_text())
    missed = len(texts[0][-1])
    given, found = len(texts) / characters, (len(texts) + missed + 3) / characters
    values = {system["name"]: system["cer"]["value"] for system in compared["systems"]}
    assert values == {"given": pytest.approx(given), "found": pytest.approx(found)}
    (delta,) = compared["delta_cer"]
    assert (delta["found"], delta["given"]) == ("found", "given")
    assert delta["value"] == pytest.approx((missed + 3) / characters)
    pages = {page["name"]: page for page in compared["pages"]}
    assert (pages["given"]["lines"], pages["found"]["lines"]) == ("given", "found")
    assert pages["found"]["hcer"] == pytest.approx(found)
    # The order of the lines is wrong, which only the pages in their order show.
    assert pages["found"]["page_cer"] > pages["found"]["hcer"] > pages["given"]["page_cer"]
    told = f"Finding the lines of found costs {100 * delta['value']:+.2f} points of CER"
    assert told in " ".join(ended.output.split())
    assert told in (ended.folder / "comparison.md").read_text()
    assert told in (ended.folder / "report.html").read_text()


def test_the_order_of_the_folders_makes_no_difference(folders, tmp_path):
    one = compare(tmp_path / "one", folders, "found", "given").folder / "comparison.json"
    other = compare(tmp_path / "other", folders, "given", "found").folder / "comparison.json"
    (one,), (other,) = (json.loads(path.read_text())["delta_cer"] for path in (one, other))
    assert one["value"] == other["value"] > 0
    assert one["interval"] == pytest.approx(other["interval"])
    assert one["interval"][0] < one["value"] < one["interval"][1]


def test_one_folder_alone_is_scored(folders, tmp_path):
    ended = compare(tmp_path, folders, "found")
    assert ended.code == 0, ended
    compared = json.loads((ended.folder / "comparison.json").read_text())
    texts, characters = count(folders)
    (system,) = compared["systems"]
    assert system["cer"]["value"] == pytest.approx((len(texts) + len(texts[0][-1]) + 3) / characters)
    # All lines but the first of each page and the missed one are right; the one too many is no line of the truth.
    number = sum(map(len, texts))
    assert system["line_accuracy"] == pytest.approx((number - len(texts) - 1) / number)
    assert compared["delta_cer"] == []


def test_ids_that_are_the_same_by_chance_do_not_pair_lines(folders, tmp_path):
    """Found lines are called as those of the truth and stand elsewhere, in another order."""
    shutil.copytree(folders / "truth", tmp_path / "truth")
    shutil.copytree(folders / "truth", tmp_path / "moved")

    def turn_round(number, lines):
        texts = [get_text(line) for line in lines]
        moved = [line.replace('points="', 'points="1,1 ') for line in lines]
        return [set_text(line, text) for line, text in zip(moved, texts[::-1], strict=True)]

    change(tmp_path / "moved", turn_round)
    ended = compare(tmp_path, tmp_path, "moved")
    (page,) = json.loads((ended.folder / "comparison.json").read_text())["pages"]
    assert (page["lines"], page["hcer"]) == ("found", 0)


def test_what_cannot_be_compared_is_named(folders, tmp_path):
    for name in ("truth", "found"):
        shutil.copytree(folders / name, tmp_path / name)
    first, second = sorted((tmp_path / "found").rglob("*.xml"))[:2]
    first.unlink()
    truth = tmp_path / "truth" / second.name
    truth.write_text(re.sub(r"<TextEquiv.*?</TextEquiv>", "", truth.read_text(), count=1, flags=re.DOTALL))
    ended = compare(tmp_path, tmp_path, "found")
    assert ended.code == 0, ended
    rows = list(csv.DictReader((ended.folder / "unmatched.csv").open(encoding="utf-8")))
    assert [row["reason"] for row in rows] == [
        "is not in found",
        "has no person's text in the truth: what was read there counts as too much",
    ]
    assert "2 rows in unmatched.csv" in ended.output


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("compare.what=pages", "checkpoint=[A,B]"), "compare.what=pages compares texts in files"),
        (("compare.what=pages", "compare.folders=[a]"), "compare.truth"),
    ],
)
def test_what_is_typed_wrongly_ends_in_a_sentence(run, typed, told):
    ended = run("task=compare", *typed)
    assert ended.code == 1
    assert told in ended.output
    assert "Traceback" not in ended.output


def test_by_ids_nothing_is_common_and_the_sentence_says_what_to_type(folders, tmp_path):
    given = (f"compare.folders=[{folders / 'found'}]", f"compare.truth={folders / 'truth'}")
    ended = run_program(tmp_path / "compared", "task=compare", *given)
    assert ended.code == 1
    assert "compare.what=pages pairs them by their texts" in " ".join(ended.output.split())
