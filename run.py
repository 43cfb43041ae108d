"""The one entry: composes the config from conf/ and the command line, and runs the task that it names."""

import os
import sys
from pathlib import Path

os.environ.setdefault("UNCIAL_ROOT", str(Path(__file__).resolve().parent))

try:
    import hydra
    from omegaconf import DictConfig

    from uncial import cli as command_line
except ModuleNotFoundError as error:
    sys.exit(
        f"{sys.executable} has no {error.name}: run `make demo` once, "
        "and then `. .venv/bin/activate` in each new terminal."
    )
except KeyboardInterrupt:
    sys.exit(130)


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    command_line.run_task(config)


if __name__ == "__main__":
    sys.exit(command_line.run(main))
