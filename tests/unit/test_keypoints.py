"""The names and places of the 150 points."""

import numpy as np
import pytest

from edge.vision.keypoints import GROUPS, MEDIAPIPE_INDEX, MIRROR, NAMES, openings_of, place_of, span_of


def test_there_are_150_points_with_names_of_their_own() -> None:
    """Each of the model's points has one name and one place in MediaPipe's topology."""
    assert len(MEDIAPIPE_INDEX) == len(set(MEDIAPIPE_INDEX)) == 150
    assert len(NAMES) == len(set(NAMES)) == 150
    assert 0 <= min(MEDIAPIPE_INDEX) < max(MEDIAPIPE_INDEX) < 478


def test_groups_follow_each_other() -> None:
    """The groups' spans fill the 150 places without hole or overlap."""
    places = [place for group in GROUPS for place in range(150)[span_of(group)]]

    assert places == list(range(150))


@pytest.mark.parametrize(
    ("name", "index"),
    [("contour_0", 10), ("left_eye_8", 362), ("nose_3", 4), ("outer_lip_10", 291), ("inner_lip_15", 13)],
)
def test_names_stay_with_their_points(name: str, index: int) -> None:
    """What is built on a name means the same point for ever."""
    assert MEDIAPIPE_INDEX[place_of(name)] == index


def test_a_mirror_twice_changes_nothing() -> None:
    """Each point's counterpart has it as counterpart."""
    assert [MIRROR[MIRROR[place]] for place in range(150)] == list(range(150))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("contour_0", "contour_0"),
        ("contour_18", "contour_18"),
        ("contour_1", "contour_35"),
        ("left_eye_3", "right_eye_3"),
        ("nose_2", "nose_2"),
        ("outer_lip_0", "outer_lip_10"),
        ("outer_lip_5", "outer_lip_5"),
        ("inner_lip_14", "inner_lip_16"),
    ],
)
def test_counterparts(name: str, other: str) -> None:
    """Left becomes right, and the middle line stays."""
    assert NAMES[MIRROR[place_of(name)]] == other


def test_openings_are_distances_over_widths() -> None:
    """Lids 3 apart on eyes 10 wide give 0.3, lips 5 apart on a mouth 20 wide 0.25, however the head is turned."""
    points = np.zeros((478, 3))
    for outer, inner, upper, lower in ((33, 133, (160, 158), (144, 153)), (263, 362, (385, 387), (380, 373))):
        points[inner, 0] = points[outer, 0] + 10
        points[list(upper), 1], points[list(lower), 1] = -1.5, 1.5
    points[308, 0], points[14, 1] = 20, 5
    about_y = np.array([[0.5, 0, 0.75**0.5], [0, 1, 0], [-(0.75**0.5), 0, 0.5]])

    for seen in (points, points @ about_y, points * 7):
        assert openings_of(seen[None].astype(np.float32)) == pytest.approx(np.array([[0.3, 0.25]]), abs=1e-5)
