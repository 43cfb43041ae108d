"""A command that a tool for distributed training starts several times is refused; one that it starts once is not."""

import os
import subprocess
import sys

import pytest
from program import ROOT

from uncial.errors import UserError
from uncial.training.distributed import several_starts
from uncial.training.distributed.several_starts import check_single_start

TORCHRUN = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
SEVERAL = (
    (TORCHRUN, "torchrun"),
    ({**TORCHRUN, "RANK": "1"}, "torchrun"),
    ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"}, "mpirun"),
    ({"PMI_SIZE": "2", "PMI_RANK": "0"}, "mpirun"),
    ({"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3", "SLURM_PROCID": "0", "SLURM_NTASKS": "3"}, "srun"),
)
ONE = (
    {},
    {**TORCHRUN, "WORLD_SIZE": "1"},
    {"WORLD_SIZE": "8"},
    {"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"},
    {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"},
    {"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"},
)


@pytest.mark.parametrize(("environment", "starter"), SEVERAL)
def test_several_processes_of_one_command_are_refused(environment, starter, monkeypatch):
    monkeypatch.setattr(several_starts, "EXIT_DELAY", 0.0)
    with pytest.raises(UserError, match=starter) as refused:
        check_single_start(environment)
    assert "trainer=ddp" in str(refused.value)


@pytest.mark.parametrize("environment", ONE)
def test_one_process_is_not(environment):
    check_single_start(environment)


def test_the_command_ends_in_one_sentence():
    ended = subprocess.run(
        [sys.executable, ROOT / "run.py", "task=train"],
        env={**os.environ, **TORCHRUN},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "trainer=ddp trainer.devices=2" in ended.stderr
