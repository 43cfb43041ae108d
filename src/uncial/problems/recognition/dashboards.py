"""From the config to the loggers of a run, and what they are shown when it is done."""

import csv
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import instantiate_part
from uncial.data.ground_truth import GroundTruth
from uncial.data.store.store import Store
from uncial.metrics.characters import confusions
from uncial.metrics.profiles import form
from uncial.models.files import load_card
from uncial.runs.files import RunFolder
from uncial.training.distributed.process_group import is_rank_zero
from uncial.training.loggers.outcome import Job, Outcome, ReadLine
from uncial.training.loggers.tracking import file_loggers, tracking


def open_loggers(config: DictConfig, folder: Path) -> AbstractContextManager[list[Logger]]:
    """The loggers that the config wants, open until the run ends; of several processes the first alone has any."""
    if not is_rank_zero():
        return nullcontext([])
    factories = file_loggers(bool(config.logger.csv), bool(config.logger.tensorboard))
    for name, part in config.logger.items():
        if isinstance(part, DictConfig):
            factories.append(instantiate_part(config, f"logger.{name}"))
    return tracking(factories, job_of(config, folder))


def job_of(config: DictConfig, folder: Path) -> Job:
    """The run as dashboards list it: by its name and the last parts of its folder."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    hydra = HydraConfig.get()
    sweep = Path(str(hydra.sweep.dir)).name if hydra.mode == RunMode.MULTIRUN else None
    ends = (config.name, sweep, folder.name) if sweep else (config.name, folder.name)
    return Job(folder, "/".join(map(str, ends)), sweep, str(config.task.name), plain)


def trained_outcome(config: DictConfig, folder: Path, truth: GroundTruth, profile: str) -> Outcome:
    """What a training came to, from the files that it left: its best model may be of an earlier session."""
    model = RunFolder(folder).best_model
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
    figures = json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))[part]
    scores = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
    places = {(store.value(int(row), "page"), store.value(int(row), "line")): int(row) for row in rows}
    lines = [_line(cells, store, places[cells["page"], cells["line"]]) for cells in _predictions(folder)]
    scored = form(profile)
    pairs = confusions([line.truth for line in lines], [scored(line.prediction) for line in lines])
    return Outcome(scores, lines, pairs)


def _predictions(folder: Path) -> list[dict[str, str]]:
    with RunFolder(folder).predictions.open(encoding="utf-8", newline="") as file:
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
