"""Which models come of one another, and the mean of the weights of those that do."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from uncial.config.keys import iterate_leaves
from uncial.data.lines.dataset import Batch
from uncial.errors import UserError
from uncial.models.contracts import Model
from uncial.models.precision import enter_inference_autocast
from uncial.models.recognizer import Recognizer
from uncial.runs.checkpoint import SUFFIX as CHECKPOINT_SUFFIX
from uncial.runs.files import RunFolder

KEY = "lineage"
"""In a model's card: digests of the weights that it was fine-tuned from, the oldest first."""

SEEN_BEFORE = "seen_before"
"""In a model's card: hashes of the page images that the models were trained on that it was fine-tuned from."""

SAME = {
    "model": "architecture",
    "codec": "alphabet",
    "preprocessing": "preprocessing",
    "text": "rules for text",
}
"""Parts of a card that models have to share before their weights mean the same."""

NOT_OF_THE_WEIGHTS = ("metric", "monitor", "mode", "name", "text", "codec", "normalization", "preprocessing")
TRAINED_BY = ("dropout", "drop_channels", "span_masks")
"""Keys of a model's config that stand elsewhere in its card, or say only how it is trained."""


def hash_weights(model: Model) -> str:
    """Tells the weights of a model apart from those of any other."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def read_lineage(model: Model, card: Mapping[str, Any]) -> list[str]:
    """Return what the card of a model that is fine-tuned from this one has under `lineage`."""
    return [*card.get(KEY, []), hash_weights(model)]


def list_pages_seen(card: Mapping[str, Any]) -> set[str]:
    """Hashes of the page images that a model was trained on, and those that it was fine-tuned from before it."""
    return {*card.get("training", {}).get("page_hashes", ()), *card.get(SEEN_BEFORE, ())} - {"", None}


def find_ancestors(path: Path, recognizer: Recognizer, card: Mapping[str, Any]) -> set[str]:
    """Return what a model comes of: itself, those that it was fine-tuned from, and the training that `path` is a file
    of."""
    folder = find_training_folder(path)
    return set(read_lineage(recognizer, card)) | ({str(folder.resolve())} if folder else set())


def find_training_folder(path: Path) -> Path | None:
    """Return the folder of the training that `path` is a file of, None where it lies in no run's folder."""
    folder = path.absolute().parent
    folder = folder.parent if path.suffix == CHECKPOINT_SUFFIX and folder.name == RunFolder.checkpoints else folder
    return folder if RunFolder(folder).config.is_file() else None


def check_lineage(models: Mapping[Path, tuple[Recognizer, Mapping[str, Any]]]) -> None:
    """Raise `UserError`, with the reason, where the mean of the models' weights would be no model."""
    first, *others = models
    shared = find_ancestors(first, *models[first])
    for path in others:
        for part, what in SAME.items():
            if _compare(models[first][1], part) != _compare(models[path][1], part):
                raise UserError(
                    f"{path} has another {what} than {first}, so that their weights have no mean: "
                    "ensemble.method=vote takes any models."
                )
        shared &= find_ancestors(path, *models[path])
        if not shared:
            raise UserError(
                f"{path} and {first} have no common ancestor: weights can be averaged of checkpoints of one training, "
                "and of models fine-tuned from the same one; ensemble.method=vote takes any models."
            )


def _compare(card: Mapping[str, Any], part: str) -> Any:
    """Return a part of a card; of the model's config what decides how it reads."""
    value = card.get(part)
    if part != "model" or not isinstance(value, dict):
        return value
    found = iterate_leaves({key: one for key, one in value.items() if key not in NOT_OF_THE_WEIGHTS}, "")
    return {key: one for key, one in found if not isinstance(one, dict) and not any(word in key for word in TRAINED_BY)}


def average_models(recognizers: Sequence[Recognizer], into: Recognizer) -> Recognizer:
    """Give `into`, one of their kind, the mean of their weights; counters are those of the first (model soups,
    Wortsman et al. 2022)."""
    states = [recognizer.state_dict() for recognizer in recognizers]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in states[0].items()
    }
    into.load_state_dict(mean)
    return into


def estimate_batch_norm(recognizer: Recognizer, batches: Iterable[Batch]) -> None:
    """Measure the statistics of the batch normalisations anew on these batches, as those of averaged weights are not
    the mean of theirs (Izmailov et al. 2018). Nothing else changes; a model without them stays as it is."""
    norms = [part for part in recognizer.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    # Blocks fold the statistics into their convolutions when they do not train.
    blocks = [part for part in recognizer.modules() if any(child in norms for child in part.children())]
    for part in (*norms, *blocks):
        part.training = True
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # All batches count alike.
    with torch.no_grad(), enter_inference_autocast("cpu"):
        for batch in batches:
            recognizer.predict(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    recognizer.eval()
