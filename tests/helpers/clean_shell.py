"""A terminal that was opened anew: commands are typed in it as they were told, without any variable of the tests."""

import io
import os
import re
import shlex
import subprocess
import sys
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from program import ROOT, hydra_at_rest, plain_figures, quick_yaml

from uncial import cli as command_line

SLURM = {
    "sbatch": """
script=$(realpath "${@: -1}")
env -i PATH="$PATH" HOME="$HOME" SLURM_JOB_ID=7 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 \\
    SLURM_LOCALID=0 SLURM_JOB_NODELIST=here bash "$script" > /dev/null 2>&1 &
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
    """`folder` holds run.py as a clone does; `modules` are those of the user's own, which no command finds but by its
    PYTHONPATH."""

    folder: Path
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "run.py").symlink_to(ROOT / "run.py")
        python = f'exec env PYTHONPATH="{ROOT / "src"}${{PYTHONPATH:+:$PYTHONPATH}}" {sys.executable} "$@"\n'
        for name, text in {"python": python, **SLURM}.items():
            (self.folder / "bin" / name).write_text(f"#!/bin/bash\n{text}")
            (self.folder / "bin" / name).chmod(0o755)

    def variables(self) -> dict[str, str]:
        known = {"PATH": f"{self.folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin", "HOME": str(self.folder)}
        return {**known, "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", "LANG": "C.UTF-8"}

    def type(self, command: str, cwd: Path | None = None) -> str:
        """What the command says, in the process of the tests. It has to succeed."""
        here, words = cwd or self.folder, shlex.split(command)
        if words[0] == "cd":
            assert words[2] == "&&"
            here, words = here / words[1], words[3:]
        variables = self.variables()
        while re.match(r"\w+=", words[0]):
            name, _, variables[name] = words.pop(0).partition("=")
        assert words.pop(0) == "python"
        assert (here / words[0]).resolve() == ROOT / "run.py"
        found = [str((here / one).resolve()) for one in variables.get("PYTHONPATH", "").split(os.pathsep) if one]
        told = io.StringIO()
        self._forget_modules()  # Those that other tests have imported under these names.
        with (
            hydra_at_rest(),
            quick_yaml(),
            plain_figures(),
            patch.dict("os.environ", variables, clear=True),
            patch.object(sys, "argv", words),
            patch.object(sys, "path", [*found, *sys.path]),
            chdir(here),
            warnings.catch_warnings(),
            redirect_stdout(told),
            redirect_stderr(told),
        ):
            try:
                code = command_line.main()
            finally:
                self._forget_modules()
        assert code == 0, f"{command}\n{told.getvalue()}"
        return told.getvalue()

    def _forget_modules(self) -> None:
        for name in self.modules:
            sys.modules.pop(name, None)

    def start(self, command: str) -> str:
        """What the command says, in a process of its own. It has to succeed."""
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}"
        return ended.stdout


def told(output: str, what: str) -> str:
    """The command that a line of the output tells behind these words."""
    line = next(line for line in output.splitlines() if what in line)
    return line[line.index(what) + len(what) :].lstrip(": ")
