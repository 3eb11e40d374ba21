#!/usr/bin/env python3
"""Record what the float networks say to made-up pictures, for the golden tests of the int8 files.

record_golden.py detector WEIGHTS.pt OUT.json
record_golden.py emotion WEIGHTS.joined.pt OUT.json
record_golden.py landmarks WEIGHTS.pt OUT.json
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from detector_net import DetectorNet
from emotion_net import EmotionNet
from landmark_net import LandmarkNet

from tests.golden.pictures import picture

SEEDS = range(8)


def emotion(weights: Path) -> list[list[float]]:
    """Return the logits of each grey picture, 48 pixels a side."""
    net = EmotionNet().joined(0.0, torch.zeros(7))
    net.load_state_dict(torch.load(weights, weights_only=True))
    pictures = np.stack([picture(seed, 48, 48)[:, :, 0] for seed in SEEDS])
    x = torch.from_numpy(pictures)[:, None].float() / 127.5 - 1
    with torch.no_grad():
        return [[round(float(v), 4) for v in row] for row in net.eval()(x)]


def detector(weights: Path) -> list[list[float]]:
    """Return, of each RGB picture 96 pixels a side, the mean of the face logit at each level."""
    net = DetectorNet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    pictures = np.stack([picture(seed, 96, 96) for seed in SEEDS])
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        levels = net.eval()(x)
    # The int8 file's logits end at -9 and 7.
    means = np.stack([level[:, 0].clamp(-9, 7).mean((1, 2)).numpy() for level in levels], axis=1)
    return [[round(float(v), 4) for v in row] for row in means]


def landmarks(weights: Path) -> list[list[float]]:
    """Return, of each grey picture 80 pixels a side, every tenth point, the two axes and the openings."""
    net = LandmarkNet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    pictures = np.stack([picture(seed, 80, 80)[:, :, 0] for seed in SEEDS])
    x = torch.from_numpy(pictures)[:, None].float() / 127.5 - 1
    with torch.no_grad():
        points, axes, openings, _ = net.eval()(x)
    some = points.view(-1, 150, 2)[:, ::10].flatten(1)
    # The int8 file's answers end where no face's do.
    rows = torch.cat([some.clamp(-1.15, 1.15), axes.clamp(-1, 1), openings.clamp(0, 1)], dim=1)
    return [[round(float(v), 4) for v in row] for row in rows]


def main() -> None:
    """Record one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["detector", "emotion", "landmarks"])
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    numbers = {"detector": detector, "emotion": emotion, "landmarks": landmarks}[options.kind](options.weights)
    options.out.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
