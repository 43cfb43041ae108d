"""The processes that train one model: how each joins the group, and what they send each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from lightning.fabric.plugins import ClusterEnvironment
from torch import distributed
from torch.nn import Module

T = TypeVar("T")


def is_rank_zero() -> bool:
    """Return whether this process is the one that writes files and speaks to the user."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def world_size() -> int:
    """Return how many there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def all_gather(value: T) -> list[T]:
    """Return what each process has, in their order, for all of them."""
    if world_size() == 1:
        return [value]
    found: list[Any] = [None] * world_size()
    distributed.all_gather_object(found, value)
    return found


def gather_to_rank_zero(values: list[T]) -> list[T]:
    """Return the lists of all processes as one for the first; the others keep their own."""
    if world_size() == 1:
        return values
    found: list[Any] = [None] * world_size()
    distributed.gather_object(values, found if is_rank_zero() else None)
    return [value for part in found for value in part] if is_rank_zero() else values


def broadcast_from_rank_zero(value: T) -> T:
    """Return what the first process has: for decisions that hang on its clock or on what it alone knows."""
    if world_size() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values)
    return values[0]


@torch.no_grad()
def broadcast_buffers(module: Module) -> None:
    """Gives all processes the first one's statistics of batch normalisations, which are what is saved."""
    if world_size() > 1:
        for buffer in module.buffers():
            distributed.broadcast(buffer, 0)


def barrier() -> None:
    """Returns when every process has come here."""
    if world_size() > 1:
        distributed.all_reduce(torch.zeros(1))


TIMEOUT = timedelta(minutes=30)
"""So long a process waits for what the others have to say: while the first validates or writes a report."""


@dataclass(frozen=True)
class WorkerSpec:
    """Process `rank` (from 0) of `count` computes on device `number` of its `kind`; they find each other by the file
    `rendezvous_file`."""

    rank: int
    count: int
    kind: str
    number: int
    rendezvous_file: Path


@contextmanager
def join_process_group(spec: WorkerSpec) -> Iterator[None]:
    """Within it the process is one of the group. NCCL joins GPUs, and gloo processors and whatever is no tensor."""
    backend = "gloo"
    if spec.kind == "cuda":
        torch.cuda.set_device(spec.number)
        backend = "cpu:gloo,cuda:nccl"
    store = distributed.FileStore(str(spec.rendezvous_file), spec.count)
    distributed.init_process_group(backend, store=store, rank=spec.rank, world_size=spec.count, timeout=TIMEOUT)
    yield
    # Not after an error: the others may be gone, and would be waited for.
    barrier()
    distributed.destroy_process_group()


class SpawnedEnvironment(ClusterEnvironment):
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
