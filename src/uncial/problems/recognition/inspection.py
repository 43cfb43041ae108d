"""All checks of `inspect`, in the order in which one explains what the next would find again."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from uncial.config.instantiate import plain_group
from uncial.config.saved_yaml import for_hydra
from uncial.data.augmentation.chain import build_augmentation, single_transforms
from uncial.data.checks.duplicate_lines import duplicate_lines
from uncial.data.checks.duplicate_pages import duplicate_pages, page_pairs
from uncial.data.checks.findings import CheckedData, Finding, collect_checked_lines
from uncial.data.checks.geometry import empty_parts, geometry, made_up_identifiers
from uncial.data.checks.inventory import (
    mixed_codepoints,
    out_of_alphabet,
    private_characters,
    rare_characters,
    unseen_characters,
)
from uncial.data.checks.line_images import off_the_ink, proportions, several_lines, upside_down, without_ink
from uncial.data.checks.measures import measure
from uncial.data.checks.odd_text import drop_explained_findings, mixed_normal_forms, odd_text
from uncial.data.checks.unusable import findings_of_notes, findings_of_problems
from uncial.data.ground_truth import GroundTruth
from uncial.data.splits.leakage import SplitLeakage
from uncial.models.build import build_model
from uncial.models.recognizer import Recognizer
from uncial.problems.recognition.setup import texts_of, too_long
from uncial.reports.plots.sheets import Row, augmentation_sheet
from uncial.reports.terminal.progress_bar import progress
from uncial.text.codec import CharacterCodec
from uncial.text.rules import TextRules


def find(
    config: DictConfig, truth: GroundTruth, sides: SplitLeakage, rules: TextRules, recognizer: Recognizer | None
) -> Iterator[Finding]:
    """All findings. `rules` are those of the config for text, `recognizer` the model of `checkpoint`."""
    with progress("looking at lines", len(truth.store)) as advance:
        data = CheckedData(truth.store, list(collect_checked_lines(truth)), measure(truth.store, advance), truth.pages)
    yield from findings_of_problems(truth.problems)
    yield from findings_of_notes(truth.notes)
    yield from _of_the_split(truth, sides, config.data.split)
    yield from _of_duplicates(data)
    yield from drop_explained_findings(data, _of_images(config, truth, data, rules, recognizer))
    yield from odd_text(data)
    yield from mixed_normal_forms(data)
    prepared = [rules.prepare(line.text) for line in data.lines]
    yield from rare_characters(data, prepared, rules.unit)
    yield from unseen_characters(data, prepared, rules.unit)
    yield from private_characters(data)
    yield from mixed_codepoints(data)
    if recognizer is not None:
        text = recognizer.text
        yield from out_of_alphabet(
            data, [text.display(text.prepare(line.text)) for line in data.lines], recognizer.codec
        )
    yield from made_up_identifiers(truth.pages)
    at_regions = ("text_without_lines", "region_without_lines")
    told = {problem.file for problem in truth.problems if problem.kind in at_regions}
    yield from empty_parts(truth.pages, told)


def _of_the_split(truth: GroundTruth, sides: SplitLeakage, by: str) -> Iterator[Finding]:
    leaks = sides.leaks(by)
    for leak in leaks:
        message = f"{leak}: scores will look better than on new pages"
        yield Finding("error", "leaking_page", message, "", "", "Keep each page, document or hand on one side.")
    for key, count in truth.left_out.items():
        yield Finding("information", "filtered", f"{count:,} lines are left out by {key}")
    for warning in () if leaks else truth.warnings:
        # The data may well be too few to be split.
        yield Finding("information", "split", warning)


def _of_duplicates(data: CheckedData) -> Iterator[Finding]:
    rows = {(line.page, line.line): line.row for line in data.lines}
    placed = list(geometry(data.pages, rows))
    yield from placed
    with progress("comparing pages", len(data.pages), "pages") as advance:
        pairs = page_pairs(data.pages, advance)
    yield from duplicate_pages(pairs, data.part_of_page)
    told = {finding.row for finding in placed if finding.kind in ("duplicate_line", "two_transcriptions")}
    known = {frozenset((pair.first.id, pair.second.id)) for pair in pairs}
    with progress("comparing lines", len(data.lines)) as advance:
        found = list(duplicate_lines(data, known, told, advance))
    yield from found


def _of_images(
    config: DictConfig, truth: GroundTruth, data: CheckedData, rules: TextRules, recognizer: Recognizer | None
) -> Iterator[Finding]:
    faint = list(without_ink(data))
    yield from faint
    yield from infeasible_lines(config, truth, data, rules, recognizer)
    blank = {finding.row for finding in faint}
    yield from (finding for finding in proportions(data) if finding.row not in blank)
    yield from several_lines(data)
    yield from off_the_ink(data)
    yield from upside_down(data)


def infeasible_lines(
    config: DictConfig, truth: GroundTruth, data: CheckedData, rules: TextRules, recognizer: Recognizer | None
) -> Iterator[Finding]:
    """Lines whose text has no room in their image for the model of `checkpoint`, or of the config."""
    rows = np.arange(len(truth.store))
    if recognizer is None:
        shown = [rules.display(text) for text in texts_of(truth, rows, rules)]
        model = build_model(config.model, codec=CharacterCodec.from_texts(shown, rules.unit), text=rules)
        if not isinstance(model, Recognizer):
            return
        recognizer = model
    for row, problem in too_long(truth, rows, recognizer).items():
        message, _, remedy = problem.reason.partition(": ")
        yield data.finding(row, "warning", "infeasible_line", message, f"{remedy[:1].upper()}{remedy[1:]}.")


DRAWS = 3


def draw_augmentation(config: DictConfig, truth: GroundTruth, png: Path) -> None:
    """Draws `inspect.augmentation` training lines as the model sees them, under each transform alone and under all of
    them, each drawn anew several times. Nothing where the key is 0."""
    rows = truth.rows["train"] if len(truth.rows["train"]) else np.arange(len(truth.store))
    chosen = np.random.default_rng(config.seed).permutation(rows)[: config.inspect.augmentation]
    if not len(chosen):
        return
    preprocess = instantiate(for_hydra(config.model.preprocessing))
    lines = {int(row): preprocess(truth.store.strip(int(row))) for row in sorted(chosen.tolist())}
    augmentation_sheet(list(_rows(config, lines)), png)


def _rows(config: DictConfig, lines: dict[int, np.ndarray]) -> Iterator[Row]:
    group = plain_group(config, "augmentation")
    whole = build_augmentation(group, config.model.preprocessing.channels)
    singles = list(single_transforms(group))
    for row, line in lines.items():
        yield Row("as it is", [line], begins=True)
        for single in singles:
            images = [single.augmentation(line, config.seed, epoch, row) for epoch in range(DRAWS)]
            yield Row(single.label, images)
        for start in (0, DRAWS):
            yield Row("all together", [whole(line, config.seed, start + epoch, row) for epoch in range(DRAWS)])
