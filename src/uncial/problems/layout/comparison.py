"""Several layout models, or folders of PAGE or ALTO files, on the same pages."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.schema import build_settings, list_trusted
from uncial.data.config import build_source_settings
from uncial.data.pages.region_types import RegionTypes
from uncial.data.settings import DataSettings
from uncial.data.transcribed_sets import match_pages, read_marked_set
from uncial.document import Issue, Page
from uncial.errors import UserError
from uncial.metrics.layout.layout_comparison import Findings, LayoutComparison, compare_layout_systems
from uncial.metrics.layout.layout_metric import PageLayout, PageResult, compare_layouts
from uncial.metrics.settings import MetricsSettings
from uncial.models.files import load_any_model
from uncial.models.segmenter import Segmenter
from uncial.problems.build import build_bootstrap
from uncial.problems.layout.ground_truth import load_pages
from uncial.problems.layout.ink import PageInk, PageInks, add_ink
from uncial.problems.layout.scoring import choose_part, find_layouts, warn_about_overlap
from uncial.problems.splitting import Model, choose_scoring_split
from uncial.reports.terminal.formatting import plural
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder
from uncial.runs.tables import write_skipped
from uncial.training.trainer import silence_lightning

log = logging.getLogger(__name__)


def compare_layout_models(config: DictConfig, files: Mapping[str, Sequence[Path]]) -> LayoutComparison:
    """Compare models by what they find on a part of the data; several files of one name differ by their seed alone.
    Raises `UserError` for a file that holds no layout model."""
    models = {name: [_load(path, config) for path in paths] for name, paths in files.items()}
    silence_lightning()
    known = [
        Model(path, card) for name, paths in files.items() for path, (_, card) in zip(paths, models[name], strict=True)
    ]
    folder = run_folder()
    truth = load_pages(config, choose_scoring_split(config, known))
    write_skipped(RunFolder(folder).skipped, truth.problems)
    part = choose_part(config, truth)
    systems: dict[str, list[list[PageResult[PageLayout]]]] = {}
    for name, found in models.items():
        for model, card in found:
            log.info(f"finding with {name}")
            warn_about_overlap(truth, part, card, name)
            systems.setdefault(name, []).append(find_layouts(config, folder, truth, part, model, name)[0])
    return _compare(config, systems, [truth.store.page(row) for row in range(len(truth.store))])


def _load(path: Path, config: DictConfig) -> tuple[Segmenter, dict]:
    model, card = load_any_model(path, list_trusted(config))
    if not isinstance(model, Segmenter):
        raise UserError(
            f"{path}: the file holds a {model.called}, not a layout model as the others: compare models of one kind."
        )
    return model, card


def compare_layout_folders(config: DictConfig, folders: Mapping[str, str]) -> LayoutComparison:
    """Compare what the PAGE or ALTO files of folders mark with those of `compare.truth`; one folder alone is scored.
    Raises `UserError` where a folder has no page of the truth."""
    source = build_source_settings(build_settings(DataSettings, config))
    truth = read_marked_set(str(config.compare.truth), "compare.truth", source)
    sets = {name: read_marked_set(folder, "compare.folders", source) for name, folder in folders.items()}
    names = {name: match_pages(truth, one) for name, one in sets.items()}
    common = [page for page in truth.pages if all(page in own for own in names.values())]
    if not common:
        raise UserError(
            f"compare.folders: no page of {truth.folder} is in all of {', '.join(folders.values())}; pages belong "
            "together whose files have the same path below their folder, or the same name."
        )
    left = len(truth.pages) - len(common)
    if left:
        log.warning(f"{plural(left, 'page')} of {truth.folder} left out: not every folder has them.")
    problems = [*truth.problems, *(problem for one in sets.values() for problem in one.problems)]
    missing = [
        Issue(str(truth.pages[page].source), "", f"{sets[name].folder} has no such page", "left_out")
        for name, own in names.items()
        for page in truth.pages
        if page not in own
    ]
    write_skipped(RunFolder(run_folder()).skipped, [*problems, *missing])
    images = PageInks(config, truth.folder)
    systems: dict[str, list[PageResult[PageLayout]]] = {name: [] for name in names}
    for page in common:
        marked = truth.pages[page]
        image = images.find(marked)
        for name, own in names.items():
            found = _fit(sets[name].pages[own[page]], marked)
            systems[name].append(_score_page(page, marked, found, image))
    images.report()
    return _compare(config, {name: [results] for name, results in systems.items()}, list(truth.pages.values()))


def _score_page(name: str, marked: Page, found: Page, image: PageInk | None) -> PageResult[PageLayout]:
    types = RegionTypes()
    scores = compare_layouts(types.rename_page(marked), types.rename_page(found))
    result = PageResult(name, marked.document or name, scores)
    return result if image is None else add_ink(result, image.ink, image.scale, marked, found)


def _fit(found: Page, marked: Page) -> Page:
    """Return a page in the coordinates of another: files may state other sizes of the same image."""
    sizes = (found.width, found.height), (marked.width, marked.height)
    if sizes[0] == sizes[1] or not all(all(size) for size in sizes):
        return found
    scale = np.array(sizes[1], np.float64) / sizes[0]

    def move(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        return tuple((x * scale[0], y * scale[1]) for x, y in points)

    lines = tuple(replace(line, baseline=move(line.baseline), polygon=move(line.polygon)) for line in found.lines)
    regions = tuple(replace(region, polygon=move(region.polygon)) for region in found.regions)
    return replace(found, lines=lines, regions=regions, width=marked.width, height=marked.height)


def _compare(config: DictConfig, systems: Mapping[str, Findings], pages: Sequence[Page]) -> LayoutComparison:
    metrics = build_settings(MetricsSettings, config)
    groups = {page.id: {"document": page.document, "hand": page.hand}.get(metrics.cluster) or page.id for page in pages}
    first = next(iter(systems.values()))[0]
    return compare_layout_systems(
        systems, [groups[result.page] for result in first], metrics.cluster, build_bootstrap(config)
    )
