"""The voice emotion network: a small residual net of dense 3x3 convolutions over log-mel windows."""

import torch
from detector_net import Residual, conv
from torch import Tensor, nn


class VoiceNet(nn.Module):
    """Seven emotion logits for a window of sound.

    Args:
        widths: Channels at strides 2, 4, 8 and 16.
        dropout: Share of pooled features dropped in training.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 56, 96), dropout: float = 0.3) -> None:
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(
            conv(1, a, 2), conv(a, b, 2), conv(b, c, 2), Residual(c), conv(c, d, 2), Residual(d)
        )
        # Joins the four rows of bands that are left: unlike in a picture, it matters how high a pattern stands.
        self.join = nn.Sequential(nn.Conv2d(d, 128, (3, 4), padding=(1, 0), bias=False), nn.BatchNorm2d(128), nn.ReLU())
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(256, 7)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (batch, 7), of normalised windows, shape (batch, 1, frames, 64)."""
        maps = self.join(self.features(x))
        # Mean says how the voice is throughout, the maximum what stood out once.
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
        logits: Tensor = self.classify(self.drop(pooled))
        return logits
