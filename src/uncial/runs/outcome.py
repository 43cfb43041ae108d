"""How a job of a sweep has ended, as it lies in the job's folder."""

import json
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from uncial.config.overrides import get_override_key
from uncial.files import replace_text_file
from uncial.runs.files import RunFolder
from uncial.runs.resumed_config import can_be_changed

FINISHED, PRUNED, FAILED = "finished", "pruned", "failed"


@dataclass(frozen=True)
class Outcome:
    """`overrides` are all of the job's. `error` is one sentence, and says of a pruned one why; `traceback` is empty
    where that sentence says all."""

    state: str
    overrides: tuple[str, ...]
    error: str = ""
    traceback: tuple[str, ...] = ()


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Leave it in a job's folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with replace_text_file(RunFolder(folder).outcome) as file:
        json.dump(asdict(outcome), file, ensure_ascii=False, indent=2)
        file.write("\n")


def read_outcome(folder: Path) -> Outcome | None:
    """None for a job that has not ended, and for a run that is no job of a sweep."""
    try:
        found = json.loads(RunFolder(folder).outcome.read_text(encoding="utf-8"))
        lists = {name: tuple(found[name]) for name in ("overrides", "traceback")}
        return Outcome(**{**found, **lists})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_finished(folder: Path) -> bool:
    """Return whether a job of a sweep has ended well in this folder, or was ended early."""
    outcome = read_outcome(folder)
    return outcome is not None and outcome.state in (FINISHED, PRUNED)


def is_of_same_job(one: Iterable[str], other: Iterable[str], varied: Collection[str] = ()) -> bool:
    """Return whether two lists of overrides are those of one job, whatever was typed for one of them of the machine.
    `varied` are the keys in which the jobs of the sweep differ, of the machine too."""
    return _settings(one, varied) == _settings(other, varied)


def _settings(overrides: Iterable[str], varied: Collection[str]) -> frozenset[str]:
    keys = {line: get_override_key(line).replace("/", ".") for line in overrides}
    return frozenset(line for line, key in keys.items() if key in varied or not can_be_changed(key))


def build_failed_outcome(error: BaseException, sentence: str, overrides: Sequence[str], is_fault: bool) -> Outcome:
    """Return the outcome of a job that ended with this error; `is_fault`: of the program, so that its traceback is of
    use."""
    lines = "".join(traceback.format_exception(error)).splitlines() if is_fault else []
    told = f"{type(error).__name__}: {sentence}" if is_fault else sentence
    return Outcome(FAILED, tuple(overrides), told, tuple(lines))


def is_sweep(folder: Path) -> bool:
    """Return whether the folder is that of a sweep."""
    return RunFolder(folder).multirun.is_file()


def read_outcomes(folder: Path) -> Mapping[str, Outcome]:
    """Return the ended jobs of a sweep by their folders' paths below it, in the order of their numbers."""
    found = {}
    for path in folder.rglob(RunFolder.outcome):
        outcome = read_outcome(path.parent)
        if outcome is not None:
            found[path.parent.relative_to(folder).as_posix()] = outcome
    return dict(sorted(found.items(), key=lambda entry: order_by_number(entry[0])))


def order_by_number(name: str) -> tuple[int, str]:
    """Return a key to sort by: job 10 comes behind job 9, and names that are no numbers behind both."""
    return (int(name), name) if name.isdecimal() else (2**63, name)


def find_differing_overrides(jobs: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Of each job's overrides those that not all of the jobs have."""
    every = [tuple(overrides) for overrides in jobs]
    common = set.intersection(*map(set, every)) if every else set()
    return [tuple(override for override in own if override not in common) for own in every]
