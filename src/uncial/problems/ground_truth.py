"""TODO"""

import hashlib
from collections.abc import Mapping

from uncial.config.overrides import as_typed
from uncial.data.ground_truth import GroundTruth
from uncial.errors import UserError
from uncial.runs.session import Session


def fingerprint(truth: GroundTruth) -> dict[str, str]:
    """What the lines of training and validation are, told apart by what decides on each of them."""
    sides = {part: hashlib.sha256(truth.rows[part].tobytes()).hexdigest() for part in ("train", "val")}
    return {"store": truth.store.digest, **sides}


def check_data(this: Session, found: Mapping[str, str]) -> None:
    """Raises `UserError` where the data are no longer what the run was trained on."""
    if this.state is None or dict(this.state.state.data) == dict(found):
        return
    if this.state.state.data.get("store") != found["store"]:
        reason = "the images, their lines or how these are cut out have changed"
    else:
        reason = "other lines of them are for training and validation"
    raise UserError(
        f"The data are not those that the run in {this.folder} was trained on: {reason}. Give them back, or start a "
        f"new run from its model with {as_typed('pretrained', this.folder)}."
    )
