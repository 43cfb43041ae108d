"""The pages on parts of one's own: the files that each shows, put where it says, work as it says."""

import re
import shlex
from pathlib import Path

import pytest
from drawn_layouts import cut_lines, draw_pages, read_csv, write_page_layout, write_pairs
from program import ROOT, TINY, run_program

import uncial
from uncial.models.files import load_card

PAGES = {path.stem: path for path in sorted((ROOT / "docs" / "own").glob("*.md"))}
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHORT = ("trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "inspect.augmentation=0")
OF_LAYOUTS = ("trainer.max_steps=2", "trainer.validations=1", "trainer.crop=128", "trainer.batch_pages=1")
NAMED = ("head", "decoder", "detector", "neck", "scheduler", "logger", "callback", "metric", "source", "task")


def blocks_of(name):
    return BLOCK.findall(PAGES[name].read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """The folder in which the commands are typed, with the data and the files that the pages show."""
    folder = tmp_path_factory.mktemp("workspace")
    pages = draw_pages(8)
    write_page_layout(folder / "pages", pages)
    images = write_pairs(folder / "pairs", cut_lines(pages))
    rows = [f"{image.name}\t{image.with_suffix('.gt.txt').read_text(encoding='utf-8').strip()}" for image in images]
    (folder / "pairs" / "pairs.tsv").write_text("\n".join([*rows, "nowhere.png\tlost"]), encoding="utf-8")
    for name in PAGES:
        for _, title, text in blocks_of(name):
            if title:
                (folder / title).parent.mkdir(parents=True, exist_ok=True)
                (folder / title).write_text(text, encoding="utf-8")
    return folder


def run_commands(name, workspace, tmp_path, monkeypatch):
    """What the commands of a page leave, in their order."""
    monkeypatch.chdir(workspace)
    monkeypatch.syspath_prepend(str(workspace / "mine"))
    ended = []
    lines = "".join(text for language, _, text in blocks_of(name) if language == "bash").splitlines()
    for number, line in enumerate(lines):
        words = shlex.split(line.replace("OWN", str(ended[0].folder) if ended else ""))
        words = words[1:] if words[0] == "PYTHONPATH=mine" else words
        assert words[:2] == ["python", "run.py"]
        typed = words[2:]
        is_training = not any(word.startswith("task=") for word in typed)
        small = [one for one in TINY if name != "head" or "head" not in one] if is_training else []
        inspects = "task=inspect" in typed
        short = [one for one in SHORT if is_training != one.startswith("inspect")] if is_training or inspects else []
        short = [one for one in short if inspects or not one.startswith("inspect")]
        if name in ("detector", "neck"):
            small, short = [], list(OF_LAYOUTS) if is_training else []
        done = run_program(tmp_path / str(number), *typed, *small, *short)
        assert done.code == 0, f"{line}\n{done}"
        ended.append(done)
    return ended


@pytest.mark.parametrize("name", NAMED)
def test_a_page_says_every_file_that_it_touches(name):
    text = PAGES[name].read_text(encoding="utf-8")
    table = {
        path for row in re.findall(r"^\| (`mine/.*?) \|", text, re.MULTILINE) for path in re.findall("`(.*?)`", row)
    }
    assert table == {title for _, title, _ in blocks_of(name) if title}
    assert len(text.split()) < 600


@pytest.mark.parametrize("name", ["head", "decoder"])
def test_a_part_of_the_model_trains_and_is_read_again(name, workspace, tmp_path, monkeypatch):
    trained, tested = run_commands(name, workspace, tmp_path, monkeypatch)
    assert load_card(trained.folder)["model"][name]["_target_"].startswith("my_")
    assert tested.metrics["test"]["cer"] > 0


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("detector", {"targets": "my_detector.Cores", "reader": "my_detector.CoreReader"}),
        ("neck", {"neck": "my_neck.MeanNeck", "head": "my_neck.BilinearHead"}),
    ],
)
def test_parts_of_a_layout_model_train_and_are_read_again(name, parts, workspace, tmp_path, monkeypatch):
    trained, tested = run_commands(name, workspace, tmp_path, monkeypatch)
    model = load_card(trained.folder)["model"]
    assert {part: model[part]["_target_"] for part in parts} == parts
    assert tested.metrics["test"]["pages"] == 8
    assert 0 <= tested.metrics["test"]["f_measure"] <= 1


