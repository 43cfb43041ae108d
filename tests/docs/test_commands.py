"""What README and docs say is typed, as it stands there, in a folder where the data lie that it names."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import cv2
import pytest
from drawing_helpers import draw_bonnevie_layout
from drawn_layouts import cut_lines, draw_pages, write_page_layout, write_pairs
from learning_curves import Law, write_runs
from omegaconf import DictConfig, OmegaConf
from program import ROOT, TINY, run_program

import uncial
from uncial.config.keys import group_choices, group_names, list_known_keys
from uncial.document import DoubtCode
from uncial.errors import IssueCode

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```", re.MULTILINE | re.DOTALL)
FEW_PAGES = ("data.options.pages=6", "data.options.lines=3", "data.options.hands=1", "data.options.workers=1")
WITHOUT_DATA = ("task=predict", "task=export", "task=forecast", "task=leaderboard")
FEW_STEPS = {
    "trainer.time_budget": None,
    "trainer.max_epochs": None,
    "trainer.max_steps": 2,
    "trainer.validations": 1,
    "trainer.workers": 0,
    "data.compile_workers": 1,
}
OF_LAYOUT = (
    "trainer.time_budget=null",
    "trainer.max_steps=2",
    "trainer.validations=1",
    "trainer.crop=128",
    "model.overview=128",
    "model.size=tiny",
)
SHORT = ("trainer.time_budget=null", "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. `title` is the file that it shows, if any."""

    page: str
    language: str
    title: str
    text: str


def blocks() -> Iterator[Block]:
    for page in PAGES:
        for language, title, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield Block(page.name, language, title, text)


def commands() -> list[str]:
    """Every command of the blocks that say they can be run, each once."""
    lines = [line for block in blocks() if block.language == "bash" for line in block.text.splitlines()]
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


@pytest.fixture(scope="session")
def workspace(drawn, trained, layout_model, tmp_path_factory) -> Path:
    """The folder in which the commands are typed."""
    folder = tmp_path_factory.mktemp("workspace")
    for name in (
        "pages",
        "my pages",
        "Bonnevie, 1858",
        "batch=1 (final)",
        "données/Élise",
        "read/one",
        "read/other",
        "found",
    ):
        shutil.copytree(drawn / "page", folder / name)
    shutil.copytree(drawn / "alto", folder / "alto")
    for image in sorted((drawn / "page").glob("*.png"))[:3]:
        (folder / "scans").mkdir(exist_ok=True)
        shutil.copy(image, folder / "scans")
    (folder / "LAYOUT").symlink_to(layout_model)
    others = draw_pages(4, seed=2)
    write_page_layout(folder / "more", others)
    images = write_pairs(folder / "lines", cut_lines(others))
    for name, image in zip("ab", images, strict=False):
        shutil.copy(image, folder / "lines" / f"{name}.png")
        shutil.copy(image.with_suffix(".gt.txt"), folder / "lines" / f"{name}.gt.txt")
    write_loghi_lists(folder / "loghi", images)
    write_labels(folder / "labels", images)
    xml = [path.relative_to(folder / "pages").as_posix() for path in sorted((folder / "pages" / "page").iterdir())]
    (folder / "train.txt").write_text("\n".join(xml[2:]), encoding="utf-8")
    (folder / "val.txt").write_text("\n".join(xml[:2]), encoding="utf-8")
    (folder / "words.txt").write_text("olme xelo\nmé oxle\nlo mé oxlem\n" * 30, encoding="utf-8")
    store = next((trained.folder.parent / "store").glob("*.arrow"))
    shutil.copy(store, folder / "pages.arrow")
    draw_bonnevie_layout(folder / "data" / "bonnevie")
    write_runs(folder / "curve", Law(0.5))
    for block in blocks():
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    return folder


def write_loghi_lists(folder: Path, images: list[Path]) -> None:
    folder.mkdir()
    rows = [f"{image}\t{image.with_suffix('.gt.txt').read_text(encoding='utf-8').strip()}" for image in images]
    (folder / "training_all_train.txt").write_text("\n".join(rows[3:]), encoding="utf-8")
    (folder / "training_all_val.txt").write_text("\n".join(rows[:3]), encoding="utf-8")


