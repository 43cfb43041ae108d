"""From the pixels of pages to what a backbone sees."""

import torch
from torch import Tensor, nn

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the three colours in ImageNet, of which 1 is the brightest."""


class PageContrast(nn.Module):
    """Ink in deviations from the mean of a window: whatever the exposure, its contrast is that of all others."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.channels = in_channels

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) uint8 to (B, C, H, W), ink above 0."""
        seen = images.float()
        spread, mean = torch.std_mean(seen, dim=(1, 2, 3), keepdim=True)
        return (mean - seen) / (spread + 8.0)


class ImageNetColours(nn.Module):
    """Three colours as networks see them that were trained on ImageNet; grey pages are shown in all three."""

    channels = 3

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("spread", 255 * torch.tensor(SPREAD)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 1 or 3, H, W) uint8 to (B, 3, H, W)."""
        mean, spread = self.get_buffer("mean"), self.get_buffer("spread")
        return (images.float() - mean) / spread
