#!/usr/bin/env python3
"""Compute the log-mel frames of every clip and noise once, and keep them in one file.

voice_features.py VOICE_DIR NOISE_DIR OUT.npz

Each clip is there four times: as it is, in a room, faster or slower (which moves pitch and pace together), and both.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve, resample_poly

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from voice_corpora import Array, Clip, read_corpora, read_noise, read_sound

from edge.voice.logmel import log_mel

VERSIONS = 4
SPEEDS = ((8, 9), (9, 10), (12, 13), (13, 12), (10, 9), (9, 8))
"""Resampling ratios: up to an eighth slower or faster."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Log-mel frames of many sounds, one after another."""

    frames: npt.NDArray[np.float16]
    """Decibels, shape (frames, 64)."""

    starts: npt.NDArray[np.int64]
    """First frame of each sound and, last, the end; shape (sounds + 1,)."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> Array:
        return self.frames[self.starts[index] : self.starts[index + 1]].astype(np.float32)

    @classmethod
    def of(cls, sounds: list[npt.NDArray[np.float16]]) -> Self:
        """Join the frames of *sounds*."""
        starts = np.concatenate([[0], np.cumsum([len(s) for s in sounds])])
        return cls(np.concatenate(sounds), starts.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Features:
    """Everything training reads."""

    clips: list[Clip]
    versions: Bank
    """Sound ``clip * VERSIONS + version``; version 0 is the clip as it is."""

    noises: Bank


def versions_of(samples: Array, rooms: list[Array], random: np.random.Generator) -> list[Array]:
    """Return a clip's four versions."""

    def in_room(dry: Array) -> Array:
        room = rooms[int(random.integers(len(rooms)))]
        wet: Array = fftconvolve(dry, room)[: len(dry) + len(room) // 4].astype(np.float32)
        return wet * np.float32(np.sqrt(np.mean(dry**2) / (np.mean(wet**2) + 1e-12)))

    def at_speed(natural: Array) -> Array:
        up, down = SPEEDS[int(random.integers(len(SPEEDS)))]
        return np.asarray(resample_poly(natural, up, down), np.float32)

    return [samples, in_room(samples), at_speed(samples), in_room(at_speed(samples))]


def room_response(path: Path) -> Array:
    """Return an impulse response from its peak on, at most 0.5 s of it."""
    response = read_sound(path)
    peak = int(np.argmax(np.abs(response)))
    return response[max(0, peak - 16) : peak + 8000]


def hiss(random: np.random.Generator) -> list[Array]:
    """Return ten seconds of white, pink and brown noise."""
    spectrum = np.fft.rfft(random.standard_normal(160_000))
    hertz = np.maximum(np.arange(len(spectrum)) / 10, 20)
    coloured = [np.fft.irfft(spectrum / hertz**power) for power in (0, 0.5, 1)]
    return [(c / np.std(c) * 0.1).astype(np.float32) for c in coloured]


def compute(voice: Path, noise: Path) -> Features:
    """Read all sounds and compute their frames."""
    random = np.random.default_rng(1)
    clips = read_corpora(voice)
    noise_paths, room_paths = read_noise(noise)
    rooms = [room_response(path) for path in room_paths]
    frames, started = [], time.perf_counter()
    for number, clip in enumerate(clips):
        frames += [log_mel(s).astype(np.float16) for s in versions_of(read_sound(clip.path), rooms, random)]
        if number % 500 == 499:
            print(f"{number + 1} of {len(clips)} clips, {time.perf_counter() - started:.0f} s", flush=True)
    noises = [log_mel(read_sound(path)[:480_000]) for path in noise_paths] + [log_mel(s) for s in hiss(random)]
    return Features(clips, Bank.of(frames), Bank.of([n.astype(np.float16) for n in noises if len(n)]))


def save(features: Features, path: Path) -> None:
    """Write features so that :func:`load` can read them."""
    np.savez(
        path,
        clips=np.array([(str(c.path), c.corpus, c.speaker, str(c.label)) for c in features.clips]),
        frames=features.versions.frames,
        starts=features.versions.starts,
        noise_frames=features.noises.frames,
        noise_starts=features.noises.starts,
    )


def load(path: Path) -> Features:
    """Read what :func:`save` wrote."""
    with np.load(path) as data:
        clips = [Clip(Path(p), corpus, speaker, int(label)) for p, corpus, speaker, label in data["clips"].tolist()]
        return Features(clips, Bank(data["frames"], data["starts"]), Bank(data["noise_frames"], data["noise_starts"]))


def cached(voice: Path, noise: Path, path: Path) -> Features:
    """Load the features from *path*, computing them first where they are not there yet."""
    if not path.exists():
        save(compute(voice, noise), path)
    return load(path)


def main() -> None:
    """Compute and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voice", type=Path)
    parser.add_argument("noise", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    features = cached(options.voice, options.noise, options.out)
    print(f"{len(features.clips)} clips, {len(features.versions.frames)} frames, {len(features.noises)} noises")


if __name__ == "__main__":
    main()