def write_labels(folder: Path, images: list[Path]) -> None:
    for part, chosen in {"train": images[4:], "val": images[2:4], "test": images[:2]}.items():
        (folder / part / "images").mkdir(parents=True)
        rows = []
        for image in chosen:
            # Pages are not on both sides of a split, and images of the same page would be.
            picture = cv2.imread(str(image))
            cv2.imwrite(str(folder / part / "images" / f"{part}{image.stem}.png"), picture)
            rows.append(f"{part}{image.name} {image.with_suffix('.gt.txt').read_text(encoding='utf-8').strip()}")
        (folder / part / "labels.txt").write_text("\n".join(rows), encoding="utf-8")


@pytest.mark.parametrize("command", commands())
def test_the_command_does_what_it_says(command, workspace, trained, tmp_path, monkeypatch):
    arguments = shlex.split(command.replace("RUN", str(trained.folder)))
    while "=" in arguments[0]:
        name, value = arguments.pop(0).split("=", 1)
        assert name == "PYTHONPATH"
        monkeypatch.syspath_prepend(str(workspace / value))
    assert arguments[:2] == ["python", "run.py"]
    monkeypatch.chdir(workspace)
    folder = tmp_path / "run"
    ended = run_program(folder, *as_short_as_can_be(arguments[2:]), *sweep_folder(arguments, folder))
    assert ended.code == 0, ended
    runs = list(folder.glob("[0-9]")) if "-m" in arguments else [folder]
    assert runs
    for run in runs:
        assert {path.name for path in run.iterdir()} >= left_by(arguments)
    for output in (
        argument.partition("=")[2] for argument in arguments if argument.startswith(("predict.output=", "output="))
    ):
        assert (workspace / output).exists()


def sweep_folder(arguments: list[str], folder: Path) -> list[str]:
    return [f"hydra.sweep.dir={folder}"] if "-m" in arguments else []


def as_short_as_can_be(arguments: list[str]) -> list[str]:
    """The same with little data and a small model, and with options behind the keys."""
    typed = set(arguments)
    more = (
        list(FEW_PAGES)
        if typed & {"data=synthetic", "data=synthetic_pages"}
        or not any(a.startswith(("data=", "experiment=", "run=")) or a in WITHOUT_DATA for a in typed)
        else []
    )
    if typed & {"task=finetune", "task=auto"} or not any(
        argument.startswith(("task=", "checkpoint=")) for argument in typed
    ):
        # A base model has a size of its own.
        of_layout = [word for word in OF_LAYOUT if "pretrained=base/layout" not in typed or "size" not in word]
        more += of_layout if "model=layout" in typed else SHORT
        if not any(re.match(r"model[/=.]|pretrained=", argument) for argument in typed):
            more += TINY
    options = [index for index, argument in enumerate(arguments) if argument.startswith("--")]
    behind = [word for index in options for word in arguments[index : index + 2]]
    return [argument for argument in arguments if argument not in behind] + more + behind


