"""Log-mel spectrograms, the same for training and for a live stream.

Power in 64 triangular bands on the mel scale of Slaney's Auditory Toolbox (1998), of Hann windows of 25 ms every 10 ms.
"""

import numpy as np
import numpy.typing as npt

from edge.media import SAMPLE_RATE

Array = npt.NDArray[np.float32]

FRAME = 400
"""Samples in one analysis window: 25 ms."""

HOP = 160
"""Samples from one analysis window to the next: 10 ms."""

FFT = 512
"""Length of the transform; the window is padded with zeros to it."""

BANDS = 64
LOW_HZ, HIGH_HZ = 60.0, 7000.0
"""Lower edge of the first band and upper edge of the last: mains hum, rumble and codec edges stay out."""

LEAST_POWER = 1e-10
"""Added to each band's power, so that digital silence has a logarithm: -100 dB."""

REFERENCE_SHARE = 0.98
"""Share of a window's values that lie below the level the others are measured from."""

FLOOR_DB, CEILING_DB = -55.0, 15.0
"""Values are clipped to this range around the window's reference level."""


BEND_HZ, BEND_MEL = 1000.0, 15.0
"""Where Slaney's mel scale turns from linear to logarithmic."""


def hertz_to_mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert to Slaney's mel scale."""
    f = np.asarray(hertz, np.float64)
    above = BEND_MEL + 27 * np.log(np.maximum(f, BEND_HZ) / BEND_HZ) / np.log(6.4)
    return np.where(f < BEND_HZ, f * BEND_MEL / BEND_HZ, above)


def mel_to_hertz(mel: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert from Slaney's mel scale."""
    m = np.asarray(mel, np.float64)
    above = BEND_HZ * np.exp((np.maximum(m, BEND_MEL) - BEND_MEL) * np.log(6.4) / 27)
    return np.where(m < BEND_MEL, m * BEND_HZ / BEND_MEL, above)


class LogMel:
    """Turns a stream of samples into log-mel frames, whatever the pieces it comes in.

    The frames of a stream in pieces are bit for bit those of the whole: each is computed by itself, in one order.
    """

    def __init__(self) -> None:
        self._waiting: Array = np.zeros(0, np.float32)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
        low, high = hertz_to_mel([LOW_HZ, HIGH_HZ])
        edges = mel_to_hertz(np.linspace(low, high, BANDS + 2))
        hertz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
        inside = (hertz > LOW_HZ) & (hertz < HIGH_HZ)
        self._first = int(np.argmax(inside))
        hertz = hertz[inside]
        left = np.searchsorted(edges, hertz, side="right") - 1
        # Between two edges one triangle falls while the next rises, so each bin feeds two bands.
        rising = (hertz - edges[left]) / (edges[left + 1] - edges[left])
        self._rising = rising.astype(np.float32)
        self._falling = (1 - rising).astype(np.float32)
        self._starts = np.searchsorted(left, np.arange(BANDS + 1))

    def push(self, samples: Array) -> Array:
        """Add samples in [-1, 1], shape (length,); return the frames they complete, shape (frames, 64), in dB."""
        signal = np.concatenate([self._waiting, samples])
        count = max(0, (len(signal) - FRAME) // HOP + 1)
        self._waiting = signal[count * HOP :].copy()
        if not count:
            return np.zeros((0, BANDS), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP][:count]
        spectrum = np.fft.rfft(frames * self._window, FFT)[:, self._first : self._first + len(self._rising)]
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        # Not a matrix product: its order of summation depends on the number of frames.
        rising = np.add.reduceat(power * self._rising, self._starts, axis=1)
        falling = np.add.reduceat(power * self._falling, self._starts, axis=1)
        bands = rising[:, :-1] + falling[:, 1:]
        return np.float32(10) * np.log10(bands / np.float32(FRAME) + np.float32(LEAST_POWER))


def log_mel(samples: Array) -> Array:
    """Return the log-mel frames of a whole clip in dB, shape (frames, 64)."""
    return LogMel().push(samples)


def reference_level(decibels: Array) -> Array:
    """Return the level that 98 % of a window's values lie below, shape (..., 1, 1), of (..., frames, bands)."""
    flat = decibels.reshape(*decibels.shape[:-2], -1)
    rank = int(REFERENCE_SHARE * (flat.shape[-1] - 1))
    return np.partition(flat, rank, axis=-1)[..., rank, None, None]


def normalise(decibels: Array) -> Array:
    """Make log-mel windows independent of loudness, shape (..., frames, bands).

    Values are taken relative to the level that 98 % of the window's values lie below, clipped to [-55, 15] dB, and
    mapped to [-1, 1]; a microphone's gain only moves that level. A window without any sound becomes -1 throughout.
    """
    level = reference_level(decibels)
    clipped = np.clip(decibels - level, FLOOR_DB, CEILING_DB)
    scaled = (clipped - np.float32(FLOOR_DB)) * np.float32(2 / (CEILING_DB - FLOOR_DB)) - np.float32(1)
    silent = level <= 10 * np.log10(LEAST_POWER) + 1
    return np.where(silent, np.float32(-1), scaled).astype(np.float32, copy=False)
