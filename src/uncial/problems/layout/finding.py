"""A layout model applied: finds the lines and regions of page images, and writes them as PAGE or ALTO."""

import logging
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.config.schema import as_tuple, build_settings, check_choice, get_checkpoint, list_trusted
from uncial.data.sources.finding import find_places
from uncial.data.sources.scans import Scan, find_scans
from uncial.document import Issue, Page
from uncial.errors import UserError
from uncial.files import hash_content
from uncial.formats.page_xml.layout_document import VERSIONS
from uncial.formats.provenance import Reader
from uncial.models.files import find_model_file
from uncial.models.lineage import hash_weights
from uncial.models.segmenter import Segmenter
from uncial.pipelines.found_files import FoundFileWriter, list_page_images, place_scans
from uncial.pipelines.layout import FindingSettings, LayoutPipeline, Look
from uncial.pipelines.layout_search import LISTED, SearchTotals, find_into_files
from uncial.pipelines.output_places import check_output
from uncial.pipelines.page_images import PageImagesPipeline
from uncial.pipelines.pipeline import Pipeline
from uncial.pipelines.reading_journal import open_journal
from uncial.pipelines.settings import PredictSettings
from uncial.problems.build import build_source_settings
from uncial.problems.layout.pretrained import load_segmenter
from uncial.problems.prediction_output import find_folder, find_target, list_inputs, refuse_typed, say_anew
from uncial.reports.plots.layout_sheets import LayoutSheets
from uncial.reports.tables.findings import sum_reasons
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.found_summary import FoundSummary, format_found_summary
from uncial.runs.files import RunFolder
from uncial.runs.folder import write_config
from uncial.runs.tables import write_skipped
from uncial.training.distributed.devices import choose_devices, tune_malloc
from uncial.training.settings import TrainerSettings

log = logging.getLogger(__name__)

FORMATS = ("xml", "page", "alto")
OF_RECOGNISER = (
    *("data.max_height", "metrics.review_cer", "model.text.direction", "model.text.mixed_direction"),
    *(f"model.preprocessing.{name}" for name in ("contrast", "ink", "least_span", "padding", "paper", "polarity")),
)
"""Keys that recognisers read, and models which find lines do not."""


def find_layouts(config: DictConfig) -> None:
    """Find the lines and regions of all pages of `predict.input`; write a PAGE or ALTO file for each, sheets with what
    was found, and a list of what could not be used. What was stopped goes on with the pages that were not done."""
    settings = build_settings(PredictSettings, config)
    form = check_choice(settings.format, "predict.format", FORMATS)
    year = _find_version(settings.version)
    refuse_typed(OF_RECOGNISER, "a layout model")
    tune_malloc()
    path = find_model_file(get_checkpoint(config), "checkpoint")
    segmenter = load_for_finding(config, path, settings.max_gap)
    finding = FindingSettings(settings.regions, settings.lines, config.data.direction, config.data.max_pixels)
    writer = FoundFileWriter(Reader(path.name, hash_weights(segmenter), version("uncial")), form, year, settings.images)
    about = _describe(path, finding, settings, form, year)
    inputs = list_inputs(config)
    found = find_scans(build_source_settings(as_tuple(config.predict.input), config.data, "predict.input"))
    folder = find_folder(config, RunFolder.pages, about, inputs)
    write_config(config, folder)
    target = find_target(config, RunFolder.pages, folder)
    page_images = None if settings.page_images is None else Path(settings.page_images).expanduser()
    scans = [scan for scan in found.scans if not any(_lies_in(scan, one) for one in (target, page_images) if one)]
    named = [place.path for place in find_places(as_tuple(config.predict.input), "predict.input")]
    check_output(target, named, [scan.page for scan in scans], "predict.output")
    placed = place_scans(scans, target, settings.images != "none", page_images)
    sheets = LayoutSheets(RunFolder(folder).layout_sheets)
    pipelines: list[Pipeline] = [
        PageImagesPipeline(list_page_images(placed), settings.dpi, config.data.max_pixels),
        LayoutPipeline(segmenter, finding, _choose_pages_to_draw(scans, finding, settings.sheets, sheets)),
    ]
    with open_journal(target, about, inputs, say_anew) as journal:
        totals = find_into_files(placed, pipelines, writer, journal, finding.keeps)
        sheets.close()
    problems = [*found.problems, *totals.problems]
    write_skipped(RunFolder(folder).skipped, problems)
    _report(config, totals, problems, target, folder)
    if not totals.pages:
        raise UserError(f"No page could be used; {RunFolder(folder).skipped} says why.")


