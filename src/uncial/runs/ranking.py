"""Runs in the order of their score, those that differ in nothing but the seed as one."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from uncial.config.keys import leaves
from uncial.config.overrides import override_key
from uncial.runs.search import Run

NOT_SETTINGS = ("resume", "sweep", "name", "tags", "run", "checkpoint")
"""What may be typed for a run and tells runs apart by no setting."""

FURTHER_COLUMNS = 6


@dataclass(frozen=True)
class Score:
    """What runs are ranked by: a figure of metrics.json as `part/figure`, and whether the least (min) is the best."""

    name: str
    mode: str

    def of(self, run: Run) -> float | None:
        value = run.figure(self.name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if is_number else None

    def order(self, value: float) -> float:
        return -value if self.mode == "max" else value


@dataclass(frozen=True)
class Entry:
    """Runs that count as one, the best of them first; `score` is the mean of theirs."""

    runs: tuple[Run, ...]
    settings: tuple[str, ...]
    score: float
    scores: tuple[float, ...]
    minutes: float | None

    def mean(self, name: str) -> float | None:
        values = [run.figure(name) for run in self.runs]
        return fmean(values) if values and all(isinstance(value, int | float) for value in values) else None


@dataclass(frozen=True)
class Ranking:
    """`columns` are the keys that tell the entries apart, in the order of each entry's `settings`. `others` are the
    runs without a score."""

    score: Score
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    others: tuple[Run, ...]


def rank(runs: Sequence[Run], score: Score, over: Sequence[str], machine: Sequence[str]) -> Ranking:
    """Rank the runs by their score. Those whose configs differ in keys of `over` and of `machine` alone are one entry;
    names that end in one of `over` (data.options.seed) count as it."""
    ignored = (*over, *machine, *NOT_SETTINGS)
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if score.of(run) is not None:
            compared = {key: value for key, value in leaves(run.config) if not _is_below(key, ignored, over)}
            groups.setdefault(json.dumps(compared, sort_keys=True, default=str), []).append(run)
    settings = {text: _typed(members[0], ignored, over) for text, members in groups.items()}
    columns = [key for key in _keys(settings.values()) if _varies(key, settings, groups)]
    cells = {text: tuple(_cell(key, settings[text], groups[text][0]) for key in columns) for text in groups}
    if len(set(cells.values())) < len(cells):
        found = [json.loads(text) for text in groups]
        differing = [key for key in _keys(found) if len({json.dumps(own.get(key), default=str) for own in found}) > 1]
        columns += [key for key in differing if key not in columns][:FURTHER_COLUMNS]
        cells = {text: tuple(_cell(key, settings[text], groups[text][0]) for key in columns) for text in groups}
    entries = [_entry(members, cells[text], score) for text, members in groups.items()]
    return Ranking(
        score,
        tuple(columns),
        tuple(sorted(entries, key=lambda entry: score.order(entry.score))),
        tuple(run for run in runs if score.of(run) is None),
    )


def _entry(members: Sequence[Run], settings: tuple[str, ...], score: Score) -> Entry:
    scored = sorted(((score.of(run) or 0.0, run) for run in members), key=lambda pair: score.order(pair[0]))
    values = tuple(value for value, _ in scored)
    seconds = [run.figure("train/seconds") for run in members]
    known = [value for value in seconds if isinstance(value, int | float)]
    return Entry(tuple(run for _, run in scored), settings, fmean(values), values, sum(known) / 60 if known else None)


def _is_below(key: str, names: Sequence[str], endings: Sequence[str]) -> bool:
    is_named = any(key == name or key.startswith((f"{name}.", f"{name}/")) for name in names)
    return is_named or any(key.endswith(f".{name}") for name in endings)


def _typed(run: Run, ignored: Sequence[str], over: Sequence[str]) -> dict[str, str]:
    pairs = ((override_key(line), line.partition("=")[2]) for line in run.overrides)
    return {key: value for key, value in pairs if not _is_below(key, ignored, over)}


def _keys(found: Any) -> list[str]:
    return list(dict.fromkeys(key for own in found for key in own))


def _varies(key: str, settings: Mapping[str, Mapping[str, str]], groups: Mapping[str, Sequence[Run]]) -> bool:
    return len({_cell(key, own, groups[text][0]) for text, own in settings.items()}) > 1


def _cell(key: str, typed: Mapping[str, str], run: Run) -> str:
    """What was typed, else what the config has there, else that it is the default."""
    if key in typed:
        return typed[key]
    node: Any = run.config
    for part in key.replace("/", ".").split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    if isinstance(node, Mapping):
        return str(node.get("name", "default"))
    return "default" if node is None else str(node)
