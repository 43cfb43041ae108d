"""Bidirectional text: from the order in which it is read to the order in which it stands on the line, and back.

A line image shows its characters from left to right, whatever the script, and a recogniser reads them in that order:
the display order of the Unicode Bidirectional Algorithm (UAX #9). kraken's `--reorder` and `--base-dir` do the same.
The levels come from python-bidi's implementation, with two additions: brackets are resolved as pairs (rule N0), and
formatting characters such as the zero-width non-joiner are kept at the level of the character before them (UAX #9,
section 5.2), for nothing may be lost. Isolates are taken as embeddings.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any
from unicodedata import bidirectional, category, normalize

from bidi.algorithm import (
    EXPLICIT_LEVEL_LIMIT,
    explicit_embed_and_overrides,
    get_empty_storage,
    reorder_resolved_levels,
    resolve_implicit_levels,
    resolve_neutral_types,
    resolve_weak_types,
    reverse_contiguous_sequence,
)
from bidi.mirror import MIRRORED

from uncial.text.characters import RIGHT_TO_LEFT, count_letters

_CLASSES = {"LRI": "LRE", "RLI": "RLE", "FSI": "LRE", "PDI": "PDF", "B": "S", "": "L"}
"""Isolates as embeddings, line breaks as tabulators, and unassigned code points as letters."""

_TURNING = {*RIGHT_TO_LEFT, "AN", "RLE", "LRE", "RLO", "LRO", "PDF"}
"""The classes without which a line from left to right stays as it is."""

_ROUNDS = 4

_STRONG = ("L", "R", "AL", "EN", "AN")
"""The classes of which neighbours are read together."""

_TRIES = 60
"""How often a guess is changed where it leads to no line: for one in a thousand of the lines that chance draws. One in
ten thousand is not found then either, and a reading that no line is shown as costs some hundredths of a second."""


def to_display(units: Sequence[str], base: str) -> tuple[list[str], list[int]]:
    """Bring units from logical into display order: the units from left to right, and the index that each had.

    A unit is a character, or a grapheme whose marks stay behind their base. `base` is the direction of the line as a
    whole, `L` or `R`. Where the writing runs from right to left, brackets and other mirrored characters become what
    is seen on the page.
    """
    if _is_kept(units, base):
        return list(units), list(range(len(units)))
    cells = _resolve(units, base)
    return [_mirror_back(cell) for cell in cells], [cell["index"] for cell in cells]


def to_logical(units: Sequence[str], base: str) -> tuple[list[str], list[int]]:
    """Bring units from display into logical order: the units as they are read, and the index that each had.

    The result is, wherever one is found, a line that `to_display` brings into the very order given. Several lines may
    be shown alike, for instance a Latin word and a number beside one another in Hebrew, whichever is read first; the
    first found is taken, which reads them from left to right as kraken does. Units are put in order and mirrored, but
    none is ever dropped or added.
    """
    shown = list(units)
    if _is_kept(shown, base):
        return shown, list(range(len(shown)))
    first: tuple[list[str], list[int]] | None = None
    starts = [_compute_levels_as_read, _compute_levels_from_right]
    if not count_letters("".join(shown))[0]:
        starts.reverse()
    for start in starts:
        levels = start(shown, base)
        for _ in range(_ROUNDS):
            found = _undo(shown, levels)
            first = first or found
            cells = _resolve(found[0], base)
            if [_mirror_back(cell) for cell in cells] == shown:
                return found
            levels = [cell["level"] for cell in cells]
    for start in starts:
        for levels in islice(_change(shown, start(shown, base), base), _TRIES):
            found = _undo(shown, levels)
            if [_mirror_back(cell) for cell in _resolve(found[0], base)] == shown:
                return found
    return first or ([], [])


def _is_kept(units: Sequence[str], base: str) -> bool:
    return not units or (
        base == "L" and not any(_find_class(character) in _TURNING for unit in units for character in unit)
    )


def _resolve(units: Sequence[str], base: str) -> list[dict[str, Any]]:
    """Return the units in display order, each with its `level` and the `index` that it had."""
    levels = _compute_levels("".join(units), base)
    starts = _find_starts(units)
    cells: list[dict[str, Any]] = [
        {"ch": unit, "level": levels[start], "index": index}
        for index, (unit, start) in enumerate(zip(units, starts, strict=True))
    ]
    storage = get_empty_storage()
    storage["base_level"] = _find_level(base)
    storage["chars"] = [{**cell, "orig": _find_class(cell["ch"][:1])} for cell in cells]
    reorder_resolved_levels(storage, False)
    return list(storage["chars"])


def _compute_levels(text: str, base: str) -> list[int]:
    """Return the embedding level of each character before rule L1."""
    storage = get_empty_storage()
    storage["base_level"], storage["base_dir"] = _find_level(base), base
    cells: list[dict[str, Any]] = [
        {"ch": character, "level": _find_level(base), "type": kind, "orig": kind, "index": index}
        for index, character in enumerate(text)
        if (kind := _find_class(character))
    ]
    storage["chars"] = cells
    explicit_embed_and_overrides(storage)
    resolve_weak_types(storage)
    for run in storage["runs"]:
        chars = storage["chars"][run["start"] : run["start"] + run["length"]]
        _resolve_brackets(chars, run["sor"], "LR"[chars[0]["level"] % 2])
    resolve_neutral_types(storage, False)
    resolve_implicit_levels(storage, False)
    known = {cell["index"]: cell["level"] for cell in storage["chars"]}
    levels: list[int] = []
    for index in range(len(text)):
        levels.append(known.get(index, levels[-1] if levels else _find_level(base)))
    return levels


def _resolve_brackets(chars: list[dict[str, Any]], before: str, embedding: str) -> None:
    """Rule N0: both brackets of a pair take the direction of what they hold, or of what stands before them."""
    for opening, closing in _find_bracket_pairs(chars):
        inside = {_find_strong(cell["type"]) for cell in chars[opening + 1 : closing]} - {""}
        if not inside:
            continue
        context = next((kind for cell in reversed(chars[:opening]) if (kind := _find_strong(cell["type"]))), before)
        direction = embedding if embedding in inside else context
        for bracket in (opening, closing):
            chars[bracket]["type"] = direction
            for cell in chars[bracket + 1 :]:
                if cell["orig"] != "NSM":
                    break
                cell["type"] = direction


def _find_bracket_pairs(chars: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """Rule BD16: the places of matching brackets, by the opening one."""
    pairs, waiting = [], []
    for place, cell in enumerate(chars):
        character = normalize("NFC", cell["ch"])
        if cell["type"] != "ON" or character not in MIRRORED:
            continue
        if category(character) == "Ps":
            waiting.append((MIRRORED[character], place))
        elif category(character) == "Pe":
            depth = next((i for i in reversed(range(len(waiting))) if waiting[i][0] == character), None)
            if depth is not None:
                pairs.append((waiting[depth][1], place))
                del waiting[depth:]
    return sorted(pairs)


def _find_strong(kind: str) -> str:
    """Return the direction that a resolved type lends its neighbours: numbers count as running from right to left."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(kind, "")


