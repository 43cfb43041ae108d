"""What of a trained model can be changed when it reads, by the `model` keys that are typed with test or predict: how a
line's image is prepared, and in which direction its text runs (kraken's --pad, --reorder, --base-dir)."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from uncial.config.schema import build_settings, checkpoint_of, trusted
from uncial.config.task_keys import is_typed
from uncial.errors import UserError
from uncial.models.recognizer import Recognizer
from uncial.pipelines.recognition import Transcriber, load
from uncial.training.distributed.devices import choose_devices
from uncial.training.settings import TrainerSettings

log = logging.getLogger(__name__)

OF_PREPROCESSING = ("contrast", "ink", "least_span", "padding", "paper", "polarity")
"""Keys of model.preprocessing that leave the size of the model's input as it is."""

OF_TEXT = {"direction": "direction", "mixed_direction": "mixed"}
"""Keys of model.text that say how what stands from left to right becomes text, by their names in `TextRules`."""


def apply_typed_keys(recognizers: Iterable[Recognizer], config: DictConfig) -> None:
    """Gives the models those of the keys above that were typed, and says where one was trained with another value.

    Raises `UserError` for a value that cannot be, and where a model of one's own has no such setting.
    """
    for recognizer in recognizers:
        images = _typed(config, "model.preprocessing", {name: name for name in OF_PREPROCESSING})
        recognizer.preprocessing = _changed(recognizer.preprocessing, images, "model.preprocessing")
        recognizer.text = _changed(recognizer.text, _typed(config, "model.text", OF_TEXT), "model.text")


def transcriber_of(config: DictConfig) -> Transcriber:
    """The model of `checkpoint` with the keys that were typed, on the device that the `trainer` group names."""
    trainer = config.trainer
    if trainer.threads is not None:
        torch.set_num_threads(int(trainer.threads))
    device = "auto"
    if trainer.accelerator != "auto" or trainer.devices != 1:
        devices = choose_devices(build_settings(TrainerSettings, config))
        device = f"cuda:{devices.numbers[0]}" if devices.kind == "cuda" else devices.kind
        if devices.count > 1:
            log.warning(f"trainer.devices={trainer.devices}: task={config.task.name} reads on one device, {device}.")
    transcriber = load(checkpoint_of(config), device, trusted(config))
    apply_typed_keys([transcriber.recognizer], config)
    return transcriber


def _typed(config: DictConfig, group: str, names: dict[str, str]) -> dict[str, Any]:
    """The values that were typed, by the names of the settings; null leaves the model's."""
    values = {setting: OmegaConf.select(config, f"{group}.{name}") for name, setting in names.items()}
    plain = {key: OmegaConf.to_object(value) if OmegaConf.is_config(value) else value for key, value in values.items()}
    typed = {setting for name, setting in names.items() if is_typed(f"{group}.{name}")}
    return {setting: value for setting, value in plain.items() if setting in typed and value is not None}


def _changed(part: Any, values: dict[str, Any], group: str) -> Any:
    if not values:
        return part
    try:
        changed = replace(part, **values)
    except TypeError as error:
        raise UserError(f"{group}: {type(part).__name__} of this model takes no {', '.join(values)}: {error}") from None
    for setting in values:
        before, after = getattr(part, setting), getattr(changed, setting)
        if before != after:
            log.info(f"{group}: {setting} is {after} here; the model was trained with {before}.")
    return changed
