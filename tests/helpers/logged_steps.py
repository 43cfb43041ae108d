"""What a run has logged and under which steps, by its table, TensorBoard and W&B."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def logged_steps(folder: Path, column: str) -> list[int]:
    return [int(row["step"]) for row in read_csv(folder / "metrics.csv") if row.get(column)]


def tensorboard_steps(folder: Path, tag: str) -> list[int]:
    return [step for step, _ in _tensorboard_scalars(folder, tag)]


def tensorboard_values(folder: Path, tag: str) -> list[float]:
    return [value for _, value in _tensorboard_scalars(folder, tag)]


def _tensorboard_scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    paths = sorted((folder / "tensorboard").rglob("*.tfevents.*"))
    events = [event for path in paths for event in LegacyEventFileLoader(str(path)).Load()]
    return [
        (event.step, value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value)
        for event in events
        for value in event.summary.value
        if value.tag == tag
    ]


def wandb_steps(folder: Path, name: str) -> list[int]:
    return [int(item["trainer/global_step"]) for item in _wandb_items(folder) if name in item]


def wandb_history(folder: Path) -> dict[str, Any]:
    """The last value of each name."""
    return {name: value for item in _wandb_items(folder) for name, value in item.items()}


def _wandb_items(folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    reader = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
    told = subprocess.run(reader, capture_output=True, text=True, check=True).stdout
    rows = [json.loads(row) for row in told.splitlines()]
    return [row["history"]["item"] for row in rows if row["type"] == "history"]
