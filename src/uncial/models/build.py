"""From a model's config to the model."""

from collections.abc import Mapping
from typing import Any

from uncial.errors import UserError
from uncial.models.contracts import Model
from uncial.models.parts import Parts, PartsOfProgram, build_part

RUN_KEYS = ("name", "normalization", "text", "codec", "regions", "size", "ema", "metric", "monitor", "mode")
"""Keys of `conf/model/*.yaml` that speak of the run and that no model takes."""


def build_model(config: Mapping[str, Any], parts: Parts | None = None, **known: Any) -> Model:
    """Return the model that a `model` config, plain types, describes.

    `parts` say which classes it may name; without them it is the user's own, and may name any. `known` is what only the
    data knows, `codec` and `text` for a recogniser. Raises `UserError` for a part that cannot be imported, may not be
    named or is no part of a model, and for a key that a part does not take.
    """
    described = {key: value for key, value in config.items() if key not in RUN_KEYS}
    try:
        model = build_part({**described, "_partial_": True}, parts or PartsOfProgram())
        if callable(model):
            model = model(**known)
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:  # what torch says of numbers that cannot be
        raise UserError(
            f"The model cannot be built: {_get_first_line(error)}; check the keys under 'model'."
        ) from error
    if not isinstance(model, Model):
        raise UserError(f"model._target_ makes a {type(model).__name__}, which is no Model of uncial.models.contracts.")
    return model


def _get_first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
