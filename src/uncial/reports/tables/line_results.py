"""lines.jsonl: every line that was scored or compared, one JSON object each, for reports and for other programs.

Texts are in the form that was scored. `page` and `line` are the ids of the other files; `sheet` is the page that a line
image was cut from, where that is another. `row` is the line's row of the compiled store, where its picture is.
Confidences are fractions with four digits; those of characters belong to the code points of the reading.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.metrics.comparison import ComparedLine
from uncial.metrics.error_rates import compare
from uncial.metrics.lines import EvaluatedLine, LineOrigin
from uncial.runs.files import RunFolder

Line = TypeVar("Line", EvaluatedLine, ComparedLine)


def write_line_results(path: Path, lines: Iterable[EvaluatedLine]) -> None:
    """Write lines that one model read."""
    _write_objects(path, map(_evaluated_to_json, lines))


def read_line_results(path: Path) -> list[EvaluatedLine]:
    """Read what `write_line_results` wrote. Raises `UserError` for another file."""
    return _read_objects(path, _read_evaluated_line)


def write_compared_lines(path: Path, lines: Iterable[ComparedLine], systems: Sequence[str]) -> None:
    """Write lines that several systems read, `readings` in the order of `systems`."""
    _write_objects(path, (_compared_to_json(line, systems) for line in lines))


def read_compared_lines(path: Path) -> list[ComparedLine]:
    """Read what `write_compared_lines` wrote. Raises `UserError` for another file."""
    return _read_objects(path, _read_compared_line)


def _write_objects(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    with replace_text_file(path) as file:
        file.writelines(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n" for data in objects)


def _read_objects(path: Path, parsed: Callable[[Mapping[str, Any]], Line]) -> list[Line]:
    try:
        # Not str.splitlines: a reading may hold one of the other characters that it splits at.
        rows = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as the {RunFolder.lines} of a run: {error}.") from error
    return [_parse_row(row, f"{path}, line {number}", parsed) for number, row in enumerate(rows, start=1) if row]


def _parse_row(row: str, where: str, parsed: Callable[[Mapping[str, Any]], Line]) -> Line:
    try:
        return parsed(json.loads(row))
    except KeyError as error:
        raise UserError(f"{where}: no {error}; give the {RunFolder.lines} of a run.") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{where} cannot be read as a line of the {RunFolder.lines} of a run: {error}.") from error


def _evaluated_to_json(line: EvaluatedLine) -> dict[str, Any]:
    return {
        **_origin_to_json(line.origin),
        "script": line.script,
        "profile": line.profile,
        "truth": line.truth,
        "reading": line.prediction,
        "characters": line.counts.characters,
        "edits": line.counts.edits,
        "insertions": line.counts.insertions,
        "deletions": line.counts.deletions,
        "substitutions": line.counts.substitutions,
        "words": line.counts.words,
        "word_edits": line.counts.word_edits,
        "confidence": _round_confidence(line.confidence),
        "character_confidences": [round(one, 4) for one in line.character_confidences],
    }


def _read_evaluated_line(data: Mapping[str, Any]) -> EvaluatedLine:
    return EvaluatedLine(
        origin=_read_origin(data),
        truth=_read_text(data, "truth"),
        prediction=_read_text(data, "reading"),
        counts=compare(data["truth"], data["reading"]),
        profile=_read_text(data, "profile"),
        script=_read_text(data, "script"),
        confidence=_read_confidence(data),
        character_confidences=tuple(map(float, data["character_confidences"])),
    )


def _compared_to_json(line: ComparedLine, systems: Sequence[str]) -> dict[str, Any]:
    readings = zip(systems, line.predictions, line.edits, line.confidences, line.character_confidences, strict=True)
    return {
        **_origin_to_json(line.origin),
        "script": line.script,
        "truth": line.truth,
        "characters": len(line.truth),
        "readings": [
            {
                "system": system,
                "reading": prediction,
                "edits": edits,
                "confidence": _round_confidence(confidence),
                "character_confidences": [round(one, 4) for one in of_characters],
            }
            for system, prediction, edits, confidence, of_characters in readings
        ],
    }


def _read_compared_line(data: Mapping[str, Any]) -> ComparedLine:
    readings = data["readings"]
    return ComparedLine(
        origin=_read_origin(data),
        truth=_read_text(data, "truth"),
        script=_read_text(data, "script"),
        predictions=tuple(_read_text(one, "reading") for one in readings),
        edits=tuple(float(one["edits"]) for one in readings),
        confidences=tuple(map(_read_confidence, readings)),
        character_confidences=tuple(tuple(map(float, one["character_confidences"])) for one in readings),
    )


def _origin_to_json(origin: LineOrigin) -> dict[str, Any]:
    return asdict(origin)


def _read_origin(data: Mapping[str, Any]) -> LineOrigin:
    names = [name for name in LineOrigin.__dataclass_fields__ if name != "row"]
    row = data["row"]
    return LineOrigin(**{name: _read_text(data, name) for name in names}, row=None if row is None else int(row))


def _read_text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise TypeError(f"'{name}' is {value!r:.40} and no text")
    return value


def _read_confidence(data: Mapping[str, Any]) -> float | None:
    return None if data["confidence"] is None else float(data["confidence"])


def _round_confidence(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)
