"""kraken's codec files: JSON from characters or strings to labels (`ketos train --codec`)."""

import json
from pathlib import Path
from typing import Any

from uncial.errors import UserError
from uncial.text.codec import CharacterCodec, Codec
from uncial.text.label_codec import LabelCodec


def read_kraken_codec(path: Path) -> Codec:
    """Read a codec as kraken's `PytorchCodec` takes it: an object from strings to lists of labels, a list of strings,
    or a string of characters; in the last two the labels are given out in the order of the code points.

    A codec of single code points with the labels 1, 2, 3, … comes as a `CharacterCodec`, any other as a `LabelCodec`.
    Raises `UserError` for a file that holds none, and for one that is ambiguous.
    """
    return _codec(_read_content(path), path)


def read_codec_table(content: Any, where: str) -> Codec:
    """Read a codec that is written out in YAML under the key `where`: as in a file of kraken's, but that a single label
    needs no list, and that digits need no quotes. Raises `UserError` for what is none."""
    if isinstance(content, list):
        return _codec([_text(one, where) for one in content], where)
    if isinstance(content, dict):
        table = {_text(one, where): labels if isinstance(labels, list) else [labels] for one, labels in content.items()}
        if len(table) == len(content):
            return _codec(table, where)
    raise UserError(f"{where} is no codec: a list of characters or a table from characters to labels is needed.")


def _text(value: Any, where: str) -> str:
    """Return what YAML takes for a digit is one; a truth value or nothing was meant otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9:
        return str(value)
    if not isinstance(value, str):
        raise UserError(f'{where}: {value!r} is no text to YAML; write it in quotes, as "~".')
    return value


def _codec(content: Any, where: object) -> Codec:
    try:
        table = _build_table(content)
        codec = LabelCodec(table)
    except ValueError as error:
        raise UserError(f"{where} is no codec that can be used: {error}") from None
    if not table:
        raise UserError(f"{where} is an empty codec: it needs at least one character.")
    ordered = codec.alphabet
    plain = all(len(text) == 1 for text in ordered) and [codec.encode(text) for text in ordered] == [
        [label] for label in range(1, len(ordered) + 1)
    ]
    return CharacterCodec(ordered) if plain else codec


def _read_content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_drop_twins)
    except OSError as error:
        raise UserError(f"{path}: the codec cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: the codec cannot be read: it is no UTF-8 text.") from None
    except ValueError as error:
        raise UserError(f"{path}: the codec cannot be read as JSON: {error}.") from None


def _drop_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is defined more than once")
    return table


def _build_table(content: Any) -> dict[str, list[int]]:
    if isinstance(content, str) or (isinstance(content, list) and all(isinstance(one, str) for one in content)):
        strings = list(content)
        twice = next((one for one in strings if strings.count(one) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is defined more than once.")
        return {one: [label] for label, one in enumerate(sorted(strings), start=1)}
    if not isinstance(content, dict):
        raise ValueError("a JSON object from characters to lists of labels is expected.")
    wrong = next((text for text, labels in content.items() if not isinstance(labels, list)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} has no list of labels but {content[wrong]!r}.")
    return content
