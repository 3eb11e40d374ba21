"""What a face does over its last seconds, from the sequence of its key points.

Lengths are measured in distances between the eyes' outer corners and turned upright first, so that neither the
distance from the camera nor a leaning head changes them.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edge.observation import FaceSequence, HeadPose
from edge.vision.keypoints import place_of, span_of

Floats = npt.NDArray[np.float32]

LEAST_S = 2.0
"""Seconds a face must have been followed, or a single look would pass for a habit."""
NOD_DEG = 4.0
"""Swing of the head that counts as half a nod."""
DOWN_DEG = -20.0
"""Pitch below which a head is down."""
CLOSED = 0.15
"""Opening of the eyes below which they are closed (Soukupova & Cech, 2016, use 0.2 of a like ratio)."""
FRONT_YAW_DEG = 30.0
FRONT_PITCH_DEG = (-25.0, 20.0)

_RIGHT_EYE, _LEFT_EYE = place_of("right_eye_0"), place_of("left_eye_0")
_RIGHT_CORNER, _LEFT_CORNER = place_of("outer_lip_0"), place_of("outer_lip_10")
_LOWER_LIP, _UPPER_LIP = place_of("outer_lip_5"), place_of("outer_lip_15")
_BROWS = (span_of("right_brow"), span_of("left_brow"))
_EYES = (span_of("right_eye"), span_of("left_eye"))


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at a face, as far as the sequence needs it."""

    at_ns: int
    smile: float
    brow: float
    mouth: float
    eyes: float
    yaw_deg: float
    pitch_deg: float


def moment(at_ns: int, points: Floats, pose: HeadPose, eye_opening: float, mouth_opening: float) -> Moment | None:
    """Measure one look.

    Args:
        at_ns: When it was, nanoseconds of the pipeline's clock.
        points: Shape (150, 2), pixels.
        pose: Where the head points.
        eye_opening: Distance of the lids over the width of the eye.
        mouth_opening: Distance of the inner lips over the width between their corners.

    Returns:
        ``None`` when both eyes lie on one point, as in a face that is no face.
    """
    across = points[_LEFT_EYE] - points[_RIGHT_EYE]
    distance = float(np.hypot(*across))
    if distance < 1e-3:  # noqa: PLR2004 - no eyes
        return None
    # Down in the face's own frame: the line of the eyes turned by a quarter.
    down = np.array([-across[1], across[0]], np.float32) / np.float32(distance)
    height = points @ down / np.float32(distance)
    corners = (height[_RIGHT_CORNER] + height[_LEFT_CORNER]) / 2
    middle = (height[_LOWER_LIP] + height[_UPPER_LIP]) / 2
    brows = np.mean([height[eye].mean() - height[brow].mean() for eye, brow in zip(_EYES, _BROWS, strict=True)])
    return Moment(
        at_ns, float(middle - corners), float(brows), mouth_opening, eye_opening, pose.yaw_deg, pose.pitch_deg
    )


class SequenceMemory:
    """Keeps each track's last moments and says what the face did in them.

    Args:
        window_s: Seconds that are looked back on.
    """

    def __init__(self, *, window_s: float = 10.0) -> None:
        self._window_ns = int(window_s * 1e9)
        self._moments: dict[int, deque[Moment]] = {}

    def add(self, track_id: int, new: Moment) -> FaceSequence | None:
        """Take in a look; return what the face did, ``None`` while it was followed for less than two seconds."""
        moments = self._moments.setdefault(track_id, deque())
        moments.append(new)
        while new.at_ns - moments[0].at_ns > self._window_ns:
            moments.popleft()
        seconds = (new.at_ns - moments[0].at_ns) / 1e9
        return describe(moments, seconds) if seconds >= LEAST_S else None

    def forget_all_but(self, alive: frozenset[int]) -> None:
        """Drop the memory of tracks that are gone."""
        for track_id in self._moments.keys() - alive:
            del self._moments[track_id]


def describe(moments: deque[Moment], seconds: float) -> FaceSequence:
    """Return what a face did over *seconds*, from its moments in order of time; at least one."""
    yaw = np.array([m.yaw_deg for m in moments])
    pitch = np.array([m.pitch_deg for m in moments])
    brow = np.array([m.brow for m in moments])
    low, high = FRONT_PITCH_DEG
    front = (np.abs(yaw) <= FRONT_YAW_DEG) & (pitch >= low) & (pitch <= high)
    return FaceSequence(
        seconds=seconds,
        smile=float(np.median([m.smile for m in moments])),
        brow=float(np.median(brow)),
        brow_motion=float(brow.std()),
        mouth_motion=float(np.std([m.mouth for m in moments])),
        eyes_closed=float(np.mean([m.eyes < CLOSED for m in moments])),
        nods_per_min=_swings(pitch) / 2 / seconds * 60,
        head_down=float((pitch < DOWN_DEG).mean()),
        front=float(front.mean()),
    )


def _swings(pitch: npt.NDArray[np.float64]) -> int:
    """Count the turns of direction after a swing of at least :data:`NOD_DEG`."""
    extremes = [float(pitch[0])]
    for value in pitch[1:]:
        last = extremes[-1]
        rising = len(extremes) > 1 and last > extremes[-2]
        if len(extremes) > 1 and ((value > last) == rising) and value != last:
            # The same swing goes on.
            extremes[-1] = float(value)
        elif abs(value - last) >= NOD_DEG:
            extremes.append(float(value))
    return sum(abs(b - a) >= NOD_DEG for a, b in pairwise(extremes))
