"""Which small changes of the code the tests notice: make mutants [ROOMS="metrics text" SEED=1 SAMPLE=80]

cosmic-ray makes the changes: another operator or comparison, a number one off, a condition turned around, a loop that
is not entered, a decorator gone. Of all places of a room's code where it can make one, SAMPLE are drawn by SEED, and at
each of them one of its changes; annotations and slots are left out, since they compute nothing. The tests of the room
run on each in a process and on a copy of their own, the quick ones first, until one fails: the mutant is killed. Those
that survive are printed; what no test could notice stands with its reason in equivalent_mutants.toml. `--again` runs
only those that survived the last time.
"""

import argparse
import ast
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import unified_diff
from importlib import import_module
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
LEFT = ROOT / "outputs" / "mutants"

ROOMS = {
    "metrics": (
        "src/uncial/metrics",
        "tests/metrics tests/reports/test_scores.py tests/reports/test_diff.py tests/problems/test_review.py "
        "tests/tasks/test_forecast.py tests/tasks/test_compare.py",
    ),
    "text": (
        "src/uncial/text",
        "tests/text tests/exchange tests/metrics/test_characters.py tests/data/test_odd_text.py",
    ),
    "formats": (
        "src/uncial/formats",
        "tests/formats tests/data/test_which_file_wins.py tests/data/test_machine_readings.py "
        "tests/models/test_hostile_files.py tests/pipelines tests/tasks/test_predict.py",
    ),
    "imaging": ("src/uncial/imaging", "tests/imaging tests/data/test_line_transforms.py"),
    "decoders": (
        "src/uncial/models/decoders",
        "tests/models tests/training/test_divergence.py tests/problems/test_infeasible_lines.py "
        "tests/problems/test_toy_decoder.py tests/training/test_watching.py tests/tasks/test_train.py",
    ),
    "optimizers": (
        "src/uncial/training/optimizers",
        "tests/training/test_muon.py tests/training/test_muon_steps.py tests/training/test_optimizers.py "
        "tests/training/test_freezing.py tests/problems/test_fine_tuning.py tests/training/test_going_on.py",
    ),
}
"""The code of each room and the tests that cover it."""

HEAVY = "numpy scipy.stats lxml.etree cv2 PIL.Image pyarrow regex rapidfuzz hydra torch lightning hypothesis pytest"
"""What every process of tests imports and no mutant changes: imported once, before they part."""

NEED_ARGUMENTS = {"core/VariableInserter", "core/VariableReplacer"}


@dataclass(frozen=True, order=True)
class Mutant:
    """One change: `operator`'s `occurrence` in `file`, at `line`, within the class and `function` if any; `was` and
    `becomes` are the line without and with."""

    file: str
    line: int
    operator: str
    occurrence: int
    was: str
    becomes: str
    function: str = ""


