#!/usr/bin/env python3
"""Train the face emotion model on FER2013 with FER+ votes and save its float weights.

train_face_emotion.py FER_DIR OUT.pt [--minutes M] [--start WEIGHTS.pt] [--rate R]

One image in twenty of the training part is held out to watch the training; PublicTest is not looked at.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from emotion_net import EmotionNet
from fer import FerSet, read_fer
from torch import Tensor
from torch.nn import functional

MOST_WEIGHT = 3.0
"""A rare emotion's image weighs at most this much of a mean one."""


def soft_targets(data: FerSet) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the votes and the own labels want, each shape (images, 7), and the weights of both, (images, 2).

    An image without votes, or one most taggers found to be no face or none of the seven, has no say on the votes.
    """
    votes = torch.from_numpy(data.votes)
    # Single votes are outliers (Barsoum et al., 2016, section 3).
    counted = torch.where(votes > 1, votes, torch.zeros(()))
    seven = counted[:, :7]
    total = seven.sum(1, keepdim=True)
    voted = seven / total.clamp(min=1)
    own = functional.one_hot(torch.from_numpy(data.labels), 7).float()
    usable = (total[:, 0] > 0) & (counted[:, 7:].sum(1) <= total[:, 0])
    weights = torch.stack([_balance(voted, usable), _balance(own, torch.ones_like(usable))], 1)
    # What the taggers reject is often no face at all.
    weights[~usable, 1] *= 0.5
    return voted, own, weights


def _balance(target: Tensor, used: Tensor) -> Tensor:
    frequency = target[used].mean(0)
    weight = (target / frequency.sqrt()).sum(1)
    weight = (weight / weight[used].mean()).clamp(max=MOST_WEIGHT)
    return torch.where(used, weight, torch.zeros(()))


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Flip, turn, shift, scale, relight, blur and partly hide grey faces in [-1, 1]."""
    count = len(images)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape or (count,), generator=generator) * (high - low) + low

    angle = uniform(-0.3, 0.3)
    zoom_x, zoom_y = uniform(0.8, 1.2), uniform(0.9, 1.1)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = angle.cos(), angle.sin()
    zoom_y = zoom_x * zoom_y
    rows = [
        torch.stack([mirror * cos * zoom_x, -sin * zoom_x, uniform(-0.16, 0.16)], 1),
        torch.stack([mirror * sin * zoom_y, cos * zoom_y, uniform(-0.16, 0.16)], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), [count, 1, 48, 48], align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    small = torch.nonzero(uniform(0, 1) < 0.15)[:, 0]
    if len(small):
        side = int(torch.randint(18, 36, (1,), generator=generator))
        shrunk = functional.interpolate(images[small], size=(side, side), mode="area")
        images[small] = functional.interpolate(shrunk, size=(48, 48), mode="bilinear", align_corners=False)
    contrast, light = uniform(0.6, 1.4)[:, None, None, None], uniform(-0.3, 0.3)[:, None, None, None]
    images = (images * contrast + light).clamp(-1, 1)
    noise = torch.randn(images.shape, generator=generator)
    images = images + noise * uniform(0.0, 0.06)[:, None, None, None]
    # Random erasing (Zhong et al., 2020): a hand, a scarf, hair.
    centre = uniform(0, 48, count, 2)
    half = uniform(3, 9, count, 2)
    pixel = torch.arange(48).float()
    across = (pixel - centre[:, :1]).abs() < half[:, :1]
    down = (pixel - centre[:, 1:]).abs() < half[:, 1:]
    hidden = (down[:, :, None] & across[:, None, :] & (uniform(0, 1) < 0.4)[:, None, None])[:, None]
    return torch.where(hidden, uniform(-1, 1)[:, None, None, None], images)


def held_out_figures(net: EmotionNet, images: Tensor, data: FerSet, held: Tensor) -> str:
    """Return accuracy and mean recall of the votes' head against the majority, and the own head's accuracy."""
    net.eval()
    with torch.no_grad():
        parts = [net(part) for part in images[held].split(256)]
    net.train()
    voted, own = (torch.cat([part[k] for part in parts]).argmax(1) for k in range(2))
    majority, labels = torch.from_numpy(data.majority)[held], torch.from_numpy(data.labels)[held]
    judged = majority >= 0
    right = voted[judged] == majority[judged]
    recalls = torch.stack([right[majority[judged] == k].float().mean() for k in range(7)])
    both = f"votes {right.float().mean():.4f} mean recall {recalls.nanmean():.4f}"
    return f"{both} own {(own == labels).float().mean():.4f}"


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=120.0, help="after which the learning rate has fallen to 0")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--start", type=Path, help="weights to go on from instead of random ones")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    net = EmotionNet().to(memory_format=torch.channels_last)
    if options.start:
        net.load_state_dict(torch.load(options.start, weights_only=True))
    data = read_fer(options.fer, "Training")
    train(net, data, options.out, minutes=options.minutes, batch=options.batch, rate=options.rate)


def held_out(count: int) -> Tensor:
    """Return which of *count* training images are kept for watching and calibrating, always the same ones."""
    return torch.from_numpy(np.random.default_rng(1).permutation(count) < count // 20)


def train(net: EmotionNet, data: FerSet, out: Path, *, minutes: float, batch: int, rate: float) -> None:
    """Train for that long, saving the averaged weights after every epoch.

    The learning rate follows the time that has passed, so a busy machine ends as well cooled as a free one.
    """
    generator = torch.Generator().manual_seed(1)
    voted, own, weights = soft_targets(data)
    images = torch.from_numpy(data.images)[:, None].float() / 127.5 - 1
    held = held_out(len(images))
    used = torch.nonzero(~held)[:, 0]
    average = EmotionNet()
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=3e-2)
    step, epoch, passed, started, last_loss = 0, 0, 0.0, time.perf_counter(), math.nan
    while passed < 1:
        order = used[torch.randperm(len(used), generator=generator)]
        for chosen in order.split(batch):
            passed = min(1.0, (time.perf_counter() - started) / 60 / minutes)
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / 400) * (0.005 + 0.995 * (1 + math.cos(math.pi * passed)) / 2)
            x = augment(images[chosen], generator).contiguous(memory_format=torch.channels_last)
            loss = torch.zeros(())
            for logits, target, weight in zip(net(x), (voted, own), weights[chosen].T, strict=True):
                wanted = 0.95 * target[chosen] + 0.05 / 7
                each = -(wanted * functional.log_softmax(logits, 1)).sum(1)
                loss = loss + (each * weight).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            step, last_loss = step + 1, loss.item()
            keep = min(0.998, step / (step + 10))
            for slow, fast in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(fast, 1 - keep)
            if passed >= 1:
                break
        if not math.isfinite(last_loss):
            raise SystemExit("training diverged: loss is not finite")
        epoch += 1
        pace = step * batch / (time.perf_counter() - started)
        print(f"epoch {epoch} {passed:.0%} held-out {held_out_figures(average, images, data, held)} ", end="")
        print(f"loss {last_loss:.3f} {pace:.0f} images/s", flush=True)
        torch.save(average.state_dict(), out)


if __name__ == "__main__":
    main()
