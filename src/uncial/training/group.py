"""What the processes of a training tell each other; alone, a process is the first and only one."""

from typing import Any, TypeVar

import torch
from torch import distributed
from torch.nn import Module

T = TypeVar("T")


def is_first() -> bool:
    """Whether this process is the one that writes files and speaks to the user."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def processes() -> int:
    """How many there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def gathered(value: T) -> list[T]:
    """What each process has, in their order, for all of them."""
    if processes() == 1:
        return [value]
    found: list[Any] = [None] * processes()
    distributed.all_gather_object(found, value)
    return found


def gathered_at_first(values: list[T]) -> list[T]:
    """The lists of all processes as one for the first; the others keep their own."""
    if processes() == 1:
        return values
    found: list[Any] = [None] * processes()
    distributed.gather_object(values, found if is_first() else None)
    return [value for part in found for value in part] if is_first() else values


def told_by_first(value: T) -> T:
    """What the first process has: for decisions that hang on its clock or on what it alone knows."""
    if processes() == 1:
        return value
    told = [value]
    distributed.broadcast_object_list(told)
    return told[0]


@torch.no_grad()
def share_buffers(module: Module) -> None:
    """Gives all processes the first one's statistics of batch normalisations, which are what is saved."""
    if processes() > 1:
        for buffer in module.buffers():
            distributed.broadcast(buffer, 0)


def wait_for_all() -> None:
    """Returns when every process has come here."""
    if processes() > 1:
        distributed.all_reduce(torch.zeros(1))
