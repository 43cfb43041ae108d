"""environment.json: on what, from which code and by which command a run was made, so that it can be made again."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from uncial.config.location import current_variables, quote_variable, read_written_command, typed_words
from uncial.config.secrets import drop_secrets
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_json

FIRST_STEP = "first_step"
"""Under this key environment.json says by which number the run logs its first step: 1, which is what messages and
checkpoints call it. Runs of earlier versions lack the key, and logged it as 0."""


REPEATED = "repeated"
"""Under this key the environment.json of a repetition says how the run that it repeats was begun."""


def write_environment(folder: Path, seed: int) -> None:
    """Writes what is known before the task begins; what it reads and runs on is added when it is known."""
    known = {
        "command": format_typed_command(typed_words() or sys.argv),
        "working_folder": str(Path.cwd()),
        "seed": seed,
        FIRST_STEP: 1,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": describe_processor(),
        "git": read_git_state(Path(__file__).parent),
        "packages": list_packages(),
    }
    write_json(RunFolder(folder).environment, known)


def add_to_environment(folder: Path, more: Mapping[str, Any]) -> None:
    """Adds to what environment.json says, or replaces it."""
    write_json(RunFolder(folder).environment, {**read_environment(folder), **more})


def read_environment(folder: Path) -> dict[str, Any]:
    """Return what environment.json says; empty for a run that has none."""
    path = RunFolder(folder).environment
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_beginning(folder: Path) -> dict[str, Any]:
    """Return by which `command` and in which `working_folder` a run was begun, or the one that it repeats, whose
    arguments are its own; empty where that is not known."""
    known = read_environment(folder)
    found = known.get(REPEATED) or known
    return {key: found[key] for key in ("command", "working_folder") if key in found}


def logs_from_one(folder: Path) -> bool:
    """Return whether the run in this folder logs its first step as step 1."""
    return bool(read_environment(folder).get(FIRST_STEP) == 1)


def format_typed_command(arguments: list[str]) -> str:
    """Return what was typed, the script first, to be typed again in the same folder, without secrets."""
    variables = map(quote_variable, current_variables())
    return " ".join((*variables, read_written_command([arguments[0], *map(drop_secrets, arguments[1:])])))


def describe_processor() -> dict[str, Any]:
    """Return the processor's name and architecture, and its cores."""
    name = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = (
            line for line in info.read_text(encoding="utf-8", errors="replace").splitlines() if "model name" in line
        )
        name = next(found, f":{name}").partition(":")[2].strip()
    return {"name": name, "architecture": platform.machine(), "cores": os.cpu_count()}


@cache
def list_packages() -> dict[str, str]:
    """Return the version of every installed package, by name."""
    found = {str(one.metadata["Name"]): one.version for one in distributions()}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def read_git_state(folder: Path) -> dict[str, Any] | None:
    """Return the commit of the code, its branch, and the files that differ from it; None where it is not under git.

    Addresses of remote repositories are left out: they may hold a key.
    """
    commit = _run_git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = (_run_git(folder, "status", "--porcelain") or "").splitlines()
    return {"commit": commit, "branch": _run_git(folder, "rev-parse", "--abbrev-ref", "HEAD"), "changed": changed}


def _run_git(folder: Path, *arguments: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.rstrip() if ended.returncode == 0 else None


def list_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of two environments may make results differ, in words."""
    for key in ("python", "system", "processor", "device", "git", "data"):
        if before.get(key) != now.get(key):
            yield f"{key}: {_format_shown(before.get(key))} then, {_format_shown(now.get(key))} now"
    old, new = before.get("packages", {}), now.get("packages", {})
    for name in sorted(old.keys() | new.keys(), key=str.lower):
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name, 'not installed')} then, {new.get(name, 'not installed')} now"


def _format_shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value or "not known")
