"""task=inspect: what is in the data, and what is wrong with it, before anything is trained."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from uncial.config.location import find_conf_folder
from uncial.config.schema import as_tuple, list_trusted
from uncial.config.task_keys import check_keys_of_problem
from uncial.config.typed import find_user_overrides
from uncial.data.checks.findings import Finding
from uncial.data.ground_truth import GroundTruth
from uncial.data.splits.groups import PARTS
from uncial.data.splits.leakage import find_leakage
from uncial.errors import FindingsError, UserError
from uncial.models.files import load_model
from uncial.models.recognizer import Recognizer
from uncial.models.segmenter import Segmenter
from uncial.problems.ground_truth import load_ground_truth, write_splits
from uncial.problems.layout.inspection import inspect_layouts
from uncial.problems.layout.problem import LayoutAnalysis
from uncial.problems.problem import build_problem, find_problem_name, find_problem_of_model
from uncial.problems.recognition.alphabet import build_text_rules
from uncial.problems.recognition.inspection import draw_augmentation, draw_planned_schedule, find
from uncial.problems.recognition.setup import list_texts
from uncial.reports.html.findings_page import LineView, write_findings_page
from uncial.reports.plots.sheets import Sample, draw_contact_sheet
from uncial.reports.tables.findings import select_at_or_above, write_findings
from uncial.reports.terminal.console import make_console, show
from uncial.reports.terminal.inspection import Inspection, PartSize, inspection_to_json, make_inspection_tables
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder, write_config
from uncial.runs.tables import write_skipped
from uncial.text.codec import count_alphabet


def run(config: DictConfig) -> None:
    """Tables on the terminal, findings.html, findings.json, skipped.csv and pictures of samples; exit code 2 where
    `inspect.fail_on` asks for it. With a layout model, or one in `checkpoint`, pages are looked at, else lines."""
    findings = inspect_layouts(config) if _is_about_layout(config) else _inspect_lines(config)
    if found := select_at_or_above(findings, config.inspect.fail_on):
        noun = "finding" if len(found) == 1 else "findings"
        raise FindingsError(
            f"{len(found)} {noun} at or above {config.inspect.fail_on} (inspect.fail_on); the first: {found[0].message}"
        )


def _is_about_layout(config: DictConfig) -> bool:
    """Return whether what a layout model learns from is looked at: where the model is one, or that of `checkpoint`."""
    path = config.checkpoint
    name = str(config.problem.name) if path is None else find_problem_name(config, Path(str(path)))
    check_keys_of_problem(name, find_conf_folder())
    problem = build_problem(config) if path is None else find_problem_of_model(config, Path(str(path)))
    is_layout = isinstance(problem, LayoutAnalysis)
    is_typed = "model" in find_user_overrides("model").choices
    if is_typed and is_layout != issubclass(Segmenter, build_problem(config).model_class):
        held = (Segmenter if is_layout else Recognizer).called
        raise UserError(f"checkpoint={path} holds a {held}, and model={config.model.name} is none: leave model out.")
    return is_layout


def _inspect_lines(config: DictConfig) -> list[Finding]:
    """Write contact_sheet.png, augmentation.png and schedule.png, too, and return the findings."""
    recognizer = (
        None if config.checkpoint is None else load_model(Path(str(config.checkpoint)), list_trusted(config))[0]
    )
    folder = run_folder()
    write_config(config, folder)
    truth = load_ground_truth(config)
    rules = build_text_rules(config, truth.store.column("text"))
    texts = {part: list_texts(truth, truth.rows[part], rules) for part in PARTS}
    sides = find_leakage(truth.store, truth.rows)
    findings = list(find(config, truth, sides, rules, recognizer))
    source = ", ".join(as_tuple(config.data.root)) or config.data.name
    inspection = replace(
        inspect(truth, texts, findings, rules.unit, source=source),
        separation=sides,
        split=config.data.split,
        pseudo_labels=int(np.sum(~truth.store.transcribed()[truth.rows["train"]])),
    )
    write_skipped(RunFolder(folder).skipped, truth.problems)
    write_splits(folder, truth)
    write_findings(RunFolder(folder).findings, inspection_to_json(inspection), findings)
    write_findings_page(
        RunFolder(folder).findings_page, inspection, lambda row: _make_view(truth, row), config.inspect.pictures
    )
    draw_contact_sheet(list(draw_samples(truth, config.inspect.samples, config.seed)), RunFolder(folder).contact_sheet)
    show(
        make_console(),
        make_inspection_tables(inspection),
        f"findings.html, findings.json, skipped.csv and contact sheets: {folder}",
    )
    draw_augmentation(config, truth, RunFolder(folder).augmentation_sheet)
    draw_planned_schedule(config, truth, RunFolder(folder).schedule)
    return findings


def inspect(
    truth: GroundTruth, texts: Mapping[str, list[str]], findings: list[Finding], unit: str, source: str
) -> Inspection:
    """Return the figures of the compiled lines; `texts` are the normalised ones of each part, `unit` is what a model
    learns as one character."""
    # The page that a line image was cut from, where its name tells it.
    pages = [group or page for page, group in zip(*map(truth.store.column, ("page", "group")), strict=True)]
    sizes = truth.store.sizes()
    everything = [text for part in PARTS for text in texts[part]]
    alphabet = Counter(count_alphabet(everything, unit))
    seen = set(count_alphabet(texts["train"], unit))
    unseen = count_alphabet((text for part in ("val", "test") for text in texts[part]), unit)
    parts = {
        part: PartSize(len({pages[row] for row in rows.tolist()}), len(rows), sum(map(len, texts[part])))
        for part, rows in truth.rows.items()
    }
    untranscribed = sum(line.text is None for page in truth.pages for line in page.lines)
    return Inspection(
        source=source,
        pages=len(set(pages)),
        lines=len(truth.store),
        lines_without_text=untranscribed,
        alphabet=dict(alphabet.most_common()),
        parts=parts,
        widths=sizes[:, 1].tolist(),
        heights=sizes[:, 0].tolist(),
        lengths=[len(text) for text in everything],
        unseen={character: count for character, count in unseen.items() if character not in seen},
        problems=truth.problems,
        findings=findings,
    )


def draw_samples(truth: GroundTruth, count: int, seed: int) -> Iterator[Sample]:
    """Lines drawn from all of the data, the same ones for the same seed."""
    chosen = np.random.default_rng(seed).permutation(len(truth.store))[:count]
    for row in sorted(chosen.tolist()):
        caption = f"{truth.store.value(row, 'page')}  {truth.store.value(row, 'line')}"
        yield Sample(truth.store.strip(row), truth.store.value(row, "text"), caption)


def _make_view(truth: GroundTruth, row: int) -> LineView:
    return LineView(truth.store.strip(row), truth.store.value(row, "text"))
