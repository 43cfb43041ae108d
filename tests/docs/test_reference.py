"""docs/reference.md lists what there is to choose, whole and by the addresses of today."""

import re
from importlib import import_module

import pytest
from program import ROOT

from uncial.data.augmentation.transform import LineTransform
from uncial.runs.files import list_file_names

TEXT = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table whose first column has this heading."""
    _, _, below = TEXT.partition(f"\n| {heading} |")
    assert below, f"no table is headed {heading}"
    lines = below.split("\n")[2:]
    table = lines[: next(place for place, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_all_sweeps_are_listed_with_their_files():
    listed = {names_in(row[0])[0]: re.findall(r"\((\S+\.yaml)\)", row[0]) for row in rows_of("`sweep=`")}
    templates = {path.stem for path in (ROOT / "multirun_templates" / "sweep").glob("*.yaml")}
    assert set(listed) == templates
    assert listed == {name: [f"../multirun_templates/sweep/{name}.yaml"] for name in templates}


@pytest.mark.parametrize(
    ("folder", "heading", "of_hydra"), [("sweeper", "`hydra/sweeper=`", "basic"), ("launcher", "`hydra/launcher=`", "")]
)
def test_all_sweepers_and_launchers_are_listed(folder, heading, of_hydra):
    section = TEXT[TEXT.index("\n## Sweeps") : TEXT.index("\n## Augmentation")]
    first = {name for row in rows_of(heading) for name in names_in(row[0])[:1]}
    for path in (ROOT / "conf" / "hydra" / folder).glob("*.yaml"):
        assert f"conf/hydra/{folder}/{path.name})" in section
        assert path.stem in first or f"`hydra/{folder}={path.stem}`" in section
    assert of_hydra in first or not of_hydra


def test_all_tasks_are_listed_and_no_others():
    listed = {names_in(row[0])[0] for row in rows_of("`task=`")}
    assert listed == {path.stem for path in (ROOT / "conf" / "task").glob("*.yaml")}


def test_all_transforms_are_listed_where_they_are():
    listed = {names_in(row[0])[0] for row in rows_of("transform")}
    folder = ROOT / "src" / "uncial" / "data" / "augmentation"
    found = set()
    for path in folder.glob("[!_]*.py"):
        module = import_module(f"uncial.data.augmentation.{path.stem}")
        found |= {
            f"{path.stem}.{name}"
            for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, LineTransform) and value.__module__ == module.__name__
        }
    assert listed == found - {"transform.LineTransform"}


def test_modules_and_functions_for_python_exist():
    for place, named in rows_of("module"):
        module, names = import_module(names_in(place)[0]), names_in(named)
        classes = [getattr(module, name) for name in names if isinstance(getattr(module, name, None), type)]
        missing = [name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name) and not hasattr(module, name)]
        assert [name for name in missing if not any(hasattr(one, name) for one in classes)] == [], place


def test_all_files_that_a_run_leaves_are_listed():
    """But for what begins with a dot, which is no matter of a user's."""
    assert [name for name in sorted(list_file_names()) if not name.startswith(".") and not is_listed(name)] == []


def is_listed(name: str) -> bool:
    """By its whole name, or where several of one name are told in a row by its ending."""
    stem, _, ending = name.rpartition(".")
    rows = [names_in(row[0]) for row in rows_of("file")] + [[one] for one in names_in(TEXT)]
    return any(name in row or f"{name}/" in row for row in rows) or any(
        f".{ending}" in row and row[0].startswith(f"{stem}.") for row in rows
    )
