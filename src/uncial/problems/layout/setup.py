"""What a training of a layout model begins with: the model, the pages that it learns from, and its card."""

import logging
from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from uncial.config.instantiate import read_group
from uncial.config.schema import build_settings
from uncial.data.augmentation.page import build_page_augmentation
from uncial.data.lines.sampler import SampleIndex
from uncial.data.pages.datamodule import PageLoading
from uncial.data.pages.dataset import TrainingPages, View, WholePages
from uncial.data.pages.region_types import RegionTypes, parse_region_types
from uncial.data.settings import DataSettings
from uncial.errors import UserError
from uncial.files import count_cores
from uncial.models.build import RUN_KEYS, build_model
from uncial.models.contracts import PretrainedPart
from uncial.models.lineage import KEY, SEEN_BEFORE
from uncial.models.segmenter import Scale, Segmenter
from uncial.problems.layout.ground_truth import PageTruth
from uncial.problems.problem import Example, build_problem_card
from uncial.problems.splitting import CARD_KEY, split_card
from uncial.training.settings import TrainerSettings

log = logging.getLogger(__name__)

MOST_TYPES = 64
"""Types of regions that a model learns; more are a mistake, such as a name for each region."""


def read_region_types(config: DictConfig) -> RegionTypes:
    """Return how regions are called, by `model.regions`."""
    given = config.model.get("regions")
    return parse_region_types(OmegaConf.to_container(given, resolve=True) if OmegaConf.is_config(given) else given)


def list_region_types(truth: PageTruth, types: RegionTypes) -> tuple[str, ...]:
    """Return the types of regions on the training pages, in the order of the alphabet. Raises `UserError` for too
    many."""
    found = sorted(
        {r.type for row in truth.rows["train"] for r in types.rename_shapes(truth.store.shapes(int(row))).regions}
    )
    if len(found) > MOST_TYPES:
        raise UserError(
            f"The training pages have {len(found)} types of regions ({', '.join(found[:3])} …), and {MOST_TYPES} can "
            "be learned: merge them with model.regions."
        )
    return tuple(found)


def measure_scale(truth: PageTruth) -> Scale:
    """Return how many interlines the longer sides of the training pages have."""
    rows, store = truth.rows["train"], truth.store
    ratios, lines = (np.array(store.column(name), np.float64)[rows] for name in ("interlines", "lines"))
    return Scale.of_pages(ratios[lines > 0].tolist())


def build_segmenter(config: DictConfig, regions: tuple[str, ...], scale: Scale) -> Segmenter:
    """Return a new model. Raises `UserError` for one that is no layout model."""
    parts = {str(key): config.model[key] for key in config.model if key not in RUN_KEYS}
    plain = {
        key: OmegaConf.to_container(part, resolve=True) if OmegaConf.is_config(part) else part
        for key, part in parts.items()
    }
    channels = int(config.data.channels)
    model = build_model(plain, regions=regions, scale=(scale.few, scale.usual, scale.many), channels=channels)
    if not isinstance(model, Segmenter):
        raise UserError(f"model={config.model.name} finds no layout, and problem=layout trains those that do.")
    return model


def build_new_segmenter(config: DictConfig, regions: tuple[str, ...], scale: Scale) -> Segmenter:
    """Return a new model whose parts begin with the weights of their libraries, where the config says so."""
    model = build_segmenter(config, regions, scale)
    for part in model.modules():
        if isinstance(part, PretrainedPart):
            part.load_weights()
    return model


def check_parts(truth: PageTruth) -> None:
    """Raise `UserError` where there is nothing to learn from, or to validate on."""
    for part in ("train", "val"):
        if not len(truth.rows[part]):
            reason = truth.empty.get(
                part, f"The {part} part holds no page: check data.root, data.ratio and data.{part}"
            )
            raise UserError(f"{reason.rstrip('.')}.")


def build_training_pages(config: DictConfig, truth: PageTruth, model: Segmenter) -> TrainingPages:
    """Return what is trained on."""
    data, trainer = build_settings(DataSettings, config), build_settings(TrainerSettings, config)
    return TrainingPages(
        truth.store,
        truth.rows["train"],
        model.plan,
        build_page_augmentation(read_group(config, "augmentation"), data.channels),
        View(
            crop=trainer.crop,
            overview=model.overview or trainer.crop,
            overviews=0.0 if model.overview is None else trainer.overviews,
            interline=model.interline,
            stride=model.stride,
        ),
        int(config.seed),
        data.annotated,
        read_region_types(config),
    )


def build_whole_pages(config: DictConfig, truth: PageTruth, part: str) -> WholePages:
    """Return the pages of a part, or `all`, to be scored."""
    rows = np.arange(len(truth.store)) if part == "all" else truth.rows[part]
    return WholePages(truth.store, rows, read_region_types(config), build_settings(DataSettings, config).annotated)


def build_loading(config: DictConfig, devices: int) -> PageLoading:
    """Return how pages become batches of so many devices together."""
    return PageLoading(int(config.trainer.batch_pages) * devices, _count_workers(config))


def build_evaluation_loading(config: DictConfig) -> PageLoading:
    """Return how pages are loaded to be scored: one by one."""
    return PageLoading(1, _count_workers(config))


def _count_workers(config: DictConfig) -> int:
    if config.trainer.workers is not None:
        return int(config.trainer.workers)
    return 2 if count_cores() >= 4 else 0


def make_example(pages: WholePages) -> Example:
    """Return a page by which the cost of a model is counted."""
    batch = pages[SampleIndex(0, 0)]
    height, width = batch.sheets[0].shape[:2]
    return Example(batch, 1, "page", {"page_pixels": height * width}, f"a page of {width:,} x {height:,} pixels")


def describe_pages(truth: PageTruth, training: TrainingPages, model: Segmenter) -> dict[str, Any]:
    """Return how many pages and lines each part has: figures of metrics.json."""
    lines = np.array(truth.store.column("lines"), np.int64)
    return {
        **{f"{part}_pages": len(rows) for part, rows in truth.rows.items()},
        **{f"{part}_lines": int(lines[rows].sum()) for part, rows in truth.rows.items()},
        "region_types": ", ".join(model.plan.regions),
        "interlines_of_a_page": model.scale.usual,
    }


def warn_about_known_pages(truth: PageTruth, seen_before: Collection[str], pretrained: Any) -> None:
    """Say so when a training validates on pages that the pretrained model was trained on."""
    known, rows = set(seen_before), truth.rows["val"]
    overlap = sum(truth.store.value(int(row), "image_hash") in known for row in rows)
    if overlap:
        log.warning(
            f"{overlap} of the {len(rows)} validation pages were in the training data of pretrained={pretrained}: the "
            "scores of this training will look better than on new pages. Validate on others with data.val."
        )


def build_card(
    config: DictConfig, truth: PageTruth, lineage: Sequence[str] = (), seen_before: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the model's file says of itself beside its weights. `lineage` and `seen_before` are digests of the
    models that it comes of, and of the pages that they were trained on."""
    rows = truth.rows["train"]
    hashes = sorted({truth.store.value(int(row), "image_hash") for row in rows})
    return {
        "model": OmegaConf.to_container(config.model, resolve=True),
        "training": {"pages": len(rows), "page_hashes": hashes, "data": config.data.name},
        CARD_KEY: split_card(config),
        **build_problem_card(config),
        SEEN_BEFORE: list(seen_before),
        KEY: list(lineage),
        "seed": config.seed,
        "version": version("uncial"),
    }
