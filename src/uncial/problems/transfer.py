"""From the weights of a pretrained model to those of a new one."""

from collections.abc import Collection, Mapping, Sequence

from torch import Tensor, nn

from uncial.errors import UserError
from uncial.training.selection import list_top_modules

RESIZE_POLICIES = {"fail": "fail", "union": "union", "new": "new", "add": "union", "both": "new"}
"""kraken's names of `--resize`, and the older ones of `union` and `new`."""


def read_resize_policy(resize: str) -> str:
    """Return fail, union or new: what becomes of what a pretrained model does not know. Raises `UserError` for another
    word."""
    if resize not in RESIZE_POLICIES:
        raise UserError(f"resize={resize}: choose one of fail, union, new (or kraken's older add, both).")
    return RESIZE_POLICIES[resize]


def copy_weights(
    model: nn.Module, old: Mapping[str, Tensor], anew: Collection[str], reinitialize: Sequence[str]
) -> None:
    """Give a new model the weights `old` by their names, but for those named in `anew`, which stay as they are.

    `reinitialize` is what a person typed to name those. Raises `UserError` for weights that are missing or of another
    shape.
    """
    new, misfits = model.state_dict(), []
    for name in [name for name in new if name not in anew]:
        if name in old and old[name].shape == new[name].shape:
            new[name] = old[name].clone()
        else:
            misfits.append(f"{name} is {_format_shape(old.get(name))} there and {_format_shape(new[name])} here")
    if misfits:
        parts = ",".join([*reinitialize, *list_top_modules(misfits)])
        raise UserError(
            f"The pretrained weights do not fit this model: {'; '.join(misfits[:3])}"
            f"{f' and {len(misfits) - 3} more' if len(misfits) > 3 else ''}. Leave the architecture to the pretrained "
            f"model, or let these parts start anew with 'reinitialize=[{parts}]'."
        )
    model.load_state_dict(new)


def _format_shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(map(str, tensor.shape)) or "a number"