def left_by(arguments: list[str]) -> set[str]:
    """Files that the task must have left in the run's folder."""
    task = next((argument.partition("=")[2] for argument in arguments if argument.startswith("task=")), "train")
    own = {
        "train": {"best.safetensors", "metrics.json", "predictions.csv", "curves.png", "lines.jsonl", "report.html"},
        "auto": {"best.safetensors", "metrics.json", "experiment"},
        "test": {
            "metrics.json",
            "predictions.csv",
            "scores.md",
            "scores.json",
            "scores.csv",
            "lines.jsonl",
            "ketos.txt",
            "review.csv",
            "review.png",
            "image_quality.csv",
            "report.html",
        },
        "compare": {"comparison.md", "comparison.json", "comparison.csv", "lines.jsonl", "report.html"},
        "ensemble": {"comparison.md", "comparison.json", "predictions.csv", "metrics.json", "report.html"},
        "finetune": {"before", "after", "comparison.md", "comparison.html", "best.safetensors"},
        "predict": {"review.csv", "review.png"},
        "inspect": {"findings.json", "findings.html", "contact_sheet.png", "augmentation.png", "schedule.png"},
        "compile": {"loghi"},
        "dryrun": set(),
        "rerun": {"best.safetensors", "metrics.json", "rerun.json"},
        "export": set(),
        "leaderboard": {"leaderboard.csv", "leaderboard.html", "leaderboard.md", "leaderboard.tex", "curves.svg"},
        "audit": {"audit.html", "audit.json"},
        "forecast": {"forecast.png", "forecast.md", "forecast.json", "forecast.csv"},
    }
    of_layout = {"metrics.json", "page_scores.csv", "found.jsonl", "report.html"}
    is_of_layout = any(word in arguments for word in ("checkpoint=LAYOUT", "checkpoint=base/layout", "model=layout"))
    if is_of_layout:
        own |= {"predict": {"pages", "sheets"}, "test": of_layout, "inspect": {"findings.json", "findings.html"}}
        own["train"] = of_layout | {"best.safetensors", "curves.png"}
    if "compare.what=layout" in arguments:
        own["compare"] -= {"lines.jsonl"}
    of_data = set() if task in ("dryrun", "export", "forecast", "leaderboard") else {"skipped.csv"}
    return own[task] | of_data | {"config.yaml", "overrides.yaml", "environment.json"}


@pytest.mark.parametrize("block", [b for b in blocks() if b.language == "python" and not b.title], ids=lambda b: b.page)
def test_python_of_the_pages_runs(block, workspace, trained, monkeypatch, capsys):
    monkeypatch.chdir(workspace)
    trains, train = "uncial.train" in block.text, uncial.train

    def train_shortly(config):
        if not isinstance(config, DictConfig):
            return train({**config, **FEW_STEPS})
        for key, value in FEW_STEPS.items():
            OmegaConf.update(config, key, value)
        return train(config)

    monkeypatch.setattr(uncial, "train", train_shortly, raising=False)
    names: dict[str, object] = {}
    exec(compile(block.text.replace("RUN", str(trained.folder)), block.page, "exec"), names)
    assert len(capsys.readouterr().out.splitlines()) == 2 or trains
    assert trains == ("run" in names)


def test_commands_are_found():
    found = commands()
    assert len(found) > 30
    for data in group_choices(ROOT / "conf", "data"):
        assert any(re.search(rf"\bdata={data}\b", command) for command in found), f"no command with data={data}"
    for task in group_choices(ROOT / "conf", "task"):
        assert task == "train" or any(f"task={task}" in command for command in found)


def test_links_lead_somewhere():
    named = [(page, target) for page in PAGES for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))]
    files = [(page, target) for page, target in named if not target.startswith("http")]
    assert len(files) > 100
    assert [(page.name, target) for page, target in files if not (page.parent / target).exists()] == []


def test_the_reference_lists_every_choice():
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    conf = ROOT / "conf"
    for group in group_names(conf):
        if not group.startswith("hydra"):
            missing = [path.name for path in (conf / group).glob("*.yaml") if f"conf/{group}/{path.name})" not in text]
            assert not missing, f"{group}: {missing}"


def test_the_reference_lists_every_reason_for_which_something_is_left_out():
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert [kind for kind in (*get_args(IssueCode), *get_args(DoubtCode)) if f"`{kind}`" not in text] == []


def test_keys_that_the_pages_name_exist():
    keys = list_known_keys(ROOT / "conf")
    groups = {key.partition(".")[0] for key in keys if "." in key}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if page.name == "coming-from.md":
            # What stands first in a row is a name of the other program.
            text = re.sub(r"^\|[^|]*", "", text, flags=re.MULTILINE)
        for name in re.findall(r"`((?:\w+\.)+\w+)(?:=[^`]*)?`", text):
            if (
                name.partition(".")[0] in groups
                and not (ROOT / name).exists()
                and not name.endswith((".yaml", ".csv", ".png", ".json", ".md", ".safetensors", ".html", ".tex"))
            ):
                assert name in keys, f"{page.name} speaks of {name}"
