"""Reading the checkpoints of a training: what continues the run, and a model beside it."""

import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from uncial.errors import UserError
from uncial.formats.foreign_models import name_foreign

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
        damaged = _find_first_damage(path)
        checkpoint = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torn archives and altered pickles make of their readers
        raise UserError(
            name_foreign(path)
            or f"{path} cannot be read as a checkpoint ({_get_first_sentence(error)}): it is truncated, damaged or of "
            "another program; use another one."
        ) from error
    if checkpoint is None:
        raise UserError(f"{path} is damaged ({damaged}): use another one.")
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get(CARD_KEY), str):
        raise UserError(
            name_foreign(path)
            or f"{path} is no checkpoint of a training with uncial; give last.ckpt or one of checkpoints/."
        )
    weights = checkpoint.get("state_dict")
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and _is_whole(weight) for name, weight in weights.items()
    ):
        raise UserError(f"{path} holds no weights of a model, or damaged ones: use another one.")
    return checkpoint


def get_model_weights(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """Return the weights of the model in a checkpoint; the averaged ones where the training kept an average."""
    return {
        name.removeprefix(MODEL_PREFIX): weight
        for name, weight in checkpoint["state_dict"].items()
        if name.startswith(MODEL_PREFIX)
    }


def _find_first_damage(path: Path) -> str | None:
    """Return what is wrong with the archive, None where nothing is.

    torch leaves its check sums unread, and a torn end may lie within a tensor. It compresses nothing, so that what the
    archive holds takes no more memory than the file has bytes.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if packed := next((entry for entry in entries if entry.compress_type != zipfile.ZIP_STORED), None):
            return f"{packed.filename} in it is compressed, as torch writes none"
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            return "its entries are larger than the file"
        changed = archive.testzip()
    return None if changed is None else f"{changed} in it has changed since it was written"


def _is_whole(weight: object) -> bool:
    """Return whether it is an ordinary tensor, each of whose numbers stands in the file."""
    return (
        isinstance(weight, Tensor)
        and weight.layout == torch.strided
        and weight.device.type == "cpu"
        and not weight.is_quantized
        and weight.numel() * weight.element_size() <= weight.untyped_storage().nbytes()
    )


def _get_first_sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).partition(". ")[0][:200] or type(error).__name__
