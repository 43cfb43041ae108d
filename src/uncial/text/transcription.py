"""What a recogniser reads in one line image."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transcription:
    """The text of a line, with how sure the model is of it and where each character stands.

    `confidence` is a fraction for the whole line. `character_confidences` holds one fraction for each code point of
    `text`, and `positions` for each its (start, end) as fractions of the line image's width, left to right as the
    pixels run.
    """

    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    positions: tuple[tuple[float, float], ...] = ()
