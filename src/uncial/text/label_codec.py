"""Text to labels by a table, several a character or several characters a label; and what all codecs share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from uncial.errors import UnusableInput
from uncial.text.characters import describe

Encoded = tuple[str, tuple[int, ...] | None]
"""A piece of text with its labels, None where the codec cannot write it."""


class LabelSpan(NamedTuple):
    """What the labels from `start` to before `end` write together."""

    text: str
    start: int
    end: int


def encode_text(pieces: Iterable[Encoded]) -> list[int]:
    """Return the labels of a whole text. Raises `UnusableInput` where the codec cannot write all of it."""
    pieces = list(pieces)
    unknown = find_unknown(pieces)
    if unknown:
        raise UnusableInput(explain_unknown(unknown))
    return encode_known_text(pieces)


def encode_known_text(pieces: Iterable[Encoded]) -> list[int]:
    """Return the labels of what the codec can write."""
    return [label for _, labels in pieces for label in labels or ()]


def find_unknown(pieces: Iterable[Encoded]) -> list[str]:
    """Return the distinct pieces that the codec cannot write, in order of appearance."""
    return list(dict.fromkeys(text for text, labels in pieces if labels is None))


def explain_unknown(pieces: Sequence[str]) -> str:
    """One sentence about what a codec lacks."""
    shown = ", ".join(map(describe_characters, pieces[:5]))
    more = f" and {len(pieces) - 5} more" if len(pieces) > 5 else ""
    return f"the text holds {shown}{more}, which the model's alphabet lacks"


def describe_characters(piece: str) -> str:
    """Return every code point of a piece with its number and name."""
    return " + ".join(map(describe, piece))


HIGHEST = 0x110000
"""A model has an output for each label up to the highest; more than Unicode has characters are none that is meant."""


class LabelCodec:
    """A table from strings to labels, prefix-free in the labels, so that what is read has one meaning.

    Text is cut into the longest strings that the table holds, from its beginning, as kraken's `PytorchCodec` does.
    Labels that are no code of the table, or only the beginning of one, are read as nothing.
    """

    kind = "labels"

    def __init__(self, table: Mapping[str, Sequence[int]]) -> None:
        """Take the labels of each string. Raises `ValueError` for a label below 1 or above `HIGHEST`, an empty string
        or code, and where one code is another's or begins with it.
        """
        self._codes = {text: tuple(labels) for text, labels in table.items()}
        for text, code in self._codes.items():
            if not isinstance(text, str) or not text:
                raise ValueError("The table of a codec holds an empty string, which no label can stand for.")
            if not code or not all(type(label) is int and 1 <= label <= HIGHEST for label in code):
                raise ValueError(
                    f"{text!r} has the labels {list(code)}: one or more whole numbers from 1 to {HIGHEST:,} are "
                    "expected; 0 is CTC's blank."
                )
        self._texts = {code: text for text, code in self._codes.items()}
        self._refuse_ambiguity()
        self._longest = max(map(len, self._codes), default=0)
        self._longest_code = max(map(len, self._texts), default=0)
        self._last = max((label for code in self._texts for label in code), default=0)

    def _refuse_ambiguity(self) -> None:
        for text, code in self._codes.items():
            for length in range(1, len(code) + 1):
                other = self._texts.get(code[:length])
                if other is not None and other != text:
                    same = "has the labels" if length == len(code) else "has labels that begin with those"
                    raise ValueError(
                        f"The codec is ambiguous: {text!r} {list(code)} {same} of {other!r} {list(code[:length])}, "
                        "so what is read could mean either; give one of them other labels."
                    )

    @property
    def size(self) -> int:
        return self._last + 1

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The strings of the table, by their labels."""
        return tuple(text for _, text in sorted(self._texts.items()))

    def split(self, text: str) -> Iterator[Encoded]:
        """Cut `text` into the strings of the table; a character that begins none comes alone and without labels."""
        position = 0
        while position < len(text):
            for length in range(min(self._longest, len(text) - position), 0, -1):
                part = text[position : position + length]
                if part in self._codes:
                    yield part, self._codes[part]
                    break
            else:
                part = text[position]
                yield part, None
            position += len(part)

    def encode(self, text: str) -> list[int]:
        return encode_text(self.split(text))

    def encode_known(self, text: str) -> list[int]:
        return encode_known_text(self.split(text))

    def unknown(self, text: str) -> list[str]:
        return find_unknown(self.split(text))

    def decode(self, labels: Iterable[int]) -> str:
        return "".join(piece.text for piece in self.pieces(list(labels)))

    def decode_each(self, labels: Iterable[int]) -> list[str]:
        labels = list(labels)
        added = [""] * len(labels)
        for piece in self.pieces(labels):
            added[piece.end - 1] = piece.text
        return added

    def pieces(self, labels: Sequence[int]) -> list[LabelSpan]:
        for label in labels:
            if not 1 <= label < self.size:
                raise ValueError(f"{label} is no label of this codec: they run from 1 to {self.size - 1}.")
        found, position = [], 0
        while position < len(labels):
            for length in range(1, min(self._longest_code, len(labels) - position) + 1):
                text = self._texts.get(tuple(labels[position : position + length]))
                if text is not None:
                    found.append(LabelSpan(text, position, position + length))
                    break
            else:
                length = 1
            position += length
        return found

    def union(self, texts: Iterable[str]) -> Self:
        """Return the table with one new label for each character of `texts` that it lacks."""
        new = sorted(set().union(*(self.unknown(text) for text in texts)))
        more = {text: (label,) for label, text in enumerate(new, start=self.size)}
        return type(self)({**self._codes, **more}) if new else self

    def learned_from(self, texts: Iterable[str]) -> Self:
        """Return the table of what `texts` hold; strings that stay keep their labels, so that some may be unused."""
        texts = list(texts)
        larger = self.union(texts)
        used = {piece for text in texts for piece, _ in larger.split(text)}
        return type(self)({text: code for text, code in larger._codes.items() if text in used})

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "table": {text: list(code) for text, code in self._codes.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the codec that `to_json` described. Raises `ValueError` where `data` is no such description."""
        table = data.get("table")
        if not isinstance(table, dict) or not all(isinstance(code, list) for code in table.values()):
            raise ValueError("The description of a codec by labels needs a table from strings to lists of labels.")
        return cls(table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelCodec) and other._codes == self._codes

    def __hash__(self) -> int:
        return hash(frozenset(self._codes.items()))

    def __repr__(self) -> str:
        return f"LabelCodec({len(self._codes)} strings, {self._last} labels)"
