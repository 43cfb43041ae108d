"""Whether the tests notice small wrong changes of the program: python tests/benchmarks/named_mutants.py [WORDS …]

named_mutants.yaml lists the changes, and with each the tests that have to fail on it. All of these tests have to pass
on the program as it is; then each change is made in a copy of the working tree, and its tests are run on that. With
WORDS only changes are made whose name or file holds one of them. The exit code is 1 where a test that is named does not
fail.
"""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

import hypothesis
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_suffix(".yaml")
LIBRARIES = ("torch", "lightning.pytorch", "hydra", "scipy.special", "cv2", "pyarrow", "lxml.etree", "hypothesis.extra")
"""What takes seconds to import, and is imported once for all changes."""

TIMEOUT, TIMEOUT_OF_ALL = 600, 3600
"""Seconds that the tests of one change may take, which may well make them wait for ever, and those of all together."""


@dataclass(frozen=True)
class Mutant:
    """A wrong change: in `file`, below src/uncial, `new` stands for `old`, which is there once. `tests`, below tests/,
    have to fail on it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def source(self, root: Path) -> Path:
        return root / "src" / "uncial" / self.file

    def apply(self, source: str) -> str:
        """Return a module's text with the change. Raises `ValueError` where the place is not there, or several are."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} holds its text {source.count(self.old)} times")
        return source.replace(self.old, self.new)


def read_mutants(path: Path = LIST) -> list[Mutant]:
    """Return the listed changes."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def copy_working_tree(to: Path) -> None:
    """Copy what git tracks, and what it would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def run_tests(root: Path, tests: Iterable[str], timeout: float = TIMEOUT) -> dict[str, bool] | None:
    """Return of each test of the tree whether it passed, parameters left out; None where they took too long."""
    report = root / "report.xml"
    report.unlink(missing_ok=True)
    process = os.fork()
    if not process:
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        _run_pytest(root, [f"tests/{test}" for test in dict.fromkeys(tests)], report)
    deadline = time.monotonic() + timeout
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return None
        time.sleep(0.05)
    return _read_report(report) if report.is_file() else {}


def _run_pytest(root: Path, tests: Sequence[str], report: Path) -> NoReturn:
    """In a process that has all of the program's libraries behind it, and of the program nothing yet."""
    os.chdir(root)
    sys.path.insert(0, str(root / "src"))
    # No byte code: a change that leaves a file's size and second as they were would not be seen.
    sys.dont_write_bytecode = True
    os.environ.update(PYTHONPATH=str(root / "src"), PYTHONDONTWRITEBYTECODE="1")
    # That an example fails is enough; a smaller one is not looked for.
    hypothesis.settings.register_profile("quick", phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
    hypothesis.settings.load_profile("quick")
    try:
        pytest.main(["-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests])
    finally:
        os._exit(0)


def _read_report(report: Path) -> dict[str, bool]:
    outcomes: dict[str, bool] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        file = "/".join(case.get("classname", "").split(".")[1:]) + ".py"
        name = f"{file}::{case.get('name', '').partition('[')[0]}"
        # An error of a fixture or of the collection is no failure: the test has not looked.
        is_broken = case.find("error") is not None or case.find("skipped") is not None
        if not is_broken:
            outcomes[name] = outcomes.get(name, True) and case.find("failure") is None
    return outcomes


def describe_outcome(mutant: Mutant, outcomes: dict[str, bool] | None) -> str:
    """Return what is wrong with the tests of a change; nothing where each of them has failed."""
    if outcomes is None:
        return f"its tests took more than {TIMEOUT} s"
    missing = [test for test in mutant.tests if test not in outcomes]
    passing = [test for test in mutant.tests if outcomes.get(test)]
    return "; ".join([*(f"{test} did not run" for test in missing), *(f"{test} passes" for test in passing)])


def check_mutants(mutants: Sequence[Mutant], root: Path) -> int:
    """Print a row of a table for each change, and return how many were not noticed by all of their tests."""
    outcomes = run_tests(root, [test for mutant in mutants for test in mutant.tests], TIMEOUT_OF_ALL) or {}
    wrong = [test for mutant in mutants for test in mutant.tests if not outcomes.get(test)]
    if wrong:
        print("These tests do not pass on the program as it is:", *dict.fromkeys(wrong), sep="\n  ")
        return len(mutants)
    print("| change | in | noticed by | seconds |\n|---|---|---|---|", flush=True)
    unnoticed = 0
    for mutant in mutants:
        source, start = mutant.source(root), time.monotonic()
        before = source.read_text(encoding="utf-8")
        source.write_text(mutant.apply(before), encoding="utf-8")
        try:
            fault = describe_outcome(mutant, run_tests(root, mutant.tests))
        finally:
            source.write_text(before, encoding="utf-8")
        unnoticed += bool(fault)
        told = f"**not noticed**: {fault}" if fault else ", ".join(f"`{test}`" for test in mutant.tests)
        print(f"| {mutant.name} | `{mutant.file}` | {told} | {time.monotonic() - start:.0f} |", flush=True)
    print(f"\n{len(mutants) - unnoticed} of {len(mutants)} changes are noticed by all tests that are named for them.")
    return unnoticed


def main() -> int:
    words = sys.argv[1:]
    for library in LIBRARIES:
        importlib.import_module(library)
    mutants = [one for one in read_mutants() if not words or any(word in f"{one.name} {one.file}" for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutants_") as folder:
        copy_working_tree(Path(folder))
        return int(check_mutants(mutants, Path(folder)) > 0)


if __name__ == "__main__":
    sys.exit(main())
