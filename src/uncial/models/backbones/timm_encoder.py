"""Any encoder of timm that gives features at several scales."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from torch import Tensor, nn

from uncial.errors import UserError

FINEST = 4
"""Pixels of the image to a feature, of the finest features that are used: what is finer costs most and adds least."""


class TimmEncoder(nn.Module):
    """The encoder that timm calls `name`. `channels` and `strides` are those of its features, the finest first.

    With `weights` a new model begins with those that timm's authors trained, which are fetched from where timm keeps
    them.
    """

    def __init__(self, in_channels: int, name: str = "resnet34", weights: bool = False) -> None:
        super().__init__()
        self.name, self.weights, self.in_channels = name, weights, in_channels
        self.encoder = _create(name, in_channels)
        about: Any = self.encoder.feature_info
        found = list(zip(about.channels(), about.reduction(), strict=True))
        self.first = next((place for place, (_, stride) in enumerate(found) if stride >= FINEST), len(found))
        used = found[self.first :]
        self.channels: Sequence[int] = [channels for channels, _ in used]
        self.strides: Sequence[int] = [stride for _, stride in used]
        if len(used) < 2 or len(set(self.strides)) < len(used):
            raise UserError(
                f"model.backbone.name={name}: it gives features at the strides "
                f"{', '.join(str(stride) for _, stride in found)}, and several scales are needed: choose one such as "
                "resnet34 or convnext_tiny."
            )

    def load_weights(self) -> None:
        """Take over the weights of timm's authors, where `weights` asks for them. Raises `UserError` where they cannot
        be fetched."""
        if not self.weights:
            return
        try:
            trained = _create(self.name, self.in_channels, pretrained=True)
        except UserError:
            raise
        except Exception as error:  # whatever the network, the cache and the hub make of it
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(
                f"model.backbone.weights=true: the weights of {self.name} could not be fetched ({reason}); "
                "model.backbone.weights=false begins without them."
            ) from error
        self.encoder.load_state_dict(trained.state_dict())

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images (B, C, H, W), H and W multiples of 32, to features (B, channels, H / stride, W / stride)."""
        return list(self.encoder(images)[self.first :])


def _create(name: str, in_channels: int, pretrained: bool = False) -> nn.Module:
    import timm

    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), 3)
        like = f", such as {' or '.join(near)}" if near else ""
        raise UserError(
            f"model.backbone.name={name}: timm {timm.__version__} has no such model; give one of its names{like}."
        )
    try:
        model: nn.Module = timm.create_model(name, pretrained=pretrained, features_only=True, in_chans=in_channels)
    except (AttributeError, RuntimeError, TypeError, NotImplementedError) as error:
        if pretrained:
            raise
        raise UserError(
            f"model.backbone.name={name}: timm gives no features of it at several scales; choose one such as resnet34 "
            "or convnext_tiny."
        ) from error
    return model
