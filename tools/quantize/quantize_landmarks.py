#!/usr/bin/env python3
"""Make the int8 file of the landmark model from its float weights.

quantize_landmarks.py WIDER.npz FER.npz WEIGHTS.pt OUT.tflite

WIDER.npz and FER.npz are the files of `label_landmarks.py` that the model was trained on.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from convert import Array, convert, write_sidecar
from landmark_faces import Faces, as_detected, read_faces
from landmark_net import LandmarkNet
from train_landmarks import augmented, held_out

from edge.inference.model import Model
from edge.vision.keypoints import NAMES

KEPT = 0.97
"""Share of the readable faces held out that the threshold lets pass."""


class LandmarkFile(nn.Module):
    """The landmark model as it ships: channels last; outputs end where no face goes, for a finer int8 step."""

    def __init__(self, net: LandmarkNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return points, axes, openings and the readable logit of a grey crop, (1, 80, 80, 1)."""
        points, axes, openings, readable = self.net(x.permute(0, 3, 1, 2))
        return points.clamp(-1.15, 1.15), axes.clamp(-1, 1), openings.clamp(0, 1), readable.clamp(-8, 8)


def calibration(wider: Faces, fer: Faces) -> list[Array]:
    """Return crops as they come and as training disturbs them, each (1, 80, 80, 1)."""
    generator = torch.Generator().manual_seed(2)
    crops = []
    readable, others = wider.take(wider.readable), wider.take(~wider.readable)
    for faces, count in ((readable, 240), (others, 60), (fer.take(fer.readable), 160)):
        chosen = faces.take(torch.randperm(len(faces), generator=generator)[:count])
        half = torch.arange(count) < count // 2
        crops += [as_detected(chosen.take(half))[0], augmented(chosen.take(~half), generator)[0]]
    return [crop.permute(1, 2, 0)[None].numpy() for crop in torch.cat(crops).clamp(-1, 1)]


def threshold(target: Path, faces: Faces) -> float:
    """Return the probability that lets :data:`KEPT` of the readable faces pass, by the int8 file."""
    model = Model(target)
    found = []
    for crop in as_detected(faces)[0].numpy()[:, 0, :, :, None]:
        outputs = {int(o.shape[1]): o[0] for o in model.run_quantised(model.quantisation.quantise(crop)[None])}
        found.append(1 / (1 + np.exp(-outputs[1][0])))
    said, right = np.array(found), faces.readable.numpy()
    least = float(np.quantile(said[right], 1 - KEPT))
    print(f"readable from {least:.3f}: {(said[right] >= least).mean():.1%} of the readable boxes pass,", end=" ")
    print(f"{(said[~right] >= least).mean():.1%} of the others")
    return round(least, 3)


def main() -> None:
    """Read the command line and quantise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wider", type=Path)
    parser.add_argument("fer", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    wider, fer = read_faces(options.wider), read_faces(options.fer, fer=True)
    net = LandmarkNet()
    net.load_state_dict(torch.load(options.weights, weights_only=True))
    samples = calibration(wider.take(~held_out(wider)), fer.take(~held_out(fer)))
    _, tensors = convert(LandmarkFile(net.eval()), samples, options.target)
    layout = "a square around the detector's box, 1.5 times the root of its area; points are -1 and 1 at its borders"
    sides = {1: "readable_logit", 2: "openings", 6: "axes", 300: "points"}
    outputs = [{**output, "meaning": sides[output["shape"][1]]} for output in tensors["outputs"]]
    fields = {
        "version": "1.0.0",
        "labels": list(NAMES),
        "input": {**tensors["input"], "range": [-1.0, 1.0], "channels": "grey", "layout": layout},
        "outputs": outputs,
        "thresholds": {"readable": 0.5},
        "figures": {},
    }
    # Written twice, because the threshold is found by running the finished file.
    write_sidecar(options.target, dict(fields))
    write_sidecar(
        options.target, {**fields, "thresholds": {"readable": threshold(options.target, wider.take(held_out(wider)))}}
    )
    print(f"{options.target}: {options.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
