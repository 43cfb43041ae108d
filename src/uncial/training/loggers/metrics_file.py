"""metrics.csv: written whole at every moment, and continued by a run that is resumed."""

from pathlib import Path
from typing import Any

from lightning.fabric.loggers.csv_logs import _ExperimentWriter
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from uncial.runs.metrics_file import read_rows, write_rows


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

    def log_metrics(self, metrics_dict: dict[str, Any], step: int | None = None) -> None:
        epoch = {"epoch": int(metrics_dict["epoch"])} if "epoch" in metrics_dict else {}
        super().log_metrics({**metrics_dict, **epoch}, step)

    def save(self) -> None:
        self.rows += len(self.metrics)
        super().save()

    def _check_log_dir_exists(self) -> None:
        """Lightning removes the file of an earlier run here."""

    def _rewrite_with_new_header(self, fieldnames: list[str]) -> None:
        path = Path(self.metrics_file_path)
        write_rows(path, fieldnames, read_rows(path)[1])
