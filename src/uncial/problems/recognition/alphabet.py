"""From the `model` keys to the rules for text and to the codec of a new model."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.exchange.kraken_codec import read_codec_table, read_kraken_codec
from uncial.models.files import build_codec, load_card
from uncial.text.codec import CharacterCodec, Codec, count_unknown
from uncial.text.label_codec import describe_characters
from uncial.text.replacements import read_replacements
from uncial.text.rules import TextRules, find_mixed_direction

log = logging.getLogger(__name__)

SHOWN = 10
"""How many characters that a given codec lacks are named; their number is told in any case."""


def build_text_rules(config: DictConfig, texts: Sequence[str] = ()) -> TextRules:
    """Return the rules that `model.text` and `model.normalization` state. `texts` are training lines, which tell the
    direction of lines whose letters run both ways, and whether there are tabs to replace. Raises `UserError` for a rule
    that cannot be."""
    model = config.model
    plain = OmegaConf.to_container(model.text, resolve=True)
    assert isinstance(plain, dict)
    table = read_replacements(plain["replacements"], "model.text.replacements", model.normalization)
    if plain.get("tabs", "keep") == "space" and any("\t" in text for text in texts):
        table = table if any(old == "\t" for old, _ in table) else (*table, ("\t", " "))
    mixed = plain["mixed_direction"] or find_mixed_direction(texts)
    return TextRules(model.normalization, table, str(plain["unit"]), str(plain["direction"]), str(mixed))


def choose_codec(config: DictConfig, texts: Mapping[str, Sequence[str]], rules: TextRules) -> Codec:
    """Return the codec of `model.codec`, or of the training lines' own characters. `texts` are the prepared ones of
    each part.

    What a given codec lacks is told with its counts: such characters are left out of what is learned. Raises
    `UserError` for a codec that cannot be read."""
    shown = {part: [rules.to_visual(text) for text in lines] for part, lines in texts.items()}
    if config.model.codec is None:
        return CharacterCodec.from_texts(shown["train"], rules.unit)
    codec = read_given_codec(config.model.codec)
    name = "model.codec" if OmegaConf.is_config(config.model.codec) else f"model.codec={config.model.codec}"
    for part, lines in shown.items():
        counts = count_unknown(codec, lines)
        if counts:
            named = ", ".join(
                f"{describe_characters(piece)}: {count:,}" for piece, count in list(counts.items())[:SHOWN]
            )
            more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
            log.warning(
                f"{name} lacks {len(counts):,} characters of the {part} lines, "
                f"{sum(counts.values()):,} times in all, so that they cannot be learned: {named}{more}"
            )
    return codec


def read_given_codec(given: Any) -> Codec:
    """Return the codec that is written out, or that of a kraken codec file (.json), of a model file, or of the model in
    a run folder."""
    if OmegaConf.is_config(given):
        return read_codec_table(OmegaConf.to_container(given, resolve=True), "model.codec")
    path = Path(str(given))
    if path.suffix.lower() == ".json":
        return read_kraken_codec(path)
    return build_codec(load_card(path), path)
