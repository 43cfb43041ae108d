""".ci/environment tells at once of a Python that the program does not run with, and downloads and makes nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from program import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the set-up reads."""
    folder = tmp_path / "my clone"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "environment", folder / ".ci")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def make_python(folder: Path, name: str, version: tuple[int, int, int]) -> Path:
    """A Python that takes itself for another version, and that makes no environment."""
    code = f"import sys; sys.version_info = {(*version, 'final', 0)!r}; exec(sys.argv[1])"
    path = folder / name
    folder.mkdir(exist_ok=True)
    path.write_text(
        "#!/bin/sh\n"
        'test "$1" = -c || { echo "asked for: $*" >&2; exit 9; }\n'
        f'exec "{sys.executable}" -c "{code}" "$2"\n'
    )
    path.chmod(0o755)
    return path


def set_up(clone: Path, programs: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """With these programs and those of the system that the script calls, but with no other Python and no uv."""
    for name in ("sh", "cat", "cksum", "dirname", "head", "rm"):
        found = shutil.which(name)
        assert found is not None
        if not (programs / name).exists():
            (programs / name).symlink_to(found)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHON", "PYTHONPATH")}
    return subprocess.run(
        ["sh", ".ci/environment"],
        cwd=clone,
        env={**environment, "PATH": str(programs), **more},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    ("version", "how"), [((3, 10, 12), "too old"), ((3, 14, 0), "too new"), ((4, 0, 1), "too new")]
)
@pytest.mark.parametrize("named", [True, False])
def test_a_python_that_does_not_fit_is_named_in_one_sentence(clone, tmp_path, version, how, named):
    python = make_python(tmp_path / "bin", "my python" if named else "python3", version)
    if named:
        make_python(tmp_path / "bin", "python3", (3, 12, 1))  # Which does not take its place.
    ended = set_up(clone, tmp_path / "bin", **({"PYTHON": str(python)} if named else {}))
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    shown = str(python) if named else "python3"
    assert line.startswith(f"Error: {shown} is Python {'.'.join(map(str, version))}, which is {how}; ")
    assert "Python 3.11, 3.12 or 3.13 is needed" in line
    assert ended.stdout == ""
    assert not (clone / ".venv").exists()


def test_one_that_fits_is_taken_before_one_that_does_not(clone, tmp_path):
    make_python(tmp_path / "bin", "python3", (3, 14, 1))
    make_python(tmp_path / "bin", "python3.13", (3, 13, 2))
    ended = set_up(clone, tmp_path / "bin")
    assert "asked for: -m venv .venv" in ended.stderr
    assert "Error" not in ended.stderr


def test_without_any_python_that_is_said(clone, tmp_path):
    (tmp_path / "bin").mkdir()
    ended = set_up(clone, tmp_path / "bin")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: no python3 was found; Python 3.11, 3.12 or 3.13 is needed")


def test_the_set_up_and_the_package_name_the_same_versions():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / ".ci" / "environment").read_text(encoding="utf-8")
    low, high = (part.lstrip("<>=").split(".") for part in project["requires-python"].split(","))
    assert f"({', '.join(low)}) <= sys.version_info[:2] < ({', '.join(high)})" in text
