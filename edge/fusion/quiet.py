"""How quiet a microphone's room is when it is quiet, whatever the microphone's gain."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.observation import VoiceObservation

LEAST_HOPS = 10
"""Hops with a level under which nothing is known."""

_QUIET = 0.1  # Share of the hops that are at most as loud as the quiet.
_FLOOR_DBFS = -120.0
_BINS = 121  # One decibel each, up to full scale.
_MOST_HOPS = 1200.0


@dataclass(slots=True, eq=False)
class QuietLevel:
    """A running tenth percentile of the levels of one source's hops, to about one decibel.

    A histogram, so its size is fixed. At :data:`_MOST_HOPS` (twenty minutes) all counts are halved: what is long ago
    counts less, and a microphone whose gain is changed is understood again after some minutes.
    """

    counts: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))
    """Hops of each level, shape (121,)."""

    def learn(self, sounds: Iterable[VoiceObservation]) -> None:
        """Remember the levels of hops that are about to be forgotten; digital silence is no level."""
        self.counts += _histogram(sounds)
        if self.counts.sum() > _MOST_HOPS:
            self.counts /= 2

    def level(self, sounds: Iterable[VoiceObservation]) -> float | None:
        """Return the quiet level over what is remembered and *sounds*, dBFS; ``None`` while too little is known."""
        below = np.cumsum(self.counts + _histogram(sounds))
        if below[-1] < LEAST_HOPS:
            return None
        return _FLOOR_DBFS + float(np.searchsorted(below, _QUIET * below[-1]))


def _histogram(sounds: Iterable[VoiceObservation]) -> npt.NDArray[np.int64]:
    levels = np.array([sound.hop_level_dbfs for sound in sounds if sound.hop_level_dbfs is not None], np.float64)
    return np.bincount(np.clip(np.rint(levels - _FLOOR_DBFS), 0, _BINS - 1).astype(np.int64), minlength=_BINS)
