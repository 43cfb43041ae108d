"""The picture of what an `augmentation` group does to lines of the data, for task=inspect."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from uncial.data.ground_truth import GroundTruth
from uncial.reports.augmentation_sheet import Row, augmentation_sheet
from uncial.saved_yaml import for_hydra
from uncial.training.augmentations.chain import build_augmentation, single_transforms

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
    group: dict[str, Any] = OmegaConf.to_container(config.augmentation, resolve=True)  # type: ignore[assignment]
    whole = build_augmentation(group, config.model.preprocessing.channels)
    singles = list(single_transforms(group))
    for row, line in lines.items():
        yield Row("as it is", [line], begins=True)
        for single in singles:
            images = [single.augmentation(line, config.seed, epoch, row) for epoch in range(DRAWS)]
            yield Row(single.label, images)
        for start in (0, DRAWS):
            yield Row("all together", [whole(line, config.seed, start + epoch, row) for epoch in range(DRAWS)])
