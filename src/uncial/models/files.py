"""Models on disk: weights, and everything needed to use them, in one safetensors file or in a training's checkpoint."""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from uncial.config.trust import list_trusted_modules
from uncial.errors import UserError
from uncial.files import make_unfinished_name, open_to_others, write_through
from uncial.formats.encoding import make_storable_name
from uncial.formats.foreign_models import name_foreign
from uncial.models.base_models import find_base_model
from uncial.models.contracts import Model
from uncial.models.parts import PartsOfFile
from uncial.models.recognizer import Recognizer
from uncial.models.stored import MISFIT, Table, build_stored, parse_card
from uncial.runs.checkpoint import CARD_KEY, get_model_weights, read_checkpoint
from uncial.runs.checkpoint import SUFFIX as CHECKPOINT_SUFFIX
from uncial.runs.files import RunFolder
from uncial.text.codec import Codec, build_codec_from_json

FORMAT = "uncial-recognizer"
FORMAT_VERSION = 1
METADATA_KEY = "uncial"
"""Of a safetensors file's metadata; a checkpoint has the same text under the same key."""

LONGEST_MESSAGE = 600

LONGEST_HEADER = 32 << 20
"""Bytes that a file may say about itself: hashes of 400,000 page images."""


def save_model(path: Path, model: Model, card: Mapping[str, Any], stored: torch.dtype = torch.float32) -> None:
    """Write a model to `path`: its weights, and as JSON its `card`.

    `card` holds plain types and under `model` the composed model config; the format and what the model says of itself
    are added to it. `stored` is the type of matrices and kernels in the file: bfloat16 halves it, and what is read
    of it is widened again. The file appears whole or not at all. Raises `UserError` where it cannot be written.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    # Vectors, such as the statistics of normalisations, take no room.
    weights = {name: tensor.to(stored) if _is_matrix(tensor) else tensor for name, tensor in weights.items()}
    part = path.with_name(make_unfinished_name(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(weights, part, metadata={METADATA_KEY: format_model_card(model, card)})
        open_to_others(part)  # The library makes it for its user alone.
        write_through(part)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The model cannot be written to {path}: {error}; free some space or choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _is_matrix(tensor: Tensor) -> bool:
    return tensor.ndim >= 2 and tensor.dtype == torch.float32


def format_model_card(model: Model, card: Mapping[str, Any]) -> str:
    """Return the card as it stands in a file: JSON, with the format and what the model says of itself added."""
    whole = {**card, "format": FORMAT, "format_version": FORMAT_VERSION, **model.card()}
    return json.dumps(whole, ensure_ascii=False)


def load_model(path: Path, trust: str | Sequence[str] = ()) -> tuple[Recognizer, dict[str, Any]]:
    """Read a recogniser, as `load_any_model` reads any model. Raises `UserError` for a model of another kind too."""
    model, card = load_any_model(path, trust)
    if not isinstance(model, Recognizer):
        raise UserError(f"{find_model_file(path)}: the file holds a {model.called}, not a recogniser.")
    return model, card


def load_any_model(path: Path, trust: str | Sequence[str] = ()) -> tuple[Model, dict[str, Any]]:
    """Read a model of any kind, ready to predict on the CPU, and its card. `path` is a model file, a checkpoint of a
    training (`.ckpt`), or a run folder, whose best model is meant.

    Its parts are classes of this package and of torch.nn; `trust` names modules of others that it may be made of too,
    beside those of the environment variable UNCIAL_TRUST. Raises `UserError` for a file that is missing, damaged, from
    elsewhere, from a newer version, or made of other parts. No more memory is taken than the file's weights say.
    """
    path = find_model_file(path)
    stored = _read(path)
    parts = PartsOfFile(list_trusted_modules(trust), path)
    try:
        model = build_stored(stored.card, parts, stored.table)
        weights = _widen(stored.weights(), model)
        _check_weights(model, weights)
        model.load_state_dict(weights)
        model.check_usable()
    except UserError as error:
        reason = _make_printable(str(error).removeprefix(str(path)).removeprefix(": "))
        raise UserError(f"{path}{' ' if str(error).startswith(f'{path} ') else ': '}{reason}") from error
    except RuntimeError as error:
        raise UserError(f"{path}: {MISFIT} ({_format_error(error)}).") from error
    return model, stored.card


def _widen(weights: Mapping[str, Tensor], model: Model) -> dict[str, Tensor]:
    """Return weights that were stored in bf16 in the precision of the model."""
    kinds = {name: own.dtype for name, own in model.state_dict().items()}
    return {
        name: weight.to(kinds[name]) if weight.dtype == torch.bfloat16 and kinds[name].is_floating_point else weight
        for name, weight in weights.items()
    }


def _check_weights(model: Model, weights: Mapping[str, Tensor]) -> None:
    """Raise `UserError` for weights of another kind than the model's, and for such as are no numbers."""
    parameters = {name for name, _ in model.named_parameters()}
    for name, own in model.state_dict().items():
        weight = weights[name]
        if weight.dtype != own.dtype:
            raise UserError(f"{MISFIT} ({name} is {weight.dtype}, not {own.dtype}).")
        is_bounded = name in parameters or name.rpartition(".")[2].startswith("running_")
        if bool(weight.isnan().any()) or (is_bounded and not bool(weight.isfinite().all())):
            raise UserError(
                f"the weights contain NaN or Inf ({name}), as those of a training that diverged do; use another model."
            )


