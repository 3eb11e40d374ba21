#!/usr/bin/env python3
"""Make the int8 file of the voice emotion model from its float weights.

quantize_voice.py VOICE_DIR NOISE_DIR FEATURES.npz WEIGHTS.pt OUT.tflite [--figures FOLDS.json]

The figures, and the temperature, come from voice_folds.py: the final model has heard every speaker there is.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

TOOLS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOOLS.parent), str(TOOLS / "train")]
from convert import Array, convert, write_sidecar  # noqa: E402
from voice_corpora import LABELS  # noqa: E402
from voice_features import Features, cached  # noqa: E402
from voice_net import VoiceNet  # noqa: E402
from voice_windows import Windows  # noqa: E402

from edge.media import SAMPLE_RATE  # noqa: E402
from edge.voice import logmel  # noqa: E402

NORMALISATION = (
    "Samples are mono in [-1, 1]. For each window of 400 samples, every 160, from sample 0, without padding: multiply "
    "by a periodic Hann window, pad with zeros to 512, Fourier transform, squared magnitude over 400. Bands: triangles "
    "with peak 1 whose 66 edges lie evenly on Slaney's mel scale (f * 3 / 200 up to 1000 Hz, then "
    "15 + 27 * ln(f / 1000) / ln(6.4)) from low_hz to high_hz. dB = 10 * log10(band + 1e-10). Level = the value at "
    "place floor(0.98 * (298 * 64 - 1)), from 0, of the window's 298 * 64 sorted dB values. "
    "Feature = (clip(dB - level, -55, 15) + 55) * 2 / 70 - 1; where level <= -99 dB (no sound), -1 throughout."
)


class VoiceFile(nn.Module):
    """The network as it ships: channels last, logits out.

    The classifier is taken apart into one for the means and one for the maxima, so that each has its own int8 scale.
    """

    def __init__(self, net: VoiceNet) -> None:
        super().__init__()
        self.features = nn.Sequential(net.features, net.join)
        half = net.classify.in_features // 2
        self.mean, self.maximum = nn.Linear(half, len(LABELS)), nn.Linear(half, len(LABELS), bias=False)
        with torch.no_grad():
            self.mean.weight.copy_(net.classify.weight[:, :half])
            self.mean.bias.copy_(net.classify.bias)
            self.maximum.weight.copy_(net.classify.weight[:, half:])

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (1, 7), of a normalised window, (1, 298, 64, 1)."""
        maps = self.features(x.permute(0, 3, 1, 2))
        logits: Tensor = self.mean(maps.mean((2, 3))) + self.maximum(maps.amax((2, 3)))
        return logits


def quantise(
    net: VoiceNet,
    features: Features,
    clips: npt.NDArray[np.int64],
    target: Path,
    *,
    temperature: float = 1.0,
    figures: dict[str, Any] | None = None,
) -> None:
    """Write the int8 file and its sidecar, calibrated on 384 augmented windows of training *clips*."""
    random = np.random.default_rng(2)
    windows = Windows(features, random).batch(random.permutation(clips)[:384])
    samples: list[Array] = [window[None, :, :, None] for window in windows]
    _, tensors = convert(VoiceFile(net.eval()), samples, target)
    given = tensors["input"]
    ends = [(end - given["zero_point"]) * given["scale"] for end in (-128, 127)]
    layout = {
        "features": "log-mel spectrogram of 3 s of sound: (1, frames, bands, 1)",
        "range": ends,
        "sample_rate": SAMPLE_RATE,
        "window_ms": 1000 * logmel.FRAME / SAMPLE_RATE,
        "hop_ms": 1000 * logmel.HOP / SAMPLE_RATE,
        "bands": logmel.BANDS,
        "low_hz": logmel.LOW_HZ,
        "high_hz": logmel.HIGH_HZ,
        "normalisation": NORMALISATION,
    }
    output = {**tensors["outputs"][0], "meaning": "logits; probabilities are softmax(logits / temperature)"}
    fields = {
        "version": "1.0.0",
        "labels": [label.value for label in LABELS],
        "input": {**given, **layout},
        "outputs": [output],
        "thresholds": {"temperature": temperature, "least_speech": 0.3, "gate_dbfs": -55.0},
        "figures": figures or {},
    }
    write_sidecar(target, fields)


def main() -> None:
    """Quantise the final model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voice", type=Path)
    parser.add_argument("noise", type=Path)
    parser.add_argument("features", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--figures", type=Path, help="what voice_folds.py wrote")
    options = parser.parse_args()
    features = cached(options.voice, options.noise, options.features)
    net = VoiceNet()
    net.load_state_dict(torch.load(options.weights, weights_only=True))
    figures = json.loads(options.figures.read_text("utf-8")) if options.figures else {}
    temperature = float(figures.pop("temperature", 1.0))
    everything = np.arange(len(features.clips), dtype=np.int64)
    quantise(net, features, everything, options.target, temperature=temperature, figures=figures)
    print(f"{options.target}: {options.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
