"""The landmark network: a small residual net of dense 3x3 convolutions over 80x80 grey pixels."""

import torch
from detector_net import Residual, conv
from torch import Tensor, nn

CROP_PX = 80
POINTS = 150


class LandmarkNet(nn.Module):
    """Points, head axes, openings and readability of one face.

    Args:
        widths: Channels at 40, 20, 10 and 5 pixels.
        hidden: Numbers that all four answers are made from.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 112), hidden: int = 96) -> None:
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(
            conv(1, a, 2),
            conv(a, b, 2),
            Residual(b),
            conv(b, c, 2),
            Residual(c),
            Residual(c),
            conv(c, d, 2),
            Residual(d),
            conv(d, 40, kernel=1),
        )
        self.shared = nn.Sequential(nn.Linear(40 * 25, hidden), nn.ReLU())
        self.points = nn.Linear(hidden, 2 * POINTS)
        self.axes = nn.Linear(hidden, 6)
        self.openings = nn.Linear(hidden, 2)
        self.readable = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read grey crops in [-1, 1], shape (batch, 1, 80, 80).

        Returns:
            Points, (batch, 300): x and y in turn, -1 and 1 at the crop's borders. Axes, (batch, 6): which way the face
            looks and where its top is, x right, y up, z towards the camera. Openings of eyes and mouth, (batch, 2).
            Logit that the teacher finds the face, (batch, 1).
        """
        found = self.shared(torch.flatten(self.features(x), 1))
        return self.points(found), self.axes(found), self.openings(found), self.readable(found)

    def start_at(self, mean_points: Tensor) -> None:
        """Let the untrained network answer with a mean face, shape (150, 2), that looks into the camera."""
        with torch.no_grad():
            self.points.bias.copy_(mean_points.reshape(-1))
            self.axes.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0, 1.0, 0.0]))
            self.openings.bias.copy_(torch.tensor([0.3, 0.1]))
            for head in (self.points, self.axes, self.openings):
                head.weight.mul_(0.3)
