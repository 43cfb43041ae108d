"""What a training of a recogniser takes over from `pretrained`: the model's config, its weights and its alphabet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from uncial.config.schema import as_tuple, list_trusted
from uncial.errors import UserError
from uncial.models.files import load_any_model, load_model
from uncial.models.recognizer import Recognizer
from uncial.models.stored import read_text_rules
from uncial.problems.pretrained import explain_other_kind, take_over_model, to_plain
from uncial.problems.recognition.transfer import transfer_weights
from uncial.text.rules import TextRules


def set_pretrained_model(config: DictConfig) -> DictConfig:
    """Return the config with the recogniser that `pretrained` holds: architecture, normalisation and preprocessing, as
    `take_over_model` does. Raises `UserError` for a model of another kind too."""

    def describe(path: Path) -> dict[str, Any]:
        model, card = load_any_model(path, list_trusted(config))
        if not isinstance(model, Recognizer):
            raise explain_other_kind(config, model, card)
        return describe_stored_model(card)

    return take_over_model(config, describe, "the characters of the training lines")


def describe_stored_model(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of the model that a card describes, its rules for text as they are in the file: neither they
    nor its codec ask for the files that they were once made from."""
    rules = read_text_rules(card)
    text = {
        "replacements": [list(pair) for pair in rules.replacements] or None,
        "unit": rules.unit,
        "direction": rules.direction,
        "mixed_direction": rules.mixed,
    }
    return {**card["model"], "normalization": rules.normalization, "text": text, "codec": None}


def build_pretrained_recognizer(config: DictConfig, texts: Sequence[str], rules: TextRules) -> Recognizer:
    """Return the recogniser with the pretrained weights, under the alphabet that `resize` makes of its own and that of
    the prepared training `texts`."""
    if config.model.codec is not None:
        raise UserError("model.codec and pretrained both give an alphabet: leave model.codec out; resize changes it.")
    pretrained, _ = load_model(Path(str(config.pretrained)), list_trusted(config))
    shown = [rules.to_visual(text) for text in texts]
    model = to_plain(config.model, resolve=True)
    return transfer_weights(pretrained, model, shown, rules, str(config.resize), as_tuple(config.reinitialize))
