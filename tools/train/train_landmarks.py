#!/usr/bin/env python3
"""Train the landmark model on faces labelled by `label_landmarks.py` and save its float weights.

train_landmarks.py WIDER.npz FER.npz OUT.pt [--minutes M] [--start WEIGHTS.pt] [--rate R]

One image in ten of each set is held out to watch the training.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from landmark_faces import Faces, as_detected, crops_of, eye_distance, read_faces
from landmark_net import CROP_PX, POINTS, LandmarkNet
from torch import Tensor
from torch.nn import functional

Labels = tuple[Tensor, Tensor, Tensor, Tensor]

WIDER_SHARE, UNREADABLE_SHARE = 0.42, 0.1
"""Of each batch, readable faces of WIDER FACE and unreadable boxes; the rest is FER2013."""
LEAST_PX = 48
"""Faces from this size on are watched."""


def held_out(faces: Faces) -> Tensor:
    """Return which faces lie in an image that is kept for watching and calibrating, always the same ones."""
    return faces.image % 10 == 3


def augmented(faces: Faces, generator: torch.Generator) -> tuple[Tensor, Labels]:
    """Shift, zoom, turn and flip the boxes as a detector might, and relight, blur and partly hide what they show."""
    count = len(faces)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape or (count,), generator=generator) * (high - low) + low

    def normal(spread: float, *shape: int) -> Tensor:
        return torch.randn(shape or (count,), generator=generator).clamp(-2.5, 2.5) * spread

    centre = faces.centre + normal(0.06, count, 2) * faces.side[:, None]
    side = faces.side * normal(0.09).exp()
    roll = torch.where(uniform(0, 1) < 0.2, uniform(-0.7, 0.7), normal(0.17))
    mirror = uniform(0, 1) < 0.5
    clamp = faces.bounded and bool(uniform(0, 1, 1) < 0.7)
    crops, points, axes = crops_of(faces, centre, side, roll, mirror, clamp=clamp)
    small = torch.nonzero(uniform(0, 1) < 0.3)[:, 0]
    if len(small):
        size = int(torch.randint(22, 60, (1,), generator=generator))
        shrunk = functional.interpolate(crops[small], size=(size, size), mode="area")
        crops[small] = functional.interpolate(shrunk, size=(CROP_PX, CROP_PX), mode="bilinear", align_corners=False)
    contrast, light = uniform(0.5, 1.4)[:, None, None, None], uniform(-0.35, 0.35)[:, None, None, None]
    crops = (crops * contrast + light).clamp(-1, 1)
    crops = crops + torch.randn(crops.shape, generator=generator) * uniform(0.0, 0.06)[:, None, None, None]
    # Random erasing (Zhong et al., 2020): a hand, a scarf, hair.
    middle, half = uniform(0, CROP_PX, count, 2), uniform(4, 14, count, 2)
    pixel = torch.arange(CROP_PX).float()
    across = (pixel - middle[:, :1]).abs() < half[:, :1]
    down = (pixel - middle[:, 1:]).abs() < half[:, 1:]
    hidden = (down[:, :, None] & across[:, None, :] & (uniform(0, 1) < 0.25)[:, None, None])[:, None]
    crops = torch.where(hidden, uniform(-1, 1)[:, None, None, None], crops)
    return crops, (points, axes, faces.openings, faces.readable)


def loss_of(answers: Labels, labels: Labels) -> Tensor:
    """Return the loss of a batch.

    Points count by their distance over that of the eyes; where a turned head brings the eyes together, over three
    tenths of the face's size at least.
    """
    points, axes, openings, readable = labels
    there = readable.float()
    total = there.sum().clamp(min=1)
    spread = (points.amax(1) - points.amin(1)).prod(1).clamp(min=1e-6).sqrt()
    scale = torch.maximum(eye_distance(points), 0.3 * spread).clamp(min=0.05)
    off = answers[0].view(-1, POINTS, 2) - points
    # Smooth at zero, else the distance itself, which is what is measured.
    distance = (off.square().sum(2) + 1e-5).sqrt().mean(1) / scale
    turned = functional.smooth_l1_loss(answers[1].view(-1, 2, 3), axes, reduction="none", beta=0.1).sum((1, 2))
    opened = functional.smooth_l1_loss(answers[2], openings, reduction="none", beta=0.05).sum(1)
    seen = functional.binary_cross_entropy_with_logits(answers[3][:, 0], there)
    return ((distance + 0.5 * turned + opened) * there).sum() / total + 0.05 * seen


def watch(net: LandmarkNet, faces: Faces) -> str:
    """Return the mean and median error over the eye distance, and the median turn, of held-out faces as detected."""
    net.eval()
    with torch.no_grad():
        crops, points, axes = as_detected(faces)
        answers = net(crops)
    net.train()
    off = (answers[0].view(-1, POINTS, 2) - points).norm(dim=2).mean(1) / eye_distance(points)
    turn = functional.cosine_similarity(answers[1].view(-1, 2, 3), axes, dim=2).clamp(-1, 1).acos().amax(1)
    opened = (answers[2] - faces.openings).abs().mean(0)
    return (
        f"{len(faces)} faces {off.mean():.4f} median {off.median():.4f} turn {math.degrees(turn.median()):.2f} deg"
        f" openings {opened[0]:.3f} {opened[1]:.3f}"
    )


def turned_more(faces: Faces) -> Tensor:
    """Return how often each face is shown, relative to a frontal one: turned heads are rare and harder."""
    yaw = torch.atan2(faces.axes[:, 0, 0], faces.axes[:, 0, 2]).abs().rad2deg().clamp(max=60)
    return (1 + yaw / 10) * faces.readable


def batches(
    wider: Faces, fer: Faces, weights: tuple[Tensor, Tensor, Tensor], size: int, generator: torch.Generator
) -> tuple[Tensor, Labels]:
    """Return one batch of both sets.

    Args:
        wider: Readable faces and others.
        fer: Readable faces.
        weights: How often to draw each of WIDER FACE as a face, each of it as none, and each of FER2013.
        size: Crops in the batch.
        generator: Of random numbers.
    """
    parts = []
    counts = (int(size * WIDER_SHARE), int(size * UNREADABLE_SHARE))
    for faces, weight, count in zip((wider, wider, fer), weights, (*counts, size - sum(counts)), strict=True):
        chosen = torch.multinomial(weight, count, replacement=True, generator=generator)
        parts.append(augmented(faces.take(chosen), generator))
    crops = torch.cat([part[0] for part in parts]).contiguous(memory_format=torch.channels_last)
    points, axes, openings, readable = (torch.cat([part[1][k] for part in parts]) for k in range(4))
    return crops, (points, axes, openings, readable)


def train(net: LandmarkNet, wider: Faces, fer: Faces, out: Path, *, minutes: float, batch: int, rate: float) -> None:
    """Train for that long, saving the averaged weights now and then.

    The learning rate follows the processor time that was spent, so a busy machine ends as well cooled as a free one.
    """
    generator = torch.Generator().manual_seed(1)
    held = held_out(wider) & wider.readable & (wider.box_px >= LEAST_PX)
    watched, watched_fer = wider.take(held), fer.take(held_out(fer) & fer.readable)
    watched_fer = watched_fer.take(torch.arange(0, len(watched_fer), 8))
    wider, fer = wider.take(~held_out(wider)), fer.take(~held_out(fer))
    print(f"{int(wider.readable.sum())} of {len(wider)} boxes and {int(fer.readable.sum())} small faces", flush=True)
    weights = (turned_more(wider), (~wider.readable).float(), turned_more(fer))
    average = LandmarkNet()
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    step, passed, started, running = 0, 0.0, time.process_time(), math.nan
    while passed < 1:
        passed = min(1.0, (time.process_time() - started) / 60 / minutes)
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * (0.005 + 0.995 * (1 + math.cos(math.pi * passed)) / 2)
        crops, labels = batches(wider, fer, weights, batch, generator)
        loss = loss_of(net(crops), labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        running = loss.item() if math.isnan(running) else running + 0.02 * (loss.item() - running)
        keep = min(0.998, step / (step + 10))
        for slow, fast in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
        if step % 100 == 0 or passed >= 1:
            if not math.isfinite(running):
                raise SystemExit("training diverged: loss is not finite")
            pace = step * batch / (time.process_time() - started)
            print(f"step {step} {passed:.0%} loss {running:.4f} {pace:.0f} images/s", flush=True)
            print(f"  WIDER {watch(average, watched)}; FER {watch(average, watched_fer)}", flush=True)
            torch.save(average.state_dict(), out)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wider", type=Path)
    parser.add_argument("fer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="of processor time, after which the learning rate is 0"
    )
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--start", type=Path, help="weights to go on from instead of random ones")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    wider, fer = read_faces(options.wider), read_faces(options.fer, fer=True)
    net = LandmarkNet().to(memory_format=torch.channels_last)
    if options.start:
        net.load_state_dict(torch.load(options.start, weights_only=True))
    else:
        some = fer.take(torch.nonzero(fer.readable)[::50, 0])
        net.start_at(as_detected(some)[1].mean(0))
    train(net, wider, fer, options.out, minutes=options.minutes, batch=options.batch, rate=options.rate)


if __name__ == "__main__":
    main()