def _find_version(stated: str) -> str:
    """Return the version of PAGE that is meant: a year tells it."""
    found = next((one for one in VERSIONS if stated in (one, one[:4])), None)
    if found is None:
        raise UserError(f"predict.version={stated}: choose one of {', '.join(VERSIONS)}.")
    return found


def load_for_finding(config: DictConfig, path: Path, max_gap: float | None = None) -> Segmenter:
    """Return the model on the device that the `trainer` group names, with the key of its search that was typed. Raises
    `UserError` for a model of another kind."""
    model, _ = load_segmenter(path, list_trusted(config))
    if config.trainer.threads is not None:
        torch.set_num_threads(int(config.trainer.threads))
    devices = choose_devices(build_settings(TrainerSettings, config))
    if devices.count > 1:
        log.warning(f"trainer.devices={config.trainer.devices}: task={config.task.name} uses one device.")
    if max_gap is not None:
        model.reader.finding = replace(model.reader.finding, max_gap=max_gap)
    return model.to(f"cuda:{devices.numbers[0]}" if devices.kind == "cuda" else devices.kind)


def _describe(path: Path, finding: FindingSettings, settings: PredictSettings, form: str, year: str) -> dict[str, Any]:
    """Return all but the files themselves that decides on what comes out, in plain types."""
    return {
        "program": version("uncial"),
        "model": hash_content(path),
        "format": f"{form} {year}",
        "max_gap": settings.max_gap,
        "images": [settings.images, settings.page_images, settings.dpi],
        **asdict(finding),
    }


def _lies_in(scan: Scan, target: Path) -> bool:
    """Return whether the file or image of a scan was written by an earlier command: links count as where they lie."""
    paths = [scan.page.source, *([scan.page.image.path] if scan.page.image else [])]
    area = os.path.realpath(target)
    return any(Path(os.path.realpath(path.parent)).is_relative_to(area) for path in paths)


def _choose_pages_to_draw(
    scans: Sequence[Scan], finding: FindingSettings, wanted: int | None, sheets: LayoutSheets
) -> Look:
    """Return what draws the pages that were looked at, `wanted` of them, spread over all."""
    looked_at = [scan.page.id for scan in scans if not finding.keeps(scan.page)]
    step = 1.0 if wanted is None or wanted >= len(looked_at) else len(looked_at) / max(wanted, 1)
    count = len(looked_at) if wanted is None else min(wanted, len(looked_at))
    chosen = {looked_at[int(place * step)] for place in range(count)}

    def look(page: Page, image: Any) -> None:
        if page.id in chosen:
            sheets.add(page, image.pixels, image.scale)

    return look


def _report(config: DictConfig, totals: SearchTotals, problems: Sequence[Issue], target: Path, folder: Path) -> None:
    """Say what was found, where it lies, and which command reads it."""
    sheets = RunFolder(folder).layout_sheets
    files = {"pages": target, **({"what was found, drawn": sheets} if sheets.is_dir() else {}), "run folder": folder}
    images = [] if config.predict.images != "none" else [f"data.images=[{','.join(as_tuple(config.predict.input))}]"]
    read_it = format_command(
        "task=predict", "checkpoint=RECOGNISER", format_override("predict.input", target), *map(shlex.quote, images)
    )
    left_out = [one for one in problems if one.kind not in LISTED]
    summary = FoundSummary(
        **{name: getattr(totals, name) for name in ("pages", "lines", "regions", "blank", "kept", "before")},
        confidence=totals.confidence / max(totals.lines, 1),
        seconds=totals.seconds,
        timed=totals.timed,
        reasons=sum_reasons(left_out),
        skipped=len(left_out),
        files=files,
        next_steps={"read the lines that were found": read_it} if totals.lines else {},
    )
    show(make_console(), format_found_summary(summary))
    for note in totals.notes[:1]:
        more = f" ({len(totals.notes)} such notes in all)" if len(totals.notes) > 1 else ""
        show(make_console(), f"To look at: {note}{more}")
