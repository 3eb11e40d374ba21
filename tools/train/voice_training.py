"""Training one voice emotion network."""

import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from voice_corpora import LABELS, Array
from voice_features import VERSIONS, Features
from voice_net import VoiceNet
from voice_windows import Windows, plain_windows

BATCH = 64


@dataclass(frozen=True, slots=True)
class Run:
    """How one training goes."""

    epochs: int
    rate: float
    """Highest learning rate."""

    seed: int = 1


def open_labels(features: Features) -> npt.NDArray[np.bool_]:
    """Return which labels each clip's corpus has at all, shape (clips, 7)."""
    by_corpus = {c.corpus: np.zeros(len(LABELS), bool) for c in features.clips}
    for clip in features.clips:
        by_corpus[clip.corpus][clip.label] = True
    return np.stack([by_corpus[c.corpus] for c in features.clips])


def loss_of(logits: Tensor, label: Tensor, possible: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy with smoothing among the labels that the clip's corpus has.

    A corpus without disgust says nothing about disgust, and must not teach that its speakers never feel it.
    """
    log_share = functional.log_softmax(logits.masked_fill(~possible, -1e4), 1)
    spread = possible.float() * (0.1 / possible.sum(1, keepdim=True))
    target = spread + 0.9 * functional.one_hot(label, len(LABELS))
    return (-(target * log_share).masked_fill(~possible, 0).sum(1) * weight).mean()


def train(
    net: VoiceNet, features: Features, home: npt.NDArray[np.int64], others: npt.NDArray[np.int64], run: Run
) -> VoiceNet:
    """Train *net* and return its averaged weights.

    Each epoch sees all *home* clips and, where there are others, half as many *others* as home clips, drawn anew.
    """
    torch.manual_seed(run.seed)
    random = np.random.default_rng(run.seed)
    windows = Windows(features, random)
    labels = torch.tensor([c.label for c in features.clips])
    possible = torch.from_numpy(open_labels(features))
    used = np.concatenate([home, others])
    frequency = np.bincount(labels.numpy()[used], minlength=len(LABELS))
    weight = torch.from_numpy((frequency.mean() / np.maximum(frequency, 1)) ** 0.5).float()
    net = net.to(memory_format=torch.channels_last)
    average = VoiceNet()
    average.load_state_dict(net.state_dict())
    drawn = min(len(others), len(home) // 2)
    each = (len(home) + drawn) // BATCH
    optimiser = torch.optim.AdamW(net.parameters(), lr=run.rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, run.rate, total_steps=run.epochs * each, pct_start=0.15)
    step, started = 0, time.perf_counter()
    for epoch in range(run.epochs):
        net.train()
        chosen = np.concatenate([home, random.permutation(others)[:drawn]])
        total = 0.0
        for part in random.permutation(chosen)[: each * BATCH].reshape(each, BATCH):
            x = torch.from_numpy(windows.batch(part))[:, None].contiguous(memory_format=torch.channels_last)
            loss = loss_of(net(x), labels[part], possible[part], weight[labels[part]])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            step += 1
            total += loss.item()
            keep = min(0.99, step / (step + 10))
            for slow, fast in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(fast, 1 - keep)
        pace = step * BATCH / (time.perf_counter() - started)
        print(f"epoch {epoch + 1} loss {total / each:.3f} {pace:.0f} windows/s", flush=True)
        if not math.isfinite(total):
            raise SystemExit("training diverged: loss is not finite")
    average.eval()
    return average


def clip_windows(features: Features, clips: npt.NDArray[np.int64]) -> list[Array]:
    """Return each clip's windows as the runtime cuts them."""
    return [plain_windows(features.versions[int(clip) * VERSIONS]) for clip in clips]


def float_logits(net: VoiceNet, clips: list[Array]) -> list[Array]:
    """Return each clip's logits, shape (windows, 7)."""
    with torch.no_grad():
        return [net(torch.from_numpy(windows)[:, None]).numpy() for windows in clips]


def mean_recall(logits: list[Array], labels: npt.NDArray[np.int64]) -> tuple[float, Array]:
    """Return unweighted average recall and the confusion matrix (truth, found) of clips.

    A clip's answer is the mean of its windows' probabilities.
    """
    confusion = np.zeros((len(LABELS), len(LABELS)), np.float32)
    for rows, label in zip(logits, labels, strict=True):
        shares = np.exp(rows - rows.max(1, keepdims=True))
        confusion[label, (shares / shares.sum(1, keepdims=True)).mean(0).argmax()] += 1
    present = confusion.sum(1) > 0
    recalls = confusion.diagonal()[present] / confusion.sum(1)[present]
    return float(recalls.mean()), confusion
