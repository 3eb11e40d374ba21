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
import numpy.typing as npt
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
from convert import Array, convert, write_sidecar
from detector_net import DetectorNet
from emotion_net import EmotionNet
from fer import LABELS, read_fer
from train_face_emotion import held_out
from wider import read_wider

Labels = npt.NDArray[np.int64]

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

    def __init__(self, net: nn.Module) -> None:
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
    """Quantise the emotion model; its two heads are joined and its temperature set on training images held out.

    The joined float network is kept beside the weights, as ``WEIGHTS.joined.pt``.
    """
    net = EmotionNet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    data = read_fer(folder, "Training")
    images = data.images[:, :, :, None].astype(np.float32) / 127.5 - 1
    held = held_out(len(images)).numpy()
    majority, labels = data.majority[held], data.labels[held]
    joined = _join(net.eval(), images[held], majority, labels)
    torch.save(joined.state_dict(), weights.with_suffix(".joined.pt"))
    samples: list[Array] = [images[k : k + 1] for k in np.flatnonzero(~held)[::50]]
    _, tensors = convert(EmotionFile(joined), samples, target)
    judged = majority >= 0
    logits = int8_logits(target, tensors, images[held][judged])
    _finish(
        target,
        tensors,
        labels=list(LABELS),
        layout="an upright face, its detector box 1/1.18 of the side, as in FER2013",
        channels="grey",
        thresholds={"temperature": round(_temperature(logits, majority[judged]), 3)},
    )


def _join(net: EmotionNet, images: Array, majority: Labels, labels: Labels) -> nn.Sequential:
    """Choose how much the own label's head and how much rare emotions count, and make one head of both.

    On the held-out images, and among the choices whose accuracy against the majority is within a point of the best:
    the one with the greatest sum of mean recall against the majority and accuracy against the own labels.
    """
    with torch.no_grad():
        parts = [net(part) for part in torch.from_numpy(images).permute(0, 3, 1, 2).split(256)]
    voted, own = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    judged = majority >= 0
    rarity = -np.log(np.bincount(majority[judged], minlength=len(LABELS)) / judged.sum())
    rarity = (rarity - rarity.mean()).astype(np.float32)
    choices = []
    for share in np.linspace(0, 0.8, 17):
        for favour in np.linspace(-0.3, 0.7, 21):
            found = ((1 - share) * voted + share * own + favour * rarity).argmax(1)
            right = found[judged] == majority[judged]
            recall = np.mean([right[majority[judged] == k].mean() for k in range(len(LABELS))])
            sums = float(recall + (found == labels).mean())
            choices.append((float(right.mean()), sums, float(share), float(favour)))
    most = max(accuracy for accuracy, *_ in choices)
    _, share, favour = max((sums, s, f) for accuracy, sums, s, f in choices if accuracy >= most - 0.01)
    print(f"own label's share {share:.2f}, rare emotions favoured by {favour:.2f}")
    return net.joined(share, torch.from_numpy(favour * rarity)).eval()


def int8_logits(target: Path, tensors: dict[str, Any], images: Array) -> Array:
    """Run the quantised file, because its logits are what ships; return them, shape (images, 7)."""
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
    return np.stack(logits)


def _temperature(logits: Array, majority: Labels) -> float:
    """Return the temperature under which the logits fit the labels best (Guo et al., 2017)."""
    stacked, wanted = torch.from_numpy(logits), torch.from_numpy(majority)
    grid = np.linspace(0.3, 2.5, 221)
    losses = [float(nn.functional.cross_entropy(stacked / float(t), wanted)) for t in grid]
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
