#!/usr/bin/env python3
"""Train the face detector on WIDER FACE and save its float weights.

train_detector.py WIDER_DIR OUT.pt [--minutes M] [--batch N] [--resume]
"""

import argparse
import math
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from detector_net import STRIDES, DetectorNet
from torch import Tensor
from torch.nn import functional
from wider import LabelledImage, read_wider

CROP_PX = 320
FACE_PX = (9.0, 220.0)
"""Faces are scaled so that the chosen one's side falls in this range, log-uniformly."""
NATIVE_SHARE = 0.5
"""Share of crops cut at about the picture's own scale, where a camera's textures are as sharp as they come."""
SMALLEST_PX = 7.0
"""Faces smaller than this after scaling are neither wanted nor punished."""
LEVEL_PX = ((0.0, 28.0), (20.0, 72.0), (52.0, 1e9))
"""Sides (square root of the area) that each level answers for; they overlap on purpose."""

Crop = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.float32]]


def random_crop(image: LabelledImage, rng: np.random.Generator) -> Crop:
    """Return a square crop, the faces to find in it, and the boxes to leave out of the loss."""
    boxes = image.boxes_xyxy
    height, width = image.pixels.shape[:2]
    if rng.random() < NATIVE_SHARE:
        scale = math.exp(rng.uniform(math.log(0.6), math.log(1.4)))
        centre = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        if len(boxes) and rng.random() < 0.5:
            chosen = boxes[rng.integers(len(boxes))]
            centre = (chosen[:2] + chosen[2:]) / 2
    elif len(boxes) and rng.random() < 0.9:
        chosen = boxes[rng.integers(len(boxes))]
        side = math.sqrt((chosen[2] - chosen[0]) * (chosen[3] - chosen[1]))
        low, high = FACE_PX
        scale = math.exp(rng.uniform(math.log(low), math.log(high))) / max(side, 3.0)
        # Enlarging a blurred thumbnail teaches little: at most threefold.
        scale = min(scale, 3.0)
        centre = (chosen[:2] + chosen[2:]) / 2
    else:
        scale = math.exp(rng.uniform(math.log(0.4), math.log(1.6)))
        centre = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    stretch = math.exp(rng.uniform(-0.12, 0.12))
    scale_x, scale_y = scale * stretch, scale / stretch
    place = np.array([rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)]) * CROP_PX
    matrix = np.array([[scale_x, 0, place[0] - scale_x * centre[0]], [0, scale_y, place[1] - scale_y * centre[1]]])
    moved = boxes * np.array([scale_x, scale_y] * 2) + np.tile(matrix[:, 2], 2)
    source = image.pixels
    if scale < 0.6:
        factor = max(scale, 0.05) * 1.2
        source = np.asarray(cv2.resize(source, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix.copy()
        matrix[0, 0] *= width / source.shape[1]
        matrix[1, 1] *= height / source.shape[0]
    fill = [int(v) for v in rng.integers(0, 256, 3)]
    crop = cv2.warpAffine(source, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderValue=fill)
    clipped = np.clip(moved, 0, CROP_PX)
    area = np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    kept = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1) / np.maximum(area, 1e-6)
    inside = kept > 0.02
    clear = inside & (kept > 0.5) & (np.sqrt(area) >= SMALLEST_PX)
    wanted, ignored = clipped[clear], clipped[inside & ~clear]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
        wanted, ignored = (
            np.stack([CROP_PX - b[:, 2], b[:, 1], CROP_PX - b[:, 0], b[:, 3]], axis=1) for b in (wanted, ignored)
        )
    return distort(np.ascontiguousarray(crop), rng), wanted.astype(np.float32), ignored


def distort(crop: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Vary light, colour, sharpness and noise as cameras do."""
    pixels = crop.astype(np.float32)
    if rng.random() < 0.2:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    elif rng.random() < 0.5:
        pixels *= rng.uniform(0.75, 1.25, 3).astype(np.float32)
    if rng.random() < 0.7:
        pixels = (pixels - 128) * rng.uniform(0.55, 1.4) + 128 + rng.uniform(-50, 50)
    if rng.random() < 0.2:
        pixels = np.asarray(255 * (np.clip(pixels, 0, 255) / 255) ** rng.uniform(0.5, 2.2), np.float32)
    if rng.random() < 0.15:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.4)), np.float32)
    if rng.random() < 0.2:
        noise = rng.standard_normal((CROP_PX, CROP_PX, 1), np.float32)
        pixels = pixels + noise * rng.uniform(2, 14)
    crop = np.clip(pixels, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        quality = int(rng.integers(30, 90))
        coded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        crop = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return crop


def targets(
    faces: npt.NDArray[np.float32], ignored: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Give every cell of every level its face, or none.

    Returns:
        Face index a cell (-1: background), and whether the cell counts in the score's loss.
    """
    owner, counts = [], []
    sides = np.sqrt(np.prod(faces[:, 2:] - faces[:, :2], axis=1)) if len(faces) else np.zeros(0)
    for stride, (low, high) in zip(STRIDES, LEVEL_PX, strict=True):
        cells = CROP_PX // stride
        own = np.full((cells, cells), -1, np.int64)
        count = np.ones((cells, cells), bool)
        for x1, y1, x2, y2 in ignored / stride:
            count[int(y1) : math.ceil(y2), int(x1) : math.ceil(x2)] = False
        # Largest first, so that a small face in front keeps its cells.
        for k in np.argsort(-sides):
            x1, y1, x2, y2 = faces[k] / stride
            cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
            if not low <= sides[k] < high:
                # A level that does not answer for this face is not punished for seeing it.
                count[int(y1) : math.ceil(y2), int(x1) : math.ceil(x2)] = False
                continue
            half_x, half_y = max((x2 - x1) * 0.22, 0.55), max((y2 - y1) * 0.22, 0.55)
            left, right = math.ceil(cx - half_x - 0.5), math.floor(cx + half_x - 0.5)
            top, bottom = math.ceil(cy - half_y - 0.5), math.floor(cy + half_y - 0.5)
            where = np.s_[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
            own[where] = k
        count |= own >= 0
        owner.append(own.ravel())
        counts.append(count.ravel())
    return np.concatenate(owner), np.concatenate(counts)


def cell_centres() -> Tensor:
    """Return x, y and stride of every cell, shape (cells, 3), pixels."""
    rows = []
    for stride in STRIDES:
        cells = torch.arange(CROP_PX // stride)
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        centres = torch.stack([(x + 0.5) * stride, (y + 0.5) * stride, torch.full(x.shape, stride)], -1)
        rows.append(centres.reshape(-1, 3))
    return torch.cat(rows).float()


def overlaps(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and generalised IoU (Rezatofighi et al., 2019) of paired boxes."""
    low, high = torch.maximum(found[:, :2], true[:, :2]), torch.minimum(found[:, 2:], true[:, 2:])
    both = (high - low).clamp(min=0).prod(1)
    union = (found[:, 2:] - found[:, :2]).prod(1) + (true[:, 2:] - true[:, :2]).prod(1) - both
    outer = torch.maximum(found[:, 2:], true[:, 2:]) - torch.minimum(found[:, :2], true[:, :2])
    hull = outer.prod(1)
    iou = both / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def loss_of(maps: tuple[Tensor, ...], crops: list[Crop], centres: Tensor) -> tuple[Tensor, Tensor]:
    """Return score loss (quality focal, Li et al., 2020) and box loss of a batch."""
    flat = torch.cat([m.float().flatten(2) for m in maps], dim=2).transpose(1, 2)
    score_loss, box_loss, positives = flat.new_zeros(()), flat.new_zeros(()), 0.0
    for raw, (_, faces, ignored) in zip(flat, crops, strict=True):
        owner_array, counts_array = targets(faces, ignored)
        owner, counts = torch.from_numpy(owner_array), torch.from_numpy(counts_array)
        quality = torch.zeros(len(owner))
        cells = (owner >= 0).nonzero()[:, 0]
        if len(cells):
            distance = raw[cells, 1:].clamp(-4, 5).exp() * centres[cells, 2:]
            xy = centres[cells, :2]
            found = torch.cat([xy - distance[:, :2], xy + distance[:, 2:]], 1)
            iou, giou = overlaps(found, torch.from_numpy(faces)[owner[cells]])
            quality[cells] = iou.detach().clamp(min=0.05)
            # Every face weighs the same, however many cells it owns.
            share = 1.0 / torch.bincount(owner[cells], minlength=len(faces))[owner[cells]].float()
            box_loss = box_loss + ((1 - giou) * share.sqrt()).sum()
            positives += float(share.sqrt().sum())
        logit = raw[:, 0]
        entropy = functional.binary_cross_entropy_with_logits(logit, quality, reduction="none")
        modulated = (logit.sigmoid().detach() - quality).abs().square() * entropy
        score_loss = score_loss + (modulated * counts).sum()
    return score_loss / max(positives, 1.0), box_loss / max(positives, 1.0)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wider", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=180.0, help="after which the learning rate has fallen to 0")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint beside OUT")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    images = [image for image in read_wider(options.wider, "train") if len(image.boxes_xyxy)]
    print(f"{len(images)} images, {sum(len(i.boxes_xyxy) for i in images)} faces", flush=True)
    train(images, options.out, minutes=options.minutes, rate=options.rate, batch=options.batch, resume=options.resume)


def train(images: list[LabelledImage], out: Path, *, minutes: float, rate: float, batch: int, resume: bool) -> None:
    """Train for that long, saving the averaged weights and a checkpoint every 250 batches.

    The learning rate follows the time that has passed, so a busy machine ends as well cooled as a free one.
    """
    net = DetectorNet().to(memory_format=torch.channels_last)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=2e-2)
    begun = 0
    if resume:
        saved = torch.load(out.with_suffix(".ckpt"), weights_only=True)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        average, begun = saved["average"], saved["step"]
    rng = np.random.default_rng(1 + begun)
    centres = cell_centres()
    started, sums = time.perf_counter(), np.zeros(2)
    step, passed = begun, 0.0
    while passed < 1:
        passed = min(1.0, (time.perf_counter() - started) / 60 / minutes)
        warm = min(1.0, (step + 1 - begun) / 200)
        for group in optimiser.param_groups:
            group["lr"] = rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * passed)) / 2)
        crops = [random_crop(images[rng.integers(len(images))], rng) for _ in range(batch)]
        x = torch.from_numpy(np.stack([c[0] for c in crops])).permute(0, 3, 1, 2).float() / 127.5 - 1
        maps = net(x.contiguous(memory_format=torch.channels_last))
        score, box = loss_of(maps, crops, centres)
        optimiser.zero_grad()
        (score + 2.0 * box).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimiser.step()
        step += 1
        keep = min(0.999, step / (step + 10))
        for key, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                average[key].lerp_(value, 1 - keep)
            else:
                average[key].copy_(value)
        sums += score.item(), box.item()
        if step % 100 == 0:
            pace = (step - begun) * batch / (time.perf_counter() - started)
            print(
                f"{step} {passed:.0%} score {sums[0] / 100:.3f} box {sums[1] / 100:.3f} {pace:.1f} crops/s", flush=True
            )
            sums[:] = 0
        if step % 250 == 0 or passed >= 1:
            torch.save(average, out)
            state = {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "average": average}
            torch.save({**state, "step": step}, out.with_suffix(".ckpt"))


if __name__ == "__main__":
    main()
