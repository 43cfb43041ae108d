"""Which jobs of a sweep failed or have not ended, and the end of all of them when the command that waits is stopped."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.runs.files import RunFolder
from uncial.runs.outcome import FAILED, PRUNED, Outcome, find_differing_overrides, read_outcomes
from uncial.runs.search import read_planned_jobs
from uncial.termination import TERMINATED


def find_unfinished_jobs(folder: Path) -> dict[str, Outcome | None]:
    """The jobs of a sweep that are not finished, by the names of their folders: their outcome, if they have failed."""
    found = read_outcomes(folder)
    every = {**dict.fromkeys(read_planned_jobs(folder)), **found}
    return {name: outcome for name, outcome in every.items() if outcome is None or outcome.state == FAILED}


def describe_failures(folder: Path) -> str:
    """The jobs of a sweep that failed or have not ended, with what is special to each, and their errors."""
    left = find_unfinished_jobs(folder)
    overrides = {
        **read_planned_jobs(folder),
        **{name: outcome.overrides for name, outcome in read_outcomes(folder).items()},
    }
    special = dict(zip(overrides, find_differing_overrides(overrides.values()), strict=True))
    failed = sum(outcome is not None for outcome in left.values())
    parts = [f"{failed} of the {len(overrides)} jobs failed"] if failed else []
    if failed < len(left):
        parts.append(f"{len(left) - failed}{'' if failed else f' of the {len(overrides)} jobs'} did not finish")
    pruned = sum(outcome.state == PRUNED for outcome in read_outcomes(folder).values())
    others = f"the others are finished, {pruned} of them early" if pruned else "the others are finished"
    lines = [f"{', '.join(parts)}, {others}."]
    for name, outcome in left.items():
        error = "not ended" if outcome is None else outcome.error
        lines.append(f"  {' '.join((name, *special[name]))}: {error}")
        if outcome is not None and outcome.traceback:
            lines.append(f"    its traceback is in {RunFolder(folder / name).outcome}")
    again = "try them again" if failed == len(left) else "complete the sweep"
    return "\n".join([*lines, f"To {again}: {format_resume_command(folder)}"])


def format_resume_command(folder: Path) -> str:
    return format_command("-m", format_override("resume", folder))


@contextmanager
def end_jobs_on_exit(end: Callable[[], None], sweep: Path) -> Iterator[None]:
    """Around waiting for jobs: whatever ends it early, Ctrl-C, SIGTERM or an error, calls `end`, which ends them too,
    and then says which are missing in the sweep's folder."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except BaseException:
        # A second Ctrl-C does not wait for them.
        with suppress(KeyboardInterrupt):
            end()
        print(describe_failures(sweep), flush=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
