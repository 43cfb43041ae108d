"""What is told of a training beside its scores: what its model costs, its data, its code and its machine. It stands on
the terminal before the first step, in metrics.json, and on dashboards."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from uncial.models.contracts import Model
from uncial.models.cost import Flops, count_flops, count_parameters, list_parts
from uncial.problems.problem import Setup, TrainingStats
from uncial.runs.environment import read_environment
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_metrics

log = logging.getLogger(__name__)

Facts = Mapping[str, Mapping[str, Any]]
"""Figures of metrics.json by part and name: `model`, `data`, `run`."""

NO_EXAMPLE = "the problem gives no example of a sample (Setup.make_example)"


def collect_facts(name: str, setup: Setup, hashes: Mapping[str, str], device: Mapping[str, Any], folder: Path) -> Facts:
    """Return what is known before the first step, and say what the model called `name` is made of.

    `hashes` tell the data apart, `device` is what the training runs on; the code is that of the run in `folder`.
    """
    git = read_environment(folder).get("git") or {}
    data = {**setup.facts, **{f"{key}_hash": value for key, value in hashes.items()}}
    code = {"commit": git.get("commit"), "has_changes": bool(git.get("changed"))}
    machine = {"device": device.get("name"), **{key: device.get(key) for key in ("devices", "precision", "threads")}}
    return {"model": _measure_model(name, setup), "data": data, "run": {**code, **machine}}


def _measure_model(name: str, setup: Setup) -> dict[str, Any]:
    parameters = count_parameters(setup.model)
    if setup.make_example is None:
        sample, size, told, flops = "sample", {}, "a sample", Flops(None, (NO_EXAMPLE,))
    else:
        example = setup.make_example()
        sample, size, told = example.sample, dict(example.size), example.text
        flops = count_flops(setup.model, partial(setup.model.predict, example.batch), example.samples)
    _describe_model(name, setup.model, parameters, flops, told)
    key = f"flops_of_{sample}"
    return {"parameters": parameters, key: flops.count, **size, "flops_not_counted": "; ".join(flops.not_counted)}


def _describe_model(name: str, model: Model, parameters: int, flops: Flops, told: str) -> None:
    cost = f", {format_flops(flops.count)} for {told}" if flops.count is not None else ""
    log.info(f"Model {name}: {parameters:,} parameters{cost}")
    parts = list_parts(model)
    names, kinds = (max((len(getattr(one, key)) for one in parts), default=0) for key in ("name", "kind"))
    for part in parts:
        log.info(f"  {part.name:<{names}}  {part.kind:<{kinds}}  {part.parameters:>12,}")
    if flops.not_counted:
        log.info(f"The FLOPs of {told} are not counted: {'; '.join(flops.not_counted)}.")


def format_flops(count: int) -> str:
    """Return a number of operations in a unit that leaves it readable."""
    for unit, size in (("TFLOP", 1e12), ("GFLOP", 1e9)):
        if count >= size / 100:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e6:.3g} MFLOP"


def flatten_facts(facts: Facts) -> dict[str, Any]:
    """Return the figures by their names alone, as the config of a run on a dashboard."""
    return {name: value for part in facts.values() for name, value in part.items()}


def describe_speed(stats: TrainingStats) -> dict[str, Any]:
    """Return how fast the model learned and read, in samples a second."""
    speeds = {name: value for name, value in stats.list_figures().items() if name.endswith("_per_second")}
    return {name: value for name, value in speeds.items() if value is not None}


def read_figures(folder: Path) -> dict[str, Any]:
    """Return what metrics.json of the run in `folder` holds; nothing where there is none."""
    path = RunFolder(folder).metrics
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def add_facts(folder: Path, facts: Facts, stats: TrainingStats) -> dict[str, Any]:
    """Add the facts, and what the training took, to the metrics.json that a problem has left; what it says itself
    stays. Return what it holds then."""
    figures, known = read_figures(folder), {"train": stats.list_figures(), **facts}
    whole = {part: _joined(known.get(part, {}), figures.get(part, {})) for part in dict.fromkeys((*figures, *known))}
    write_metrics(RunFolder(folder).metrics, whole)
    return whole


def _joined(known: Any, stated: Any) -> Any:
    return {**known, **stated} if isinstance(stated, Mapping) and isinstance(known, Mapping) else stated
