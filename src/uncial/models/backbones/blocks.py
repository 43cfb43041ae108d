"""What the backbones are made of."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from uncial.errors import UserError

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


def activation(name: str) -> nn.Module:
    """Make the activation that the key `activation` names. Raises `UserError` for one that is unknown."""
    if name not in ACTIVATIONS:
        raise UserError(f"model.backbone.activation is {name!r}; choose one of {', '.join(ACTIVATIONS)}.")
    return nn.ReLU(inplace=True) if name == "relu" else ACTIVATIONS[name]()


def ceil_divide(length: int, divisor: int) -> int:
    """Return what a stride or pool of `divisor` leaves of `length` pixels when the last, incomplete window counts."""
    return -(-length // divisor)


def halve(widths: Tensor, stride: int) -> Tensor:
    """Return `ceil_divide` of each width."""
    return (widths + stride - 1) // stride


class ConvolutionBlock(nn.Module):
    """Convolution, batch normalisation and activation.

    With `residual` the input is added where the shape stays the same.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        activation_name: str = "relu",
        residual: bool = False,
    ) -> None:
        super().__init__()
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.convolution = nn.Conv2d(
            in_channels, out_channels, size, stride, padding=(size[0] // 2, size[1] // 2), bias=False
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = activation(activation_name)
        self.residual = residual and in_channels == out_channels and stride in (1, (1, 1))
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, D, h, w) to (B, D', h', w')."""
        normed = self.norm(self.convolution(features)) if self.training else self._folded(features)
        result = self.activation(normed)
        return result + features if self.residual else result

    def _folded(self, features: Tensor) -> Tensor:
        """Convolve with the running statistics folded into the weights, which saves a pass over the features."""
        convolution, norm = self.convolution, self.norm
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight = convolution.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        return functional.conv2d(features, weight, bias, convolution.stride, convolution.padding)