def _compute_levels_as_read(shown: Sequence[str], base: str) -> list[int]:
    """Return the levels that the units would have if they were read in the order in which they are shown."""
    cells = _resolve(shown, base)
    return [cell["level"] for cell in sorted(cells, key=lambda cell: cell["index"])]


def _compute_levels_from_right(shown: Sequence[str], base: str) -> list[int]:
    """Return the levels that the units would have if they were read from right to left."""
    backwards = [_mirror(unit) for unit in reversed(shown)]
    cells = _resolve(backwards, base)
    return [cell["level"] for cell in sorted(cells, key=lambda cell: -cell["index"])]


def _change(shown: Sequence[str], levels: Sequence[int], base: str) -> Iterator[list[int]]:
    """Yield the same levels with one word, number or sign at another one."""

    def place(index: int) -> tuple[Any, ...]:
        kind = _find_class(shown[index][:1])
        return (kind, levels[index]) if kind in _STRONG else (kind, index)

    for _, piece in groupby(range(len(shown)), place):
        start, *rest = piece
        end = start + 1 + len(rest)
        for level in range(_find_level(base), 3):
            if level != levels[start]:
                yield [*levels[:start], *[level] * (end - start), *levels[end:]]


def _undo(shown: Sequence[str], levels: Sequence[int]) -> tuple[list[str], list[int]]:
    """Rule L2 the other way round. Reversals are nested, so that the same ones undo what they did."""
    cells = [
        {"ch": unit, "level": level, "index": index}
        for index, (unit, level) in enumerate(zip(shown, levels, strict=True))
    ]
    odd = min((level for level in levels if level % 2), default=EXPLICIT_LEVEL_LIMIT)
    reverse_contiguous_sequence(cells, 0, len(cells) - 1, max(levels, default=0), odd)
    return [_mirror_back(cell) for cell in cells], [cell["index"] for cell in cells]  # type: ignore[misc]


def _mirror_back(cell: dict[str, Any]) -> str:
    return _mirror(cell["ch"]) if cell["level"] % 2 else cell["ch"]


def _mirror(unit: str) -> str:
    return "".join(MIRRORED.get(character, character) for character in unit)


def _find_starts(units: Sequence[str]) -> list[int]:
    starts, position = [], 0
    for unit in units:
        starts.append(position)
        position += len(unit)
    return starts


def _find_class(character: str) -> str:
    kind = bidirectional(character)
    return _CLASSES.get(kind, kind)


def _find_level(base: str) -> int:
    return {"L": 0, "R": 1}[base]
