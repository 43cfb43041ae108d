"""The sparse metrics.csv that a training leaves: its rows, and its columns as curves."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uncial.files import replace_text_file
from uncial.runs.environment import logs_from_one
from uncial.runs.files import RunFolder


def read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and the rows of metrics.csv; none where there is no file."""
    if not path.is_file():
        return [], []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return list(reader.fieldnames or []), rows


def write_rows(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    with replace_text_file(path) as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def cut_rows(folder: Path, keep: int, shift: int = 0) -> None:
    """Leave the first `keep` rows of the folder's metrics.csv, their steps higher by `shift`; without any there is no
    file."""
    path = RunFolder(folder).metrics_rows
    columns, rows = read_rows(path)
    if keep and rows:
        write_rows(path, columns, shift_steps(rows[:keep], shift))
    elif path.is_file():
        path.unlink()


def shift_steps(rows: Sequence[dict[str, str]], shift: int) -> list[dict[str, str]]:
    """Return the rows with steps that are higher by `shift`."""
    return [{**row, "step": str(int(row["step"]) + shift)} if row.get("step") else row for row in rows]


@dataclass(frozen=True, slots=True)
class Curve:
    """One logged metric: its finite values and the steps they were logged at, in the order of the file."""

    name: str
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def read_curves(metrics_csv: Path) -> dict[str, Curve]:
    """Return every metric that has at least one finite value, by column name.

    Each row has a `step` and values in some of the columns. A row that was cut short by a kill, and values that are no
    finite numbers, are left out. A missing or empty file has no curves.
    """
    curves: dict[str, Curve] = {}
    if not metrics_csv.is_file():
        return curves
    with metrics_csv.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            step = _number(row.get("step"))
            if step is not None:
                _add_row(curves, int(step), row)
    return curves


def read_run_curve(folder: Path, name: str) -> Curve | None:
    """Return what the run in `folder` logged under this name, its first step being step 1; None where it has none."""
    curve = read_curves(RunFolder(folder).metrics_rows).get(name)
    if curve is None or logs_from_one(folder):
        return curve
    return Curve(name, [step + 1 for step in curve.steps], curve.values)


def _add_row(curves: dict[str, Curve], step: int, row: dict[str, str]) -> None:
    for name, cell in row.items():
        value = _number(cell)
        if name not in (None, "step", "epoch") and value is not None:
            curve = curves.setdefault(name, Curve(name))
            curve.steps.append(step)
            curve.values.append(value)


def _number(cell: object) -> float | None:
    try:
        value = float(str(cell))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
