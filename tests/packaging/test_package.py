"""The package as it is built and installed: a wheel, an archive of the sources, and an editable installation, used in
folders that hold nothing. Nothing is downloaded."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from program import ROOT

from uncial.config.keys import group_choices

SOURCES = ("conf", "docs", "multirun_templates", "src", ".ci")
FILES = ("LICENSE", "MANIFEST.in", "Makefile", "README.md", "constraints.txt", "pyproject.toml", "run.py", "setup.py")
DRAWN = ("data=synthetic", "data.options.pages=4", "data.options.lines=2", "data.options.workers=1")
QUICK = ("inspect.samples=0", "inspect.augmentation=0", "inspect.pictures=0")
BUILD = "from setuptools import build_meta; import sys; print(build_meta.build_{}(sys.argv[1]))"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in which the program is installed and that sees the packages of this one, but not the
    program of this one."""

    folder: Path

    @cached_property
    def python(self) -> Path:
        return next(path for path in self.folder.glob("*/python*") if path.stem == "python")

    def call(self, *command: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """One of its programs, or a path."""
        hidden = ("PYTHONPATH", "UNCIAL_ROOT", "UNCIAL_COMMAND", "HYDRA_FULL_ERROR")
        environment = {key: value for key, value in os.environ.items() if key not in hidden}
        program = self.python.with_name(command[0]) if "/" not in command[0] else command[0]
        return subprocess.run(
            [program, *command[1:]],
            cwd=cwd,
            env={**environment, **more},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def say(self, *command: str, cwd: Path, **more: str) -> str:
        """What a program prints that ends well."""
        ended = self.call(*command, cwd=cwd, **more)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


def make_environment(folder: Path, *what: str) -> Environment:
    if find_spec("pip") is None:
        pytest.skip("pip is not installed here, which installs what is built")
    venv.create(folder, with_pip=False)
    made = Environment(folder)
    purelib = Path(
        made.say("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    # Its own .pth files, the program's editable one among them, are not read from here.
    Path(purelib, "beside.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    typed = ["--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([sys.executable, "-m", "pip", "--python", made.python, *typed, *what], check=True, cwd=folder)
    return made


def copy_clone(folder: Path) -> Path:
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def build(kind: str, source: Path, target: Path) -> Path:
    target.mkdir(exist_ok=True)
    command = [sys.executable, "-c", BUILD.format(kind), str(target)]
    ended = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return target / ended.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed here, which builds the package")
    folder = copy_clone(tmp_path_factory.mktemp("my clone"))
    # As an earlier build has left it.
    gone = folder / "build" / "lib" / "uncial" / "gone.py"
    gone.parent.mkdir(parents=True)
    gone.touch()
    return folder


@pytest.fixture(scope="module")
def sdist(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", clone, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", clone, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return make_environment(tmp_path_factory.mktemp("installed"), str(wheel))


@pytest.fixture(scope="module")
def editable(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return make_environment(tmp_path_factory.mktemp("editable"), "--editable", str(clone))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist() if ".dist-info/" not in name}


def files_in(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found if ".egg-info" not in str(path)}


def test_the_wheel_holds_the_package_with_conf_and_the_templates_and_nothing_else(wheel):
    read = {f"uncial/docs/{name}": (ROOT / "docs" / name).read_bytes() for name in ("coming-from.md",)}
    for folder in ("conf", "multirun_templates"):
        read |= {f"uncial/{folder}/{name}": content for name, content in files_in(ROOT / folder).items()}
    assert contents(wheel) == {**files_in(ROOT / "src"), **read}


def test_an_archive_of_the_sources_makes_the_same_wheel_and_runs_as_a_clone(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path, filter="data")
    [folder] = tmp_path.iterdir()
    for name in ("run.py", "Makefile", "constraints.txt", ".ci/environment", "docs/how-to.md", "LICENSE"):
        assert (folder / name).read_bytes() == (ROOT / name).read_bytes()
    assert contents(build("wheel", folder, tmp_path / "built")) == contents(wheel)


def test_help_and_config_need_nothing_but_the_package(installed, tmp_path):
    told = installed.say("uncial", "--help", cwd=tmp_path)
    assert "  uncial task=inspect data=page data.root=DIR" in told
    assert "run.py" not in told
    assert f"\ntask: {', '.join(group_choices(ROOT / 'conf', 'task'))}\n" in told
    here = subprocess.run(
        [sys.executable, ROOT / "run.py", "--cfg", "job", "data=page"], capture_output=True, text=True, cwd=tmp_path
    )
    assert installed.say("uncial", "--cfg", "job", "data=page", cwd=tmp_path) == here.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_it_writes_lies_below_the_current_folder(installed, tmp_path):
    told = installed.say("uncial", "task=inspect", *DRAWN, *QUICK, "name=mine", cwd=tmp_path)
    assert "4 pages" in told
    assert "run.py" not in told
    assert {path.name for path in tmp_path.iterdir()} == {"data", "outputs"}
    assert list(tmp_path.glob("data/store/*.arrow"))
    [folder] = tmp_path.glob("outputs/mine/*")
    assert '"command": "uncial task=inspect ' in (folder / "environment.json").read_text(encoding="utf-8")


def test_sweeps_are_found_and_told_how_they_go_on(installed, tmp_path):
    told = installed.say("uncial", "-m", "sweep=seeds", "task=dryrun", *DRAWN, "hydra.sweep.dir=swept", cwd=tmp_path)
    assert "To resume it: uncial -m resume=swept" in told
    assert "Job 0 would be: uncial " in told


def test_options_of_other_programs_are_known_to_it(installed, tmp_path):
    ended = installed.call("uncial", "--lrate", "1e-3", cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: --lrate is optimizer.lr=")


def test_what_is_missing_is_named_by_its_packages(installed, tmp_path):
    code = "from uncial.config.instantiate import describe_install as d; print(d('ray'), d('timm'), sep='\\n')"
    ray, timm = installed.say("python", "-c", code, cwd=tmp_path).splitlines()
    assert ray.endswith(" install 'ray>=2.40'") or ray.endswith(f" --python {installed.python} 'ray>=2.40'")
    assert "timm>=" in timm


def test_keys_are_completed(installed, tmp_path):
    assert "complete -o nospace -o default -F hydra_bash_completion uncial" in installed.say(
        "uncial", "-sc", "install=bash", cwd=tmp_path
    )
    found = installed.say("uncial", "-sc", "query=bash", cwd=tmp_path, COMP_LINE="uncial task=ins")
    assert found.split() == ["task=inspect"]


def test_an_editable_installation_reads_the_clone(editable, clone, tmp_path):
    own = clone / "conf" / "experiment" / "of_the_clone.yaml"
    own.write_text("# @package _global_\nname: cloned\n", encoding="utf-8")
    told = editable.say("uncial", "--cfg", "job", "--package", "name", "experiment=of_the_clone", cwd=tmp_path)
    own.unlink()
    assert told.splitlines()[-1] == "cloned"
    assert str(clone / "conf") in editable.say("uncial", "--info", "searchpath", cwd=tmp_path)
    as_script = editable.say("python", str(clone / "run.py"), "--help", cwd=tmp_path)
    assert as_script.replace("python run.py", "uncial") == editable.say("uncial", "--help", cwd=tmp_path)


def test_the_versions_that_were_tested_are_those_that_are_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#"))
    extras = project["optional-dependencies"]
    users = {"optuna", "sweeps", "slurm", "ray", "mlflow", "pdf"}
    assert set(extras) == {"dev", "mutants", *users}
    asked = [*map(Requirement, [*project["dependencies"], *chain.from_iterable(extras.values())])]
    own = {extra for requirement in asked if requirement.name == project["name"] for extra in requirement.extras}
    assert own == {"dev", *users}, "the tests leave nothing out for want of an extra"
    for requirement in (one for one in asked if one.name != project["name"]):
        assert tested[requirement.name.lower()] in requirement.specifier, requirement
    bounded = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    assert "0.7.0" not in bounded["python-bidi"]
    assert "2.1.0" not in bounded["albumentations"]
    assert [str(minor) for minor in range(9, 16) if f"3.{minor}" in SpecifierSet(project["requires-python"])] == [
        "11", "12", "13"
    ]  # fmt: skip
