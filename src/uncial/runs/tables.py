"""The tables and figures that a run leaves as files: CSV and JSON, UTF-8, each written whole or not at all.

Texts are written as they are, also those that a spreadsheet would take for a formula: the files are read back by
programs.
"""

import csv
import json
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncial.document import Issue
from uncial.files import replace_text_file


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """One line as `predictions.csv` lists it. `truth` and `edits` are None where there is no ground truth."""

    page: str
    line: str
    truth: str | None
    prediction: str
    confidence: float
    edits: int | None


def write_predictions(path: Path, rows: Iterable[PredictionRow]) -> None:
    """Write `page,line,truth,prediction,confidence,edits`, the confidence with four digits."""
    header = ("page", "line", "truth", "prediction", "confidence", "edits")
    cells = ((row.page, row.line, row.truth, row.prediction, f"{row.confidence:.4f}", row.edits) for row in rows)
    write_csv(path, header, cells)


def write_skipped(path: Path, problems: Iterable[Issue]) -> None:
    """Write `file,line,reason`, one row for each page or line that the run left out."""
    write_csv(path, ("file", "line", "reason"), ((problem.file, problem.line, problem.reason) for problem in problems))


def write_json(path: Path, data: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write plain types as indented JSON with all letters readable; a number that is not finite becomes null."""
    with replace_text_file(path) as file:
        json.dump(_to_plain(data), file, ensure_ascii=False, indent=2, allow_nan=False)
        file.write("\n")


def write_metrics(path: Path, parts: Mapping[str, Mapping[str, Any]]) -> None:
    """Write `metrics.json`: for each part (`val`, `test`, `train`) its figures by name."""
    write_json(path, parts)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows."""
    with replace_text_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _to_plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _to_plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_to_plain(value) for value in data]
    if isinstance(data, bool | int | str | None):
        return data
    if isinstance(data, numbers.Integral):
        return int(data)
    if isinstance(data, numbers.Real):
        return float(data) if math.isfinite(data) else None
    return str(data)
