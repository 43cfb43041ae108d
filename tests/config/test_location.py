"""Where conf/ lies, and by which command the program is started, in a clone."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest
from program import ROOT

from uncial.config import instantiate as extras
from uncial.config import location
from uncial.config.location import (
    find_root_folder,
    format_command,
    publish_location,
    read_written_command,
    without_program,
)
from uncial.errors import UserError


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (location.ROOT, location.COMMAND):
        monkeypatch.setenv(name, "")  # So that it is set back afterwards.
        monkeypatch.delenv(name)


def test_in_a_clone_it_lies_above_the_package_wherever_one_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert find_root_folder() == ROOT
    assert not location.is_installed()


def test_a_folder_that_the_environment_names_goes_before_and_is_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(location.ROOT, "mine")
    assert find_root_folder() == tmp_path / "mine"
    with pytest.raises(UserError, match=r"mine holds no conf/config\.yaml.*unset UNCIAL_ROOT"):
        publish_location("run.py")


@pytest.mark.parametrize(
    ("script", "program"),
    [
        ("run.py", "python run.py"),
        ("/clone/run.py", "python run.py"),
        ("/bin/uncial", "uncial"),
        ("uncial.exe", "uncial"),
    ],
)
def test_commands_name_the_program_that_was_started_in_other_processes_too(script, program):
    publish_location(script)
    assert format_command("-m", "seed=1") == f"{program} -m seed=1"
    code = "from uncial.config.location import format_command; print(format_command('x=1'))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == f"{program} x=1\n"


@pytest.mark.parametrize(
    "arguments", [["run.py", "--config-dir", "my conf", "seed=1"], ["/bin/uncial", "data.root=a b"]]
)
def test_the_arguments_of_a_written_command_are_found_again(arguments):
    assert without_program(shlex.split(read_written_command(arguments))) == arguments[1:]


def test_without_conf_the_program_says_so_in_one_sentence(tmp_path):
    ended = subprocess.run(
        [sys.executable, ROOT / "run.py", "--help"],
        env={**os.environ, "UNCIAL_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: {tmp_path} holds no conf/config.yaml, without which nothing can be composed: unset UNCIAL_ROOT, which "
        "names it.\n"
    )


def test_help_alone_says_what_hydra_would_make_of_it(tmp_path):
    def told(*arguments: str) -> str:
        command = [sys.executable, ROOT / "run.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert told("--help") == told("-h") == told("--help", "seed=1")


@pytest.mark.parametrize(
    ("package", "extra"), [("optuna", "[optuna]"), ("sqlalchemy", "[mlflow]"), ("submitit", "[slurm]"), ("timm", "")]
)
def test_in_a_clone_an_extra_is_installed_from_it(monkeypatch, tmp_path, package, extra):
    monkeypatch.chdir(ROOT)
    told = extras.describe_install(package)
    assert "--constraint constraints.txt" in told
    assert told.endswith(f" -e '.{extra}'" if extra else " -e .")
    monkeypatch.chdir(tmp_path)
    assert f"{ROOT}{extra}" in extras.describe_install(package)


def test_where_pip_is_not_installed_uv_is_named(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert "install it: uv pip install --python " in extras.describe_install("ray")


@pytest.mark.parametrize("option", ["--config-path {}", "--config-path={}", "-cp {}"])
@pytest.mark.parametrize("is_relative", [True, False])
def test_another_folder_of_configs_is_taken_from_the_clone(tmp_path, option, is_relative):
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    own = tmp_path / "conf" / "paths" / "default.yaml"
    own.write_text(own.read_text(encoding="utf-8").replace("outputs: outputs", "outputs: others"), encoding="utf-8")
    given = os.path.relpath(tmp_path / "conf", ROOT) if is_relative else str(tmp_path / "conf")
    typed = [sys.executable, ROOT / "run.py", "--cfg", "job", "-p", "paths.outputs", *option.format(given).split()]
    ended = subprocess.run([*typed, "seed=1"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == "others", ended.stderr
