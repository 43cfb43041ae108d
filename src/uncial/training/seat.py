"""The place of a process among those that train one model, and its way into their group."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from lightning.fabric.plugins import ClusterEnvironment
from torch import distributed

from uncial.training.group import wait_for_all

PATIENCE = timedelta(minutes=30)
"""So long a process waits for what the others have to say: while the first validates or writes a report."""


@dataclass(frozen=True)
class Seat:
    """Process `rank` (from 0) of `count` computes on device `number` of its `kind`; they find each other by the file
    `meeting`."""

    rank: int
    count: int
    kind: str
    number: int
    meeting: Path


@contextmanager
def joined(seat: Seat) -> Iterator[None]:
    """Within it the process is one of the group. NCCL joins GPUs, and gloo processors and whatever is no tensor."""
    backend = "gloo"
    if seat.kind == "cuda":
        torch.cuda.set_device(seat.number)
        backend = "cpu:gloo,cuda:nccl"
    store = distributed.FileStore(str(seat.meeting), seat.count)
    distributed.init_process_group(backend, store=store, rank=seat.rank, world_size=seat.count, timeout=PATIENCE)
    yield
    # Not after an error: the others may be gone, and would be waited for.
    wait_for_all()
    distributed.destroy_process_group()


class Seated(ClusterEnvironment):
    """Tells Lightning that the processes are there and joined, whatever the machine's variables say of clusters."""

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        return 0

    @staticmethod
    def detect() -> bool:
        return True

    def world_size(self) -> int:
        return distributed.get_world_size()

    def set_world_size(self, size: int) -> None:
        """It is known."""

    def global_rank(self) -> int:
        return distributed.get_rank()

    def set_global_rank(self, rank: int) -> None:
        """It is known."""

    def local_rank(self) -> int:
        return distributed.get_rank()

    def node_rank(self) -> int:
        return 0
