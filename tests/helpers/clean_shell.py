"""A terminal that was opened anew: commands are typed in it as they were told, without any variable of the tests."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from program import QUIET, ROOT

SLURM = {
    "sbatch": """
script=$(realpath "${@: -1}")
out=$(grep -oP '(?<=#SBATCH --output=)\\S+' "$script" | tr -d "'" | sed 's/%[Aj]/7/g; s/%a/0/g; s/%t/0/g')
mkdir -p "$(dirname "$out")"
env -i PATH="$PATH" HOME="$HOME" SLURM_JOB_ID=7 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 \\
    SLURM_LOCALID=0 SLURM_JOB_NODELIST=here bash "$script" > "$out.script" 2>&1 &
echo Submitted batch job 7
""",
    "srun": """
while [[ "$1" == -* ]]; do
    [[ "$1" == *=* || "$1" == --unbuffered ]] || shift
    shift
done
exec "$@"
""",
    "squeue": 'echo "7|RUNNING"\n',
    "scancel": "exit 0\n",
    "scontrol": "echo here\n",
}
"""The programs of a SLURM of one node that hands on none of a job's variables."""


@dataclass(frozen=True)
class Shell:
    """`folder` holds run.py as a clone does, and `bin` the python that the program is installed for."""

    folder: Path

    def __post_init__(self) -> None:
        programs = self.folder / "bin"
        programs.mkdir(parents=True)
        (self.folder / "run.py").symlink_to(ROOT / "run.py")
        python = f'exec env PYTHONPATH="{ROOT / "src"}${{PYTHONPATH:+:$PYTHONPATH}}" {sys.executable} "$@"\n'
        for name, text in {"python": python, **SLURM}.items():
            (programs / name).write_text(f"#!/bin/bash\n{text}")
            (programs / name).chmod(0o755)

    def type(self, command: str, cwd: Path | None = None) -> str:
        """What the command says. It has to succeed."""
        known = {"PATH": f"{self.folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin", "HOME": str(self.folder)}
        environment = {**known, "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", "LANG": "C.UTF-8"}
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=cwd or self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}"
        return ended.stdout


def told(output: str, what: str) -> str:
    """The command that a line of the output tells behind these words."""
    line = next(line for line in output.splitlines() if what in line)
    return line[line.index(what) + len(what) :].lstrip(": ")


QUIETLY = " ".join(QUIET)
