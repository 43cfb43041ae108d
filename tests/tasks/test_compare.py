"""task=compare: models on the same lines, and folders of PAGE and ALTO files against their ground truth."""

import json
import re
import shutil

import pytest
import torch
from drawn_layouts import read_csv
from program import quoted

from uncial.models.files import load_model, save_model
from uncial.reports.tables.line_results import read_compared_lines


@pytest.fixture(scope="module")
def sets(drawn, tmp_path_factory):
    """Readings of the drawn pages: `good` in ALTO with a letter too much in each first line, `bad` in PAGE with two in
    every line; in `bad` one page is missing, one line has no text and one another id.
    """
    root = tmp_path_factory.mktemp("sets")
    (root / "good").mkdir()
    for path in (drawn / "alto").glob("*.xml"):
        text = path.read_text(encoding="utf-8").replace('CONTENT="', 'CONTENT="z', 1)
        (root / "good" / path.name).write_text(text, encoding="utf-8")
    shutil.copytree(drawn / "page/page", root / "bad/page")
    missing, empty, renamed, *_ = files = sorted((root / "bad/page").iterdir())
    for path in files:
        path.write_text(path.read_text(encoding="utf-8").replace("<Unicode>", "<Unicode>&lt;&gt;"), encoding="utf-8")
    missing.unlink()
    text = empty.read_text(encoding="utf-8")
    empty.write_text(re.sub("<TextEquiv>.*?</TextEquiv>", "", text, count=1, flags=re.DOTALL), encoding="utf-8")
    text = renamed.read_text(encoding="utf-8")
    renamed.write_text(text.replace('id="r1l3"', 'id="another"'), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def worse(trained, tmp_path_factory):
    """The trained model with noise on its weights."""
    recognizer, card = load_model(trained.folder)
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in recognizer.parameters():
            weights.add_(torch.randn_like(weights) * 0.5 * weights.std(correction=0))
    path = tmp_path_factory.mktemp("worse") / "best.safetensors"
    save_model(path, recognizer, card)
    return path


def test_folders_of_page_and_alto(run, drawn, sets):
    folders = f"compare.folders=[{quoted(sets / 'bad')},{quoted(sets / 'good')}]"
    ended = run("task=compare", folders, f"compare.truth={quoted(drawn / 'page')}")
    assert ended.code == 0, ended
    told = " ".join(ended.output.split())
    assert "good is better than bad: CER" in told
    assert "32 lines of 11 pages" in told
    assert "1 line of bad without text counts as read empty" in told
    unmatched = [(row["page"], row["line"], row["folder"]) for row in read_csv(ended.folder / "unmatched.csv")]
    assert unmatched == [
        ("drawn_0001", "", "bad"), ("drawn_0003", "r1l3", "bad"), ("drawn_0003", "another", "truth"),
    ]  # fmt: skip
    lines = read_compared_lines(ended.folder / "lines.jsonl")
    assert len(lines) == 32
    assert all(line.edits[0] == 2 for line in lines if line.predictions[0])
    assert all(line.edits[1] == (line.origin.line == "r1l1") for line in lines)
    data = json.loads(ended.read("comparison.json"))
    assert data["pairs"][0]["better"] == "good"
    assert len(data["missed_by_all"]) == 11
    assert "| bad and good | 0 | 0 | 32 |" in ended.read("comparison.md")


@pytest.mark.parametrize("written", ["{}", "[{}]"])
def test_one_folder_is_scored_against_its_truth(run, drawn, sets, written):
    """With the figures that it has beside another one, and without a word on who is better."""
    truth = f"compare.truth={quoted(drawn / 'page')}"
    ended = run("task=compare", f"compare.folders={written.format(quoted(sets / 'good'))}", truth)
    assert ended.code == 0, ended
    told = " ".join(ended.output.split())
    data = json.loads(ended.read("comparison.json"))
    [system] = data["systems"]
    assert (system["name"], data["pairs"], data["lines"]) == ("good", [], 36)
    assert system["cer"]["value"] == pytest.approx(12 / data["characters"])
    assert f"{100 * system['cer']['value']:.2f} %" in told
    assert "36 lines of 12 pages" in told
    assert f"{ended.folder / 'report.html'}" in told.replace(" ", "")
    assert read_csv(ended.folder / "unmatched.csv") == []
    assert [line.edits for line in read_compared_lines(ended.folder / "lines.jsonl")] == [(1,), (0,), (0,)] * 12
    rows = read_csv(ended.folder / "comparison.csv")
    assert set(rows[0]) == {"kind", "name", "lines", "characters", "cer good"}
    for text in (told, ended.read("comparison.md"), ended.read("report.html")):
        assert not re.search("better|wins|lowest|of them|difference counts", text.partition("<script")[0])


def test_one_folder_of_one_page_says_why_it_has_no_interval(run, drawn, sets):
    page = next((sets / "good").glob("*.xml"))
    ended = run("task=compare", f"compare.folders={quoted(page)}", f"compare.truth={quoted(drawn / 'page')}")
    assert ended.code == 0, ended
    told = " ".join(ended.output.split())
    assert "3 lines of 1 page with" in told
    assert "No interval can be given: all lines are from one page" in told
    assert "33 lines of the truth" in told or "pages or lines cannot be compared" in told


def test_a_file_that_cannot_be_read_is_told_and_not_only_missed(run, drawn, sets, tmp_path):
    shutil.copytree(sets / "bad", tmp_path / "torn")
    torn = sorted((tmp_path / "torn/page").iterdir())[-1]
    torn.write_bytes(torn.read_bytes()[:500])
    folders = f"compare.folders=[{quoted(sets / 'good')},{quoted(tmp_path / 'torn')}]"
    ended = run("task=compare", folders, f"compare.truth={quoted(drawn / 'page')}")
    assert ended.code == 0, ended
    told = " ".join(ended.output.split())
    assert f"1 file or line cannot be read, skipped.csv says why; the first: {torn} is cut short" in told


def test_models(run, trained, drawn, worse):
    models = f"checkpoint=[{quoted(worse)},[{quoted(trained.folder)},{quoted(trained.folder / 'last.ckpt')}]]"
    data = ("data=page", f"data.root={quoted(drawn / 'page')}", "data.subset=all")
    ended = run("task=compare", models, "compare.names=[noisy,clean]", *data)
    assert ended.code == 0, ended
    told = " ".join(ended.output.split())
    assert "clean is better than noisy: CER" in told
    assert "were in noisy's training data" in told
    systems = {one["name"]: one for one in json.loads(ended.read("comparison.json"))["systems"]}
    assert [systems[name]["seeds"] for name in ("noisy", "clean")] == [1, 2]
    alone = run("task=test", f"checkpoint={quoted(worse)}", *data, into="alone")
    assert systems["noisy"]["cer"]["value"] == alone.metrics["test"]["cer"]
    lines = read_compared_lines(ended.folder / "lines.jsonl")
    assert len(lines) == 36
    assert all(0 <= confidence <= 1 for line in lines for confidence in line.confidences)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "checkpoint=[A,B]"),
        (("checkpoint=[{trained}]",), "two models or more"),
        (("checkpoint=[{trained},{trained}]",), "more than once"),
        (("checkpoint=[{trained},{worse}]", "compare.names=[one]"), "2 different names"),
        (("checkpoint=[{trained},{worse}]", "compare.profile=nfc_stripp"), "nfc_strip"),
        (("checkpoint=[{trained},{worse}]", "compare.folders=[a,b]"), "not both"),
        (("compare.folders=[{drawn}/page,{drawn}/alto]",), "compare.truth=Z"),
        (("compare.folders={drawn}/page",), "compare.truth=Z"),
        (("compare.folders=[]", "compare.truth={drawn}/page"), "a folder or several"),
        (("compare.folders=[{drawn}/page,{drawn}/none]", "compare.truth={drawn}/page"), "compare.folders"),
        (("compare.folders=[{drawn}/page,{drawn}/alto]", "compare.truth={other}"), "No line is in the truth"),
        (("metrics.level=95",), "metrics.level"),
        (("metrics.cluster=line",), "metrics.cluster=line"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_sentence(run, trained, drawn, worse, tmp_path, arguments, told):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(next((drawn / "page/page").iterdir()), other / "elsewhere.xml")
    places = {"trained": trained.folder, "drawn": drawn, "worse": worse, "other": other}
    ended = run(
        "task=compare", "data=page", f"data.root={drawn / 'page'}", *(one.format(**places) for one in arguments)
    )
    assert ended.code == 1, ended
    assert told in ended.output.strip().splitlines()[-1]


def test_several_models_are_for_compare_alone(run, trained):
    ended = run("task=test", f"checkpoint=[{trained.folder},{trained.folder}]")
    assert ended.code == 1
    assert "task=compare" in ended.output.strip().splitlines()[-1]
