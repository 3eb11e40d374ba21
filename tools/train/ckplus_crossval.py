#!/usr/bin/env python3
"""CK+ in ten subject-independent folds: the face emotion network fine-tuned on nine, judged in int8 on the tenth.

ckplus_crossval.py CKPLUS.npz WEIGHTS.pt [--epochs N] [--threads N]

Seven emotions of CK+, contempt and no neutral, last three frames of each sequence. No subject is in training and test
of the same fold.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from emotion_net import EmotionNet
from torch import Tensor, nn
from torch.nn import functional
from train_face_emotion import augment

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "quantize"))
from convert import convert
from quantize_vision import EmotionFile, int8_logits

from edge.evaluation.score import score

NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt")
FOLDS = 10
Labels = npt.NDArray[np.int64]


def folds_by_subject(subjects: npt.NDArray[np.str_], labels: Labels) -> Labels:
    """Give each image its fold, shape (images,): whole subjects, dealt so that every fold is about as large."""
    fold = np.zeros(len(subjects), np.int64)
    sizes = np.zeros((FOLDS, len(NAMES)))
    unique = sorted(set(subjects), key=lambda subject: (-int((subjects == subject).sum()), str(subject)))
    for subject in unique:
        mine = subjects == subject
        counts = np.bincount(labels[mine], minlength=len(NAMES))
        # Where it evens out both the size and the emotions.
        chosen = int(np.argmin(((sizes + counts) ** 2).sum(axis=1) - (sizes**2).sum(axis=1)))
        sizes[chosen] += counts
        fold[mine] = chosen
    return fold


def fine_tune(weights: Path, images: Tensor, labels: Tensor, *, epochs: int, seed: int) -> nn.Module:
    """Return the pre-trained network with a new head, trained on these images, shape (images, 1, 48, 48)."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    start = EmotionNet()
    start.load_state_dict(torch.load(weights, weights_only=True))
    net = start.joined(0.0, torch.zeros(7)).to(memory_format=torch.channels_last)
    body, head = list(net[0].parameters()), net[2]
    nn.init.normal_(head.weight[6], std=0.01)
    groups = [{"params": body, "lr": 5e-4}, {"params": list(head.parameters()), "lr": 3e-3}]
    optimiser = torch.optim.AdamW(groups, weight_decay=2e-2)
    batch = 64
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [5e-4, 3e-3], total_steps=steps, pct_start=0.2)
    balance = 1 / torch.bincount(labels, minlength=len(NAMES)).clamp(min=1).sqrt()
    net.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(batch):
            if len(chosen) < batch:
                continue
            x = augment(images[chosen], generator).contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(net(x), labels[chosen], weight=balance, label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    # The converter takes weights in the usual order only.
    return net.eval().to(memory_format=torch.contiguous_format)


def main() -> None:
    """Read the command line, train ten times and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ckplus", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with np.load(options.ckplus, allow_pickle=False) as archive:
        images, labels, subjects = archive["images"], archive["labels"].astype(np.int64), archive["subjects"]
    # CK+ has no neutral (6); contempt (7) takes its place.
    labels = np.where(labels == len(NAMES), len(NAMES) - 1, labels)
    x = torch.from_numpy(images)[:, None].float() / 127.5 - 1
    fold = folds_by_subject(subjects, labels)
    found = np.zeros((len(labels), len(NAMES)))
    for k in range(FOLDS):
        train = torch.from_numpy(fold != k)
        net = fine_tune(options.weights, x[train], torch.from_numpy(labels)[train], epochs=options.epochs, seed=k)
        target = Path(tempfile.mkdtemp()) / "fold.tflite"
        files = x.permute(0, 2, 3, 1).numpy()
        _, tensors = convert(EmotionFile(net), [files[n : n + 1] for n in np.flatnonzero(fold != k)[::6]], target)
        logits = torch.from_numpy(int8_logits(target, tensors, files[fold == k]))
        found[fold == k] = logits.softmax(1).numpy()
        right = (found[fold == k].argmax(1) == labels[fold == k]).mean()
        print(f"fold {k + 1}: {right:.4f} of {int((fold == k).sum())}", file=sys.stderr, flush=True)
    print(json.dumps({"protocol": "subject_independent_ten_fold", **score(found, labels, NAMES).as_json()}, indent=2))


if __name__ == "__main__":
    main()
