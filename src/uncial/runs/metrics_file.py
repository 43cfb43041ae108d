"""metrics.csv: written whole at every moment, continued by a run that is resumed, and read as curves."""

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

from lightning.fabric.loggers.csv_logs import _ExperimentWriter
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from uncial.files import replacing_text

FILE_NAME = ExperimentWriter.NAME_METRICS_FILE


class MetricsFile(CSVLogger):
    """Lightning's CSV logger, which goes on below the rows that are in the file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, name="", version="")

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return self.experiment.rows if isinstance(self.experiment, _Writer) else 0

    @property
    def experiment(self) -> _ExperimentWriter:
        """What writes the file; on processes other than the first it does nothing."""
        if self._experiment is None:
            self._experiment = _Writer(self.log_dir)
        return self._experiment


class _Writer(ExperimentWriter):
    def __init__(self, log_dir: str) -> None:
        super().__init__(log_dir)
        names, kept = read_rows(Path(self.metrics_file_path))
        self.metrics_keys, self.rows = list(names), len(kept)

    def save(self) -> None:
        self.rows += len(self.metrics)
        super().save()

    def _check_log_dir_exists(self) -> None:
        """Lightning removes the file of an earlier run here."""

    def _rewrite_with_new_header(self, fieldnames: list[str]) -> None:
        path = Path(self.metrics_file_path)
        write_rows(path, fieldnames, read_rows(path)[1])


def read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and the rows of metrics.csv; none where there is no file."""
    if not path.is_file():
        return [], []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return list(reader.fieldnames or []), rows


def write_rows(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    with replacing_text(path) as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def cut_rows(folder: Path, keep: int) -> None:
    """Leave the first `keep` rows of the folder's metrics.csv; without any there is no file."""
    path = folder / FILE_NAME
    columns, rows = read_rows(path)
    if keep and rows:
        write_rows(path, columns, rows[:keep])
    elif path.is_file():
        path.unlink()


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
