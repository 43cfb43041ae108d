"""A trained model ready to read: what `uncial.load` gives, and what task=predict uses."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image

from uncial.data.lines.dataset import make_batch
from uncial.data.lines.sampler import make_evaluation_batches
from uncial.document import ImageSource, TextLine, Transcription
from uncial.errors import UnusableInput, UserError
from uncial.formats.provenance import Reader
from uncial.imaging.extraction import ExtractionSettings, extract
from uncial.imaging.images import decode_image, read_image
from uncial.metrics.calibration import apply_calibration, read_temperatures
from uncial.models.files import find_model_file, load_model
from uncial.models.lineage import hash_weights
from uncial.models.precision import enter_inference_autocast
from uncial.models.recognizer import Recognizer

BATCH_WIDTH = 16384
"""Lines times pixels of width that are read at once."""

MAX_LINES = 64


NOT_FINITE = "the model's outputs are NaN or Inf, as after a training that has diverged; use another model"
"""Why a line cannot be read that nothing is wrong with."""


def is_finite(transcription: Transcription) -> bool:
    """Return whether the model's outputs for a line are numbers."""
    return math.isfinite(transcription.confidence)


class Transcriber:
    """Reads line images with a model. `card` is what the model's file says about it, and confidences are at the
    temperatures that it states. `name` is what the file is called.
    """

    def __init__(self, recognizer: Recognizer, card: Mapping[str, Any], device: str = "auto", name: str = "") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.recognizer = recognizer.to(device).eval()
        self.card = card
        self.temperatures = read_temperatures(card)
        self.device = torch.device(device)
        self.name = name

    @cached_property
    def reader(self) -> Reader:
        """What files say of the lines that this model has read."""
        return Reader(self.name or "a model", hash_weights(self.recognizer), version("uncial"))

    def transcribe(self, images: Iterable[ArrayLike | str | PathLike[str]]) -> list[Transcription]:
        """Return the text of each line image, in order: arrays uint8 (h, w) or (h, w, 3) RGB, Pillow images, or paths
        of image files.

        Reads what task=predict reads in the file of such an image. A line's result does not depend on the others.
        Raises `UnusableInput` for a file that cannot be read and for an image that is too small, `UserError` for what
        is no line image and for a model whose outputs are NaN or Inf.
        """
        if isinstance(images, str | PathLike | Image.Image) or _is_one_array(images):
            raise UserError("transcribe takes a list of line images: put a single one into brackets, [image].")
        found = self.read(self._strip(image, number) for number, image in enumerate(images, start=1))
        broken = [number for number, line in enumerate(found, start=1) if not is_finite(line)]
        if broken:
            raise UserError(f"Image {broken[0]} of {len(found)} cannot be read: {NOT_FINITE}.")
        return found

    def read(self, strips: Iterable[np.ndarray]) -> list[Transcription]:
        """Return the text of each strip, uint8 (h, w) or (h, w, 3) RGB as `uncial.imaging.extraction` cuts it, in
        order; not all of them need be finite (`is_finite`)."""
        prepared = [self.recognizer.preprocessing(strip) for strip in strips]
        preprocessing = self.recognizer.preprocessing
        widths = np.array([preprocessing.padded_width(image.shape[1]) for image in prepared], dtype=np.int64)
        found: dict[int, Transcription] = {}
        for positions in make_evaluation_batches(widths, BATCH_WIDTH, MAX_LINES):
            found.update(zip(positions, self._read([prepared[position] for position in positions]), strict=True))
        return [found[position] for position in range(len(prepared))]

    def _strip(self, image: ArrayLike | str | PathLike[str], number: int) -> np.ndarray:
        cutting = ExtractionSettings(channels=self.recognizer.preprocessing.channels)
        name = str(image) if isinstance(image, str | PathLike) else f"image {number}"
        try:
            return extract(_to_pixels(image, cutting.channels), TextLine("", ""), cutting)
        except UnusableInput as error:
            raise UnusableInput(f"{name}: {str(error).removeprefix(f'{name}: ')}", error.kind) from None

    @torch.inference_mode()
    def _read(self, images: Sequence[np.ndarray]) -> list[Transcription]:
        batch = make_batch(images, [None] * len(images), list(range(len(images))), codec=None)
        batch.images, batch.widths = batch.images.to(self.device), batch.widths.to(self.device)
        with enter_inference_autocast(self.device.type):
            found = self.recognizer.predict(batch)
        return [apply_calibration(transcription, self.temperatures) for transcription in found]


def _to_pixels(image: ArrayLike | str | PathLike[str], channels: int) -> np.ndarray:
    if isinstance(image, str | PathLike):
        return read_image(ImageSource(Path(image)), channels).pixels
    if isinstance(image, Image.Image):
        return decode_image(image, channels)
    pixels = np.asarray(image)
    if (
        pixels.dtype != np.uint8
        or not pixels.size
        or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] < 5))
    ):
        raise UserError(f"A line image is uint8 (h, w) or (h, w, 3), not {pixels.dtype} {pixels.shape}.")
    return decode_image(pixels, channels)


def _is_one_array(images: object) -> bool:
    """Return whether it is a single image, which would be taken for a list of its rows."""
    return isinstance(images, np.ndarray) and (images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (3, 4)))


def load(path: str | PathLike[str], device: str = "auto", trust: str | Sequence[str] = ()) -> Transcriber:
    """Return the model of a `best.safetensors` file, or of the run folder that holds one. `device` is auto, cpu, cuda
    or mps. `trust` names modules of others, as ("shallow",), whose classes the model may be made of.

    Raises `UserError` where there is none, and where it is damaged or made of classes that are not trusted.
    """
    file = find_model_file(Path(path))
    recognizer, card = load_model(file, trust)
    return Transcriber(recognizer, card, device, file.name)
