#!/usr/bin/env python3
"""Train the voice emotion network and save its float weights.

train_voice_emotion.py VOICE_DIR NOISE_DIR FEATURES.npz OUT.pt [--base BASE.pt]

Two steps: a base on all corpora but RAVDESS, then RAVDESS with half as many clips of the others. The base is saved, and
trained only where it is not there yet, because the folds of voice_folds.py share it: it has never seen RAVDESS.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from voice_features import Features, cached
from voice_net import VoiceNet
from voice_training import Run, train

BASE = Run(epochs=10, rate=3e-3)
REFINE = Run(epochs=30, rate=2e-3)


def clips_where(keep: list[bool]) -> npt.NDArray[np.int64]:
    """Return the indices of the true ones."""
    return np.nonzero(np.array(keep))[0].astype(np.int64)


def base_network(features: Features, path: Path) -> VoiceNet:
    """Load the base from *path*, training it first where it is not there yet."""
    net = VoiceNet()
    if not path.exists():
        others = clips_where([c.corpus != "ravdess" for c in features.clips])
        torch.save(train(net, features, others, others[:0], BASE).state_dict(), path)
    net.load_state_dict(torch.load(path, weights_only=True))
    return net


def refined(features: Features, base: Path, home: npt.NDArray[np.int64], run: Run = REFINE) -> VoiceNet:
    """Refine the base on the RAVDESS clips *home*, mixed with the other corpora."""
    others = clips_where([c.corpus != "ravdess" for c in features.clips])
    return train(base_network(features, base), features, home, others, run)


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """Return the arguments that all voice training shares."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("voice", type=Path)
    parser.add_argument("noise", type=Path)
    parser.add_argument("features", type=Path, help="log-mel frames; computed where the file is not there yet")
    parser.add_argument("--base", type=Path, default=Path("voice_base.pt"))
    parser.add_argument("--threads", type=int, default=1)
    return parser


def main() -> None:
    """Train on all actors."""
    parser = arguments(__doc__)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    features = cached(options.voice, options.noise, options.features)
    home = clips_where([c.corpus == "ravdess" for c in features.clips])
    torch.save(refined(features, options.base, home).state_dict(), options.out)


if __name__ == "__main__":
    main()
