"""Runs of the program in a process of their own, which has all imports behind it already and can be killed; and the
comparison of what two runs have left."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from program import run_program

FILES = ("best.safetensors", "predictions.csv", "metrics.csv", "skipped.csv", "config.yaml")


def in_own_process(
    folder: Path,
    *arguments: str,
    before: Callable[[], object] = lambda: None,
    beside: Callable[[int], object] = lambda process: None,
) -> tuple[int, str]:
    """Runs the program in a forked process, after `before`, and `beside(process)` in this one meanwhile; returns its
    exit code, negative for a signal that killed it, and what it told."""
    told = folder.parent / f"{folder.name}.txt"
    folder.parent.mkdir(parents=True, exist_ok=True)
    told.unlink(missing_ok=True)
    process = os.fork()
    if not process:
        code = 99
        # A shell's job in the background, as these tests may be, has Ctrl-C ignored, and so would this process.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with told.with_suffix(".err").open("w") as errors:
                os.dup2(errors.fileno(), 2)
            before()
            ended = run_program(folder, *arguments)
            told.write_text(str(ended), encoding="utf-8")
            code = ended.code
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        finally:
            os._exit(code)
    beside(process)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code, "".join(path.read_text() for path in (told, told.with_suffix(".err")) if path.is_file())


def killed_after(seconds: float) -> Callable[[], object]:
    """Kills the process that calls this wherever it is when it has computed for so long."""

    def begin() -> None:
        # Nothing handles this signal, so it kills at once, within a write of the system too.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)

    return begin


def signalled_when(path: Path, number: signal.Signals) -> Callable[[int], object]:
    """Sends the signal to a process as soon as the file is there."""

    def wait(process: int) -> None:
        while not path.is_file() and not os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            time.sleep(0.01)
        os.kill(process, number)

    return wait


def left_by(folder: Path) -> dict[str, Any]:
    """All that a run has left, but for times."""
    left: dict[str, Any] = {name: (folder / name).read_bytes() for name in FILES}
    state = torch.load(folder / "last.ckpt", weights_only=True)
    callbacks = {
        name: kept for name, kept in state["callbacks"].items() if name not in ("ThroughputMonitor", "RunLength")
    }
    run = {name: value for name, value in state["uncial_run"].items() if name not in ("time", "seconds")}
    copies = sorted(path.name for path in folder.glob("checkpoints/*"))
    state = {name: part for name, part in state.items() if name not in ("callbacks", "uncial_run")}
    return {**left, "state": state, "callbacks": callbacks, "run": run, "copies": copies}


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """The places in which two nested things are not alike to the bit."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{name}/{key}")]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for number, pair in pairs for found in differences(*pair, f"{name}/{number}")]
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return [] if torch.equal(one, other) and one.dtype == other.dtype else [name]
    return [] if one == other or (one != one and other != other) else [f"{name}: {str(one)[:300]} / {str(other)[:300]}"]
