"""Which processors a training runs on, from `trainer.accelerator` and `trainer.devices`, and their memory."""

import ctypes
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from uncial.errors import UserError
from uncial.training.settings import TrainerSettings

ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")


@dataclass(frozen=True)
class Devices:
    """`kind` is cpu, cuda or mps. There is one process for each of `numbers`, which number the GPUs."""

    kind: str
    numbers: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.numbers)


def choose_training_devices(trainer: TrainerSettings) -> Devices:
    """Return the devices of the `trainer` group, to train on. Raises `UserError` as `choose_devices`, and for what they
    cannot do in a training."""
    devices = choose_devices(trainer)
    if trainer.sync_batchnorm and devices.count > 1 and devices.kind != "cuda":
        raise UserError("trainer.sync_batchnorm=true: torch has it for GPUs alone; leave it false here.")
    return devices


def choose_devices(trainer: TrainerSettings) -> Devices:
    """Return the devices of the `trainer` group. Does not begin to use a GPU, so that processes can still be started.

    Raises `UserError` for what is no choice, and for devices that this machine has not.
    """
    kind = _choose_kind(trainer.accelerator)
    wanted = trainer.devices
    if kind == "cuda":
        return Devices(kind, _choose_gpus(wanted, torch.cuda.device_count()))
    return Devices(kind, tuple(range(_count_processes(wanted, kind))))


def _choose_kind(accelerator: str) -> str:
    if accelerator not in ACCELERATORS:
        raise UserError(f"trainer.accelerator={accelerator}: choose one of {', '.join(ACCELERATORS)}.")
    has_cuda, has_mps = torch.cuda.device_count() > 0, torch.backends.mps.is_available()
    if accelerator == "auto":
        return "cuda" if has_cuda else "mps" if has_mps else "cpu"
    if accelerator in ("gpu", "cuda") and has_cuda:
        return "cuda"
    if accelerator in ("gpu", "mps") and has_mps:
        return "mps"
    if accelerator == "cpu":
        return "cpu"
    missing = "no Apple GPU" if accelerator == "mps" else "no GPU that torch can use"
    raise UserError(f"trainer.accelerator={accelerator}: this machine has {missing}; trainer=cpu trains without one.")


def _count_processes(wanted: Any, kind: str) -> int:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        raise UserError(
            f"trainer.devices={list(wanted)}: a list chooses NVIDIA or AMD GPUs, and this runs on {kind}; "
            "give a number of processes."
        )
    count = 1 if wanted in ("auto", -1) else wanted
    if not _is_number(count) or count < 1:
        raise UserError(_format_no_number(wanted))
    if kind == "mps" and count > 1:
        raise UserError(f"trainer.devices={wanted}: an Apple machine has one GPU; give trainer.devices=1.")
    return int(count)


def _choose_gpus(wanted: Any, present: int) -> tuple[int, ...]:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        numbers = tuple(wanted)
        if not numbers or not all(map(_is_number, numbers)) or len(set(numbers)) < len(numbers):
            raise UserError(f"trainer.devices={list(wanted)}: each GPU once, by its number: [0,1].")
    elif wanted in ("auto", -1):
        numbers = tuple(range(present))
    elif _is_number(wanted) and wanted > 0:
        numbers = tuple(range(wanted))
    else:
        raise UserError(_format_no_number(wanted))
    if absent := [number for number in numbers if not 0 <= number < present]:
        typed = list(wanted) if isinstance(wanted, tuple) else wanted
        known = "GPU 0" if present == 1 else f"GPUs 0 to {present - 1}"
        raise UserError(f"trainer.devices={typed}: there is no GPU {absent[0]}; this machine has {known}.")
    return numbers


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _format_no_number(wanted: Any) -> str:
    return f"trainer.devices={wanted}: a number of devices is needed, 1 or more; a list of GPUs, [0,2]; or auto."


M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20
TRIM_THRESHOLD = 1_500_000_000
PRIMITIVES = "4096"
"""How many prepared operations oneDNN keeps. A step needs about 40 for each shape of batch, and there are hundreds of
shapes: with its default of 1024 most are prepared anew, a fifth of a step on AVX512, for no less memory
(docs/benchmarks.md).
"""


def tune_malloc() -> bool:
    """Tell glibc to reuse large blocks instead of handing them back; returns whether it did.

    Every operation on the CPU allocates its result anew. By default glibc maps blocks of megabytes from the system and
    returns them, and a third of a step goes into the page faults. Elsewhere than on glibc nothing happens. To be called
    before the first operation of torch.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)  # read at the first operation
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD))
