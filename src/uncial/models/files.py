"""Models on disk: weights, and everything needed to use them, in one safetensors file or in a training's checkpoint."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from uncial.errors import UserError
from uncial.formats.atomic import open_to_others
from uncial.models.build import build_model
from uncial.models.checkpoint import SUFFIX as CHECKPOINT_SUFFIX
from uncial.models.checkpoint import model_weights, read_checkpoint
from uncial.models.recognizer import Recognizer
from uncial.text.codec import codec_from_json
from uncial.text.normalization import DEFAULT_PROFILE
from uncial.text.rules import TextRules

FILE_NAME = "best.safetensors"
FORMAT = "uncial-recognizer"
FORMAT_VERSION = 1
METADATA_KEY = "uncial"
"""Of a safetensors file's metadata; a checkpoint has the same text under the same key."""


def save_model(path: Path, recognizer: Recognizer, card: Mapping[str, Any]) -> None:
    """Write a model to `path`: its weights, and as JSON its `card`.

    `card` holds plain types and under `model` the composed model config; format, codec, preprocessing and the rules for
    text are added to it. The file appears whole or not at all. Raises `UserError` where it cannot be
    written.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in recognizer.state_dict().items()}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(weights, part, metadata={METADATA_KEY: whole_card(recognizer, card)})
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        open_to_others(part)  # The library makes it for its user alone.
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The model cannot be written to {path}: {error}; free some space or choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def whole_card(recognizer: Recognizer, card: Mapping[str, Any]) -> str:
    """The card as it stands in a file: JSON, with format, codec, preprocessing and the rules for text added."""
    whole = {
        **card,
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "codec": recognizer.codec.to_json(),
        "preprocessing": asdict(recognizer.preprocessing),
        "text": recognizer.text.to_json(),
    }
    return json.dumps(whole, ensure_ascii=False)


def load_model(path: Path) -> tuple[Recognizer, dict[str, Any]]:
    """Read a model, ready to predict on the CPU, and its card. `path` is a model file, a checkpoint of a training
    (`.ckpt`), or a run folder, whose best model is meant.

    Raises `UserError` for a file that is missing, damaged, from elsewhere or from a newer version.
    """
    path = model_file(path)
    card, weights = _read(path)
    model_config = card.get("model")
    if not isinstance(model_config, dict) or not isinstance(card.get("codec"), dict):
        raise UserError(f"{path} lacks the model's config or its codec; it may be damaged, use another copy.")
    try:
        recognizer = build_model(model_config, codec=codec_from_json(card["codec"]), text=text_rules_of(card))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if not isinstance(recognizer, Recognizer):
        raise UserError(f"{path} holds a {type(recognizer).__name__}, not a recogniser.")
    try:
        recognizer.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: the weights do not fit the model that the file describes ({reason}).") from error
    return recognizer.eval(), card


def text_rules_of(card: Mapping[str, Any]) -> TextRules:
    """Return the rules for text that a model's card states; one that states none was trained in the order of the files.

    Raises `UserError` where they cannot be read.
    """
    stated = card.get("text")
    if isinstance(stated, dict):
        return TextRules.from_json(stated)
    return TextRules(str(card.get("normalization", DEFAULT_PROFILE)))


def load_card(path: Path) -> dict[str, Any]:
    """Read a model's card without its weights. Raises `UserError` as `load_model` does."""
    return _read(model_file(path), weights=False)[0]


def model_file(path: Path) -> Path:
    """Return the file that `path`, a model file, a checkpoint or a run folder, stands for. Raises `UserError` where
    there is none.
    """
    found = path / FILE_NAME if path.is_dir() else path
    if not found.is_file():
        where = f"the folder {path} holds no {FILE_NAME}" if path.is_dir() else f"{path} does not exist"
        raise UserError(
            f"No model found: {where}; give a model file (.safetensors), a checkpoint (.ckpt) or the folder of a "
            "finished run."
        )
    return found


def _read(path: Path, weights: bool = True) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    text, tensors = (_read_checkpoint if path.suffix == CHECKPOINT_SUFFIX else _read_safetensors)(path, weights)
    try:
        card = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: the description in the file is damaged ({error}); use another copy.") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise UserError(f"{path} is a {path.suffix[1:]} file but no model of uncial; give the {FILE_NAME} of a run.")
    version = card.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise UserError(
            f"{path} was written by a newer version of uncial (format {version}); update uncial to read it."
        )
    return card, tensors


def _read_safetensors(path: Path, weights: bool) -> tuple[str, dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()} if weights else {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as a model: {error}; it is damaged or no safetensors file, use another copy."
        ) from error
    return metadata.get(METADATA_KEY, "null"), tensors


def _read_checkpoint(path: Path, weights: bool) -> tuple[str, dict[str, torch.Tensor]]:
    checkpoint = read_checkpoint(path)
    return checkpoint[METADATA_KEY], model_weights(checkpoint) if weights else {}
