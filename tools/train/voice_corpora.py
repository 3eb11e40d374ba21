"""Labelled voice clips and noise, in their public layouts.

A corpus is a folder of WAV files with ``manifest.csv`` (columns ``file, label, speaker``; an empty label leaves the
clip out). Noise is a folder of WAV files with ``manifest.csv`` (``file, category``); categories that begin with
``rir`` are room impulse responses.
"""

import csv
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly

from edge.media import SAMPLE_RATE
from edge.observation import Emotion

CORPORA = ("ravdess", "emodb", "nemo", "tess", "banglaser", "urdu")
LABELS = tuple(Emotion)

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clip:
    """One acted utterance."""

    path: Path
    corpus: str

    speaker: str
    """Unique over all corpora."""

    label: int
    """Index into :data:`LABELS`."""


def read_corpora(folder: Path, names: tuple[str, ...] = CORPORA) -> list[Clip]:
    """Return the labelled clips of the corpora under *folder*, in the manifests' order."""
    clips = []
    for name in names:
        with (folder / name / "manifest.csv").open(encoding="utf-8", newline="") as file:
            clips += [
                Clip(folder / name / row["file"], name, row["speaker"], LABELS.index(Emotion(row["label"])))
                for row in csv.DictReader(file)
                if row["label"]
            ]
    return clips


def read_noise(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the paths of the noises and of the room impulse responses under *folder*."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rooms = [folder / row["file"] for row in rows if row["category"].startswith("rir")]
    noises = [folder / row["file"] for row in rows if not row["category"].startswith("rir")]
    return noises, rooms


def read_sound(path: Path) -> Array:
    """Return a file's first channel at 16 kHz, shape (length,)."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples[:, 0]
    if rate != SAMPLE_RATE:
        common = gcd(rate, SAMPLE_RATE)
        mono = resample_poly(mono, SAMPLE_RATE // common, rate // common)
    return np.ascontiguousarray(mono, np.float32)


def ravdess_fold(clip: Clip) -> int:
    """Return which of five folds tests the clip: actors 1, 6, 11 and 16 are fold 0; -1 for other corpora."""
    return (int(clip.speaker.rsplit("_", 1)[1]) - 1) % 5 if clip.corpus == "ravdess" else -1
