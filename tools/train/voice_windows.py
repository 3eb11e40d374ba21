"""Training windows cut from the features: shifted, in noise, through other microphones, partly hidden."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from voice_corpora import Array
from voice_features import VERSIONS, Bank, Features

from edge.voice.logmel import BANDS, normalise, reference_level

FRAMES = 298
"""Log-mel frames in a 3 s window."""

SILENCE_DB = np.float32(-100)
DECIBEL = np.float32(np.log(10) / 10)
"""Natural logarithm of the power ratio that is one decibel."""


def padded(clip: Array, start: int) -> Array:
    """Return 298 frames of *clip* from frame *start* on, which may be negative; silence outside it."""
    window = np.full((FRAMES, BANDS), SILENCE_DB)
    first, last = max(start, 0), min(start + FRAMES, len(clip))
    if last > first:
        window[first - start : last - start] = clip[first:last]
    return window


@dataclass(frozen=True, slots=True)
class Windows:
    """Makes windows of chosen clips."""

    features: Features
    random: np.random.Generator

    def batch(self, clips: npt.NDArray[np.int64]) -> Array:
        """Return one augmented, normalised window a clip, shape (clips, 298, 64)."""
        windows = np.stack([self._window(int(clip)) for clip in clips])
        noisy = self.random.random(len(clips)) < 0.4
        if noisy.any():
            windows[noisy] = self._in_noise(windows[noisy])
        windows += self._microphone(len(clips))
        return self._hidden(normalise(windows))

    def _window(self, clip: int) -> Array:
        frames = self.features.versions[clip * VERSIONS + self._version()]
        if self.random.random() < 0.15:
            # Speech that goes on: the clip again after a short pause.
            pause = np.full((int(self.random.integers(5, 60)), BANDS), SILENCE_DB)
            frames = np.concatenate([frames, pause, frames])
        lowest, highest = sorted((0, len(frames) - FRAMES))
        window = padded(frames, int(self.random.integers(lowest - 30, highest + 31)))
        shift = int(self.random.integers(-1, 2))
        return np.roll(window, shift, axis=1) if shift else window

    def _version(self) -> int:
        """Return the clip as it is as often as not."""
        return int(self.random.integers(VERSIONS)) if self.random.random() < 0.6 else 0

    def _in_noise(self, windows: Array) -> Array:
        bank: Bank = self.features.noises
        noises = np.empty_like(windows)
        for row in range(len(windows)):
            noise = bank[int(self.random.integers(len(bank)))]
            noise = np.tile(noise, (FRAMES // len(noise) + 1, 1))
            start = int(self.random.integers(len(noise) - FRAMES + 1))
            noises[row] = noise[start : start + FRAMES]
        ratio = self.random.uniform(5, 35, (len(windows), 1, 1)).astype(np.float32)
        noises += reference_level(windows) - ratio - reference_level(noises)
        # Powers of independent sounds add.
        apart = np.exp(-np.abs(windows - noises) * DECIBEL)
        mixed: Array = np.maximum(windows, noises) + np.log1p(apart) / DECIBEL
        return mixed

    def _microphone(self, count: int) -> Array:
        """Return gains in dB, shape (count, 1, 64): a tilt and a smooth bend over the bands."""
        knots = self.random.normal(0, 1.5, (count, 6))
        at = np.linspace(0, 5, BANDS)
        left = np.minimum(at.astype(int), 4)
        bend = knots[:, left] + (knots[:, left + 1] - knots[:, left]) * (at - left)
        tilt = self.random.uniform(-3, 3, (count, 1)) * np.linspace(-1, 1, BANDS)
        gains: Array = (bend + tilt)[:, None].astype(np.float32)
        return gains

    def _hidden(self, windows: Array) -> Array:
        """Hide bands and stretches of time (SpecAugment, Park et al., 2019)."""
        for window in windows:
            for axis, widest in ((0, 25), (0, 25), (1, 8)):
                width = int(self.random.integers(0, widest))
                start = int(self.random.integers(0, window.shape[axis] - width))
                hidden = np.s_[start : start + width]
                if axis == 0:
                    window[hidden] = -1
                else:
                    window[:, hidden] = window.mean()
        return windows


def plain_windows(clip: Array) -> Array:
    """Return a clip's windows as the runtime cuts them, normalised: 3 s every 1 s, shape (windows, 298, 64).

    A clip shorter than 3 s stands in the middle of silence; one that is longer gets a last window that ends with it.
    """
    rest = len(clip) - FRAMES
    starts = [rest // 2] if rest <= 0 else [*range(0, rest, 100), rest]
    return normalise(np.stack([padded(clip, start) for start in starts]))
