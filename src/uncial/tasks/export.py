"""task=export: any checkpoint of a training becomes a model file."""

from pathlib import Path

from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.errors import UserError
from uncial.models.files import load_model, save_model
from uncial.reports.console import make_console, show
from uncial.tasks.configuration import (
    check_encodable,
    check_numbers,
    checkpoint_of,
    choice,
    run_folder,
    trusted,
    write_config,
)
from uncial.typed_arguments import as_typed

FORMATS = ("safetensors",)


def run(config: DictConfig) -> None:
    """Writes the model in `checkpoint` (a checkpoint, a model file or a run's folder) to `output`.

    Raises `UserError` for a checkpoint that is missing or damaged, and where a file is in the way.
    """
    check_numbers(config)
    suffix = choice(config.format, "format", FORMATS)
    path = checkpoint_of(config)
    recognizer, card = load_model(path, trusted(config))
    folder = run_folder()
    check_encodable(config, folder)
    write_config(config, folder)
    target = folder / f"model.{suffix}" if config.output is None else Path(str(config.output))
    if target.suffix != f".{suffix}":
        raise UserError(f"output={target}: its name has to end in .{suffix}, by which the file is known later.")
    if target.exists():
        raise UserError(f"output={target} exists already: choose another name, or remove it.")
    save_model(target, recognizer, card)
    show(
        make_console(),
        f"The model of {path}: {target}",
        "Read with it: " + format_command("task=predict", as_typed("checkpoint", target), "predict.input=FOLDER"),
    )
