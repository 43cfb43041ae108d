"""Private memory of all processes of a training: python tests/benchmarks/memory.py ARGUMENTS OF run.py

Samples the run and its workers twice a second from /proc (Linux) and prints the highest sum of their private pages;
pages shared between them, as the memory-mapped store and what a forked worker has not changed, count for none.
"""

import subprocess
import sys
import time
from pathlib import Path

RUN = Path(__file__).resolve().parents[2] / "run.py"


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def private_bytes(pid: int) -> int:
    """Private_Clean and Private_Dirty of a process, 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def main() -> None:
    process = subprocess.Popen([sys.executable, str(RUN), *sys.argv[1:]])
    most, processes = 0, 0
    while process.poll() is None:
        try:
            members = family(process.pid)
        except OSError:
            break
        total = sum(private_bytes(member) for member in members)
        if total > most:
            most, processes = total, len(members)
        time.sleep(0.5)
    print(f"highest private memory: {most / 1e9:.2f} GB in {processes} processes")
    sys.exit(process.wait())


if __name__ == "__main__":
    main()
