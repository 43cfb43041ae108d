"""Under which steps a run has logged, by its table, TensorBoard and W&B."""

import csv
import json
import subprocess
import sys
from pathlib import Path


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def logged_steps(folder: Path, column: str) -> list[int]:
    return [int(row["step"]) for row in read_csv(folder / "metrics.csv") if row.get(column)]


def tensorboard_steps(folder: Path, tag: str) -> list[int]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    paths = sorted((folder / "tensorboard").rglob("*.tfevents.*"))
    events = [event for path in paths for event in LegacyEventFileLoader(str(path)).Load()]
    return [event.step for event in events for value in event.summary.value if value.tag == tag]


def wandb_steps(folder: Path, name: str) -> list[int]:
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    reader = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
    told = subprocess.run(reader, capture_output=True, text=True, check=True).stdout
    rows = [json.loads(row) for row in told.splitlines()]
    items = [row["history"]["item"] for row in rows if row["type"] == "history"]
    return [int(item["trainer/global_step"]) for item in items if name in item]
