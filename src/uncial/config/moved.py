"""Where classes lie that models and runs of earlier versions name by another dotted path."""

from collections.abc import Mapping
from typing import Any

MOVED: Mapping[str, str] = {
    "uncial.training.line_scores.LineScores": "uncial.problems.recognition.metric.RecognitionMetric",
    "uncial.sweeps.callback.Sweeps": "uncial.sweeps.callbacks.SweepCallback",
    "uncial.sweeps.dryrun.DryRun": "uncial.sweeps.callbacks.DryRunCallback",
    "uncial.models.span_masks": "uncial.models.heads.masking",
    "uncial.data.augmentation.at_most": "uncial.data.augmentation.chain",
    "uncial.data.augmentation.background": "uncial.data.augmentation.transform",
    "uncial.data.augmentation.masks": "uncial.data.augmentation.paper",
    "uncial.data.augmentation.ranges": "uncial.data.augmentation.transform",
    "uncial.data.augmentation.resampling": "uncial.data.augmentation.distortion",
    "uncial.data.augmentation.warp": "uncial.data.augmentation.distortion",
    "uncial.training.augmentations.at_most": "uncial.data.augmentation.chain",
    "uncial.training.augmentations.background": "uncial.data.augmentation.transform",
    "uncial.training.augmentations.capture": "uncial.data.augmentation.capture",
    "uncial.training.augmentations.chain": "uncial.data.augmentation.chain",
    "uncial.training.augmentations.distortion": "uncial.data.augmentation.distortion",
    "uncial.training.augmentations.masks": "uncial.data.augmentation.paper",
    "uncial.training.augmentations.paper": "uncial.data.augmentation.paper",
    "uncial.training.augmentations.ranges": "uncial.data.augmentation.transform",
    "uncial.training.augmentations.resampling": "uncial.data.augmentation.distortion",
    "uncial.training.augmentations.strokes": "uncial.data.augmentation.strokes",
    "uncial.training.augmentations.warp": "uncial.data.augmentation.distortion",
    "uncial.training.line_scores": "uncial.problems.recognition.metric",
    "uncial.training.muon": "uncial.training.optimizers.muon",
    "uncial.training.plateau": "uncial.training.schedulers.plateau",
    "uncial.training.schedules": "uncial.training.schedulers.schedules",
}
"""Modules, and classes and functions of them, by the path that was written and the path of today."""

CALLBACKS: Mapping[str, str] = {
    "AveragedWeights": "EMA",
    "FiniteSteps": "SkipNonFiniteSteps",
    "Pace": "ThroughputMonitor",
    "Patience": "EarlyStopping",
}
"""The classes by whose names checkpoints hold the states of callbacks: the one that was written, and that of today."""


def find_current_path(target: str) -> str:
    """Return the dotted path of today for one that an earlier version may have written."""
    if target in MOVED:
        return MOVED[target]
    module, _, name = target.rpartition(".")
    return f"{MOVED[module]}.{name}" if module in MOVED else target


RECOGNITION = {
    "_target_": "uncial.problems.recognition.problem.LineRecognition",
    "name": "recognition",
}
"""The problem of runs whose config names none: there was no other."""


def with_problem(config: dict[str, Any]) -> dict[str, Any]:
    """Return a run's config with its problem: that of one that names none is line recognition, with the metric that
    stands under `model`."""
    model = config.get("model")
    if "problem" in config or not isinstance(model, dict) or not isinstance(model.get("metric"), dict):
        return config
    metric = model["metric"]
    keys = {name: value for name, value in metric.items() if name != "_target_"}
    return {**config, "model": {**model, "metric": keys}, "problem": {**RECOGNITION, "metric": metric}}


def with_current_paths(plain: Any) -> Any:
    """Return a copy of plain data in which every `_target_` is a path of today."""
    if isinstance(plain, Mapping):
        return {
            key: find_current_path(value) if key == "_target_" and isinstance(value, str) else with_current_paths(value)
            for key, value in plain.items()
        }
    return [with_current_paths(value) for value in plain] if isinstance(plain, list | tuple) else plain
