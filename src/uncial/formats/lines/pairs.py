"""Line images with a transcription of the same name beside them: `X.png` and `X.gt.txt`."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from uncial.errors import UnusableInput
from uncial.formats.encoding import list_unicode_forms, read_utf8

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".jp2", ".j2k", ".jpx", ".jpf", ".bmp", ".gif", ".pnm"}
    | {".pgm", ".pbm", ".ppm"}
)
TEXT_SUFFIX = ".gt.txt"

_PROCESSING_SUFFIXES = (".bin", ".nrm", ".dew", ".raw", ".gray", ".rgb", ".despec")
"""What OCRopus, kraken and Calamari put before the suffix of a processed copy: `X.bin.png` belongs to `X.gt.txt`."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Images with the file that holds their text, and what found no partner."""

    pairs: tuple[tuple[Path, Path], ...]
    images_without_text: tuple[Path, ...]
    texts_without_image: tuple[Path, ...]
    copies: tuple[tuple[Path, Path], ...]
    """(image, the image used in its place): two images of one name share a text."""


def is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def pair(files: Iterable[Path]) -> Pairs:
    """Match images and texts among `files` by folder and name, whatever Unicode form the names are in.

    The text of `X.png` is `X.gt.txt`; in a folder without any `.gt.txt` it is `X.txt`. Beside a `.gt.txt`, a `.txt` is
    what a recogniser wrote, so it is never taken for ground truth.
    """
    files = sorted(set(files))
    texts = _find_texts(files)
    composed = {_compose(name): text for name, text in texts.items()}
    used: dict[Path, Path] = {}
    bare: list[Path] = []
    copies: list[tuple[Path, Path]] = []
    for image in filter(is_image, files):
        found = (texts.get(name) or composed.get(_compose(name)) for name in _list_names(image))
        text = next((one for one in found if one is not None), None)
        if text is None:
            bare.append(image)
        elif text in used:
            copies.append((image, used[text]))
        else:
            used[text] = image
    lonely = tuple(text for text in texts.values() if text not in used)
    pairs = tuple(sorted((image, text) for text, image in used.items()))
    return Pairs(pairs, tuple(bare), lonely, tuple(copies))


def find_text_beside(image: Path) -> Path | None:
    """Return the file that holds the text of one line image, by the rule of `pair`."""
    for name in _list_names(image):
        for suffix in (TEXT_SUFFIX, TEXT_SUFFIX.upper()):
            for form in list_unicode_forms(name.name + suffix):
                if (candidate := image.with_name(form)).is_file():
                    return candidate
    plain = image.with_suffix(".txt")
    if plain.is_file() and not any(p.name.lower().endswith(TEXT_SUFFIX) for p in image.parent.iterdir()):
        return plain
    return None


def read_transcription(path: Path) -> str:
    """Return the one line of text in `path`, without its line end. Raises `UnusableInput` on several lines or another
    encoding."""
    text = read_utf8(path).rstrip("\r\n")
    if "\n" in text or "\r" in text:
        lines = len(re.split("\r\n|\r|\n", text))
        raise UnusableInput(f"{path}: holds {lines} lines of text for one line image", "several_lines")
    return text


def _find_texts(files: list[Path]) -> dict[Path, Path]:
    """Return each text file by the path of its image without suffix."""
    ground_truth = [path for path in files if path.name.lower().endswith(TEXT_SUFFIX)]
    folders = {path.parent for path in ground_truth}
    texts = {path.with_name(path.name[: -len(TEXT_SUFFIX)]): path for path in ground_truth}
    images = {_compose(name) for path in files if is_image(path) for name in _list_names(path)}
    for path in files:
        plain = path.suffix.lower() == ".txt" and path.parent not in folders
        if plain and _compose(path.with_suffix("")) in images:
            texts[path.with_suffix("")] = path
    return texts


def _list_names(image: Path) -> list[Path]:
    """Return the paths without suffix under which the text of an image may lie, the likeliest first."""
    name = image.with_suffix("")
    return [name, name.with_suffix("")] if name.suffix.lower() in _PROCESSING_SUFFIXES else [name]


def _compose(path: Path) -> Path:
    return Path(unicodedata.normalize("NFC", str(path)))
