"""What a training of a layout model takes over from `pretrained`: its parts, its weights and its types of regions."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from uncial.config.schema import as_tuple, list_trusted
from uncial.config.typed import find_user_overrides
from uncial.errors import UserError
from uncial.exchange import craft
from uncial.models.files import load_any_model
from uncial.models.segmenter import Scale, Segmenter
from uncial.problems.layout.setup import build_segmenter
from uncial.problems.pretrained import explain_other_kind, take_over_model
from uncial.problems.transfer import copy_weights, read_resize_policy
from uncial.training.selection import select_modules

log = logging.getLogger(__name__)

UNUSED = "\U0010fffd"
"""A type of regions that no file has."""


def set_pretrained_layout(config: DictConfig) -> DictConfig:
    """Return the config with the layout model that `pretrained` holds, as `take_over_model` does. Raises `UserError`
    for a model of another kind, and for another size."""

    def describe(path: Path) -> dict[str, Any]:
        model, card = load_any_model(path, list_trusted(config))
        if not isinstance(model, Segmenter):
            raise explain_other_kind(config, model, card)
        stored: dict[str, Any] = card["model"]
        size = config.model.get("size")
        if "model.size" in find_user_overrides("model").keys and size != stored.get("size"):
            raise UserError(
                f"model.size={size}: pretrained={path} is of the size {stored.get('size')}, and its weights fit no "
                "other: leave model.size out, or train without pretrained."
            )
        return stored

    if is_foreign(config):
        return config
    return take_over_model(config, describe, "the types of regions of the training pages")


def is_foreign(config: DictConfig) -> bool:
    """Return whether `pretrained` is a file of another program, of which the weights alone are taken over."""
    return config.pretrained is not None and craft.can_read(Path(str(config.pretrained)))


def load_segmenter(path: Path, trust: Sequence[str]) -> tuple[Segmenter, dict[str, Any]]:
    """Read a layout model and its card. Raises `UserError` for a model of another kind too."""
    model, card = load_any_model(path, trust)
    if not isinstance(model, Segmenter):
        raise UserError(f"{path}: the file holds a {model.called}, not a layout model.")
    return model, card


def build_pretrained_segmenter(config: DictConfig, types: Sequence[str], scale: Scale) -> Segmenter:
    """Return a new layout model with the pretrained weights, for the types of regions that `resize` makes of its own
    and those of the training pages."""
    if is_foreign(config):
        return _build_from_foreign(config, types, scale)
    pretrained, _ = load_segmenter(Path(str(config.pretrained)), list_trusted(config))
    if pretrained.channels != int(config.data.channels):
        raise UserError(
            f"data.channels={config.data.channels}: pretrained={config.pretrained} sees "
            f"{pretrained.channels}; give data.channels={pretrained.channels}."
        )
    regions = resize_regions(pretrained.plan.regions, types, str(config.resize))
    model = build_segmenter(config, regions, scale)
    with torch.random.fork_rng(devices=[]):
        larger = build_segmenter(config, (*regions, UNUSED), scale)
    anew = select_modules(model, as_tuple(config.reinitialize), "reinitialize").tensors
    old, new = pretrained.state_dict(), model.state_dict()
    sizes = {name: len(tensor) for name, tensor in larger.state_dict().items() if tensor.ndim}
    resized = {
        name: _choose_rows(old[name], tensor, pretrained.plan.names, model.plan.names)
        for name, tensor in new.items()
        if name not in anew
        and sizes.get(name, 0) > (len(tensor) if tensor.ndim else 0)
        and name in old
        and old[name].shape[1:] == tensor.shape[1:]
    }
    copy_weights(model, {**old, **resized}, anew, as_tuple(config.reinitialize))
    return model


def _build_from_foreign(config: DictConfig, types: Sequence[str], scale: Scale) -> Segmenter:
    path = Path(str(config.pretrained))
    model, weights = build_segmenter(config, tuple(types), scale), craft.read_weights(path)
    anew = select_modules(model, as_tuple(config.reinitialize), "reinitialize").tensors
    if left := [name for name in weights if name not in model.state_dict()]:
        raise UserError(
            f"pretrained={path} holds weights of CRAFT, for which model={config.model.name} has no place "
            f"({left[0]} …): choose model=craft."
        )
    copy_weights(model, weights, anew, as_tuple(config.reinitialize))
    return model


def resize_regions(known: Sequence[str], types: Sequence[str], resize: str) -> tuple[str, ...]:
    """Return the types of regions to go on with: those that the pretrained model knows, under `union` with those of the
    training pages behind them, or under `new` these alone. Raises `UserError` for an unknown `resize`, and under `fail`
    for types that are not known.
    """
    policy = read_resize_policy(resize)
    unknown = [name for name in types if name not in known]
    if policy == "new":
        dropped = [name for name in known if name not in types]
        log.info(f"Regions: those of the training pages, {_list(unknown)} new, {_list(dropped)} dropped")
        return tuple(types)
    if unknown and policy == "fail":
        raise UserError(
            f"The pretrained model does not know these types of regions of the training pages: {_list(unknown)}; it "
            f"knows {_list(known)}. resize=union adds them, resize=new learns exactly those of the training pages, and "
            "model.regions renames them."
        )
    if unknown:
        log.info(f"Regions: the {len(known)} types of the pretrained model and {_list(unknown)}")
    return (*known, *unknown)


def _choose_rows(old: Tensor, fresh: Tensor, known: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """Return the rows of `old`, equally many for each of the maps `known`, in the order of the maps `wanted`. A map
    that was not known begins as the mean of the regions that were, and as `fresh` where there were none."""
    each = len(fresh) // len(wanted)
    blocks: Mapping[str, Tensor] = {name: old[place * each : (place + 1) * each] for place, name in enumerate(known)}
    # Between those of the lines and that of the borders, which all models of a kind have.
    regions = [block for name, block in blocks.items() if name.startswith("region ")]
    parts = []
    for place, name in enumerate(wanted):
        own = fresh[place * each : (place + 1) * each]
        parts.append(blocks.get(name, torch.stack(regions).mean(dim=0) if regions else own))
    return torch.cat(parts)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
