"""experiment=bonnevie_finetune: what the test pages say before and after, and whether it helped."""

import json
import re
import shlex
from dataclasses import replace

import pytest
from drawing_helpers import draw_bonnevie_layout
from drawn_layouts import OPTIONS, draw_pages, read_csv, write_pairs
from drawn_layouts import cut_lines as cut
from lxml import etree
from program import run_program

from uncial.models.files import load_card, load_model, save_model
from uncial.models.lineage import list_pages_seen
from uncial.reports.tables.line_results import read_compared_lines, read_line_results
from uncial.runs.folder import format_follow_up_command

SHORT = ("trainer.batch_width=300", "trainer.lines_seen=200", "trainer.validations=2", "augmentation=none")


@pytest.fixture(scope="module")
def lesson(trained, tmp_path_factory):
    """The experiment on pages of another hand in the layout of the Bonnevie pages."""
    root = tmp_path_factory.mktemp("lesson")
    letters = replace(OPTIONS, seed=9, slant=(12, 12), text=None)
    draw_bonnevie_layout(root / "bonnevie", finetune=6, test=2, options=letters)
    return run_program(
        root / "run", "experiment=bonnevie_finetune", f"pretrained={trained.folder}", f"paths.data={root}", *SHORT
    )


def texts(folder):
    """The lines of all PAGE files of a folder by file and line id."""
    found = {}
    for file in sorted(folder.rglob("*.xml")):
        for line in etree.parse(file).iter("{*}TextLine"):
            found[file.name, line.get("id")] = "".join(line.xpath("./*[local-name()='TextEquiv']//text()")).strip()
    return found


def test_both_readings_of_the_test_pages_and_their_comparison_lie_in_one_folder(lesson):
    assert lesson.code == 0, lesson
    before, after = texts(lesson.folder / "before"), texts(lesson.folder / "after")
    rows = {
        (f"{row['page'].rpartition('/')[2]}.xml", row["line"]): row for row in read_csv(lesson.folder / "lines.csv")
    }
    assert set(before) == set(after)
    assert len({file for file, _ in before}) == 2
    matched = {
        key: row for (page, line), row in rows.items() for key in before if key[1] == line and page.endswith(key[0])
    }
    assert len(matched) == len(rows) == len(before)
    for key, row in matched.items():
        assert before[key] == row["prediction before"]
        assert after[key] == row["prediction after"]
    assert before != after


def test_the_model_after_is_the_runs_best_and_the_first_is_the_given_one(lesson, trained, run):
    systems = {
        system["name"]: system for system in json.loads((lesson.folder / "comparison.json").read_text())["systems"]
    }
    assert list(systems) == ["before", "after"]
    for name, model in (("before", trained.folder), ("after", lesson.folder)):
        root = lesson.folder.parent / "bonnevie"
        scored = run("task=test", f"checkpoint={model}", "data=bonnevie", f"data.root={root}", into=name)
        assert scored.metrics["test"]["cer"] == pytest.approx(systems[name]["cer"]["value"], abs=1e-12)


def test_the_hint_at_its_end_scores_the_same_pages_as_the_experiment(lesson, run):
    hint = re.search(r"score it on the test part +python run\.py (.*)", lesson.output)
    assert hint is not None, lesson
    scored = run(*shlex.split(hint[1]), into="hinted")
    assert scored.code == 0, scored
    after = json.loads((lesson.folder / "comparison.json").read_text())
    assert scored.metrics["test"]["characters"] == after["characters"]
    assert scored.metrics["test"]["cer"] == pytest.approx(after["systems"][1]["cer"]["value"], abs=1e-12)


def test_a_hint_names_the_folder_of_configs_that_the_run_had(tmp_path):
    tmp_path = tmp_path / "2026-01-02_03-04-05"
    tmp_path.mkdir()
    (tmp_path / "environment.json").write_text(
        json.dumps({"command": "python run.py --config-dir 'my conf' data=mine experiment=ours optimizer.lr=1"})
    )
    typed = ["data=mine", "experiment=ours", "optimizer.lr=1", "++data.root=a b"]
    assert format_follow_up_command(tmp_path, typed, "task=test") == (
        "python run.py --config-dir 'my conf' task=test data=mine experiment=ours '++data.root=a b'"
    )


