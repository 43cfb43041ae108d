"""The program started several times at once by a tool for distributed training, each time as a run of its own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from uncial.config.location import format_command
from uncial.errors import UserError

EXIT_DELAY = 3.0
"""Seconds that the other processes wait before they end, for then a starter ends all: the first is to be heard."""


@dataclass(frozen=True)
class Starter:
    """A program that starts processes: what says how many they are, what says which of them one is, and what has to be
    set too."""

    name: str
    count: str
    rank: str
    sign: str


STARTERS = (
    Starter("torchrun (or accelerate launch, or python -m torch.distributed.run)", "WORLD_SIZE", "RANK", "MASTER_PORT"),
    Starter("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_RANK"),
    Starter("mpirun", "PMI_SIZE", "PMI_RANK", "PMI_RANK"),
    Starter("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_STEP_ID"),
)
"""In a script of sbatch, in a job of a sweep and in a process of `trainer=ddp` none of them has started several."""


def check_single_start(environment: Mapping[str, str]) -> None:
    """Raise `UserError` where this process is one of several that were started for one command: each would do all of
    it, side by side with the others."""
    for starter in STARTERS:
        count, rank = (environment.get(name, "") for name in (starter.count, starter.rank))
        if starter.sign in environment and count.isdecimal() and int(count) > 1 and rank.isdecimal():
            if int(rank):
                time.sleep(EXIT_DELAY)
            raise UserError(
                f"{starter.name} has started {count} processes, and each would do the whole task by itself: start the "
                f"program once, without it; trainer=ddp trainer.devices={count} trains on several devices. (Where each "
                f"is to do something of its own: env -u {starter.count} {format_command('…')})"
            )