def load_card(path: Path) -> dict[str, Any]:
    """Read a model's card without its weights; no part of the model is looked at. Raises `UserError` as `load_model`
    does.
    """
    return _read(find_model_file(path)).card


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the weights of a model file alone. Raises `UserError` for one that is missing or damaged."""
    return _read_tensors(path, _read_table(path)[1])


def build_codec(card: Mapping[str, Any], path: Path) -> Codec:
    """Return the codec that the card of the model in `path` states. Raises `UserError` where it states none."""
    if not isinstance(card.get("codec"), dict):
        raise UserError(f"{path} lacks the model's codec; it may be damaged, use another copy.")
    try:
        return build_codec_from_json(card["codec"])
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def find_model_file(path: Path, key: str = "") -> Path:
    """Return the file that `path`, a model file, a checkpoint, a run folder or the name of a model of the package
    (`base/layout`), stands for. Raises `UserError` where there is none, with the `key` that it was typed for.
    """
    path = find_base_model(path, key)
    found = RunFolder(path).best_model if path.is_dir() else path
    if not found.is_file():
        if path.is_dir() and (foreign := name_foreign(path)):
            raise UserError(foreign)
        where = f"the folder {path} holds no {RunFolder.best_model}" if path.is_dir() else f"{path} does not exist"
        what = f"{key}={path}: no model found" if key else "No model found"
        raise UserError(
            f"{what}: {where}; give a model file (.safetensors), a checkpoint (.ckpt) or the folder of a finished run."
        )
    if found.suffix != CHECKPOINT_SUFFIX and make_storable_name(str(found)) != str(found):
        raise UserError(
            f"{make_storable_name(str(found))}: its name or a folder's is not UTF-8; rename it, or link to it."
        )
    return found


def _read(path: Path) -> "_Stored":
    """Return the card of a model file or of a checkpoint, with the table of its tensors."""
    text, table, weights = (_read_checkpoint if path.suffix == CHECKPOINT_SUFFIX else _read_safetensors)(path)
    try:
        card = parse_card(text)
    except ValueError as error:
        raise UserError(
            f"{path}: its description of itself is damaged ({_format_error(error)}); use another copy."
        ) from error
    if card.get("format") != FORMAT:
        raise UserError(
            f"{path} is a {path.suffix[1:]} file but no model of uncial; give the {RunFolder.best_model} of a run."
        )
    version = card.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise UserError(f"{path}: the description in the file has no format_version; use another copy.")
    if version > FORMAT_VERSION:
        raise UserError(
            f"{path} was written by a newer version of uncial (format {version}); update uncial to read it."
        )
    return _Stored(card, table, weights)


@dataclass(frozen=True)
class _Stored:
    """A card, the shapes of the weights by their names, and what reads the weights."""

    card: dict[str, Any]
    table: Table
    weights: Callable[[], dict[str, Tensor]]


def _read_safetensors(path: Path) -> tuple[str, Table, Callable[[], dict[str, Tensor]]]:
    metadata, table = _read_table(path)
    if METADATA_KEY not in metadata:
        what = f"{path} is a {path.suffix[1:]} file but no model of uncial; give the {RunFolder.best_model} of a run."
        raise UserError(name_foreign(path, metadata) or what)
    return metadata[METADATA_KEY], table, lambda: _read_tensors(path, table)


def _read_table(path: Path) -> tuple[dict[str, str], Table]:
    """Return what a safetensors file says of itself, and the shapes of its tensors by their names."""
    try:
        _check_header(path)
        with safe_open(path, framework="pt") as opened:
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
            return opened.metadata() or {}, shapes
    except Exception as error:  # whatever a damaged file makes of its reader
        raise UserError(
            name_foreign(path)
            or f"{path} cannot be read as a model: {_format_error(error)}; it is damaged or no safetensors file, "
            "use another copy."
        ) from error


def _read_tensors(path: Path, names: Iterable[str]) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in names}
    except Exception as error:  # whatever a kind of number makes of torch that it does not know
        raise UserError(f"{path}: the weights cannot be read ({_format_error(error)}); use another copy.") from error


def _check_header(path: Path) -> None:
    """Raise `ValueError` where a safetensors file has no room for what it says about itself, or says far too much."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise ValueError(f"its description of {length:,} bytes does not fit into its {size:,} bytes")
    if length > LONGEST_HEADER:
        raise ValueError(f"its description has {length:,} bytes")


def _read_checkpoint(path: Path) -> tuple[str, Table, Callable[[], dict[str, Tensor]]]:
    checkpoint = read_checkpoint(path)
    weights = get_model_weights(checkpoint)
    return checkpoint[CARD_KEY], {name: tuple(weight.shape) for name, weight in weights.items()}, lambda: weights


def _make_printable(text: str) -> str:
    """Return what a message may hold of a file: one line without a terminal's commands, and not a page of it."""
    shown = "".join(character if character.isprintable() else " " for character in " ".join(text.split()))
    return shown if len(shown) <= LONGEST_MESSAGE else f"{shown[:LONGEST_MESSAGE]}…"


def _format_error(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