def test_the_metric_scores_validation_and_test(workspace, tmp_path, monkeypatch):
    trained, tested = run_commands("metric", workspace, tmp_path, monkeypatch)
    found = [row["val/first_letters"] for row in read_csv(trained.folder / "metrics.csv") if row["val/first_letters"]]
    assert len(found) == 1
    assert tested.metrics["test"]["cer"] > 0


def test_the_schedulers_change_the_rate(workspace, tmp_path, monkeypatch):
    ended = run_commands("scheduler", workspace, tmp_path, monkeypatch)
    assert (ended[-1].folder / "schedule.png").is_file()


def test_the_loggers_have_the_figures(workspace, tmp_path, monkeypatch):
    plain, both, _ = run_commands("logger", workspace, tmp_path, monkeypatch)
    assert (plain.folder / "plain" / "version_0" / "metrics.csv").is_file()
    assert "val/cer" in both.read("figures.jsonl")
    assert (both.folder / "plain" / "version_0" / "metrics.csv").is_file()
    assert list((workspace / "more").rglob("metrics.csv"))


def test_the_callback_logs_what_it_counts(workspace, tmp_path, monkeypatch):
    for ended in run_commands("callback", workspace, tmp_path, monkeypatch):
        assert [row for row in read_csv(ended.folder / "metrics.csv") if row.get("lines_learned")]


def test_the_source_is_read_and_says_what_is_missing(workspace, tmp_path, monkeypatch):
    trained, _ = run_commands("source", workspace, tmp_path, monkeypatch)
    assert [row["reason"] for row in read_csv(trained.folder / "skipped.csv")] == ["nowhere.png is missing"]


def test_the_task_runs_and_refuses_what_it_does_not_read(workspace, tmp_path, monkeypatch):
    [ended] = run_commands("task", workspace, tmp_path, monkeypatch)
    assert all(int(row["characters"]) >= 3 for row in read_csv(ended.folder / "lengths.csv"))
    typed = ("--config-dir", "mine/conf", "task=lengths", "data=page", "data.root=pages", "optimizer.lr=1e-3")
    refused = run_program(tmp_path / "refused", *typed)
    assert refused.code == 1
    assert "task=lengths does not read optimizer.lr" in refused.output


def test_the_loop_learns_and_its_model_is_read_by_the_program(workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(workspace)
    by_hand, by_lightning = (text for language, title, text in blocks_of("loop") if language == "python")
    assert len([line for line in by_hand.splitlines() if line.strip()]) <= 20
    prepare = uncial.prepare_training
    tiny = dict(
        word.split("=") for word in (*TINY, "data.compile_workers=1", "trainer.workers=0") if "stages" not in word
    )
    small = {key: int(value) for key, value in tiny.items()} | {"model.backbone.stages": [[16, 1, 2, 2], [16, 1, 2, 1]]}
    monkeypatch.setattr(uncial, "prepare_training", lambda config: prepare({**config, **small}), raising=False)
    names: dict[str, object] = {}
    exec(compile(by_hand, "loop", "exec"), names)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["epoch 0", "epoch 1"]
    tested = run_program(
        tmp_path / "test", "task=test", "checkpoint=mine.safetensors", "data=page", "data.root=pages", "data.subset=val"
    )
    assert tested.code == 0, tested
    assert tested.metrics["test"]["cer"] == pytest.approx(names["metric"].compute().values["cer"])
    exec(compile(by_lightning, "lightning", "exec"), names)
    assert names["trainer"].global_step == 4


def test_what_is_no_part_ends_in_a_sentence_that_names_the_interface(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(workspace)
    for number, (typed, told) in enumerate(
        {
            "problem.metric._target_=torch.nn.Identity": "derive it from uncial.problems.recognition.metric.Recogn",
            "task._target_=os.path.sep": "task._target_=os.path.sep is no task: the dotted path of a function run",
            "task._target_=nowhere.run": "task._target_=nowhere.run is no task (No module named 'nowhere'): the dotted",
            "model.head={_target_: torch.nn.Identity, _partial_: true}": "is no head of a recogniser; it needs out_cha",
            "optimizer={_target_: torch.nn.Identity, _partial_: true}": "optimizer",
            "data.format=shlex.split": "data.format=shlex.split: there is no module shlex.split",
        }.items()
    ):
        part = typed.partition("=")[0]
        small = [one for one in TINY if not one.startswith(f"{part}.")]
        ended = run_program(tmp_path / str(number), "data=page", "data.root=pages", *small, typed)
        assert ended.code == 1, ended
        assert told in ended.output
        assert "Traceback" not in ended.output


def test_links_lead_somewhere():
    for page in PAGES.values():
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
