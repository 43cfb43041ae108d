"""What becomes of a text before it is learned, and of what was read before it is shown: part of the model."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from uncial.document import Transcription
from uncial.errors import UserError
from uncial.text.bidi import to_display, to_logical
from uncial.text.characters import UNITS, count_letters, has_arabic_digits, split_units
from uncial.text.normalization import DEFAULT_PROFILE, build_normalizer, normalize, normalize_transcription
from uncial.text.replacements import Replacements, replace_in

DIRECTIONS = ("auto", "L", "R", "none")


@dataclass(frozen=True, slots=True)
class TextRules:
    """How ground truth becomes the text that is learned and scored, and in which order a recogniser reads it.

    `replacements` are (from, to) pairs, applied to the text in the form of the `normalization` profile, and the result
    is brought into that form again. `unit` says what the order of the line is made of: `code_point`, or `grapheme`,
    which keeps marks behind their base. `direction` is the base direction of the line (kraken's `--base-dir`): `L`,
    `R`, `none` for the order of the file, or `auto`: that of the line's letters where all run one way, and `mixed`
    where they run both ways or where there are none.
    """

    normalization: str = DEFAULT_PROFILE
    replacements: Replacements = ()
    unit: str = "code_point"
    direction: str = "none"
    mixed: str = "L"

    def __post_init__(self) -> None:
        """Raise `UserError` for a setting that cannot be."""
        build_normalizer(self.normalization)
        _check_one_of("unit", self.unit, UNITS)
        _check_one_of("direction", self.direction, DIRECTIONS)
        _check_one_of("mixed_direction", self.mixed, ("L", "R"))

    def prepare(self, text: str) -> str:
        """Return ground truth in the form that is learned and scored, in logical order."""
        text = normalize(text, self.normalization)
        if not self.replacements:
            return text
        return normalize(replace_in(text, self.replacements), self.normalization)

    def to_visual(self, text: str) -> str:
        """Return prepared text in the order in which it stands on the line, from left to right."""
        base = self.base(text)
        return text if base is None else "".join(to_display(split_units(text, self.unit), base)[0])

    def to_logical(self, transcription: Transcription) -> Transcription:
        """Return what was read from left to right in logical order; confidences and places stay with their characters.

        Places are those on the image, so that they run from right to left where the writing does.
        """
        base = self.base(transcription.text)
        if base is None:
            return transcription
        read = split_units(transcription.text, self.unit)
        units, order = to_logical(read, base)
        starts = [0]
        for unit in read:
            starts.append(starts[-1] + len(unit))
        characters = [place for index in order for place in range(starts[index], starts[index + 1])]
        return replace(
            transcription,
            text="".join(units),
            character_confidences=_reorder(transcription.character_confidences, characters),
            positions=_reorder(transcription.positions, characters),
        )

    def normalized(self, transcription: Transcription) -> Transcription:
        """Return what was read in the form of the `normalization` profile; confidences and places stay with their
        characters."""
        return normalize_transcription(transcription, self.normalization)

    def base(self, text: str) -> str | None:
        """Return the base direction of a line in logical or display order alike; None where nothing is to be
        reordered."""
        if self.direction == "none":
            return None
        left, right = count_letters(text)
        base = self.direction
        if base == "auto":
            base = self.mixed if bool(left) == bool(right) else "R" if right else "L"
            if not left and not right and has_arabic_digits(text):
                base = "R"
        return base

    def to_json(self) -> dict[str, Any]:
        """Return plain types from which `from_json` makes equal rules."""
        return {**asdict(self), "replacements": [list(pair) for pair in self.replacements]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the rules that `to_json` described. Raises `UserError` where `data` describes none."""
        try:
            pairs = tuple((str(old), str(new)) for old, new in data.get("replacements", ()))
            return cls(**{**data, "replacements": pairs})
        except (TypeError, ValueError) as error:
            raise UserError(f"The model's rules for text cannot be read: {error}; use another copy.") from error


def find_mixed_direction(texts: Iterable[str]) -> str:
    """Return the direction of most letters of these texts: `R` where more of them run from right to left, else `L`."""
    counts = [count_letters(text) for text in texts]
    return "R" if sum(right for _, right in counts) > sum(left for left, _ in counts) else "L"


def _reorder(values: tuple[Any, ...], order: list[int]) -> tuple[Any, ...]:
    return tuple(values[index] for index in order) if len(values) == len(order) else values


def _check_one_of(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"model.text.{key}={value}: choose one of {', '.join(allowed)}.")
