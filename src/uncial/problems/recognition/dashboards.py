"""From the config to the loggers of a run, and what they are shown when it is done."""

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig

from uncial.data.ground_truth import GroundTruth
from uncial.data.store.store import Store
from uncial.metrics.characters import confusions
from uncial.metrics.profiles import form
from uncial.models.files import load_card
from uncial.training.loggers.outcome import Outcome, ReadLine


def trained_outcome(config: DictConfig, folder: Path, truth: GroundTruth, profile: str) -> Outcome:
    """What a training came to, from the files that it left: its best model may be of an earlier session."""
    model = folder / "best.safetensors"
    read = read_outcome(folder, "val", truth.store, truth.rows["val"].tolist(), profile)
    start = None if config.pretrained is None else Path(str(config.pretrained))
    return replace(
        read,
        model=model,
        data=load_card(model)["training"],
        pretrained=start.parent if start is not None and start.is_file() else start,
    )


def read_outcome(folder: Path, part: str, store: Store, rows: Iterable[int], profile: str) -> Outcome:
    """What metrics.json and predictions.csv of a run say of a part of the data, which `rows` of the store hold."""
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))[part]
    scores = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
    places = {(store.value(int(row), "page"), store.value(int(row), "line")): int(row) for row in rows}
    lines = [_line(cells, store, places[cells["page"], cells["line"]]) for cells in _predictions(folder)]
    scored = form(profile)
    pairs = confusions([line.truth for line in lines], [scored(line.prediction) for line in lines])
    return Outcome(scores, lines, pairs)


def _predictions(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _line(cells: dict[str, str], store: Store, row: int) -> ReadLine:
    return ReadLine(
        page=cells["page"],
        line=cells["line"],
        image=store.strip(row),
        truth=cells["truth"],
        prediction=cells["prediction"],
        confidence=float(cells["confidence"]),
        edits=int(cells["edits"]),
    )
