"""The face emotion network: a small residual net of dense 3x3 convolutions over 48x48 grey pixels."""

from detector_net import Residual, conv
from torch import Tensor, nn


class EmotionNet(nn.Module):
    """Seven emotion logits for a face.

    Args:
        widths: Channels at 48, 24, 12 and 6 pixels.
        dropout: Share of pooled features dropped in training.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 40, 80, 144), dropout: float = 0.3) -> None:
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(
            conv(1, a),
            conv(a, b, 2),
            Residual(b),
            conv(b, c, 2),
            Residual(c),
            conv(c, d, 2),
            Residual(d),
        )
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(d, 7)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (batch, 7), of grey faces in [-1, 1], shape (batch, 1, 48, 48)."""
        pooled = self.features(x).mean((2, 3))
        logits: Tensor = self.classify(self.drop(pooled))
        return logits
