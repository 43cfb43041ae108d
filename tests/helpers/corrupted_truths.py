"""Ground truth made wrong in the ways in which transcribers err, at lines that are drawn by chance."""

from collections.abc import Sequence

import numpy as np

KINDS = ("swapped neighbours", "dropped word", "wrong letter")


def corrupted(texts: Sequence[str], share: float, seed: int = 1) -> dict[int, tuple[str, str]]:
    """The kind and the new text of about this share of the lines, by their place.

    Swapped neighbours are two letters side by side, or two lines, one after the other, whose texts change places (both
    count); a dropped word is one of several; a wrong letter another one of the data.
    """
    random = np.random.default_rng(seed)
    letters = sorted({letter for text in texts for letter in text if letter.isalpha()})
    found: dict[int, tuple[str, str]] = {}
    wanted = max(1, round(share * len(texts)))
    for place in random.permutation(len(texts)).tolist():
        if len(found) >= wanted:
            break
        kind = len(found) % 4
        if place in found or len(texts[place]) < 3:
            continue
        if kind == 0 and place + 1 < len(texts) and place + 1 not in found and texts[place] != texts[place + 1]:
            found[place], found[place + 1] = ((KINDS[0], texts[place + 1]), (KINDS[0], texts[place]))
        elif (new := _CHANGES[kind](texts[place], letters, random)) != texts[place]:
            found[place] = (KINDS[max(0, kind - 1)], new)
    return found


def _lines_swapped(text: str, letters: Sequence[str], random: np.random.Generator) -> str:
    return text


def _letters_swapped(text: str, letters: Sequence[str], random: np.random.Generator) -> str:
    places = [i for i in range(len(text) - 1) if text[i] != text[i + 1] and " " not in text[i : i + 2]]
    if not places:
        return text
    i = int(random.choice(places))
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def _word_dropped(text: str, letters: Sequence[str], random: np.random.Generator) -> str:
    words = text.split(" ")
    if len(words) < 2:
        return text
    del words[int(random.integers(len(words)))]
    return " ".join(words)


def _letter_wrong(text: str, letters: Sequence[str], random: np.random.Generator) -> str:
    i = int(random.choice([i for i, letter in enumerate(text) if letter.isalpha()] or [0]))
    return text[:i] + str(random.choice([letter for letter in letters if letter != text[i]])) + text[i + 1 :]


_CHANGES = (_lines_swapped, _letters_swapped, _word_dropped, _letter_wrong)
