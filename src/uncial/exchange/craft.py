"""CRAFT's own weights, as its authors and EasyOCR hand them on (craft_mlt_25k.pth): read for model=craft."""

import pickle
from pathlib import Path

import torch
from torch import Tensor

from uncial.errors import UserError

SUFFIX = ".pth"

NAMES = (("basenet.", "backbone."), ("upconv", "neck.upconv"), ("conv_cls.", "head.layers."))
"""How names of the tensors begin there and in the model `craft`, whose parts are numbered alike."""

INSIDE = ".conv."
"""Stands between the name of a step of the decoder and the number of its layer, and here not."""


def can_read(path: Path) -> bool:
    """Return whether a file may hold such weights, by its name; what is in it is said when it is read."""
    return path.suffix == SUFFIX and path.is_file()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file under the names that they have in the model `craft`. Nothing but tensors is taken
    from it. Raises `UserError` for a file that is damaged or holds something else.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path} cannot be read as weights of CRAFT: {reason}; use another copy.") from error
    named = (
        {str(name).removeprefix("module."): value for name, value in found.items()} if isinstance(found, dict) else {}
    )
    tensors = {_rename(name): value for name, value in named.items() if isinstance(value, Tensor)}
    if not tensors or not all(name.startswith(("backbone.", "neck.", "head.")) for name in tensors):
        raise UserError(
            f"{path} holds no weights of CRAFT, whose tensors are called basenet…, upconv… and conv_cls…: of other "
            "programs' files pretrained takes those of CRAFT alone."
        )
    return tensors


def _rename(name: str) -> str:
    for there, here in NAMES:
        if name.startswith(there):
            return (here + name.removeprefix(there)).replace(INSIDE, ".", 1)
    return name
