"""What the configuration says of the pages that a recogniser reads: which files, and how their lines are cut."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from uncial.config.schema import as_tuple
from uncial.data.settings import SourceSettings
from uncial.pipelines.line_recognition import ReadingSettings


def build_reading_settings(data: DictConfig) -> ReadingSettings:
    """Return how lines are cut and directed, by the `data` group."""
    return ReadingSettings(data.direction, data.max_height, data.max_pixels)


def build_source_settings(inputs: Sequence[str], data: DictConfig, key: str = "data.root") -> SourceSettings:
    """Return how PAGE and ALTO files are read whose lines need no text; every file counts, also one without lines.
    `key` is where the inputs were given."""
    return SourceSettings(
        "xml",
        tuple(inputs),
        include=as_tuple(data.include),
        exclude=as_tuple(data.exclude),
        images=tuple(Path(folder) for folder in as_tuple(data.images)),
        options={"unlabelled": True, "every_file": True},
        key=key,
    )
