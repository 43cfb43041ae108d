"""Reading the checkpoints of a training: what continues the run, and a model beside it."""

import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from uncial.errors import UserError

SUFFIX = ".ckpt"
CARD_KEY = "uncial"
"""Under this key a checkpoint holds, as JSON, what a model file says about itself."""

MODEL_PREFIX = "model."
"""Of the weights in a checkpoint, those of the model begin with this; the Lightning module that trains it adds it."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what a whole checkpoint holds, its tensors on the CPU. Only plain types and tensors are unpickled.

    Raises `UserError` for a file that is missing, torn, damaged or no checkpoint of this program.
    """
    try:
        # torch leaves the check sums in the archive unread, and a torn end may lie within a tensor.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        checkpoint = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, zipfile.BadZipFile, UnpicklingError) as error:
        raise UserError(
            f"{path} cannot be read as a checkpoint ({_first_sentence(error)}): it is torn, damaged or of another "
            "program; use another one."
        ) from error
    if checkpoint is None:
        raise UserError(f"{path} is damaged ({damaged} in it has changed since it was written): use another one.")
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get(CARD_KEY), str):
        raise UserError(f"{path} is no checkpoint of a training with uncial; give last.ckpt or one of checkpoints/.")
    return checkpoint


def model_weights(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights of the model in a checkpoint; the averaged ones where the training kept an average."""
    return {
        name.removeprefix(MODEL_PREFIX): weight
        for name, weight in checkpoint["state_dict"].items()
        if name.startswith(MODEL_PREFIX)
    }


def _first_sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).partition(". ")[0][:200] or type(error).__name__
