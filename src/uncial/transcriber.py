"""A trained model ready to read: what `uncial.load` gives, and what task=predict uses."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from uncial.data.dataset import make_batch
from uncial.data.images import read_image
from uncial.data.sampler import evaluation_batches
from uncial.errors import UserError
from uncial.formats.types import ImageSource
from uncial.metrics.calibration import calibrated, temperatures_of
from uncial.models.files import load_model
from uncial.models.precision import reading
from uncial.models.recognizer import Recognizer
from uncial.text.transcription import Transcription

BATCH_WIDTH = 16384
"""Lines times pixels of width that are read at once."""

MAX_LINES = 64


class Transcriber:
    """Reads line images with a model. `card` is what the model's file says about it, and confidences are at the
    temperatures that it states.
    """

    def __init__(self, recognizer: Recognizer, card: Mapping[str, Any], device: str = "auto") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.recognizer = recognizer.to(device).eval()
        self.card = card
        self.temperatures = temperatures_of(card)
        self.device = torch.device(device)

    def transcribe(self, images: Iterable[ArrayLike | str | PathLike[str]]) -> list[Transcription]:
        """The text of each line image, in order: arrays uint8 (h, w) or (h, w, 3) RGB, Pillow images, or paths of
        image files.

        A line's result does not depend on the others. Raises `LineError` for a file that cannot be read, `UserError`
        for what is no line image.
        """
        prepared = [self.recognizer.preprocessing(self._pixels(image)) for image in images]
        preprocessing = self.recognizer.preprocessing
        widths = np.array([preprocessing.padded_width(image.shape[1]) for image in prepared], dtype=np.int64)
        found: dict[int, Transcription] = {}
        for positions in evaluation_batches(widths, BATCH_WIDTH, MAX_LINES):
            found.update(zip(positions, self._read([prepared[position] for position in positions]), strict=True))
        return [found[position] for position in range(len(prepared))]

    def _pixels(self, image: ArrayLike | str | PathLike[str]) -> np.ndarray:
        if isinstance(image, str | PathLike):
            return read_image(ImageSource(Path(image)), self.recognizer.preprocessing.channels).pixels
        mode = getattr(image, "mode", None)
        if mode not in (None, "L", "RGB"):
            image = image.convert("L" if mode == "1" else "RGB")  # type: ignore[union-attr]
        pixels = np.asarray(image)
        if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or not pixels.size:
            raise UserError(f"A line image is uint8 (h, w) or (h, w, 3), not {pixels.dtype} {pixels.shape}.")
        return pixels

    @torch.inference_mode()
    def _read(self, images: Sequence[np.ndarray]) -> list[Transcription]:
        batch = make_batch(images, [None] * len(images), list(range(len(images))), codec=None)
        batch.images, batch.widths = batch.images.to(self.device), batch.widths.to(self.device)
        with reading(self.device.type):
            found = self.recognizer.predict(batch)
        return [calibrated(transcription, self.temperatures) for transcription in found]


def load(path: str | PathLike[str], device: str = "auto") -> Transcriber:
    """The model of a `best.safetensors` file, or of the run folder that holds one. `device` is auto, cpu, cuda or mps.

    Raises `UserError` where there is none.
    """
    recognizer, card = load_model(model_file(Path(path)))
    return Transcriber(recognizer, card, device)


def model_file(path: Path) -> Path:
    """The model file that a path means: itself, or the `best.safetensors` in that run folder."""
    file = path / "best.safetensors" if path.is_dir() else path
    if not file.is_file():
        what = "the folder holds no best.safetensors" if path.is_dir() else "there is no such file"
        raise UserError(f"checkpoint={path}: {what}; give a model file or the folder of a run that has validated.")
    return file
