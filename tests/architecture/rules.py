"""What holds of the rooms in src/uncial, read from the syntax trees. Each rule yields its offenders as sentences."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, CONF = ROOT / "src" / "uncial", ROOT / "conf"

FLOORS = (
    ("errors", "termination"),
    ("files", "document", "config"),
    ("text",),
    ("formats",),
    ("imaging",),
    ("metrics", "runs"),
    ("data",),
    ("models", "reports"),
    ("training", "exchange", "pipelines"),
    ("problems", "sweeps", "annotation"),
    ("tasks",),
    ("cli",),
    ("api",),
)
"""The rooms from the ground up: each imports what lies on a lower floor, and nothing else."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

WITHOUT_TORCH = (
    "errors",
    "termination",
    "files",
    "document",
    "config",
    "formats",
    "text",
    "imaging",
    "metrics",
    "reports",
)
WITHOUT_CONFIG = (*WITHOUT_TORCH, "data", "models", "training", "pipelines")
"""Rooms that get their settings as data classes. `config` itself, and the files named `config`, make these."""

ADDRESSES = {
    "task": "tasks",
    "problem": "problems",
    "model": "models",
    "data": "data.sources",
    "augmentation": "data.augmentation",
    "optimizer": "training.optimizers",
    "scheduler": "training.schedulers",
    "trainer": "training",
    "callbacks": "training.callbacks",
    "logger": "training.loggers",
    "metrics": "metrics",
    "hydra": "sweeps",
}
"""Where the code of a config group lies, below `uncial`."""

MAX_MODULES, MAX_LINES = 18, 300

LOOP_INTERNALS = {
    "fit_loop",
    "epoch_loop",
    "automatic_optimization",
    "manual_optimization",
    "optim_progress",
    "optimizer_progress",
    "batch_progress",
    "epoch_progress",
    "_should_accumulate",
    "_batches_that_stepped",
    "_restarting",
    "restarting",
    "_checkpoint_connector",
    "_callback_connector",
    "_logger_connector",
    "_data_connector",
    "val_loop",
    "validate_loop",
    "evaluation_loop",
}
"""What Lightning calls its loops and their progress, which may change with any release of it."""


@dataclass(frozen=True)
class Module:
    """`name` is the dotted name below `uncial`, `room` its first part."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts:
            found.append(Module(".".join(parts), path, ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


def imports(tree: ast.AST) -> Iterator[str]:
    """What is imported, anywhere in the tree: the dotted module, and for `from a import b` both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def outside_of_rooms() -> Iterator[str]:
    yield from sorted({f"{module.room} is no room" for module in modules() if module.room not in FLOOR_OF})


def upward_imports() -> Iterator[str]:
    for module in modules():
        for name in sorted({name.split(".")[1] for name in imports(module.tree) if name.startswith("uncial.")}):
            known = module.room in FLOOR_OF and name in FLOOR_OF
            if name != module.room and known and FLOOR_OF[name] >= FLOOR_OF[module.room]:
                yield f"{module.name} imports {name}"


def torch_where_none_belongs() -> Iterator[str]:
    for module in modules():
        names = {name.partition(".")[0] for name in imports(module.tree)}
        if module.room in WITHOUT_TORCH and names & {"torch", "torchvision", "lightning"}:
            yield f"{module.name} imports torch"


def config_where_none_belongs() -> Iterator[str]:
    for module in modules():
        is_allowed = module.room == "config" or module.room not in WITHOUT_CONFIG
        if not is_allowed and any(name.partition(".")[0] in ("omegaconf", "hydra") for name in imports(module.tree)):
            yield f"{module.name} takes a config instead of a data class"


def imported_tasks() -> Iterator[str]:
    for module in modules():
        tasks = {name.split(".")[2] for name in imports(module.tree) if name.startswith("uncial.tasks.")}
        for name in sorted(tasks):
            yield f"{module.name} imports the task {name}"


def text_in_training() -> Iterator[str]:
    for module in modules():
        if module.room == "training":
            rooms = {name.split(".")[1] for name in imports(module.tree) if name.startswith("uncial.")}
            for room in sorted(rooms & {"text", "formats", "imaging", "document", "data"}):
                yield f"{module.name} imports {room}"


def loop_internals() -> Iterator[str]:
    for module in modules():
        if module.name.startswith("training.checkpointing"):
            continue
        named = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)} & LOOP_INTERNALS
        if named:
            yield f"{module.name} names {', '.join(sorted(named))}"


def crowded_folders() -> Iterator[str]:
    folders = Counter(path.parent for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    for folder, count in sorted(folders.items()):
        if count > MAX_MODULES:
            yield f"{folder.relative_to(PACKAGE)} holds {count} modules"


def long_modules() -> Iterator[str]:
    for module in modules():
        lines = len(module.path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            yield f"{module.name} has {lines} lines"


def targets_elsewhere() -> Iterator[str]:
    for path in sorted(CONF.rglob("*.yaml")):
        group = path.relative_to(CONF).parts[0]
        for target in targets_in(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if target.startswith("uncial.") and not target.startswith(f"uncial.{ADDRESSES.get(group, '?')}."):
                yield f"{path.relative_to(CONF)} names {target}"


def targets_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("_target_"), str):
            yield node["_target_"]
        for value in node.values():
            yield from targets_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets_in(value)


def tasks_without_a_file() -> Iterator[str]:
    code = {path.stem for path in (PACKAGE / "tasks").glob("*.py")} - {"__init__"}
    files = {path.stem for path in (CONF / "task").glob("*.yaml")}
    yield from (f"tasks/{name}.py has no conf/task/{name}.yaml" for name in sorted(code - files))
    yield from (f"conf/task/{name}.yaml has no tasks/{name}.py" for name in sorted(files - code))


RULES = (
    outside_of_rooms,
    upward_imports,
    torch_where_none_belongs,
    config_where_none_belongs,
    imported_tasks,
    text_in_training,
    loop_internals,
    crowded_folders,
    long_modules,
    targets_elsewhere,
    tasks_without_a_file,
)
