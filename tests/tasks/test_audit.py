"""task=audit: lines whose truth was made wrong come first, judged by models that did not see them."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from corrupted_truths import corrupted
from drawn_layouts import OPTIONS, draw_page, draw_pages, read_csv, write_page_layout
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree
from program import Ended, run_program
from rapidfuzz.distance import Levenshtein

from uncial.metrics.label_errors import (
    LineShift,
    compute_log_odds,
    compute_surprisals,
    compute_typo_cost,
    convert_odds,
    find_misaligned,
    find_places,
    find_shifts,
    list_alternatives,
)
from uncial.models.files import load_card, load_model, save_model


@pytest.fixture(scope="module")
def audited(trained, tmp_path_factory) -> tuple[Ended, dict[tuple[str, str], str], Path]:
    """The audit of pages that the model was not trained on, together with those that it was; the kinds of the corrupted
    lines by page and line, and the data."""
    folder = tmp_path_factory.mktemp("audit")
    pages = draw_pages(20, seed=1)
    new = list(range(12, 20))
    places = [(number, line) for number in new for line in range(3)]
    wrong = corrupted([pages[page].page.lines[line].text or "" for page, line in places], 0.17)
    kinds = {}
    for place, (kind, text) in wrong.items():
        number, line = places[place]
        page = pages[number].page
        lines = [replace(one, text=text) if n == line else one for n, one in enumerate(page.lines)]
        pages[number] = replace(pages[number], page=replace(page, lines=tuple(lines)))
        kinds[page.source.stem, page.lines[line].id] = kind
    write_page_layout(folder / "in", pages)
    audit = ("task=audit", f"checkpoint={trained.folder}", "audit.share=0.2")
    ended = run_program(folder / "audited", *audit, "data=page", f"data.root={folder / 'in'}")
    return ended, kinds, folder


def ranked(ended: Ended) -> list[dict]:
    assert ended.code == 0, ended
    return json.loads(ended.read("audit.json"))["lines"]


def test_wrong_truths_come_first(audited):
    ended, kinds, _ = audited
    lines = ranked(ended)
    first = [(Path(line["page"]).name, line["line"]) for line in lines[: len(kinds) + 2]]
    assert sum(place in kinds for place in first) >= 0.75 * len(kinds), (first, kinds)
    odds = [line["probability"] for line in lines]
    assert odds == sorted(odds, reverse=True)
    assert lines[0]["probability"] > 0.9 > 0.1 > lines[-1]["probability"]


def test_no_model_judges_what_it_was_trained_on(audited, trained):
    ended, _, _ = audited
    audit = json.loads(ended.read("audit.json"))
    judged = {Path(line["page"]).name for line in audit["lines"]}
    validated = {Path(row["page"]).name for row in read_csv(trained.folder / "predictions.csv")}
    assert validated < judged
    assert {f"drawn_{number:04d}" for number in range(13, 21)} < judged
    assert audit["unjudged"] == 60 - len(audit["lines"]) == 3 * load_card(trained.folder)["training"]["pages"]


def test_suspects_are_exported_as_pages_of_just_them(audited, tmp_path):
    ended, _, _ = audited
    suspects = [line for line in ranked(ended) if line["suspect"]]
    assert len(suspects) == round(0.2 * len(ranked(ended)))
    files = {line["exported"] for line in suspects}
    exported = {}
    for file in files:
        root = etree.parse(file).getroot()
        for line in root.iter("{*}TextLine"):
            exported[Path(file).stem, line.get("id")] = line.findtext("{*}TextEquiv/{*}Unicode")
    assert exported == {(Path(line["page"]).name, line["line"]): line["truth"] for line in suspects}
    again = run_program(tmp_path / "run", "task=inspect", "data=page", f"data.root={ended.folder / 'pages'}")
    assert again.code == 0, again
    assert json.loads(again.read("findings.json"))["summary"]["lines"] == len(suspects)


def test_the_page_holds_pictures_truth_and_reading(audited):
    ended, _, _ = audited
    page = ended.read("audit.html")
    suspects = [line for line in ranked(ended) if line["suspect"]]
    assert page.count("<article") == page.count("data:image/webp;base64,") == len(suspects)
    assert "<ins>" in page


def test_texts_that_slipped_by_a_line_are_told_with_where(trained, tmp_path, run):
    """From the third line of a page on the texts stand a line too early; the last line keeps its own."""
    random = np.random.default_rng(3)
    words = ["".join(random.choice(list("olxmé"), 12)) for _ in range(9)]
    page = draw_page(30, OPTIONS, words)
    lines = page.page.lines
    texts = [line.text for line in lines]
    slipped = [*texts[:2], *texts[3:], texts[-1]]
    moved = [replace(line, text=text) for line, text in zip(lines, slipped, strict=True)]
    write_page_layout(tmp_path / "in", [replace(page, page=replace(page.page, lines=tuple(moved)))])
    audit = ("task=audit", f"checkpoint={trained.folder}", "audit.share=0.9")
    ended = run(*audit, "data=page", f"data.root={tmp_path / 'in'}")
    (shift,) = json.loads(ended.read("audit.json"))["shifts"]
    assert shift["offset"] == -1
    assert (lines[3].id, lines[7].id) == (shift["first"], shift["last"])
    assert f"from line {lines[3].id} to line {lines[7].id} the texts stand 1 line too early" in ended.output
    elsewhere = {line["line"]: line["text_of"] for line in ranked(ended)}
    assert elsewhere[lines[4].id] == lines[3].id
    assert elsewhere[lines[0].id] == ""
    assert f"the text of line <code><bdi>{lines[3].id}" in ended.read("audit.html")


words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=12, max_size=12)


@given(st.lists(words, min_size=9, max_size=9, unique=True), st.integers(-2, 2), st.data())
def test_a_shift_is_found_with_its_offset_and_right_lines_are_left_alone(texts, offset, data):
    assume(min(Levenshtein.normalized_distance(a, b) for a, b in combinations(texts, 2)) > 0.7)
    first = data.draw(st.integers(2, 4))
    readings = [text if place < first else "" for place, text in enumerate(texts)]
    for place in range(first, 9):
        found_at = place + offset
        readings[place] = texts[found_at] if found_at < 9 else "zz" * 6
    found = find_misaligned(texts, readings)
    off = [place for place in range(first, 9) if offset and place + offset < 9]
    assert found == {place: place + offset for place in off}
    assert find_shifts(texts, readings, found) == ([LineShift(off[0], off[-1], len(off), offset)] if off else [])


def test_two_swapped_lines_are_displaced_but_no_shift_and_an_unsure_reading_is_nothing():
    texts = ["the quick brown fox", "jumps over lazy dogs", "and five more boxes", "liquor jugs packed"]
    swapped = [texts[1], texts[0], *texts[2:]]
    assert find_misaligned(texts, swapped) == {0: 1, 1: 0}
    assert find_shifts(texts, swapped, find_misaligned(texts, swapped)) == []
    assert find_misaligned(texts, ["xxxxxxxxxxxxxxx", "", "an1 f!ve m0re b", "1"]) == {}


def test_several_models_are_given_as_a_list(drawn, trained, run):
    files = [str(trained.folder / name) for name in ("best.safetensors", "last.ckpt")]
    ended = run("task=audit", "data=page", f"data.root={drawn / 'page'}", f"checkpoint=[{','.join(files)}]")
    assert ended.code == 0, ended
    audit = json.loads(ended.read("audit.json"))
    assert {model["file"]: model["lines"] for model in audit["models"]} == dict.fromkeys(files, audit["judged"])


def test_a_model_that_saw_everything_is_no_judge(drawn, trained, run):
    ended = run(
        "task=audit", "data=page", f"data.root={drawn / 'page'}", "data.subset=train", f"checkpoint={trained.folder}"
    )
    assert ended.code == 1
    assert "none can judge it" in ended.output


def test_a_model_tuned_from_one_that_saw_everything_is_no_judge_either(drawn, trained, run, tmp_path):
    recognizer, card = load_model(trained.folder)
    known = card["training"]["page_hashes"]
    tuned = {**card, "training": {**card["training"], "page_hashes": ["another"]}, "seen_before": known}
    save_model(tmp_path / "tuned.safetensors", recognizer, tuned)
    data = ("data=page", f"data.root={drawn / 'page'}", "data.subset=train")
    ended = run("task=audit", *data, f"checkpoint={tmp_path / 'tuned.safetensors'}")
    assert ended.code == 1
    assert "none can judge it" in ended.output


@pytest.mark.parametrize(
    ("argument", "told"),
    [("audit.share=0", "audit.share"), ("audit.prior=2", "audit.prior"), ("checkpoint=nowhere", "nowhere")],
)
def test_what_cannot_be_is_refused(drawn, trained, run, argument, told):
    checkpoint = () if argument.startswith("checkpoint") else (f"checkpoint={trained.folder}",)
    ended = run("task=audit", "data=page", f"data.root={drawn / 'page'}", *checkpoint, argument)
    assert ended.code == 1
    assert told in ended.output


def test_a_hard_line_is_not_suspected_where_the_model_is_unsure():
    """The same reading against the same truth: what counts is how much likelier the model finds it."""
    found = find_places("le chat noir", "le chut noir")
    assert [(place.truth, place.reading) for place in found] == [("a", "u")]
    surprise = compute_surprisals(["le chat noir dort sur la table"])
    (text, changed), *_ = list_alternatives("le chat noir", found)
    assert text == "le chut noir"
    cost = compute_typo_cost("le chat noir", changed, surprise)
    assert (
        convert_odds(compute_log_odds(0.02, [1.0], [cost]))
        < 0.02
        < 0.9
        < convert_odds(compute_log_odds(0.02, [14.0], [cost]))
    )
    assert convert_odds(compute_log_odds(0.02, [], [])) == 0


@given(st.text("abc ", max_size=12), st.text("abc ", max_size=12))
def test_all_places_changed_are_the_reading(truth, reading):
    found = find_places(truth, reading)
    assert bool(found) == (truth != reading)
    if found:
        assert list_alternatives(truth, found)[-1][0] == reading
