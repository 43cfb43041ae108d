"""From a pretrained recogniser to one that starts where it ended: its weights under an alphabet that may be another."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.recognizer import Recognizer
from uncial.problems.transfer import RESIZE_POLICIES, copy_weights, read_resize_policy
from uncial.text.codec import CharacterCodec, Codec, count_unknown
from uncial.text.label_codec import describe_characters
from uncial.text.rules import TextRules
from uncial.training.selection import select_modules

log = logging.getLogger(__name__)

SHOWN = 30
"""How many characters a message names one by one."""

UNUSED = "\U0010fffd"
"""A code point that no text holds: the last private one."""


def transfer_weights(
    pretrained: Recognizer,
    config: Mapping[str, Any],
    texts: Sequence[str],
    rules: TextRules,
    resize: str = "fail",
    reinitialize: Sequence[str] = (),
) -> Recognizer:
    """Return a new recogniser of the model `config` that starts with the weights of `pretrained`.

    `texts` are the training lines as `rules` prepare them, in the order in which they are read. `resize` says what
    becomes of characters that the pretrained model does not know, with kraken's meanings: `fail` refuses them, `union`
    adds them, `new` makes the alphabet exactly that of the texts. The output rows of known characters are kept to the
    bit, new ones start at the mean of the known.
    `reinitialize` names parts, by the patterns of `select_modules`, that start anew (Loghi's `replace_final_layer` and
    `replace_recurrent_layer`). Raises `UserError` for an alphabet that differs under `fail` and for weights that do
    not fit.
    """
    codec = resize_recognizer(_build_codec_in_unit(pretrained, rules, resize), texts, resize)
    model = build_model(config, codec=codec, text=rules)
    assert isinstance(model, Recognizer)
    anew = select_modules(model, reinitialize, "reinitialize").tensors
    by_label = find_sized_by_alphabet(model, config)
    rows = _find_rows(pretrained.codec, codec)
    old, size = pretrained.state_dict(), pretrained.codec.size
    resized = {
        name: _choose_rows(old[name], rows, size, tensor.shape[0])
        for name, tensor in model.state_dict().items()
        if name not in anew and name in old and name in by_label and old[name].shape[1:] == tensor.shape[1:]
    }
    copy_weights(model, {**old, **resized}, anew, reinitialize)
    return model


def _build_codec_in_unit(pretrained: Recognizer, rules: TextRules, resize: str) -> Codec:
    """Return the pretrained alphabet; an empty one of the other unit where that is changed and all is learned anew."""
    if rules.unit == pretrained.text.unit:
        return pretrained.codec
    if RESIZE_POLICIES.get(resize) != "new":
        raise UserError(
            f"model.text.unit={rules.unit}: the pretrained model's alphabet is made of {pretrained.text.unit}s. Leave "
            f"it out, or let resize=new make one of the training lines' {rules.unit}s."
        )
    return CharacterCodec((), rules.unit)


def resize_recognizer(codec: Codec, texts: Sequence[str], resize: str) -> Codec:
    """Return the codec to go on with. Raises `UserError` for an unknown `resize`, and for unknown characters under
    `fail`, listing them with their counts.
    """
    policy = read_resize_policy(resize)
    counts = count_unknown(codec, texts)
    if policy == "new":
        chosen = codec.learned_from(texts)
        dropped = sorted(set(codec.alphabet) - set(chosen.alphabet))
        log.info(
            f"Alphabet: that of the training lines, {_list_characters(counts)} new, {_list_characters(dropped)} dropped"
        )
        return chosen
    if not counts:
        return codec
    if policy == "fail":
        raise UserError(
            f"The pretrained model does not know {len(counts)} characters of the training lines: "
            f"{_list_characters(counts)}. "
            "resize=union adds them to its alphabet, resize=new learns exactly the characters of the training lines."
        )
    log.info(
        f"Alphabet: the {len(codec.alphabet)} labels of the pretrained model and new ones for "
        f"{_list_characters(counts)}"
    )
    return codec.union(texts)


def find_sized_by_alphabet(model: Recognizer, config: Mapping[str, Any]) -> set[str]:
    """Return the names of the parameters that have a row for each label: those that grow with the alphabet."""
    with torch.random.fork_rng(devices=[]):
        larger = build_model(config, codec=model.codec.union([UNUSED]))
    shapes = {name: tensor.shape for name, tensor in larger.state_dict().items()}
    return {
        name
        for name, tensor in model.state_dict().items()
        if tensor.ndim and shapes[name][0] > tensor.shape[0] and shapes[name][1:] == tensor.shape[1:]
    }


def _find_rows(old: Codec, new: Codec) -> list[int | None]:
    """For each label of `new` from 1 on, the label of `old` that stands for the same, None where there is none."""
    rows: list[int | None] = [None] * (new.size - 1)
    for piece in new.alphabet:
        if not old.unknown(piece) and len(old.encode(piece)) == len(new.encode(piece)):
            for label, known in zip(new.encode(piece), old.encode(piece), strict=True):
                rows[label - 1] = known
    return rows


def _choose_rows(old: Tensor, rows: Sequence[int | None], old_size: int, count: int) -> Tensor:
    """Return the rows of `old` (labels, …), blank first, in the order of the new labels; what lies behind the labels
    stays."""
    mean = old[1:old_size].mean(dim=0, keepdim=True)
    labels = [old[row : row + 1] if row is not None else mean for row in rows]
    result = torch.cat([old[:1], *labels, old[old_size:]])
    assert len(result) == count
    return result


def _list_characters(characters: Mapping[str, int] | Sequence[str]) -> str:
    if not characters:
        return "none"
    counts = characters if isinstance(characters, Mapping) else dict.fromkeys(characters, 0)
    shown = [
        f"{describe_characters(character)}{f' {count:,}x' if count else ''}" for character, count in counts.items()
    ]
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more
