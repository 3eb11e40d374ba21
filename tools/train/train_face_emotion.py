#!/usr/bin/env python3
"""Train the face emotion model on FER2013 with FER+ votes and save its float weights.

train_face_emotion.py FER_DIR OUT.pt [--epochs N] [--start WEIGHTS.pt] [--rate R]

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

OWN_LABEL_SHARE = 0.15
"""How much of the target is FER2013's own label; the rest is the FER+ vote."""


def soft_targets(data: FerSet) -> tuple[Tensor, Tensor]:
    """Return target distributions (images, 7) and the images' weights; 0 leaves an image out."""
    votes = torch.from_numpy(data.votes)
    # Single votes are outliers (Barsoum et al., 2016, section 3).
    counted = torch.where(votes > 1, votes, torch.zeros(()))
    seven = counted[:, :7]
    total = seven.sum(1, keepdim=True)
    own = functional.one_hot(torch.from_numpy(data.labels), 7).float()
    voted = seven / total.clamp(min=1)
    target = torch.where(total > 0, (1 - OWN_LABEL_SHARE) * voted + OWN_LABEL_SHARE * own, own)
    rejected = counted[:, 7:].sum(1) > total[:, 0]
    frequency = target[~rejected].mean(0)
    weight = (target / frequency.sqrt()).sum(1)
    weight = weight / weight[~rejected].mean()
    return target, torch.where(rejected, torch.zeros(()), weight.clamp(max=3.0))


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


def held_out_figures(net: EmotionNet, images: Tensor, majority: Tensor) -> tuple[float, float]:
    """Return accuracy and mean recall against the FER+ majority."""
    net.eval()
    with torch.no_grad():
        found = torch.cat([net(part).argmax(1) for part in images.split(256)])
    net.train()
    judged = majority >= 0
    right = found[judged] == majority[judged]
    recalls = [right[majority[judged] == k].float().mean() for k in range(7)]
    return float(right.float().mean()), float(torch.stack(recalls).nanmean())


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
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
    train(net, data, options.out, epochs=options.epochs, batch=options.batch, rate=options.rate)


def train(net: EmotionNet, data: FerSet, out: Path, *, epochs: int, batch: int, rate: float) -> None:
    """Train, saving the averaged weights after every epoch."""
    generator = torch.Generator().manual_seed(1)
    target, weight = soft_targets(data)
    images = torch.from_numpy(data.images)[:, None].float() / 127.5 - 1
    majority = torch.from_numpy(data.majority)
    held = torch.from_numpy(np.random.default_rng(1).permutation(len(images)) < len(images) // 20)
    used = torch.nonzero(~held & (weight > 0))[:, 0]
    average = EmotionNet()
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=3e-2)
    steps = epochs * (len(used) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    step, started, last_loss = 0, time.perf_counter(), math.nan
    for epoch in range(epochs):
        order = used[torch.randperm(len(used), generator=generator)]
        for chosen in order.split(batch):
            if len(chosen) < batch:
                continue
            x = augment(images[chosen], generator).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                logits = net(x)
            wanted = 0.95 * target[chosen] + 0.05 / 7
            each = -(wanted * functional.log_softmax(logits.float(), 1)).sum(1)
            loss = (each * weight[chosen]).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            step, last_loss = step + 1, loss.item()
            keep = min(0.998, step / (step + 10))
            for slow, fast in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(fast, 1 - keep)
        if not math.isfinite(last_loss):
            raise SystemExit("training diverged: loss is not finite")
        accuracy, recall = held_out_figures(average, images[held], majority[held])
        pace = step * batch / (time.perf_counter() - started)
        print(f"epoch {epoch + 1} held-out accuracy {accuracy:.4f} mean recall {recall:.4f} ", end="")
        print(f"loss {last_loss:.3f} {pace:.0f} images/s", flush=True)
        torch.save(average.state_dict(), out)


if __name__ == "__main__":
    main()
