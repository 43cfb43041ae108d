"""The program in a clone: `python run.py …` is what `uncial …` is where it is installed.

Its completion of typed keys in fish is at work where a script has the words @hydra.main in it.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("UNCIAL_ROOT", str(Path(__file__).resolve().parent))

try:
    from uncial.cli import main
except ModuleNotFoundError as error:
    sys.exit(
        f"{sys.executable} has no {error.name}: run `make demo` once, "
        "and then `. .venv/bin/activate` in each new terminal."
    )
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
