"""The face emotion network: a small residual net of dense 3x3 convolutions over 48x48 grey pixels."""

import torch
from detector_net import Residual, conv
from torch import Tensor, nn


class EmotionNet(nn.Module):
    """Two sets of seven emotion logits for a face: what ten taggers would vote, and what FER2013's own label would be.

    Both kinds of label disagree on a third of the images, so each has a head of its own while training;
    :meth:`joined` makes one layer of them.

    Args:
        widths: Channels at 48, 24, 12 and 6 pixels.
        dropout: Share of pooled features dropped in training.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 80, 160), dropout: float = 0.3) -> None:
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
        self.voted = nn.Linear(d, 7)
        self.own = nn.Linear(d, 7)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return voted and own logits, shape (batch, 7), of grey faces in [-1, 1], shape (batch, 1, 48, 48)."""
        pooled = self.drop(self.features(x).mean((2, 3)))
        return self.voted(pooled), self.own(pooled)

    def joined(self, own_share: float, bias: Tensor) -> nn.Sequential:
        """Return the network that ships: both heads' logits, weighted, plus a bias a class, as one linear layer.

        Args:
            own_share: Weight of the own label's logits, in [0, 1]; the votes have the rest.
            bias: Added to each class, shape (7,).
        """
        head = nn.Linear(self.voted.in_features, 7)
        with torch.no_grad():
            head.weight.copy_((1 - own_share) * self.voted.weight + own_share * self.own.weight)
            head.bias.copy_((1 - own_share) * self.voted.bias + own_share * self.own.bias + bias)
        return nn.Sequential(self.features, _Pool(), head)


class _Pool(nn.Module):
    """Global average."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean over both sides, shape (batch, channels)."""
        return x.mean((2, 3))
