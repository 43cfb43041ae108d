"""Runs in the order of their score, those that differ in nothing but the seed as one."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from uncial.config.keys import iterate_leaves
from uncial.config.overrides import get_override_key
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
class RunPair:
    """Two runs by their folders, and in which settings they differ."""

    first: Path
    second: Path
    differences: tuple["Difference", ...]


EDITS = ("insertions", "deletions", "substitutions")
FOLD = "fold"
"""How a repetition on other lines is called."""


@dataclass(frozen=True)
class Entry:
    """Runs that count as one, the best of them first; `score` is the mean of theirs. `repeats` says in what they
    differ, as people call it, and how many of that there are: (("seed", 3), ("fold", 5))."""

    runs: tuple[Run, ...]
    settings: tuple[str, ...]
    score: float
    scores: tuple[float, ...]
    minutes: float | None
    repeats: tuple[tuple[str, int], ...] = ()

    @property
    def count(self) -> str:
        """How many runs there are, named for what they are: 3 seeds, 2 seeds × 5 folds, 4 runs."""
        if not self.repeats or math.prod(number for _, number in self.repeats) != len(self.runs):
            return str(len(self.runs)) if len(self.runs) == 1 else f"{len(self.runs)} runs"
        return " × ".join(f"{number} {what}s" for what, number in self.repeats)

    @property
    def has_folds(self) -> bool:
        """Whether it is a cross-validation, each run of which was scored on other lines."""
        return any(what == FOLD for what, _ in self.repeats)

    def mean(self, name: str) -> float | None:
        """Return the mean of a figure; None where a run lacks it."""
        values = self._values(name)
        return fmean(values) if values else None

    def deviation(self, name: str) -> float | None:
        """Return the standard deviation of a figure over the runs (n - 1); None for a single one."""
        values = self._values(name)
        return stdev(values) if len(values) > 1 else None

    def pooled_cer(self, part: str) -> float | None:
        """Return the CER of a part over the lines of all runs together: all their edits over all their characters. None
        where a run does not say how many there were."""
        counted = [[run.figure(f"{part}/{name}") for name in (*EDITS, "characters")] for run in self.runs]
        if not all(isinstance(value, int) for counts in counted for value in counts):
            return None
        *edits, characters = (sum(column) for column in zip(*counted, strict=True))
        return sum(edits) / characters if characters else None

    def _values(self, name: str) -> list[float]:
        values = [run.figure(name) for run in self.runs]
        are_known = all(isinstance(value, int | float) and math.isfinite(value) for value in values)
        return [float(value) for value in values] if are_known else []


@dataclass(frozen=True)
class Difference:
    """A setting in which two runs differ, with what each has."""

    key: str
    first: str
    second: str


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
            compared = {key: value for key, value in iterate_leaves(run.config) if not _is_below(key, ignored, over)}
            groups.setdefault(json.dumps(compared, sort_keys=True, default=str), []).append(run)
    settings = {text: _find_typed(members[0], ignored, over) for text, members in groups.items()}
    columns = [key for key in _list_keys(settings.values()) if _is_varied(key, settings, groups)]
    cells = {text: tuple(_format_cell(key, settings[text], groups[text][0]) for key in columns) for text in groups}
    if len(set(cells.values())) < len(cells):
        found = [json.loads(text) for text in groups]
        differing = [
            key for key in _list_keys(found) if len({json.dumps(own.get(key), default=str) for own in found}) > 1
        ]
        columns += [key for key in differing if key not in columns][:FURTHER_COLUMNS]
        cells = {text: tuple(_format_cell(key, settings[text], groups[text][0]) for key in columns) for text in groups}
    entries = [_build_entry(members, cells[text], score, over) for text, members in groups.items()]
    return Ranking(
        score,
        tuple(columns),
        tuple(sorted(entries, key=lambda entry: score.order(entry.score))),
        tuple(run for run in runs if score.of(run) is None),
    )


def find_differences(first: Run, second: Run, machine: Sequence[str]) -> list[Difference]:
    """Return the settings in which two runs differ but for those of `machine`: what was typed for one of them, and what
    else their configs have, as by other defaults."""
    ignored, pair = (*machine, *NOT_SETTINGS), (first, second)
    typed = [_find_typed(run, ignored, ()) for run in pair]
    chosen = [
        Difference(key, *(_format_cell(key, own, run) for own, run in zip(typed, pair, strict=True)))
        for key in _list_keys(typed)
    ]
    differing = [one for one in chosen if one.first != one.second and not _has_equal_value(one.key, first, second)]
    # What a group that was chosen brings with it is said by its name.
    said = (*ignored, "task", *(one.key.replace("/", ".") for one in differing))
    configs = [dict(iterate_leaves(run.config)) for run in pair]
    others = [key for key in _list_keys(configs) if not _is_below(key, said, ())]
    more = [Difference(key, *(str(own.get(key, "–")) for own in configs)) for key in others]
    return [*differing, *(one for one in more if one.first != one.second)]


def pair_of_runs(runs: Sequence[Run], ranking: Ranking, machine: Sequence[str]) -> RunPair | None:
    """Return what two runs differ in: the only two; else the best of the first two entries, or of the only entry."""
    leading = [entry.runs[0] for entry in ranking.entries[:2]]
    if len(leading) < 2 and ranking.entries:
        leading = list(ranking.entries[0].runs[:2])
    chosen = leading if len(leading) == 2 else list(runs)
    if len(chosen) != 2:
        return None
    first, second = chosen
    return RunPair(first.folder, second.folder, tuple(find_differences(first, second, machine)))


def _repeats(members: Sequence[Run], over: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """In which of the keys the runs differ, by the last word of each, and how many values they have."""
    configs = [dict(iterate_leaves(run.config)) for run in members]
    counts = {key: len({str(config.get(key)) for config in configs}) for key in over}
    return tuple((key.rpartition(".")[2], count) for key, count in counts.items() if count > 1)


def _build_entry(members: Sequence[Run], settings: tuple[str, ...], score: Score, over: Sequence[str]) -> Entry:
    scored = sorted(((score.of(run) or 0.0, run) for run in members), key=lambda pair: score.order(pair[0]))
    values = tuple(value for value, _ in scored)
    seconds = [run.figure("train/seconds") for run in members]
    known = [value for value in seconds if isinstance(value, int | float)]
    minutes = sum(known) / 60 if known else None
    return Entry(tuple(run for _, run in scored), settings, fmean(values), values, minutes, _repeats(members, over))


def _is_below(key: str, names: Sequence[str], endings: Sequence[str]) -> bool:
    is_named = any(key == name or key.startswith((f"{name}.", f"{name}/")) for name in names)
    return is_named or any(key.endswith(f".{name}") for name in endings)


def _find_typed(run: Run, ignored: Sequence[str], over: Sequence[str]) -> dict[str, str]:
    pairs = ((get_override_key(line), line.partition("=")[2]) for line in run.overrides)
    return {key: value for key, value in pairs if not _is_below(key, ignored, over)}


def _list_keys(found: Any) -> list[str]:
    return list(dict.fromkeys(key for own in found for key in own))


def _is_varied(key: str, settings: Mapping[str, Mapping[str, str]], groups: Mapping[str, Sequence[Run]]) -> bool:
    return len({_format_cell(key, own, groups[text][0]) for text, own in settings.items()}) > 1


def _has_equal_value(key: str, first: Run, second: Run) -> bool:
    """Return whether the configs have the same there, as `[1,2]` that was typed and a default `[1, 2]`."""
    one, other = _node_at(key, first), _node_at(key, second)
    return one is not None and not isinstance(one, Mapping) and one == other


def _node_at(key: str, run: Run) -> Any:
    node: Any = run.config
    for part in key.replace("/", ".").split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _format_cell(key: str, typed: Mapping[str, str], run: Run) -> str:
    """Return what was typed, else what the config has there, else that it is the default."""
    if key in typed:
        return typed[key]
    node = _node_at(key, run)
    if isinstance(node, Mapping):
        return str(node.get("name", "default"))
    return "default" if node is None else str(node)
