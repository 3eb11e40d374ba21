#!/usr/bin/env python3
"""Make the int8 files of the vision models from their float weights.

quantize_vision.py detector WIDER_DIR WEIGHTS.pt OUT.tflite
quantize_vision.py emotion FER_DIR WEIGHTS.pt OUT.tflite
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
from convert import Array, convert, write_sidecar
from detector_net import DetectorNet
from emotion_net import EmotionNet
from fer import LABELS, read_fer
from train_face_emotion import soft_targets
from wider import read_wider

FRAME_PX = 640
RANGE = [-1.0, 1.0]


class DetectorFile(nn.Module):
    """The detector as it ships: channels last, scores and sides apart so that each has its own int8 scale."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net
        self.scores, self.sides, self.stems = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for head in net.heads:
            last = head[-1] if isinstance(head, nn.Sequential) else head
            before = head[0] if isinstance(head, nn.Sequential) else nn.Identity()
            score, sides = nn.Conv2d(last.in_channels, 1, 1), nn.Conv2d(last.in_channels, 4, 1)
            with torch.no_grad():
                score.weight.copy_(last.weight[:1])
                score.bias.copy_(last.bias[:1])
                sides.weight.copy_(last.weight[1:])
                sides.bias.copy_(last.bias[1:])
            self.stems.append(before)
            self.scores.append(score)
            self.sides.append(sides)
        net.heads = nn.ModuleList(nn.Identity() for _ in net.heads)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return score and sides of each level, (1, H / s, W / s, 1) and (1, H / s, W / s, 4)."""
        levels = self.net(x.permute(0, 3, 1, 2))
        outputs = []
        for level, before, score, sides in zip(levels, self.stems, self.scores, self.sides, strict=True):
            shared = before(level)
            # Past these ends nothing changes in the decoder, and a tighter range is a finer step.
            limited = score(shared).clamp(-9, 7), sides(shared).clamp(-2, 3.2)
            outputs += [output.permute(0, 2, 3, 1) for output in limited]
        return tuple(outputs)


class EmotionFile(nn.Module):
    """The emotion model as it ships: channels last, logits out."""

    def __init__(self, net: EmotionNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (1, 7), of a grey face, (1, 48, 48, 1)."""
        logits: Tensor = self.net(x.permute(0, 3, 1, 2))
        return logits


def detector(folder: Path, weights: Path, target: Path) -> None:
    """Quantise the detector, calibrated on training images."""
    net = DetectorNet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    samples = []
    for image in read_wider(folder, "train")[::12]:
        scale = FRAME_PX / max(image.pixels.shape[:2])
        small = cv2.resize(image.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = np.full((1, FRAME_PX, FRAME_PX, 3), 114, np.float32)
        canvas[0, : small.shape[0], : small.shape[1]] = small
        samples.append((canvas / 127.5 - 1).astype(np.float32))
    _, tensors = convert(DetectorFile(net.eval()), samples, target, any_frame_size=True)
    note = "any height and width that 32 divides; pad on the right and below"
    _finish(target, tensors, labels=[], layout=note, channels="RGB", thresholds={"confidence": 0.36, "overlap": 0.4})


def emotion(folder: Path, weights: Path, target: Path) -> None:
    """Quantise the emotion model, calibrated and temperature-scaled on training images held out from training."""
    net = EmotionNet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    data = read_fer(folder, "Training")
    images = data.images[:, :, :, None].astype(np.float32) / 127.5 - 1
    order = np.random.default_rng(1).permutation(len(images))
    held = np.flatnonzero(order < len(images) // 20)
    samples: list[Array] = [images[k : k + 1] for k in np.flatnonzero(order >= len(images) // 20)[::50]]
    _, tensors = convert(EmotionFile(net.eval()), samples, target)
    target_distribution, weight = soft_targets(data)
    used = held[weight[held].numpy() > 0]
    temperature = _temperature(target, tensors, images[used], target_distribution[used])
    _finish(
        target,
        tensors,
        labels=list(LABELS),
        layout="an upright face, its detector box 1/1.18 of the side, as in FER2013",
        channels="grey",
        thresholds={"temperature": round(temperature, 3)},
    )


def _temperature(target: Path, tensors: dict[str, Any], images: Array, wanted: Tensor) -> float:
    """Return the temperature under which the int8 logits fit the votes best (Guo et al., 2017)."""
    # The quantised file itself, because its logits are what ships.
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    interpreter = Interpreter(str(target))
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    given, got = tensors["input"], tensors["outputs"][0]
    logits = []
    for image in images:
        steps = np.clip(np.rint(image / given["scale"]) + given["zero_point"], -128, 127).astype(np.int8)
        interpreter.set_tensor(into, steps[None])
        interpreter.invoke()
        logits.append((interpreter.get_tensor(out)[0].astype(np.float32) - got["zero_point"]) * got["scale"])
    stacked = torch.from_numpy(np.stack(logits))
    grid = np.linspace(0.4, 2.5, 106)
    losses = [float(-(wanted * (stacked / float(t)).log_softmax(1)).sum(1).mean()) for t in grid]
    return float(grid[int(np.argmin(losses))])


def _finish(
    target: Path,
    tensors: dict[str, Any],
    *,
    labels: list[str],
    layout: str,
    channels: str,
    thresholds: dict[str, float],
) -> None:
    """Write the sidecar; its figures are filled in when the file has been measured."""
    fields = {
        "version": "1.0.0",
        "labels": labels,
        "input": {**tensors["input"], "range": RANGE, "channels": channels, "layout": layout},
        "outputs": tensors["outputs"],
        "thresholds": thresholds,
        "figures": {},
    }
    write_sidecar(target, fields)
    print(f"{target}: {target.stat().st_size} bytes")


def main() -> None:
    """Read the command line and quantise one model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["detector", "emotion"])
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    {"detector": detector, "emotion": emotion}[options.kind](options.data, options.weights, options.target)


if __name__ == "__main__":
    main()
