"""The face detector's network: a small residual pyramid with one anchor-free head a level.

Only 3x3 and 1x1 convolutions, ReLU, addition and depth-to-space, so that every operation has an int8 kernel and
none of them fixes the frame's size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (4, 8, 16)
"""Pixels a cell of each output level covers."""


def conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Return convolution, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut (He et al., 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``relu(x + f(x))``."""
        return functional.relu(x + self.second(self.first(x)))


class DetectorNet(nn.Module):
    """Face score and distances to the four sides, at strides 4, 8 and 16.

    Args:
        neck: Channels of the merged levels at strides 8 and 16.
    """

    def __init__(self, neck: int = 40) -> None:
        super().__init__()
        self.stage4 = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), Residual(32))
        self.stage8 = nn.Sequential(conv(32, 48, 2), Residual(48), Residual(48))
        self.stage16 = nn.Sequential(conv(48, 64, 2), Residual(64), Residual(64))
        self.stage32 = nn.Sequential(conv(64, 96, 2), Residual(96))
        self.lateral32 = nn.Conv2d(96, neck, 1)
        self.lateral16 = nn.Conv2d(64, neck, 1)
        self.lateral8 = nn.Conv2d(48, neck, 1)
        self.lateral4 = nn.Conv2d(32, 32, 1)
        self.reduce = nn.Conv2d(neck, 32, 1)
        self.merge16 = conv(neck, neck)
        self.merge8 = conv(neck, neck)
        self.merge4 = conv(32, 32)
        self.heads = nn.ModuleList(
            nn.Sequential(conv(c, c), nn.Conv2d(c, 5, 1)) if deep else nn.Conv2d(c, 5, 1)
            for c, deep in ((32, False), (neck, True), (neck, True))
        )
        for head in self.heads:
            last = head[-1] if isinstance(head, nn.Sequential) else head
            nn.init.normal_(last.weight, std=0.01)
            with torch.no_grad():
                # Starts at a face probability of 1 % and boxes two cells wide each way.
                last.bias.copy_(torch.tensor([-4.6, 0.7, 0.7, 0.7, 0.7]))

    @staticmethod
    def _double(x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2.0, mode="nearest")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return raw maps.

        Args:
            x: RGB in [-1, 1], shape (batch, 3, height, width), sides multiples of 32.

        Returns:
            A map a level, shape (batch, 5, height / stride, width / stride): face logit, then the log of the
            distances from the cell's centre to left, top, right and bottom, in strides.
        """
        c4 = self.stage4(x)
        c8 = self.stage8(c4)
        c16 = self.stage16(c8)
        c32 = self.stage32(c16)
        p16 = self.merge16(self.lateral16(c16) + self._double(self.lateral32(c32)))
        p8 = self.merge8(self.lateral8(c8) + self._double(p16))
        p4 = self.merge4(self.lateral4(c4) + self._double(self.reduce(p8)))
        h4, h8, h16 = self.heads
        return h4(p4), h8(p8), h16(p16)