def find_mutants(project: Path, file: str) -> Iterator[tuple[tuple[object, ...], str, int]]:
    """Yield each change that is possible as its place, by which alternatives go together, operator and occurrence."""
    code = (project / file).read_text(encoding="utf-8")
    annotated = list(annotations(code))
    nodes = list(ast_nodes(get_ast(code)))
    for name in sorted(set(operator_names()) - NEED_ARGUMENTS):
        operator = get_operator(name)()
        places = (place for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            if not any(first <= start and end <= last for first, last in annotated):
                kind = name.rsplit("_", 1)[0] if "Operator_" in name else name
                yield (file, start, end, kind), name, occurrence


def annotations(code: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where annotations and `slots` begin and end, as (line, column), the column in characters."""
    lines = code.split("\n")
    for node in ast.walk(ast.parse(code)):
        slots = node.value if isinstance(node, ast.keyword) and node.arg == "slots" else None
        for found in (getattr(node, "annotation", None), getattr(node, "returns", None), slots):
            if found is not None:
                ends = ((found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset))
                start, end = ((line, len(lines[line - 1].encode()[:column].decode())) for line, column in ends)
                yield start, end


def draw_mutants(project: Path, room: str, seed: int, count: int) -> list[Mutant]:
    """Return `count` mutants of the room, or all where there are fewer places, in the order of the code."""
    places: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    for path in sorted((project / ROOMS[room][0]).rglob("*.py")):
        for place, name, occurrence in find_mutants(project, path.relative_to(project).as_posix()):
            places.setdefault(place, []).append((name, occurrence))
    choice = random.Random(f"{seed} {room}")
    drawn = choice.sample(sorted(places, key=repr), min(count, len(places)))
    print(f"{room}: {len(places):,} places, of which {len(drawn)} are drawn by seed {seed}", flush=True)
    return sorted(describe(project, place, *choice.choice(places[place])) for place in drawn)


def describe(project: Path, place: tuple, name: str, occurrence: int) -> Mutant:
    code = (project / place[0]).read_text(encoding="utf-8")
    changed = unified_diff(code.split("\n"), mutated(code, name, occurrence).split("\n"), n=0, lineterm="")
    lines = [line for line in changed if not line.startswith(("---", "+++", "@@"))]
    was, becomes = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Mutant(place[0], place[1][0], name, occurrence, was, becomes, find_function(code, place[1][0]))


def find_function(code: str, line: int) -> str:
    kinds = (ast.FunctionDef, ast.ClassDef)
    around = [node for node in ast.walk(ast.parse(code)) if isinstance(node, kinds)]
    return ".".join(node.name for node in around if node.lineno <= line <= (node.end_lineno or 0))


def mutated(code: str, name: str, occurrence: int) -> str:
    return mutate_code(code, get_operator(name)(), occurrence)


def is_equivalent(mutant: Mutant, listed: list[dict[str, str]]) -> bool:
    """Whether it is one of those that no test can notice; a `function` is named where the line is there twice."""
    return any(
        (one["file"], one["was"], one["becomes"]) == (mutant.file, mutant.was, mutant.becomes)
        and one.get("function", mutant.function) == mutant.function
        for one in listed
    )


def copy_project(folder: Path) -> None:
    """Copy what git knows of the working tree. The compiled modules are told by their content, not by their times."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "src"]
    subprocess.run(compiling, cwd=folder, check=True)


def passes(project: Path, turns: list[list[str]], seconds: float, keeps_compiled: bool = False) -> bool:
    """Whether the tests of all turns pass in a process of their own within the time."""
    process = os.fork()
    if not process:
        os.setsid()
        log = os.open(project / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 99
        try:
            code = run_tests(project, turns, keeps_compiled)
        finally:
            os._exit(code)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            end_group(process)
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    end_group(process)
    os.waitpid(process, 0)
    return False


def end_group(process: int) -> None:
    """End what the tests have started too, and left."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def run_tests(project: Path, turns: list[list[str]], keeps_compiled: bool) -> int:
    """The exit code of the first turn with a failure, else 0; hypothesis gives the same examples each time."""
    import pytest
    from hypothesis import Phase, settings

    os.chdir(project)
    os.environ["PYTHONPATH"] = str(project / "src")
    sys.path.insert(0, str(project / "src"))
    sys.dont_write_bytecode = not keeps_compiled
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=phases)
    settings.load_profile("mutants")
    options = ["-x", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={project / 'temporary'}"]
    return next((code for tests in turns if (code := int(pytest.main([*options, *tests])))), 0)


def in_turns(file: str, tests: list[str]) -> list[list[str]]:
    """The tests that import the changed module, the others of its room, and the rest: mostly the first ones fail."""
    paths = [ROOT / test for test in tests]
    files = [file for path in paths for file in (sorted(path.rglob("test_*.py")) if path.is_dir() else [path])]
    module = file.removeprefix("src/").removesuffix(".py").replace("/", ".")
    nearest = [path for path in files if module in path.read_text(encoding="utf-8")]
    near = [path for path in files if path not in nearest and path.is_relative_to(paths[0])]
    far = [path for path in files if path not in nearest and path not in near]
    return [[str(path.relative_to(ROOT)) for path in turn] for turn in (nearest, near, far) if turn]


def run_room(room: str, arguments: argparse.Namespace) -> None:
    tests = [*ROOMS[room][1].split(), "tests/architecture/test_dataclasses.py"]
    left = LEFT / f"{room}.json"
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder).resolve()
        copy_project(project)
        if arguments.again:
            drawn = [Mutant(**one) for one in json.loads(left.read_text(encoding="utf-8"))["survived"]]
        else:
            drawn = draw_mutants(project, room, arguments.seed, arguments.sample)
        equivalent = [one for one in drawn if is_equivalent(one, listed)]
        tried = [one for one in drawn if one not in equivalent]
        begun = time.monotonic()
        if not passes(project, [tests], 3600, keeps_compiled=True):
            sys.exit(f"The tests of {room} fail without a change: {(project / 'log.txt').read_text()[-3000:]}")
        limit = 30 + 3 * (time.monotonic() - begun)
        print(f"{room}: {time.monotonic() - begun:.0f} s without a change, {len(tried)} mutants", flush=True)
        survived = [one for one in tried if survives(project, one, tests, limit)]
    LEFT.mkdir(parents=True, exist_ok=True)
    left.write_text(json.dumps({"survived": [asdict(one) for one in survived]}, indent=1), encoding="utf-8")
    killed = len(tried) - len(survived)
    if tried:
        interval = binomtest(killed, len(tried)).proportion_ci(method="wilson")
        share = f"{killed / len(tried):.0%} ({interval.low:.0%} to {interval.high:.0%})"
        minutes = (time.monotonic() - begun) / 60
        print(
            f"\n{room}: {killed} of {len(tried)} killed, {share}, {len(equivalent)} equivalent; {minutes:.0f} minutes",
            flush=True,
        )


def survives(project: Path, mutant: Mutant, tests: list[str], limit: float) -> bool:
    path = project / mutant.file
    before = path.read_text(encoding="utf-8")
    path.write_text(mutated(before, mutant.operator, mutant.occurrence), encoding="utf-8")
    try:
        is_alive = passes(project, in_turns(mutant.file, tests), limit)
    finally:
        path.write_text(before, encoding="utf-8")
    print(end="S" if is_alive else ".", flush=True)
    if is_alive:
        print(f"\n{mutant.file}:{mutant.line} survived\n  - {mutant.was}\n  + {mutant.becomes}", flush=True)
    return is_alive


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rooms", nargs="*", choices=[[], *ROOMS], default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=80)
    parser.add_argument("--again", action="store_true", help="only those that survived the last time")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.setdefault("UNCIAL_REAL_DATA", str(ROOT.parent / "shared" / "data"))
    os.nice(10)
    for name in HEAVY.split():
        import_module(name)
    for room in arguments.rooms or ROOMS:
        run_room(room, arguments)


if __name__ == "__main__":
    main()
