"""The model file: weights in safetensors, and in its metadata all that reading, testing and fine-tuning need. No pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.recognizer import Recognizer
from uncial.reports.files import replacing
from uncial.text.codec import codec_from_json

KIND = "uncial-model"
FORMAT_VERSION = 1


def save_model(path: Path, recognizer: Recognizer, card: Mapping[str, Any]) -> None:
    """Writes the model whole or not at all. `card`, plain types, has the composed `model` config and whatever else is told of it."""
    described = {**card, "codec": recognizer.codec.to_json()}
    metadata = {
        "kind": KIND,
        "format": str(FORMAT_VERSION),
        "card": json.dumps(described, ensure_ascii=False, sort_keys=True),
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in recognizer.state_dict().items()}
    with replacing(path) as partial:
        save_file(weights, partial, metadata)


def load_model(path: Path) -> tuple[Recognizer, dict[str, Any]]:
    """The model of a file, ready to read (in evaluation mode, on the CPU), and its card.

    Raises `UserError` where the file is missing, torn, no model of Uncial's, or of a newer format.
    """
    metadata, weights = _read(path)
    if metadata.get("kind") != KIND:
        raise UserError(f"{path} is a safetensors file, but no model of Uncial: give the best.safetensors of a run.")
    if int(metadata["format"]) > FORMAT_VERSION:
        raise UserError(f"{path} was written by a newer Uncial (model format {metadata['format']}): update this one.")
    card = json.loads(metadata["card"])
    try:
        recognizer = build_model(card["model"], codec=codec_from_json(card["codec"]))
        assert isinstance(recognizer, Recognizer)
        recognizer.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} does not describe a model that this version can build: {reason}") from error
    return recognizer.eval(), card


def _read(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the best.safetensors of a run, or its folder.") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a whole model file ({error}): copy it again.") from None
