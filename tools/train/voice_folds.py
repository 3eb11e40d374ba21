#!/usr/bin/env python3
"""Measure the voice emotion recipe on RAVDESS, five folds by actor, on the int8 file of each fold.

voice_folds.py VOICE_DIR NOISE_DIR FEATURES.npz OUT.json [--work DIR]

Each fold trains on the other folds' actors and the other corpora, is quantised, and answers once for its own actors.
A clip's answer is the mean of its windows' probabilities. ``--dev`` trains without the actors of folds 0 and 4 and
reports on fold 4: for choices of the recipe.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

TOOLS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOOLS.parent), str(TOOLS / "quantize")]
from quantize_voice import quantise  # noqa: E402
from train_voice_emotion import arguments, clips_where, refined  # noqa: E402
from voice_corpora import LABELS, Array, ravdess_fold  # noqa: E402
from voice_features import Features, cached  # noqa: E402
from voice_net import VoiceNet  # noqa: E402
from voice_training import clip_windows, float_logits, mean_recall  # noqa: E402

from edge.inference.model import Model  # noqa: E402

FOLDS = 5
COMMAND = "python tools/train/voice_folds.py VOICE_DIR NOISE_DIR features.npz folds.json"


def int8_logits(path: Path, clips: list[Array]) -> tuple[list[Array], float]:
    """Return each clip's logits, shape (windows, 7), and the processor milliseconds a window takes."""
    model = Model(path)
    started = time.process_time()
    logits = [np.concatenate([model.run(w[None, :, :, None])[0].reshape(1, -1) for w in clip]) for clip in clips]
    return logits, 1000 * (time.process_time() - started) / sum(len(clip) for clip in clips)


def temperature_of(logits: list[Array], labels: npt.NDArray[np.int64]) -> float:
    """Return the temperature under which the windows' logits fit the labels best (Guo et al., 2017)."""
    rows = torch.from_numpy(np.concatenate(logits))
    wanted = torch.from_numpy(np.repeat(labels, [len(clip) for clip in logits]))
    grid = np.linspace(0.4, 3.0, 131)
    losses = [float(torch.nn.functional.cross_entropy(rows / float(t), wanted)) for t in grid]
    return round(float(grid[int(np.argmin(losses))]), 3)


def fold_network(features: Features, base: Path, weights: Path, home: npt.NDArray[np.int64]) -> VoiceNet:
    """Load a fold's network from *weights*, training it first where it is not there yet."""
    net = VoiceNet()
    if not weights.exists():
        torch.save(refined(features, base, home).state_dict(), weights)
    net.load_state_dict(torch.load(weights, weights_only=True))
    net.eval()
    return net


def main() -> None:
    """Train, quantise and measure each fold, then all of them together."""
    parser = arguments(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--work", type=Path, default=Path(), help="folder for the folds' weights and files")
    parser.add_argument("--dev", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    features = cached(options.voice, options.noise, options.features)
    fold_of = np.array([ravdess_fold(clip) for clip in features.clips])
    labels = np.array([clip.label for clip in features.clips], np.int64)
    if options.dev:
        home, watched = clips_where(np.isin(fold_of, (1, 2, 3)).tolist()), clips_where((fold_of == 4).tolist())
        net = fold_network(features, options.base, options.work / "dev.pt", home)
        recall, confusion = mean_recall(float_logits(net, clip_windows(features, watched)), labels[watched])
        print(f"dev: float mean recall {recall:.4f}\n{confusion.astype(int)}")
        return
    floats: list[Array] = []
    quantised: list[Array] = []
    truths, recalls, paces = [], [], []
    for fold in range(FOLDS):
        home, tested = (
            clips_where(((fold_of >= 0) & (fold_of != fold)).tolist()),
            clips_where((fold_of == fold).tolist()),
        )
        net = fold_network(features, options.base, options.work / f"fold{fold}.pt", home)
        target = options.work / f"fold{fold}.tflite"
        quantise(net, features, clips_where((fold_of != fold).tolist()), target)
        windows = clip_windows(features, tested)
        answers, pace = int8_logits(target, windows)
        floats += float_logits(net, windows)
        quantised += answers
        truths.append(labels[tested])
        paces.append(pace)
        recalls.append(mean_recall(answers, labels[tested])[0])
        print(
            f"fold {fold}: int8 mean recall {recalls[-1]:.4f} on {len(tested)} clips, {pace:.2f} ms a window",
            flush=True,
        )
    truth = np.concatenate(truths)
    recall, confusion = mean_recall(quantised, truth)
    each = confusion.diagonal() / confusion.sum(1)
    figures = {
        "ravdess_five_fold_mean_recall_int8": round(recall, 4),
        "ravdess_five_fold_mean_recall_float": round(mean_recall(floats, truth)[0], 4),
        "ravdess_fold_mean_recalls_int8": [round(r, 4) for r in recalls],
        "ravdess_recall_by_class_int8": {k.value: round(float(v), 4) for k, v in zip(LABELS, each, strict=True)},
        "ravdess_confusion_int8": confusion.astype(int).tolist(),
        "ms_a_window": round(float(np.median(paces)), 2),
        "clips": len(truth),
        "command": COMMAND,
        "temperature": temperature_of(quantised, truth),
    }
    options.out.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
