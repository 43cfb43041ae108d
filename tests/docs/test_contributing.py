"""The backbone, the source and the task of CONTRIBUTING.md, put where it says, work as it says."""

import ast
import csv
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from drawn_layouts import cut_lines, draw_pages, write_page_layout, write_pairs
from program import ROOT, TINY, run_program

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```\w+ title=\"([^\"]+)\"\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line for block in re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
NOT_YET = ("termination", "annotation")
"""Rooms of the rules that the page does not name."""
SHORT = ("trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000")


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A folder with the files that the page shows, each at its address."""
    folder = tmp_path_factory.mktemp("house")
    for name, text in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """The folder in which the commands are typed, with the data that they name."""
    folder = tmp_path_factory.mktemp("workspace")
    pages = draw_pages(8)
    write_page_layout(folder / "pages", pages)
    images = write_pairs(folder / "imagefolder", cut_lines(pages))
    rows = [(image.name, image.with_suffix(".gt.txt").read_text(encoding="utf-8").strip()) for image in images]
    with (folder / "imagefolder" / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file_name", "text"), *rows, ("nowhere.png", "lost")])
    return folder


@pytest.fixture
def in_the_house(house, workspace, monkeypatch):
    """`in_the_house(folder, command)`: the program as it were with the files of the page in the repository."""
    for name, _ in FILES:
        if name.startswith("src/"):
            package = importlib.import_module(".".join(Path(name).parent.parts[1:]))
            monkeypatch.setattr(package, "__path__", [*package.__path__, str((house / name).parent)])
    monkeypatch.chdir(workspace)

    def run(folder: Path, command: str, *more: str):
        arguments = shlex.split(command)
        assert arguments[:2] == ["python", "run.py"]
        return run_program(folder, "--config-dir", str(house / "conf"), *arguments[2:], *more)

    return run


def command_with(text: str) -> str:
    return next(command for command in COMMANDS if text in command)


def test_the_backbone_trains_and_its_model_is_read_again(in_the_house, tmp_path):
    small = [word for word in TINY if "backbone" not in word]
    more = (*SHORT, *small, "model.backbone.channels=[8,12,16]")
    ended = in_the_house(tmp_path / "run", command_with("model/backbone=strided"), *more)
    assert ended.code == 0, ended
    config = yaml.safe_load(ended.read("config.yaml"))
    assert config["model"]["backbone"]["_target_"].endswith("StridedBackbone")
    # A part of the program's own is trusted, wherever the run's folder is read.
    read = in_the_house(
        tmp_path / "test", "python run.py task=test data=page data.root=pages", f"checkpoint={ended.folder}"
    )
    assert read.code == 0, read


def test_the_source_is_read_and_what_it_leaves_out_is_counted(in_the_house, workspace, tmp_path):
    ended = in_the_house(tmp_path / "run", command_with("data=imagefolder"), *SHORT, *TINY)
    assert ended.code == 0, ended
    skipped = list(csv.DictReader(ended.read("skipped.csv").splitlines()))
    assert [row["line"] for row in skipped] == [f"row {2 + len(list((workspace / 'imagefolder').glob('*.png')))}"]
    assert "nowhere.png" in skipped[0]["reason"]


def test_the_source_says_what_is_wrong_with_a_folder(in_the_house, workspace, tmp_path):
    shutil.copytree(workspace / "imagefolder", tmp_path / "other")
    (tmp_path / "other" / "metadata.csv").write_text("image,text\na.png,b\n", encoding="utf-8")
    ended = in_the_house(tmp_path / "run", f"python run.py data=imagefolder data.root={tmp_path / 'other'}", *TINY)
    assert ended.code == 1
    assert "no columns file_name and text" in ended.output
    (tmp_path / "other" / "metadata.csv").unlink()
    ended = in_the_house(tmp_path / "run", f"python run.py data=imagefolder data.root={tmp_path / 'other'}", *TINY)
    assert ended.code == 1
    assert "did you mean data=lines" in ended.output


def test_the_task_counts_and_refuses_keys_that_it_does_not_read(in_the_house, workspace, tmp_path):
    command = command_with("task=characters")
    ended = in_the_house(tmp_path / "run", command)
    assert ended.code == 0, ended
    texts = (path.read_text(encoding="utf-8").strip() for path in (workspace / "imagefolder").glob("*.gt.txt"))
    expected = {character: str(count) for character, count in Counter("".join(texts)).items() if count >= 2}
    rows = list(csv.DictReader(ended.read("characters.csv").splitlines()))
    assert {row["character"]: row["count"] for row in rows} == expected
    refused = in_the_house(tmp_path / "other", command, "optimizer.lr=1e-3")
    assert refused.code == 1
    assert "task=characters does not read optimizer.lr" in refused.output


def test_the_code_is_in_the_style_of_the_house(house):
    for command in (["check"], ["format", "--check"]):
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", ROOT / "pyproject.toml", house],
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stdout


def test_the_files_that_a_part_touches_are_there():
    rows = re.findall(r"^\| (`[^|]+`) \|", PAGE, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > 15
    for name in names:
        path = ROOT / name
        assert path.exists() or ("NAME" in name and path.parent.parent.is_dir()), name


def test_links_lead_somewhere():
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", PAGE) if not target.startswith("http")]
    assert len(targets) > 3
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_conventions_are_thirty():
    section = PAGE.split("## Conventions", 1)[1].split("\n## ", 1)[0]
    assert len(re.findall(r"^\d+\. ", section, re.MULTILINE)) == 30


def test_the_floors_are_those_that_the_rules_check():
    rules = ast.parse((ROOT / "tests" / "architecture" / "rules.py").read_text(encoding="utf-8"))
    assigned = [node for node in rules.body if isinstance(node, ast.Assign)]
    floors = next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "FLOORS")
    line = next(line for line in PAGE.splitlines() if line.startswith("A room imports")).rstrip(".")
    told = [re.split(r", ", floor) for floor in line.split(": ", 1)[1].split(" < ")]
    assert told == [[room for room in floor if room not in NOT_YET] for floor in floors]


def test_every_room_is_in_the_tree():
    tree = re.search(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    rooms = {path.parent.name for path in (ROOT / "src" / "uncial").glob("*/__init__.py")}
    assert {room for room in rooms if f"  {room}/ " not in tree} == set()
