"""Where heads point and how much they move: what faces show without reading emotions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.fusion.clusters import Clusters
from edge.fusion.coverage import Look
from edge.observation import HeadPose

FRONT_YAW_DEG = 30.0
"""Degrees to either side that count as the front.

Turning the head gives about 69 % of a look aside, the eyes give the rest, and the head alone tells what somebody looks
at in 89 % of cases (Stiefelhagen & Zhu, 2002); so 30 degrees of the head reach a board that spans some 43 to each side.
"""

FRONT_DOWN_DEG = 25.0
"""Degrees down that count as the front: a screen or a seated teacher seen over a desk, but not a notebook on it."""

FRONT_UP_DEG = 20.0
"""Degrees up that count as the front: the top of a board from the first row."""

Track = tuple[str, int]
"""A source and a track of it; in memory only."""


@dataclass(slots=True, eq=False)
class Heads:
    """Poses and motions added up over a stretch of time, by person-time."""

    front_s: float = 0.0
    """Weighted person-seconds of heads to the front."""

    posed: Clusters = field(default_factory=Clusters)
    """Weighted person-seconds of heads whose pose is known, by face."""

    moved: Clusters = field(default_factory=Clusters)
    """Weighted person-seconds of faces whose motion is known, by face."""

    travel: dict[Track, float] = field(default_factory=dict, repr=False)
    """A face: those seconds times its motion, face widths."""

    def add(self, look: Look, weight: float = 1.0) -> None:
        """Count one analysed frame, its person-seconds times *weight*."""
        posed = moved = 0
        for face in look.faces:
            track, seconds = (face.source, face.track_id), weight * face.span_ns / 1e9
            if face.pose is not None:
                posed += 1
                self.posed.add(track, seconds)
                self.front_s += seconds if to_the_front(face.pose) else 0.0
            if face.motion is not None:
                moved += 1
                self.moved.add(track, seconds)
                self.travel[track] = self.travel.get(track, 0.0) + seconds * face.motion
        self.posed.saw(look.source, posed)
        self.moved.saw(look.source, moved)

    def attention(self, least_s: float) -> tuple[float | None, float]:
        """Return the share of person-time in which heads point to the front, and the people behind it.

        Args:
            least_s: Weighted person-seconds under which it is ``None``.
        """
        if self.posed.total <= 0 or self.posed.total < least_s:
            return None, 0.0
        return min(1.0, self.front_s / self.posed.total), self.posed.effective

    def movement(self, least_s: float) -> tuple[float | None, float]:
        """Return the middle face's motion, face widths a second, and the people behind it.

        The middle one by person-time, so that one who walks past moves it little.

        Args:
            least_s: Weighted person-seconds under which it is ``None``.
        """
        if self.moved.total <= 0 or self.moved.total < least_s:
            return None, 0.0
        seconds = self.moved.weights
        motions = ((self.travel[track] / seconds[track], seconds[track]) for track in self.travel if seconds[track] > 0)
        return weighted_median(motions), self.moved.effective


def to_the_front(pose: HeadPose) -> bool:
    """Whether a head points to where the camera stands, which is taken to be the front of the room."""
    return abs(pose.yaw_deg) <= FRONT_YAW_DEG and -FRONT_DOWN_DEG <= pose.pitch_deg <= FRONT_UP_DEG


def weighted_median(values: Iterable[tuple[float, float]]) -> float:
    """Return the lower weighted median.

    Args:
        values: Pairs of a value and its weight, in any order; at least one, weights more than 0.
    """
    ordered = sorted(values)
    half = sum(weight for _, weight in ordered) / 2
    below = 0.0
    for value, weight in ordered:
        below += weight
        if below >= half * (1 - 1e-9):  # So that two halves are halves whatever the rounding.
            return value
    return ordered[-1][0]
