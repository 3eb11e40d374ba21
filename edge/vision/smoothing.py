"""Calmer readings: each face's probabilities averaged over its last moments."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.observation import EmotionDistribution


@dataclass(slots=True, eq=False)
class _Memory:
    value: npt.NDArray[np.float64]
    at_ns: int


class Smoother:
    """Exponential smoothing per track, in seconds and not per call, so that it is the same at any frame rate.

    Args:
        time_constant_s: Seconds after which a reading's weight has fallen to 1/e; 0 switches it off.
    """

    def __init__(self, *, time_constant_s: float = 0.6) -> None:
        self._constant = time_constant_s
        self._memory: dict[int, _Memory] = {}

    def smooth(self, track_id: int, reading: EmotionDistribution, at_ns: int) -> EmotionDistribution:
        """Return the track's running mean with *reading* in it."""
        new = np.array(reading.probabilities)
        old = self._memory.get(track_id)
        if old is None or self._constant <= 0:
            mean = new
        else:
            keep = math.exp(-max(at_ns - old.at_ns, 0) / 1e9 / self._constant)
            mean = keep * old.value + (1 - keep) * new
        self._memory[track_id] = _Memory(mean, at_ns)
        return EmotionDistribution.of(mean)

    def forget_all_but(self, alive: frozenset[int]) -> None:
        """Drop the memory of tracks that are gone."""
        for track_id in self._memory.keys() - alive:
            del self._memory[track_id]
