"""Folders of PAGE or ALTO files compared by the text of their pages, whose lines need not be those of the truth."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.schema import build_settings
from uncial.data.config import build_source_settings
from uncial.data.settings import DataSettings
from uncial.data.transcribed_sets import SetLine, TranscribedSet, match_pages, read_set
from uncial.document import Page, TextLine
from uncial.errors import UserError
from uncial.metrics.comparison import Readings
from uncial.metrics.layout.page_texts import PageTexts, TruthLine, evaluate_page
from uncial.metrics.layout.text_alignment import TextCounts, count_page_text, score_text
from uncial.metrics.lines import EvaluatedLine, LineOrigin
from uncial.reports.tables.page_texts import PageTextScores
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.tables import write_csv, write_skipped

log = logging.getLogger(__name__)

Unmatched = tuple[str, str, str, str]


@dataclass(frozen=True)
class PageTextReadings:
    """The lines of all pages as each folder has them, and the scores of its pages, by its name."""

    readings: Mapping[str, Readings]
    pages: Mapping[str, PageTextScores]


def compare_page_texts(
    config: DictConfig, folders: Mapping[str, str], profile: str, run_folder: Path
) -> PageTextReadings:
    """Read the folders, by name, and their ground truth, and pair the lines of the pages that all have.

    Pages that are missing somewhere, and lines of the truth that no person transcribed, are named in unmatched.csv,
    what cannot be read in skipped.csv. Raises `UserError` where no page is common to all.
    """
    source = build_source_settings(build_settings(DataSettings, config))
    truth = read_set(str(config.compare.truth), "compare.truth", source)
    sets = {name: read_set(folder, "compare.folders", source) for name, folder in folders.items()}
    write_skipped(
        RunFolder(run_folder).skipped, [problem for one in (truth, *sets.values()) for problem in one.problems]
    )
    names = {name: match_pages(truth, one) for name, one in sets.items()}
    common = [
        page
        for page, lines in truth.pages.items()
        if any(map(_is_truth, lines.values())) and all(page in own for own in names.values())
    ]
    unmatched = _list_unmatched(truth, sets, names)
    write_csv(RunFolder(run_folder).unmatched, ("page", "line", "folder", "reason"), unmatched)
    if unmatched:
        page, line, _, reason = unmatched[0]
        log.warning(
            f"{plural(len(unmatched), 'row')} in unmatched.csv, of what cannot be compared; the first: "
            f"{f'{page} {line}'.rstrip()} {reason}"
        )
    if not common:
        raise UserError(
            f"compare.folders: no page of {truth.folder} with a person's text is in all of "
            f"{', '.join(folders.values())}; pages belong together whose files have the same path below their folder, "
            "or the same name."
        )
    evaluated: dict[str, list[EvaluatedLine]] = {name: [] for name in folders}
    for page in common:
        own = [TruthLine(_make_origin(page, name, line), line.text or "") for name, line in _list_truth(truth, page)]
        read = [_find_texts(truth, page, sets[name], names[name][page]) for name in folders]
        for lines, found in zip(evaluated.values(), evaluate_page(own, read, profile), strict=True):
            lines += found
    pages = {name: _score_pages(truth, sets[name], names[name], common, profile) for name in folders}
    return PageTextReadings({name: [lines] for name, lines in evaluated.items()}, pages)


def _is_truth(line: SetLine) -> bool:
    return line.text is not None and line.reader is None


def _list_truth(truth: TranscribedSet, page: str) -> list[tuple[str, SetLine]]:
    return [(name, line) for name, line in truth.pages[page].items() if _is_truth(line)]


def _make_origin(page: str, name: str, line: SetLine) -> LineOrigin:
    return LineOrigin(page, name, document=line.document, hand=line.hand, region_type=line.region_type)


def _has_given_lines(truth: TranscribedSet, page: str, other: TranscribedSet, name: str) -> bool:
    """Return whether a page has the lines of the truth: each of the same id in the same place, and no others."""
    own, lines = truth.pages[page], other.pages[name]
    return own.keys() == lines.keys() and all(own[one].place == line.place for one, line in lines.items())


def _find_texts(truth: TranscribedSet, page: str, other: TranscribedSet, name: str) -> PageTexts:
    lines = other.pages[name]
    texts = [line.text for line in lines.values() if line.text]
    if not _has_given_lines(truth, page, other, name):
        return PageTexts(texts)
    return PageTexts(texts, {one: line.text or "" for one, line in lines.items()})


def _score_pages(
    truth: TranscribedSet, other: TranscribedSet, names: Mapping[str, str], pages: Sequence[str], profile: str
) -> PageTextScores:
    total = TextCounts()
    for page in pages:
        own = tuple(TextLine(name, page, text=line.text) for name, line in _list_truth(truth, page))
        found = tuple(TextLine(name, page, text=line.text) for name, line in other.pages[names[page]].items())
        total += count_page_text(Page(page, Path(), lines=own), Page(page, Path(), lines=found), profile)
    return PageTextScores(
        is_given=all(_has_given_lines(truth, page, other, names[page]) for page in pages),
        readers=frozenset(
            line.reader for page in pages for line in other.pages[names[page]].values() if line.reader is not None
        ),
        values=score_text(total),
    )


def _list_unmatched(
    truth: TranscribedSet, sets: Mapping[str, TranscribedSet], names: Mapping[str, Mapping[str, str]]
) -> list[Unmatched]:
    found = []
    for name, own in names.items():
        found += [(page, "", name, f"is not in {name}") for page in truth.pages if page not in own]
        known = set(own.values())
        found += [
            (page, "", "truth", f"is in {name} and not in the truth") for page in sets[name].pages if page not in known
        ]
    for page, lines in truth.pages.items():
        reason = "has no person's text in the truth: what was read there counts as too much"
        found += [(page, line, "truth", reason) for line, one in lines.items() if not _is_truth(one)]
    return found
