"""What several models, or folders of PAGE or ALTO files, read in the same lines."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import build_settings
from uncial.data.config import build_source_settings
from uncial.data.ground_truth import GroundTruth
from uncial.data.settings import DataSettings, SourceSettings
from uncial.data.transcribed_sets import SetLine, TranscribedSet, match_pages, read_set
from uncial.errors import UserError
from uncial.metrics.comparison import Comparison, Readings, compare_systems
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.lines import EvaluatedLine, LineOrigin, evaluate_line
from uncial.models.recognizer import Recognizer
from uncial.problems.recognition.evaluation import evaluate_lines
from uncial.problems.recognition.inference import predict_lines, warn_about_training_overlap
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_skipped
from uncial.text.normalization import DEFAULT_PROFILE
from uncial.text.rules import TextRules

log = logging.getLogger(__name__)

Models = Mapping[str, Sequence[tuple[Recognizer, dict[str, Any]]]]
"""Models and their cards by name; several of one name where they differ by their seed alone."""


def compare_models(
    config: DictConfig,
    folder: Path,
    truth: GroundTruth,
    rows: np.ndarray,
    models: Models,
    settings: EvaluationSettings,
) -> Comparison:
    """Return each model reads the rows of the store; scored in the form of text that `settings` name. `folder` is where
    the run writes."""
    rules = find_common_replacements([recognizer.text for found in models.values() for recognizer, _ in found])
    systems: dict[str, Readings] = {}
    for name, found in models.items():
        readings = []
        for recognizer, card in found:
            log.info(f"reading with {name}")
            warn_about_training_overlap(truth, rows, card, name)
            read = predict_lines(config, folder, truth, rows, recognizer, card, model=name)
            readings.append(evaluate_lines(truth.store, read.results, settings.profile, rules))
        systems[name] = readings
    return compare_systems(systems, settings)


def find_common_replacements(rules: Sequence[TextRules]) -> TextRules | None:
    """Return the rules that make the ground truth of all models, None where that is the ground truth as it stands."""
    # Replacements are looked for in the form of the normalisation, so that both have to be the same.
    if len({(one.normalization, one.replacements) if one.replacements else None for one in rules}) == 1:
        return rules[0]
    log.warning(
        "The models learned texts with different replacements (model.text.replacements) and are compared on the ground "
        "truth as it stands in the files: what a model learned to replace counts as an error."
    )
    return None


Unmatched = tuple[str, str, str, str]
"""A page, a line of it (empty: all of them), the folder that it is missing in, and what that means."""


def compare_folders(
    config: DictConfig, folders: Mapping[str, str], profile: str, run_folder: Path
) -> Mapping[str, Readings]:
    """Read the folders, by name, and their ground truth, and compare the lines that all have.

    What is missing somewhere is named in unmatched.csv, what cannot be read in skipped.csv. Raises `UserError` where
    nothing is common to all.
    """
    settings: SourceSettings = build_source_settings(build_settings(DataSettings, config))
    truth = read_set(str(config.compare.truth), "compare.truth", settings)
    sets = {name: read_set(folder, "compare.folders", settings) for name, folder in folders.items()}
    problems = [problem for one in (truth, *sets.values()) for problem in one.problems]
    write_skipped(RunFolder(run_folder).skipped, problems)
    _tell_left_out(
        "file or line",
        "cannot be read, skipped.csv says why",
        [(f"{problem.file} {problem.line}", problem.reason) for problem in problems],
    )
    readings = {name: _find_readings(truth, found) for name, found in sets.items()}
    unmatched = [row for name, found in sets.items() for row in _find_missing(name, truth, found, readings[name])]
    unmatched += _find_untranscribed(truth)
    write_csv(RunFolder(run_folder).unmatched, ("page", "line", "folder", "reason"), unmatched)
    _tell_left_out(
        "page or line",
        "cannot be compared, unmatched.csv lists them",
        [(f"{page} {line}", reason) for page, line, _, reason in unmatched],
    )
    _tell_empty(readings)
    common = [
        place
        for place in _find_places(truth)
        if _is_truth(_find_line(truth, place)) and all(place in found for found in readings.values())
    ]
    if not common:
        raise UserError(
            "No line is in the truth and in all of compare.folders: pages are matched by path or name, lines by id; "
            f"{RunFolder(run_folder).unmatched} lists them, and those of the truth that no person transcribed. Where "
            "the lines were found anew, compare.what=pages pairs them by their texts."
        )
    return {name: [[_evaluate(truth, place, found, profile) for place in common]] for name, found in readings.items()}


Place = tuple[str, str]
"""A page and a line id, as the truth names them."""


def _find_places(one: TranscribedSet) -> Iterator[Place]:
    for page, lines in one.pages.items():
        yield from ((page, line) for line in lines)


def _find_line(one: TranscribedSet, place: Place) -> SetLine:
    return one.pages[place[0]][place[1]]


def _find_readings(truth: TranscribedSet, other: TranscribedSet) -> dict[Place, str | None]:
    """Return what `other` has for the lines of the truth."""
    return {
        (page, line): found.text
        for page, name in match_pages(truth, other).items()
        for line, found in other.pages[name].items()
        if line in truth.pages[page]
    }


def _find_missing(
    name: str, truth: TranscribedSet, other: TranscribedSet, readings: Mapping[Place, str | None]
) -> Iterator[Unmatched]:
    names = match_pages(truth, other)
    for page, lines in truth.pages.items():
        if page not in names:
            yield page, "", name, f"is not in {name}: {plural(len(lines), 'line')} of the truth not compared"
        else:
            yield from ((page, line, name, f"is not in {name}") for line in lines if (page, line) not in readings)
    known = {own: page for page, own in names.items()}
    for own, lines in other.pages.items():
        if own not in known:
            yield own, "", "truth", f"is in {name} and not in the truth"
        else:
            yield from (
                (own, line, "truth", f"is in {name} and not in the truth")
                for line in lines
                if line not in truth.pages[known[own]]
            )


def _find_untranscribed(truth: TranscribedSet) -> Iterator[Unmatched]:
    for page, line in _find_places(truth):
        found = _find_line(truth, (page, line))
        if found.text is None:
            yield page, line, "truth", "has no transcription in the truth"
        elif found.reader is not None:
            yield page, line, "truth", f"was written by {found.reader} in the truth, and not corrected since"


def _is_truth(line: SetLine) -> bool:
    return line.text is not None and line.reader is None


def _tell_left_out(noun: str, what: str, left_out: Sequence[tuple[str, str]]) -> None:
    """Says how many there are, with the place of the first and the reason."""
    if left_out:
        place, reason = left_out[0]
        nouns = noun if len(left_out) == 1 else noun.replace(" or ", "s or ") + "s"
        log.warning(f"{len(left_out):,} {nouns} {what}; the first: {place.rstrip()} {reason}")


def _tell_empty(readings: Mapping[str, Mapping[Place, str | None]]) -> None:
    for name, found in readings.items():
        if empty := sum(text is None for text in found.values()):
            verb = "counts" if empty == 1 else "count"
            log.warning(f"{plural(empty, 'line')} of {name} without text {verb} as read empty.")


def _evaluate(truth: TranscribedSet, place: Place, readings: Mapping[Place, str | None], profile: str) -> EvaluatedLine:
    line = _find_line(truth, place)
    origin = LineOrigin(*place, document=line.document, hand=line.hand, region_type=line.region_type)
    return evaluate_line(origin, line.text or "", readings[place] or "", profile)


def find_common_profile(rules: Sequence[TextRules]) -> str:
    profiles = list(dict.fromkeys(one.normalization for one in rules))
    if len(profiles) == 1:
        return profiles[0]
    log.warning(
        f"The models learned texts in different forms ({', '.join(profiles)}) and are compared in {DEFAULT_PROFILE}; "
        "compare.profile chooses another."
    )
    return DEFAULT_PROFILE


def find_unique_path_suffixes(paths: Sequence[Path]) -> Mapping[Path, str]:
    """Return the shortest ends of the paths, as many parts of each, that are all different."""
    parts = [(path.absolute().parent if path.name == RunFolder.best_model else path.absolute()).parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        ends = ["/".join(own[-length:]) for own in parts]
        if len(set(ends)) == len(ends):
            return dict(zip(paths, ends, strict=True))
    return {path: str(path) for path in paths}
