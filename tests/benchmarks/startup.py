"""Seconds that --help and --cfg job take: python tests/benchmarks/startup.py"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5


def main() -> None:
    for arguments in (["--help"], ["--cfg", "job"]):
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            subprocess.run([sys.executable, "run.py", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        print(f"{' '.join(arguments):12} best {min(times):.2f} s, worst {max(times):.2f} s of {REPEATS}")


if __name__ == "__main__":
    main()
