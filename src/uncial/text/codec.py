"""Text to the labels a decoder learns, and back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

from uncial.errors import UserError
from uncial.text.characters import UNITS, describe, split_units
from uncial.text.label_codec import Encoded, LabelCodec, LabelSpan, encode_known_text, encode_text, find_unknown

BLANK = 0
"""The label that no text is encoded to; CTC needs it, and cuDNN needs it to be 0."""


class Codec(Protocol):
    """What a decoder asks of a mapping between text and labels.

    One label may stand for part of a character, a character, a grapheme or a piece of a word. Label 0 is never given
    out. Whatever the mapping, `"".join(codec.decode_each(labels)) == codec.decode(labels)`: a label that only completes
    a character with those after it contributes the empty string.
    """

    @property
    def size(self) -> int:
        """The number of labels, blank included: how many classes a decoder's last layer has."""
        ...

    @property
    def alphabet(self) -> tuple[str, ...]:
        """What the codec can write, ordered by the labels. Where each piece has one label: what 1, 2, … stand for."""
        ...

    def split(self, text: str) -> Iterable[Encoded]:
        """Cut `text` into pieces that have labels and pieces that the codec cannot write; joined they are the text."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the labels of `text`, each in 1 … size - 1. Raises `UnusableInput` for what the codec cannot write."""
        ...

    def encode_known(self, text: str) -> list[int]:
        """Return the labels of `text` without what the codec cannot write."""
        ...

    def decode(self, labels: Iterable[int]) -> str:
        """Return the text of `labels`, which hold no blank. Raises `ValueError` for a label outside 1 … size - 1."""
        ...

    def decode_each(self, labels: Iterable[int]) -> list[str]:
        """Return what each label adds to the text, one string a label."""
        ...

    def pieces(self, labels: Sequence[int]) -> list[LabelSpan]:
        """Return what is written by which of the labels, in order; labels that write nothing are in no piece."""
        ...

    def unknown(self, text: str) -> list[str]:
        """Return the distinct pieces of `text` that the codec cannot write, in order of appearance."""
        ...

    def union(self, texts: Iterable[str]) -> "Codec":
        """Return a codec that can write `texts` too: the labels it has stay what they are, new ones follow them."""
        ...

    def learned_from(self, texts: Iterable[str]) -> "Codec":
        """Return a codec of the same kind for exactly the characters of `texts`."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return plain types, with a `kind`, from which `build_codec_from_json` makes an equal codec."""
        ...


class CharacterCodec:
    """One label for each code point, or for each grapheme."""

    kind = "characters"

    def __init__(self, alphabet: Sequence[str], unit: str = "code_point") -> None:
        """Number the characters from 1 in the order given. Raises `ValueError` if one is not a single `unit` (a
        `code_point` or a `grapheme`) or comes twice.
        """
        if unit not in UNITS:
            raise ValueError(f"An alphabet is made of {' or '.join(UNITS)}s, not of '{unit}'s.")
        self.unit = unit
        self._characters = tuple(alphabet)
        wrong = [one for one in self._characters if not isinstance(one, str) or not self._is_unit(one)]
        if wrong:
            raise ValueError(f"An alphabet of {unit.replace('_', ' ')}s holds no {repr(wrong[0])[:80]}.")
        self._labels = {character: label for label, character in enumerate(self._characters, start=1)}
        if len(self._labels) != len(self._characters):
            twice = next(character for character, count in Counter(self._characters).items() if count > 1)
            raise ValueError(f"The alphabet holds {' + '.join(map(describe, twice[:8]))} more than once.")

    def _is_unit(self, character: str) -> bool:
        return len(character) == 1 if self.unit == "code_point" else bool(character)

    @classmethod
    def from_texts(cls, texts: Iterable[str], unit: str = "code_point") -> Self:
        """Make the codec of all characters in `texts`, sorted by code point: the same for the same set of texts in any
        order.
        """
        return cls(sorted(set().union(*(split_units(text, unit) for text in texts))), unit)

    @property
    def size(self) -> int:
        return len(self._characters) + 1

    @property
    def alphabet(self) -> tuple[str, ...]:
        return self._characters

    def split(self, text: str) -> Iterator[Encoded]:
        for character in split_units(text, self.unit):
            label = self._labels.get(character)
            yield character, None if label is None else (label,)

    def encode(self, text: str) -> list[int]:
        return encode_text(self.split(text))

    def encode_known(self, text: str) -> list[int]:
        return encode_known_text(self.split(text))

    def unknown(self, text: str) -> list[str]:
        return find_unknown(self.split(text))

    def decode(self, labels: Iterable[int]) -> str:
        return "".join(self.decode_each(labels))

    def decode_each(self, labels: Iterable[int]) -> list[str]:
        return [self._character(label) for label in labels]

    def pieces(self, labels: Sequence[int]) -> list[LabelSpan]:
        return [LabelSpan(text, place, place + 1) for place, text in enumerate(self.decode_each(labels))]

    def union(self, texts: Iterable[str]) -> Self:
        new = set().union(*(self.unknown(text) for text in texts))
        return type(self)((*self._characters, *sorted(new)), self.unit) if new else self

    def learned_from(self, texts: Iterable[str]) -> Self:
        return type(self).from_texts(texts, self.unit)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "unit": self.unit, "alphabet": list(self._characters)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the codec that `to_json` described. Raises `ValueError` where `data` is no such description."""
        alphabet = data.get("alphabet")
        if not isinstance(alphabet, list):
            raise ValueError("The description of a character codec needs a list 'alphabet'.")
        return cls(alphabet, str(data.get("unit", "code_point")))

    def _character(self, label: int) -> str:
        if not 1 <= label < self.size:
            raise ValueError(f"{label} is no label of this codec: they run from 1 to {self.size - 1}.")
        return self._characters[label - 1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CharacterCodec) and (other.unit, other._characters) == (self.unit, self._characters)

    def __hash__(self) -> int:
        return hash((self.unit, self._characters))

    def __repr__(self) -> str:
        return f"CharacterCodec({len(self._characters)} {self.unit}s)"


def build_codec_from_json(data: Mapping[str, Any]) -> Codec:
    """Make a codec from what its `to_json` returned. Raises `UserError` where `data` describes none that this version
    knows.
    """
    kinds: dict[str, type[CharacterCodec] | type[LabelCodec]] = {
        codec.kind: codec for codec in (CharacterCodec, LabelCodec)
    }
    kind = str(data.get("kind"))
    if kind not in kinds:
        raise UserError(
            f"The model names its codec '{kind}', which this version of uncial does not know "
            f"(it knows {', '.join(kinds)}); update uncial, or use another model."
        )
    try:
        codec = kinds[kind].from_json(data)
        # Half of a UTF-16 pair is no character: no file could be written with it.
        "".join(codec.alphabet).encode("utf-8")
        return codec
    except (ValueError, TypeError) as error:
        raise UserError(
            f"The model's codec cannot be read: {error} The file may be damaged; use another copy."
        ) from error


def count_alphabet(texts: Iterable[str], unit: str = "code_point") -> dict[str, int]:
    """Count every code point (or grapheme) of `texts`, the most frequent first and equal counts by code point."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split_units(text, unit))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def count_unknown(codec: Codec, texts: Iterable[str]) -> dict[str, int]:
    """Count the pieces of `texts` that the codec cannot write, the most frequent first."""
    counts = Counter(piece for text in texts for piece, labels in codec.split(text) if labels is None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
