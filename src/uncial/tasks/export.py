"""task=export: any checkpoint of a training becomes a model file."""

import shlex
from pathlib import Path

import torch
from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import check_choice, format_trust, get_checkpoint, list_trusted
from uncial.errors import UserError
from uncial.models.files import load_any_model, save_model
from uncial.reports.terminal.console import make_console, show
from uncial.runs.folder import check_encodable, run_folder, write_config

FORMATS = ("safetensors",)
PRECISIONS = {"32": torch.float32, "bf16": torch.bfloat16}


def run(config: DictConfig) -> None:
    """Writes the model in `checkpoint` (a checkpoint, a model file or a run's folder) to `output`.

    Raises `UserError` for a checkpoint that is missing or damaged, and where a file is in the way.
    """
    suffix = check_choice(config.format, "format", FORMATS)
    precision = PRECISIONS[check_choice(str(config.precision), "precision", tuple(PRECISIONS))]
    path = get_checkpoint(config)
    model, card = load_any_model(path, list_trusted(config))
    folder = run_folder()
    check_encodable(config, folder)
    write_config(config, folder)
    target = folder / f"model.{suffix}" if config.output is None else Path(str(config.output))
    if target.suffix != f".{suffix}":
        raise UserError(f"output={target}: its name has to end in .{suffix}, by which the file is known later.")
    if target.exists():
        raise UserError(f"output={target} exists already: choose another name, or remove it.")
    save_model(target, model, card, precision)
    named = (format_override("checkpoint", target), *map(shlex.quote, format_trust(config)))
    show(
        make_console(),
        f"The model of {path}: {target}",
        "Apply it: " + format_command("task=predict", *named, "predict.input=FOLDER"),
    )
