"""What several models read in the same lines, compared: for task=compare and task=finetune."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from uncial.data.ground_truth import GroundTruth
from uncial.metrics.comparison import Comparison, Readings, compare_systems
from uncial.metrics.evaluation import EvaluationSettings
from uncial.models.recognizer import Recognizer
from uncial.tasks.evaluation import evaluated_lines
from uncial.tasks.reading import read_lines, warn_of_known_pages
from uncial.text.rules import TextRules

log = logging.getLogger(__name__)

Models = Mapping[str, Sequence[tuple[Recognizer, dict[str, Any]]]]
"""Models and their cards by name; several of one name where they differ by their seed alone."""


def compared_models(
    config: DictConfig,
    folder: Path,
    truth: GroundTruth,
    rows: np.ndarray,
    models: Models,
    settings: EvaluationSettings,
) -> Comparison:
    """Each model reads the rows of the store; scored in the form of text that `settings` name. `folder` is where
    the run writes."""
    rules = common_replacements([recognizer.text for found in models.values() for recognizer, _ in found])
    systems: dict[str, Readings] = {}
    for name, found in models.items():
        readings = []
        for recognizer, card in found:
            log.info(f"reading with {name}")
            warn_of_known_pages(truth, rows, card, name)
            read = read_lines(config, folder, truth, rows, recognizer, card, model=name)
            readings.append(evaluated_lines(truth.store, read.results, settings.profile, rules))
        systems[name] = readings
    return compare_systems(systems, settings)


def common_replacements(rules: Sequence[TextRules]) -> TextRules | None:
    """The rules that make the ground truth of all models, None where that is the ground truth as it stands."""
    # Replacements are looked for in the form of the normalisation, so that both have to be the same.
    if len({(one.normalization, one.replacements) if one.replacements else None for one in rules}) == 1:
        return rules[0]
    log.warning(
        "The models learned texts with different replacements (model.text.replacements) and are compared on the ground "
        "truth as it stands in the files: what a model learned to replace counts as an error."
    )
    return None
