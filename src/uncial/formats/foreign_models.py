"""Models of other programs, named for what they are where somebody gives one to this program."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

KRAKEN = "read with kraken, or train on the same ground truth here (model=kraken is its network)"
OTHERS = "read with the program that made it, or train on the same ground truth here"

HEAD = 4096
"""Bytes at a file's beginning that are looked at."""

PICKLE = 1 << 20
"""Bytes of a checkpoint's pickle in which names of programs are looked for."""

SIGNATURES = (
    (b"\x89HDF\r\n", "a Keras model (HDF5)", OTHERS),
    (b"TFL3", "a TensorFlow Lite model", OTHERS),
    (b"GGUF", "a language model (GGUF)", OTHERS),
    (b"PAR1", "a Parquet table", "give a model file"),
    (b"ARROW1", "compiled lines (Arrow)", "they are for data=compiled; give a model file"),
)
SUFFIXES = {
    ".mlmodel": ("a kraken model (CoreML)", KRAKEN),
    ".onnx": ("an ONNX model", OTHERS),
    ".keras": ("a Keras model", OTHERS),
    ".h5": ("a Keras model (HDF5)", OTHERS),
    ".hdf5": ("a Keras model (HDF5)", OTHERS),
    ".tflite": ("a TensorFlow Lite model", OTHERS),
    ".pb": ("a TensorFlow model", OTHERS),
    ".traineddata": ("a Tesseract model", OTHERS),
    ".pyrnn": ("an OCRopus model", OTHERS),
    ".pronn": ("a kraken model of old", KRAKEN),
}
FOLDERS = (
    ("model.keras", "a Keras model, as Loghi trains them", OTHERS),
    ("saved_model.pb", "a TensorFlow model, as Loghi and Calamari train them", OTHERS),
    ("preprocessor_config.json", "a Hugging Face model", OTHERS),
    ("pytorch_model.bin", "a Hugging Face model", OTHERS),
    ("model.safetensors", "a Hugging Face model", OTHERS),
    ("syms.txt", "a PyLaia model", OTHERS),
)
IN_CHECKPOINT = (
    (b"kraken", "a kraken checkpoint", KRAKEN),
    (b"laia", "a PyLaia checkpoint", OTHERS),
    (b"pytorch-lightning_version", "a Lightning checkpoint of another program", OTHERS),
)


def name_foreign(path: Path, metadata: Mapping[str, str] | None = None) -> str | None:
    """Say what a file or folder of another program is and what to do with it; None where it is not known.

    `metadata` are those of a safetensors file. Nothing is unpickled.
    """
    found = (
        _recognize_folder(path)
        if path.is_dir()
        else _recognize_metadata(metadata) or _recognize_content(path) or _recognize_suffix(path)
    )
    if found is None:
        return None
    what, remedy = found
    return (
        f"{path} cannot be read as a model: it is {what} and no model of uncial, which reads its own alone; {remedy}."
    )


def _recognize_folder(path: Path) -> tuple[str, str] | None:
    return next(((what, remedy) for name, what, remedy in FOLDERS if (path / name).is_file()), None)


def _recognize_metadata(metadata: Mapping[str, str] | None) -> tuple[str, str] | None:
    if not metadata:
        return None
    if any("kraken" in key for key in metadata):
        return "a kraken model (safetensors)", KRAKEN
    if metadata.get("format") in ("pt", "tf", "flax", "np", "mlx"):
        return "a safetensors file of another program, as Hugging Face has them", OTHERS
    return None


def _recognize_content(path: Path) -> tuple[str, str] | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        if head.startswith(b"PK"):
            return _recognize_archive(path)
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return None
    if head.startswith(b"\x80") and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, perhaps of torch", "it could run any code, so that it is not opened; give a model file"
    return next(((what, remedy) for signature, what, remedy in SIGNATURES if head.startswith(signature)), None)


def _recognize_archive(path: Path) -> tuple[str, str] | None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "config.json" in names and any(name.endswith(".h5") for name in names):
            return "a Keras model", OTHERS
        pickled = next((name for name in names if name.rpartition("/")[2] == "data.pkl"), None)
        if pickled is None:
            return None
        with archive.open(pickled) as entry:
            text = entry.read(PICKLE)
    if b"uncial" in text:
        return None
    for word, what, remedy in IN_CHECKPOINT:
        if word in text:
            return what, remedy
    if path.suffix.lower() in (".pt", ".pth", ".bin", ".pkl"):
        return "a pickle of torch", OTHERS
    return None


def _recognize_suffix(path: Path) -> tuple[str, str] | None:
    return SUFFIXES.get(path.suffix.lower())
