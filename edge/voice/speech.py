"""Whether anybody speaks: WebRTC's voice activity detector, and the level."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import webrtcvad

from edge.media import SAMPLE_RATE

PIECE = SAMPLE_RATE * 30 // 1000
"""Samples in one piece that is judged: 30 ms, the longest the detector takes."""


class SpeechDetector:
    """Judges the 30 ms pieces of a stretch of sound.

    Args:
        aggressiveness: 0 lets most sound pass as speech, 3 the least.
        hang_over: Pieces that still count as speech after the last one that was, for the weak ends of words.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(self, *, aggressiveness: int = 2, hang_over: int = 3) -> None:
        if aggressiveness not in range(4):
            raise ValueError(f"aggressiveness must be 0, 1, 2 or 3, got {aggressiveness}")
        if hang_over < 0:
            raise ValueError(f"hang_over must be at least 0 pieces, got {hang_over}")
        self._aggressiveness = aggressiveness
        self._hang_over = hang_over

    def pieces(self, samples: npt.NDArray[np.float32]) -> tuple[bool, ...]:
        """Return for each whole 30 ms piece of samples in [-1, 1], shape (length,), whether it holds speech."""
        # A fresh detector each time: its answer then depends on these samples and on nothing before them.
        detector = webrtcvad.Vad(self._aggressiveness)
        pcm = np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2")
        found, still = [], 0
        for start in range(0, len(pcm) - PIECE + 1, PIECE):
            if detector.is_speech(pcm[start : start + PIECE].tobytes(), SAMPLE_RATE):
                still = self._hang_over + 1
            found.append(still > 0)
            still = max(0, still - 1)
        return tuple(found)


def share_of(pieces: Sequence[bool]) -> float:
    """Return the share of pieces that hold speech, in [0, 1]; 0 when there is no whole piece."""
    return sum(pieces) / len(pieces) if pieces else 0.0


def level_dbfs(samples: npt.NDArray[np.float32]) -> float | None:
    """Return the root-mean-square level of samples in [-1, 1]; 0 is full scale; ``None`` for digital silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * math.log10(power) if power > 0 else None
