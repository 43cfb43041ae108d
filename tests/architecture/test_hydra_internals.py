"""What of Hydra is not public is imported in one module alone, so that a later Hydra asks for one change."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ROOT

INTERNAL = "hydra._internal"
MODULE = Path("src/uncial/config/hydra_internals.py")


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a module imports, in functions too, and by name: import_module("…")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
        elif isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def uses_internals(source: str) -> bool:
    return any(f"{name}.".startswith(f"{INTERNAL}.") for name in imported(ast.parse(source)))


def test_one_module_alone_imports_what_is_internal_to_hydra():
    files = [ROOT / "run.py", *(ROOT / "src").rglob("*.py")]
    found = [path.relative_to(ROOT) for path in files if uses_internals(path.read_text(encoding="utf-8"))]
    assert found == [MODULE]


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("import hydra._internal.utils as utils", True),
        ("from hydra import _internal", True),
        ("def f():\n    from hydra._internal.utils import get_args_parser", True),
        ("import hydra\nhydra._internal.utils.get_args_parser()", True),
        ("import importlib\nimportlib.import_module('hydra._internal.hydra')", True),
        ("from hydra.core.plugins import Plugins\nNAME = 'hydra._internal.core_plugins'", False),
        ("from .hydra import _internals", False),
    ],
)
def test_every_way_to_import_it_is_found(source, uses):
    assert uses_internals(source) is uses
