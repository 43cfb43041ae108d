"""The trained models that come with the package: `base/layout` names one wherever a model file may be named.

Each is a file of weights in bf16 and, beside it, a card in Markdown: what it was trained on and by which command, under
which licences, how good it is on pages that were kept out, and what it is not good for.
"""

from pathlib import Path

from uncial.errors import UserError

FOLDER = Path(__file__).parent / "base"
PREFIX = "base"
SUFFIX = ".safetensors"


def list_base_models() -> list[str]:
    """Return the names of the models: `base/layout`, …"""
    return [f"{PREFIX}/{path.stem}" for path in sorted(FOLDER.glob(f"*{SUFFIX}"))]


def find_base_model(path: Path, key: str = "") -> Path:
    """Return the file of a model of the package for its name; any other path, and one that exists, as it is.

    Raises `UserError` for a name that none has, with the `key` that it was typed for.
    """
    if path.is_absolute() or len(path.parts) != 2 or path.parts[0] != PREFIX or path.exists():
        return path
    found = FOLDER / f"{path.name}{SUFFIX}"
    if not found.is_file():
        typed = f"{key}={path}" if key else str(path)
        raise UserError(f"{typed}: no model of this name comes with uncial; there is {', '.join(list_base_models())}.")
    return found
