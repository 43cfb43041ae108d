"""All that a training is made of, made once without its lines, so that a wrong key ends a command at once."""

from pathlib import Path

from omegaconf import DictConfig

from uncial.config.instantiate import made
from uncial.config.schema import choice
from uncial.data.augmentation.chain import build_augmentation
from uncial.tasks.alphabet import given_codec, text_rules
from uncial.tasks.preparation import built_recognizer, training_module
from uncial.tasks.pretrained import freezing
from uncial.text.codec import CharacterCodec
from uncial.training.callbacks.build import averaging, wanted_length, watchdog
from uncial.training.schedulers.length import STEPS, RunLength
from uncial.training.trainer import clipping_of, precision_of
from uncial.training.transfer import RESIZINGS

LINES = 1000
"""As many as stand in for the lines of the ground truth, which compiling may take long to count."""


def rehearse(config: DictConfig) -> None:
    """Raises the `UserError` that the training would raise after its ground truth has been read."""
    choice(config.resize, "resize", tuple(RESIZINGS))
    clipping_of(config.trainer.gradient_clip_by)
    if config.trainer.precision != "auto":  # which would ask the GPU, before the processes that train on it are begun
        precision_of(config.trainer.precision, config.trainer.accelerator)
    if config.model.codec is not None:
        given_codec(Path(str(config.model.codec)))
    rules = text_rules(config)
    recognizer = built_recognizer(config, CharacterCodec.from_texts(["ab"], rules.unit), rules)
    build_augmentation(config.augmentation, recognizer.preprocessing.channels)
    length = RunLength(wanted_length(config, LINES), LINES, LINES, 0, Path(STEPS))
    module = training_module(config, recognizer, made(config, "model.metric"), length)
    module.configure_optimizers()
    for parts in (freezing(config, recognizer, length), watchdog(config, module), averaging(config)):
        list(parts)
