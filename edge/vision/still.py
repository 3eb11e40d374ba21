"""Faces that did not change are not read again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.observation import EmotionDistribution


@dataclass(slots=True, eq=False)
class _Reading:
    crop: npt.NDArray[np.int16]
    reading: EmotionDistribution | None
    read_ns: int


class StillFaces:
    """Remembers each track's last crop and what was read off it.

    Args:
        most_s: Seconds after which a face is read again even if it kept still; 0 reads always.
        change: Mean difference of the pixels, brightness aside, from which on a crop has changed, grey levels of 255.
    """

    def __init__(self, *, most_s: float = 1.0, change: float = 4.0) -> None:
        self._most_ns = int(most_s * 1e9)
        self._change = change
        self._last: dict[int, _Reading] = {}
        self.asked = 0
        """Crops that were shown."""
        self.reused = 0
        """Crops among them that needed no reading."""

    def known(self, track_id: int, crop: npt.NDArray[np.uint8], now_ns: int) -> tuple[bool, EmotionDistribution | None]:
        """Return whether the track's last reading still holds for *crop*, shape (48, 48), and that reading."""
        self.asked += 1
        last = self._last.get(track_id)
        if last is None or now_ns - last.read_ns >= self._most_ns:
            return False, None
        difference = crop.astype(np.int16) - last.crop
        if np.abs(difference - difference.mean()).mean() > self._change:
            return False, None
        self.reused += 1
        return True, last.reading

    def remember(
        self, track_id: int, crop: npt.NDArray[np.uint8], reading: EmotionDistribution | None, now_ns: int
    ) -> None:
        """Keep what was read off a crop."""
        self._last[track_id] = _Reading(crop.astype(np.int16), reading, now_ns)

    def forget_all_but(self, alive: frozenset[int]) -> None:
        """Drop the memory of tracks that are gone."""
        for track_id in self._last.keys() - alive:
            del self._last[track_id]
