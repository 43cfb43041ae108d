"""From the keys of the data to the settings of what reads, filters, divides and compiles them."""

from pathlib import Path
from typing import cast

from uncial.data.filters import Filters, TextStyles
from uncial.data.settings import DataSettings, SourceSettings
from uncial.data.splits.split import SplitSettings
from uncial.data.store.compile import CompileSettings
from uncial.files import count_cores


def build_source_settings(data: DataSettings) -> SourceSettings:
    """Return what a source is given."""
    patterns = {
        "document_pattern": data.document_pattern,
        "hand_pattern": data.hand_pattern,
        "page_pattern": data.page_pattern,
    }
    stated = {key: pattern for key, pattern in patterns.items() if pattern is not None}
    return SourceSettings(
        format=data.format,
        root=data.root,
        train=data.train or (),
        val=data.val or (),
        test=data.test or (),
        include=data.include,
        exclude=data.exclude,
        images=tuple(map(Path, data.images)),
        options={"seed": data.seed, **stated, **{str(key): value for key, value in data.options.items()}},
    )


def build_filters(data: DataSettings) -> Filters:
    """Return which lines are used."""
    return Filters(
        region_types=data.region_types,
        line_tags=data.line_tags,
        languages=data.languages,
        directions=data.directions,
        direction=data.direction,
        min_confidence=data.min_confidence,
        keep_unscored=data.keep_unscored,
        skip_unclear=data.skip_unclear,
        text_styles=cast(TextStyles, data.text_styles),
        machine_read=data.min_confidence > 0 or data.format == "mixed",
    )


def split_settings(data: DataSettings) -> SplitSettings:
    """Return how pages are divided."""
    train, val, test = data.ratio
    return SplitSettings((train, val, test), data.split, data.seed, data.folds, data.fold, data.split_rule)


def compile_settings(data: DataSettings, store: Path) -> CompileSettings:
    """Return how lines are compiled into a store in the folder `store`."""
    return CompileSettings(
        folder=store,
        max_height=data.max_height,
        channels=data.channels,
        max_pixels=data.max_pixels,
        workers=count_cores() if data.compile_workers is None else data.compile_workers,
        strict=data.strict,
    )
