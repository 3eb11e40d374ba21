"""Blocks of any length in, overlapping windows of one length out.

::

    blocks   |--|-----|-|---|--|-----|-|      any lengths
    windows  [0 s        3 s)                 the start is in the window, the end is not
                 [1 s        4 s)
                     [2 s        5 s)
"""

import numpy as np
import numpy.typing as npt

from edge.media import SAMPLE_RATE, AudioBlock, AudioWindow

SAMPLE_NS = 1_000_000_000 // SAMPLE_RATE
"""Nanoseconds from one sample to the next; exact at 16 kHz."""

LARGEST_JUMP_NS = 50_000_000
"""How far a block may start from where the last one ended before sound counts as lost."""

SLEW = 16
"""A sixteenth of what a block's time is off moves the windows' clock: follows drift, evens out jitter."""


class Windower:
    """Cuts one source's blocks into windows; the same windows whatever the blocks' lengths.

    Sound on both sides of a jump in time is never joined: what was waiting is let go, and the windows start afresh
    where the sound goes on. A window is marked with a gap when it holds the first sample after a loss.

    Args:
        window_s: Length of a window, seconds.
        hop_s: From one window's start to the next, seconds; at most *window_s*.

    Raises:
        ValueError: The lengths do not fit each other.
    """

    def __init__(self, *, window_s: float = 3.0, hop_s: float = 1.0) -> None:
        self._length = round(window_s * SAMPLE_RATE)
        self.hop = round(hop_s * SAMPLE_RATE)
        """Samples from one window's start to the next."""
        if not 1 <= self.hop <= self._length:
            raise ValueError(f"need 0 < hop_s <= window_s, got hop_s={hop_s}, window_s={window_s}")
        self._samples: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._start_ns: int | None = None
        self._losses: list[int] = []

    @property
    def hop_ns(self) -> int:
        """Nanoseconds from one window's start to the next."""
        return self.hop * SAMPLE_NS

    def push(self, block: AudioBlock) -> list[AudioWindow]:
        """Add a block; return the windows that it completes, oldest first."""
        if not len(block.samples):
            # Nothing to place in time, but its gap must not be forgotten.
            if block.gap:
                self._losses.append(len(self._samples))
            return []
        start = self._clock_at(block)
        if block.gap:
            self._losses.append(len(self._samples))
        self._samples = np.concatenate([self._samples, block.samples])
        windows = []
        while len(self._samples) >= self._length:
            gap = any(loss < self._length for loss in self._losses)
            windows.append(AudioWindow(self._samples[: self._length], start, gap))
            self._samples = self._samples[self.hop :]
            self._losses = [loss - self.hop for loss in self._losses if loss >= self.hop]
            start += self.hop_ns
        self._start_ns = start
        return windows

    def _clock_at(self, block: AudioBlock) -> int:
        """Return when the first waiting sample was, after bringing the clock in line with *block*."""
        if self._start_ns is None:
            return block.start_ns
        off = block.start_ns - (self._start_ns + len(self._samples) * SAMPLE_NS)
        if abs(off) > LARGEST_JUMP_NS:
            self._samples = self._samples[:0]
            self._losses = [0]
            return block.start_ns
        return self._start_ns + off // SLEW
