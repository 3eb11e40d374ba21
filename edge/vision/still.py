"""Faces that did not change are not read again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.observation import EmotionDistribution
from edge.vision.boxes import iou

_TREMBLE = 0.75
"""Overlap from which two boxes are the same place."""
_TREMBLE_DEG = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a face is cut out of a frame."""

    box_xyxy: npt.NDArray[np.float32]
    """Shape (4,), pixels."""

    roll_deg: float
    """How far the head leans, clockwise."""


@dataclass(slots=True, eq=False)
class _Reading:
    place: Place
    crop: npt.NDArray[np.int16]
    reading: EmotionDistribution | None
    read_ns: int


class StillFaces:
    """Remembers each track's last crop and what was read off it.

    Args:
        most_s: Seconds after which a face is read again even if it kept still; 0 reads always.
        change: Mean difference of the pixels, brightness aside, from which on a crop has changed, grey levels of 255.
    """

    def __init__(self, *, most_s: float = 1.0, change: float = 7.0) -> None:
        self._most_ns = int(most_s * 1e9)
        self._change = change
        self._last: dict[int, _Reading] = {}
        self.asked = 0
        """Crops that were shown."""
        self.reused = 0
        """Crops among them that needed no reading."""

    def place(self, track_id: int, found: Place) -> Place:
        """Return where to cut a face: where it was last cut, while it is found near there.

        The detector's box trembles by a pixel or two; a crop that trembled along would never look unchanged.
        """
        last = self._last.get(track_id)
        if last is None or abs(found.roll_deg - last.place.roll_deg) > _TREMBLE_DEG:
            return found
        same = iou(found.box_xyxy[None], last.place.box_xyxy[None])[0, 0] >= _TREMBLE
        return last.place if same else found

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
        self,
        track_id: int,
        place: Place,
        crop: npt.NDArray[np.uint8],
        reading: EmotionDistribution | None,
        now_ns: int,
    ) -> None:
        """Keep what was read off a crop that was cut at a place."""
        self._last[track_id] = _Reading(place, crop.astype(np.int16), reading, now_ns)

    def forget_all_but(self, alive: frozenset[int]) -> None:
        """Drop the memory of tracks that are gone."""
        for track_id in self._last.keys() - alive:
            del self._last[track_id]
