"""What a face does over its last seconds."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.observation import FaceSequence, HeadPose
from edge.vision.keypoints import place_of, span_of
from edge.vision.sequence import SequenceMemory, moment
from tests.builders import SECOND

Floats = npt.NDArray[np.float32]
STRAIGHT = HeadPose(0.0, 0.0, 0.0)


def points(*, smile: float = 0.0, brow: float = 0.4) -> Floats:
    """Return a face 100 pixels between its eyes' outer corners: corners of the mouth *smile* of that higher."""
    face = np.full((150, 2), 150.0, np.float32)
    for side, x in (("right", 100.0), ("left", 200.0)):
        face[span_of(f"{side}_eye")] = (x, 100.0)
        face[span_of(f"{side}_brow")] = (x, 100.0 - 100 * brow)
    face[span_of("outer_lip")] = (150.0, 180.0)
    for name, x in (("outer_lip_0", 120.0), ("outer_lip_10", 180.0)):
        face[place_of(name)] = (x, 180.0 - 100 * smile)
    return face


def turned(face: Floats, degrees: float, scale: float) -> Floats:
    """Return a face leaned clockwise and scaled."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(face @ matrix.T * scale, np.float32)


def watch(
    *looks: tuple[HeadPose, float], hz: float = 5.0, face: Floats | None = None, window_s: float = 10.0
) -> FaceSequence | None:
    """Return what a memory says after looks of pose and eye opening."""
    memory, last = SequenceMemory(window_s=window_s), None
    for n, (pose, eyes) in enumerate(looks):
        seen = moment(int(n / hz * SECOND), points() if face is None else face, pose, eyes, 0.1)
        assert seen is not None
        last = memory.add(1, seen)
    return last


@given(st.floats(-60, 60), st.floats(0.2, 5))
def test_neither_leaning_nor_distance_changes_a_smile(degrees: float, scale: float) -> None:
    """A smile is a fifth of the eyes' distance however the head leans and however far it is."""
    seen = moment(0, turned(points(smile=0.2, brow=0.3), degrees, scale), STRAIGHT, 0.3, 0.0)

    assert seen is not None
    assert seen.smile == pytest.approx(0.2, abs=1e-3)
    assert seen.brow == pytest.approx(0.3, abs=1e-3)


def test_a_face_without_eyes_says_nothing() -> None:
    """Points that all lie on one place are no face."""
    assert moment(0, np.zeros((150, 2), np.float32), STRAIGHT, 0.3, 0.0) is None


def test_two_seconds_are_needed() -> None:
    """A face seen for less says nothing; from two seconds on it does."""
    assert watch(*[(STRAIGHT, 0.3)] * 10) is None
    assert watch(*[(STRAIGHT, 0.3)] * 11) is not None


def test_shares_of_time_are_counted() -> None:
    """Half the time head down, a quarter with closed eyes."""
    looks = [(HeadPose(0.0, -30.0, 0.0), 0.05 if n % 2 else 0.3) for n in range(20)]
    looks += [(HeadPose(45.0, 0.0, 0.0), 0.3)] * 10 + [(STRAIGHT, 0.3)] * 10
    seen = watch(*looks)

    assert seen is not None
    assert (seen.head_down, seen.eyes_closed, seen.front) == (0.5, 0.25, 0.25)


@pytest.mark.parametrize(("swing_deg", "nods"), [(1.5, 0.0), (10.0, 60.0)])
def test_nods_are_counted_and_trembling_is_not(swing_deg: float, nods: float) -> None:
    """One nod a second is sixty a minute; a swing below four degrees is none."""
    looks = [(HeadPose(0.0, float(swing_deg * np.sin(2 * np.pi * n / 5)), 0.0), 0.3) for n in range(51)]
    seen = watch(*looks)

    assert seen is not None
    assert seen.nods_per_min == pytest.approx(nods, abs=4)


def test_only_the_last_seconds_count_and_gone_tracks_are_forgotten() -> None:
    """Memory is bounded in time, and by the faces that are still there."""
    seen = watch(*[(HeadPose(0.0, -30.0, 0.0), 0.3)] * 50, *[(STRAIGHT, 0.3)] * 20, window_s=3.0)

    assert seen is not None
    assert seen.head_down == 0.0
    assert seen.seconds == pytest.approx(3.0)
    memory = SequenceMemory()
    first = moment(0, points(), STRAIGHT, 0.3, 0.1)
    assert first is not None
    memory.add(1, first)
    memory.forget_all_but(frozenset())
    assert memory._moments == {}  # noqa: SLF001 - what is kept shows nowhere else