def test_a_run_that_goes_on_ends_with_the_comparison_of_its_own_model(run, trained, drawn):
    data = ("data=page", f"data.root={drawn / 'page'}")
    first = run(
        "task=finetune",
        f"pretrained={trained.folder}",
        *data,
        *SHORT[:1],
        "augmentation=none",
        "trainer.lines_seen=null",
        "trainer.max_epochs=1",
        "optimizer.lr=1e-2",
    )
    assert first.code == 0, first
    for name in ("comparison.json", "comparison.html"):
        (first.folder / name).unlink()
    again = run(f"resume={first.folder}", "trainer.max_epochs=2", into="again")
    assert again.code == 0, again
    assert "What it was worth" in again.output
    assert not again.folder.exists(), "all is written where the run is"
    systems = json.loads((first.folder / "comparison.json").read_text())["systems"]
    scored = run("task=test", f"checkpoint={first.folder}", *data, into="scored")
    assert systems[1]["cer"]["value"] == scored.metrics["test"]["cer"]


def test_a_tuned_model_knows_the_pages_of_the_one_that_it_comes_of(lesson, trained):
    card, base = load_card(lesson.folder), load_card(trained.folder)
    assert set(base["training"]["page_hashes"]) <= list_pages_seen(card)
    assert len(card["training"]["page_hashes"]) == card["training"]["pages"] < len(list_pages_seen(card))


def test_the_trainings_own_files_stay(lesson):
    steps = {row["step"] for row in read_csv(lesson.folder / "metrics.csv")}
    assert len(steps) > 1
    assert "train" in lesson.metrics
    assert (lesson.folder / "best.safetensors").is_file()
    assert len(read_line_results(lesson.folder / "lines.jsonl")) == lesson.metrics["val"]["lines"]
    assert len(read_compared_lines(lesson.folder / "comparison.jsonl")) == len(read_csv(lesson.folder / "lines.csv"))


def test_a_wrong_part_ends_the_command_before_any_page_is_read(run, trained, tmp_path):
    typed = ("data=page", f"data.root={tmp_path / 'nowhere'}", "optimizer._target_=torch.optim.Nope")
    ended = run("task=finetune", f"pretrained={trained.folder}", *typed)
    assert ended.code == 1, ended
    assert "torch.optim.Nope" in ended.output.strip().splitlines()[-1]


def test_without_a_base_model_the_remedy_is_said(run):
    ended = run("experiment=bonnevie_finetune", "data=synthetic")
    assert ended.code == 1
    assert ended.output.strip().splitlines()[-1].startswith("Error: task=finetune needs")
    assert "pretrained=" in ended.output


def test_lines_without_page_files_are_compared_all_the_same_on_the_text_that_both_models_learned(
    run, trained, tmp_path
):
    recognizer, card = load_model(trained.folder)
    recognizer.text = replace(recognizer.text, replacements=(("x", "l"),))
    save_model(tmp_path / "base.safetensors", recognizer, card)
    for part, seed in (("train", 2), ("val", 3), ("test", 4)):
        write_pairs(tmp_path / part, cut(draw_pages(2, seed=seed)))
    ended = run(
        "experiment=bonnevie_finetune",
        f"pretrained={tmp_path / 'base.safetensors'}",
        "data=lines",
        *(f"data.{part}={tmp_path / part}" for part in ("train", "val", "test")),
        *SHORT,
        "trainer.max_steps=2",
    )
    assert ended.code == 0, ended
    assert "no PAGE or ALTO files" in ended.output
    assert not (ended.folder / "before").exists()
    assert (ended.folder / "comparison.md").is_file()
    truths = "".join(row["truth"] for row in read_csv(ended.folder / "lines.csv"))
    assert "l" in truths
    assert "x" not in truths
