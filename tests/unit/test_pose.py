"""From the axes of a head to yaw, pitch and roll, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.observation import HeadPose
from edge.vision.pose import axes_of, pose_of

FRONT, UP = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
angles = st.builds(HeadPose, st.floats(-170, 170), st.floats(-80, 80), st.floats(-170, 170))


@given(pose=angles, lengths=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)))
def test_angles_come_back(pose: HeadPose, lengths: tuple[float, float]) -> None:
    """The angles of a pose's axes are the pose, however long the axes are."""
    found = pose_of(axes_of(pose) * np.array(lengths)[:, None])

    assert found is not None
    assert found.yaw_deg == pytest.approx(pose.yaw_deg, abs=0.01)
    assert found.pitch_deg == pytest.approx(pose.pitch_deg, abs=0.01)
    assert found.roll_deg == pytest.approx(pose.roll_deg, abs=0.01)


@given(pose=angles)
def test_axes_are_at_right_angles(pose: HeadPose) -> None:
    """Both axes have length 1 and stand upright on each other."""
    axes = axes_of(pose).astype(np.float64)

    assert axes @ axes.T == pytest.approx(np.eye(2), abs=1e-6)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ((FRONT, UP), HeadPose(0, 0, 0)),
        (((0.5, 0.0, 0.866), UP), HeadPose(30, 0, 0)),
        (((0.0, 0.5, 0.866), (0.0, 0.866, -0.5)), HeadPose(0, 30, 0)),
        ((FRONT, (0.5, 0.866, 0.0)), HeadPose(0, 0, 30)),
        (((1.0, 0.0, 0.0), UP), HeadPose(90, 0, 0)),
    ],
)
def test_signs_are_those_of_the_picture(axes: tuple[tuple[float, ...], ...], expected: HeadPose) -> None:
    """Towards the picture's right, up, and clockwise are positive."""
    found = pose_of(axes)

    assert found is not None
    assert (found.yaw_deg, found.pitch_deg, found.roll_deg) == pytest.approx(
        (expected.yaw_deg, expected.pitch_deg, expected.roll_deg), abs=0.05
    )


def test_axes_that_are_not_quite_upright_are_made_so() -> None:
    """The direction of the face stands; the top of the head gives way."""
    leaning = pose_of((FRONT, (0.0, 1.0, 0.4)))

    assert leaning is not None
    assert (leaning.yaw_deg, leaning.pitch_deg, leaning.roll_deg) == pytest.approx((0, 0, 0), abs=1e-6)


@pytest.mark.parametrize("axes", [((0.0, 0.0, 0.0), UP), (FRONT, (0.0, 0.0, 0.0)), (FRONT, FRONT)])
def test_axes_without_direction_are_no_pose(axes: tuple[tuple[float, ...], ...]) -> None:
    """No axes are no evidence, not a head that looks straight ahead."""
    assert pose_of(axes) is None
