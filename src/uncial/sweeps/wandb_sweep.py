"""hydra/sweeper=wandb: the same sweep as a file for the agents of Weights & Biases."""

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import IntervalSweep, Override
from omegaconf import DictConfig

from uncial.config.location import current_start
from uncial.config.overrides import get_override_key
from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.runs.files import RunFolder
from uncial.sweeps.varied import LOG, check_log, find_sweep_overrides

STEPS = 8
"""Of whole numbers in equal factors, for which W&B has no distribution that gives whole numbers."""


def write_wandb_sweep(config: DictConfig, typed: Sequence[str], loader: ConfigLoader | None) -> None:
    """Write the sweep that was typed to its folder. Raises `UserError` where nothing is varied."""
    sweeper, folder = config.hydra.sweeper, Path(config.hydra.sweep.dir)
    content = build_wandb_sweep(dict(sweeper.params or {}), typed, sweeper.method, loader)
    goal = "maximize" if config.model.mode == "max" else "minimize"
    whole = {"project": str(sweeper.project), **content, "metric": {"name": str(config.model.monitor), "goal": goal}}
    folder.mkdir(parents=True, exist_ok=True)
    with replace_text_file(RunFolder(folder).wandb_sweep) as file:
        yaml.safe_dump(whole, file, sort_keys=False, allow_unicode=True)
    print(f"To make it a sweep of W&B: wandb sweep {shlex.quote(str(RunFolder(folder).wandb_sweep))}")
    print("To run it, here or on other machines: wandb agent with what that prints", flush=True)


def build_wandb_sweep(
    params: Mapping[str, Any], typed: Sequence[str], method: str | None, loader: ConfigLoader | None = None
) -> dict[str, Any]:
    """`program`, `method`, `parameters` and `command` of W&B's sweep configuration; `method` is grid, random or bayes,
    None for grid where all values are listed and else bayes."""
    given = find_sweep_overrides(params, typed, loader)
    if not given.varied:
        raise UserError("Nothing is varied: give sweep=NAME, or a key with several values, optimizer.lr=2.5e-3,5e-3.")
    parameters = {key: build_parameter(one) for key, one in given.varied.items()}
    logger = [] if any(get_override_key(line) == "logger" for line in given.fixed) else ["logger=wandb"]
    start = current_start()
    *python, program = start.program
    is_listed = all("values" in one for one in parameters.values())
    return {
        "program": program,
        "method": method or ("grid" if is_listed else "bayes"),
        "parameters": parameters,
        "command": [
            "${env}",
            *start.variables,
            *(["${interpreter}"] if python else []),
            "${program}",
            *start.options,
            *start.search_path,
            *given.fixed,
            *logger,
            "${args_no_hyphens}",
        ],
    }


def build_parameter(override: Override) -> dict[str, Any]:
    """W&B's words for the values of a key. Raises `UserError` for a tag log at or below 0."""
    value = override.value()
    if not isinstance(value, IntervalSweep):
        return {"values": [_to_plain(one) for one in override.sweep_string_iterator()]}
    low, high = value.start, value.end
    assert low is not None
    assert high is not None
    is_whole = isinstance(low, int) and isinstance(high, int)
    if LOG not in value.tags:
        return {"distribution": "int_uniform" if is_whole else "uniform", "min": low, "max": high}
    check_log(override, low)
    if is_whole:
        steps = (low * (high / low) ** (number / (STEPS - 1)) for number in range(STEPS))
        return {"values": sorted({round(step) for step in steps})}
    return {"distribution": "log_uniform_values", "min": low, "max": high}


def _to_plain(text: str) -> Any:
    """Numbers as numbers, so that W&B draws them on an axis; all else as it is typed."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else text
    return text
