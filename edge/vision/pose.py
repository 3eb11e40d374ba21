"""From the axes of a head to the angles that people use."""

import math

import numpy as np
import numpy.typing as npt

from edge.observation import HeadPose

Floats = npt.NDArray[np.float32]


def pose_of(axes: npt.ArrayLike) -> HeadPose | None:
    """Return yaw, pitch and roll of a head.

    The head is first turned by yaw, then by pitch about its own side axis, then by roll about the direction it faces,
    so that yaw and pitch say where it looks, whatever the roll.

    Args:
        axes: Shape (2, 3): which way the face looks and where the top of the head is, x to the picture's right, y up,
            z towards the camera. Their lengths don't matter, and they need not be quite at right angles (Zhou et al.,
            2019, "On the Continuity of Rotation Representations in Neural Networks").

    Returns:
        ``None`` where the two axes are no axes: without length, or the same.
    """
    front, up = np.asarray(axes, np.float64)
    length = np.linalg.norm(front)
    if not length > 1e-6:  # noqa: PLR2004 - no direction
        return None
    front = front / length
    up = up - front * (front @ up)
    length = np.linalg.norm(up)
    if not length > 1e-6:  # noqa: PLR2004
        return None
    up = up / length
    side = np.cross(up, front)
    return HeadPose(
        yaw_deg=math.degrees(math.atan2(front[0], front[2])),
        pitch_deg=math.degrees(math.asin(max(-1.0, min(1.0, front[1])))),
        roll_deg=math.degrees(math.atan2(-side[1], up[1])),
    )


def axes_of(pose: HeadPose) -> Floats:
    """Return which way a head faces and where its top is, shape (2, 3): the opposite of :func:`pose_of`."""
    yaw, pitch, roll = (math.radians(v) for v in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    front = (math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch))
    upright = np.array([-math.sin(yaw) * math.sin(pitch), math.cos(pitch), -math.cos(yaw) * math.sin(pitch)])
    side = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    return np.array([front, math.cos(roll) * upright + math.sin(roll) * side], np.float32)
