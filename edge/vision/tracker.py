"""Which face is the same as a moment ago: short-lived numbers, in memory only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.vision.boxes import Boxes, iou


@dataclass(slots=True, eq=False)
class Track:
    """One face followed over time."""

    id: int
    """Counts up from 1 for one stage; means nothing outside it."""

    box_xyxy: npt.NDArray[np.float32]
    """Shape (4,), pixels, where it was last seen."""

    seen_ns: int
    """When it was last seen."""

    hits: int = 1
    """In how many looks it was seen."""

    motion: float | None = None
    """Widths of the face that its centre moved a second since the look before; ``None`` at first sight."""

    def move(self, box_xyxy: npt.NDArray[np.float32], now_ns: int) -> None:
        """Take in where it is now."""
        seconds = (now_ns - self.seen_ns) / 1e9
        shift = (box_xyxy[:2] + box_xyxy[2:] - self.box_xyxy[:2] - self.box_xyxy[2:]) / 2
        width = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        self.motion = float(np.hypot(*shift)) / width / seconds if seconds > 0 else None
        self.box_xyxy, self.seen_ns, self.hits = box_xyxy.copy(), now_ns, self.hits + 1


class Tracker:
    """Matches each look's boxes to the last ones, best overlap first (as in SORT, without its motion model).

    Pupils sit: between two looks a fifth of a second apart a head moves less than its own width.

    Args:
        forget_s: Seconds after which an unseen face is forgotten.
        overlap: Least intersection over union of the same face in two looks.
    """

    def __init__(self, *, forget_s: float = 1.0, overlap: float = 0.25) -> None:
        self._forget_ns = int(forget_s * 1e9)
        self._overlap = overlap
        self._tracks: list[Track] = []
        self._made = 0

    def update(self, boxes_xyxy: Boxes, now_ns: int) -> list[Track]:
        """Return the track of each box, in the boxes' order; a new track for each new face."""
        self._tracks = [t for t in self._tracks if now_ns - t.seen_ns <= self._forget_ns]
        matched: dict[int, Track] = {}
        if self._tracks and len(boxes_xyxy):
            known = np.stack([track.box_xyxy for track in self._tracks])
            overlaps = iou(boxes_xyxy, known)
            while (best := int(overlaps.argmax())) >= 0 and overlaps.flat[best] >= self._overlap:
                box, track = divmod(best, len(self._tracks))
                matched[box] = self._tracks[track]
                overlaps[box, :] = -1
                overlaps[:, track] = -1
        result = []
        for index, box in enumerate(boxes_xyxy):
            track_of = matched.get(index)
            if track_of is None:
                self._made += 1
                track_of = Track(self._made, box.copy(), now_ns)
                self._tracks.append(track_of)
            else:
                track_of.move(box, now_ns)
            result.append(track_of)
        return result

    @property
    def alive(self) -> frozenset[int]:
        """Ids of the faces not yet forgotten."""
        return frozenset(track.id for track in self._tracks)
