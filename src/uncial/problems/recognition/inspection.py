"""All checks of `inspect`, in the order in which one explains what the next would find again."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from lightning import Callback
from omegaconf import DictConfig

from uncial.config.instantiate import read_group
from uncial.config.saved_yaml import escape_for_hydra
from uncial.config.schema import build_settings
from uncial.data.augmentation.chain import build_augmentation, list_single_transforms
from uncial.data.checks.duplicate_lines import find_duplicate_lines
from uncial.data.checks.duplicate_pages import find_duplicate_pages, find_page_pairs
from uncial.data.checks.findings import CheckedData, Finding, collect_checked_lines
from uncial.data.checks.geometry import find_empty_parts, find_generated_identifiers, find_geometry_faults
from uncial.data.checks.inventory import (
    find_mixed_codepoints,
    find_out_of_alphabet,
    find_private_characters,
    find_rare_characters,
    find_unseen_characters,
)
from uncial.data.checks.line_images import (
    find_lines_without_ink,
    find_odd_proportions,
    find_polygons_off_ink,
    find_several_lines,
    find_upside_down,
)
from uncial.data.checks.measures import measure_lines
from uncial.data.checks.odd_text import drop_explained_findings, find_mixed_normal_forms, find_odd_text
from uncial.data.checks.unusable import report_notes, report_problems
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import build_training_sampler
from uncial.data.splits.leakage import SplitLeakage
from uncial.errors import UserError
from uncial.models.build import build_model
from uncial.models.recognizer import Recognizer
from uncial.problems.recognition.pretrained import set_pretrained_model
from uncial.problems.recognition.setup import (
    build_loader_config,
    build_training_parts,
    list_texts,
    make_recognizer,
    read_plain_model,
    too_long,
)
from uncial.problems.schedule import build_schedule
from uncial.problems.trainer import build_length_config
from uncial.reports.plots.curves import PlannedRun, draw_schedule
from uncial.reports.plots.sheets import AugmentationRow, draw_augmentation_sheet
from uncial.reports.terminal.formatting import plural
from uncial.reports.terminal.progress_bar import show_progress
from uncial.text.codec import CharacterCodec
from uncial.text.rules import TextRules
from uncial.training.distributed.devices import choose_training_devices
from uncial.training.schedulers.foreign import ForeignScheduler
from uncial.training.schedulers.plan import UNKNOWN, LengthConfig, StepPlan
from uncial.training.schedulers.schedules import warn_if_peak_lr_unreached
from uncial.training.settings import TrainerSettings


def find(
    config: DictConfig, truth: GroundTruth, sides: SplitLeakage, rules: TextRules, recognizer: Recognizer | None
) -> Iterator[Finding]:
    """Yield all findings. `rules` are those of the config for text, `recognizer` the model of `checkpoint`."""
    with show_progress("looking at lines", len(truth.store)) as advance:
        data = CheckedData(
            truth.store, list(collect_checked_lines(truth)), measure_lines(truth.store, advance), truth.pages
        )
    yield from report_problems(truth.problems)
    yield from report_notes(truth.notes)
    yield from _inspect_split(truth, sides, config.data.split)
    yield from _inspect_duplicates(data)
    yield from drop_explained_findings(data, _inspect_images(config, truth, data, rules, recognizer))
    yield from find_odd_text(data)
    yield from find_mixed_normal_forms(data)
    prepared = [rules.prepare(line.text) for line in data.lines]
    yield from find_rare_characters(data, prepared, rules.unit)
    yield from find_unseen_characters(data, prepared, rules.unit)
    yield from find_private_characters(data)
    yield from find_mixed_codepoints(data)
    if recognizer is not None:
        text = recognizer.text
        yield from find_out_of_alphabet(
            data, [text.to_visual(text.prepare(line.text)) for line in data.lines], recognizer.codec
        )
    yield from find_generated_identifiers(truth.pages)
    at_regions = ("text_without_lines", "region_without_lines")
    told = {problem.file for problem in truth.problems if problem.kind in at_regions}
    yield from find_empty_parts(truth.pages, told)


def _inspect_split(truth: GroundTruth, sides: SplitLeakage, by: str) -> Iterator[Finding]:
    leaks = sides.leaks(by)
    for leak in leaks:
        message = f"{leak}: scores will look better than on new pages"
        yield Finding("error", "leaking_page", message, "", "", "Keep each page, document or hand on one side.")
    for key, count in truth.left_out.items():
        yield Finding("information", "filtered", f"{count:,} lines are left out by {key}")
    for warning in () if leaks else truth.warnings:
        # The data may well be too few to be split.
        yield Finding("information", "split", warning)


def _inspect_duplicates(data: CheckedData) -> Iterator[Finding]:
    rows = {(line.page, line.line): line.row for line in data.lines}
    placed = list(find_geometry_faults(data.pages, rows))
    yield from placed
    with show_progress("comparing pages", len(data.pages), "pages") as advance:
        pairs = find_page_pairs(data.pages, advance)
    yield from find_duplicate_pages(pairs, data.part_of_page)
    told = {finding.row for finding in placed if finding.kind in ("duplicate_line", "two_transcriptions")}
    known = {frozenset((pair.first.id, pair.second.id)) for pair in pairs}
    with show_progress("comparing lines", len(data.lines)) as advance:
        found = list(find_duplicate_lines(data, known, told, advance))
    yield from found


def _inspect_images(
    config: DictConfig, truth: GroundTruth, data: CheckedData, rules: TextRules, recognizer: Recognizer | None
) -> Iterator[Finding]:
    faint = list(find_lines_without_ink(data))
    yield from faint
    yield from find_infeasible_lines(config, truth, data, rules, recognizer)
    blank = {finding.row for finding in faint}
    yield from (finding for finding in find_odd_proportions(data) if finding.row not in blank)
    yield from find_several_lines(data)
    yield from find_polygons_off_ink(data)
    yield from find_upside_down(data)


def find_infeasible_lines(
    config: DictConfig, truth: GroundTruth, data: CheckedData, rules: TextRules, recognizer: Recognizer | None
) -> Iterator[Finding]:
    """Lines whose text has no room in their image for the model of `checkpoint`, or of the config."""
    rows = np.arange(len(truth.store))
    if recognizer is None:
        shown = [rules.to_visual(text) for text in list_texts(truth, rows, rules)]
        model = build_model(read_plain_model(config), codec=CharacterCodec.from_texts(shown, rules.unit), text=rules)
        if not isinstance(model, Recognizer):
            return
        recognizer = model
    for row, problem in too_long(truth, rows, recognizer).items():
        message, _, remedy = problem.reason.partition(": ")
        yield data.finding(row, "warning", "infeasible_line", message, f"{remedy[:1].upper()}{remedy[1:]}.")


log = logging.getLogger(__name__)

DRAWS = 3


def draw_augmentation(config: DictConfig, truth: GroundTruth, png: Path) -> None:
    """Draws `inspect.augmentation` training lines as the model sees them, under each transform alone and under all of
    them, each drawn anew several times. Nothing where the key is 0."""
    rows = truth.rows["train"] if len(truth.rows["train"]) else np.arange(len(truth.store))
    chosen = np.random.default_rng(config.seed).permutation(rows)[: config.inspect.augmentation]
    if not len(chosen):
        return
    preprocess = instantiate(escape_for_hydra(config.model.preprocessing))
    lines = {int(row): preprocess(truth.store.strip(int(row))) for row in sorted(chosen.tolist())}
    draw_augmentation_sheet(list(_list_rows(config, lines)), png)


def _list_rows(config: DictConfig, lines: dict[int, np.ndarray]) -> Iterator[AugmentationRow]:
    group = read_group(config, "augmentation")
    whole = build_augmentation(group, config.model.preprocessing.channels)
    singles = list(list_single_transforms(group))
    for row, line in lines.items():
        yield AugmentationRow("as it is", [line], begins=True)
        for single in singles:
            images = [single.augmentation(line, config.seed, epoch, row) for epoch in range(DRAWS)]
            yield AugmentationRow(single.label, images)
        for start in (0, DRAWS):
            yield AugmentationRow(
                "all together", [whole(line, config.seed, start + epoch, row) for epoch in range(DRAWS)]
            )


def draw_planned_schedule(config: DictConfig, truth: GroundTruth, png: Path) -> None:
    """Draw schedule.png, or say why a training could not be made."""
    try:
        wanted, plan = plan_training(set_pretrained_model(config), truth)
        run = plan_run(config, wanted, plan)
    except UserError as error:
        log.warning(f"{png.name} is not drawn, for these lines cannot be trained on as they are: {error}")
        return
    draw_schedule(run, png)
    steps = len(run.rates)
    told = f"A training on these lines has {steps:,} steps of {plan.lines:.1f} lines, {steps / plan.epoch:.1f} epochs"
    log.info(
        f"{told}, and {plural(len(run.validations), 'validation')}; {png.name} shows its learning rate. {run.note}"
    )


def plan_training(config: DictConfig, truth: GroundTruth) -> tuple[LengthConfig, StepPlan]:
    """Return the length that is wanted of a training, and the plan that it begins with."""
    parts, _ = build_training_parts(config, truth, make_recognizer(config, truth))
    lines = len(parts["train"].dataset)
    how = build_loader_config(config.trainer, choose_training_devices(build_settings(TrainerSettings, config)).count)
    batches = len(build_training_sampler(parts["train"], how, config.seed))
    wanted = build_length_config(config, lines)
    return wanted, wanted.plan(math.ceil(batches / config.trainer.accumulate), lines)


def plan_run(config: DictConfig, wanted: LengthConfig, plan: StepPlan) -> PlannedRun:
    """Return the learning rates of the plan. A run whose length a time budget has yet to fix is drawn as though there
    were none."""
    schedule, note = build_schedule(config), ""
    if isinstance(schedule, ForeignScheduler):
        schedule.check_plan(plan)
    if plan.total == UNKNOWN:
        plan = wanted.with_total(plan, math.ceil((wanted.epochs or 1) * plan.epoch))
        note = f"trainer.time_budget will fix the number of steps: drawn for {wanted.epochs or 1:.3g} epochs."
    steps = range(1, int(plan.total) + 1)
    peak = config.optimizer.lr
    if isinstance(schedule, ForeignScheduler):
        rates, hears_scores = schedule.rates(peak, plan)
        warning = ""
    else:
        rates = [peak * schedule(step - 1, plan) for step in steps]
        hears_scores, warning = isinstance(schedule, Callback), warn_if_peak_lr_unreached(schedule, plan)
    if hears_scores:
        note = f"{note} The scores will lower the rate.".strip()
    note = f"{note} {warning}".strip()
    return PlannedRun(rates, [step for step in steps if plan.validates_after(step)], plan.epoch, note)
