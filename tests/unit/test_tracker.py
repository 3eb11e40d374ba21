"""Which face is the same as a moment ago."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.tracker import Tracker
from tests.builders import SECOND
from tests.strategies import boxes, few

Boxes = npt.NDArray[np.float32]
STEP = SECOND // 5


def at(*corners: tuple[float, float]) -> Boxes:
    """Return boxes of 40 pixels with these left upper corners."""
    return np.array([(x, y, x + 40, y + 40) for x, y in corners], np.float32).reshape(-1, 4)


def ids(tracker: Tracker, boxes: Boxes, now_ns: int) -> list[int]:
    """Return the ids of one look."""
    return [track.id for track in tracker.update(boxes, now_ns)]


def test_a_face_that_moves_a_little_keeps_its_number() -> None:
    """A head that drifts a quarter of its width a look stays the same one, and its sightings are counted."""
    tracker = Tracker()
    looks = [tracker.update(at((10 * step, 5 * step)), step * STEP)[0] for step in range(20)]

    assert {track.id for track in looks} == {1}
    assert looks[-1].hits == 20


def test_numbers_follow_the_faces_and_not_their_order() -> None:
    """Detections come best first, so their order changes from look to look."""
    tracker = Tracker()

    assert ids(tracker, at((0, 0), (100, 0), (200, 0)), 0) == [1, 2, 3]
    assert ids(tracker, at((202, 0), (1, 0), (101, 2)), STEP) == [3, 1, 2]


def test_a_face_elsewhere_is_a_new_one() -> None:
    """No overlap, no match: numbers are never used again."""
    tracker = Tracker()

    assert ids(tracker, at((0, 0)), 0) == [1]
    assert ids(tracker, at((100, 100)), STEP) == [2]
    assert tracker.alive == {1, 2}


def test_of_two_boxes_on_one_face_the_nearer_gets_its_number() -> None:
    """The best overlap is matched first, the other box is somebody new."""
    tracker = Tracker()
    tracker.update(at((0, 0)), 0)

    assert ids(tracker, at((15, 0), (2, 0)), STEP) == [2, 1]


def test_a_face_unseen_for_a_moment_is_remembered() -> None:
    """A blink of the detector does not make a new face; more than a second does."""
    tracker = Tracker(forget_s=1.0)

    assert ids(tracker, at((0, 0)), 0) == [1]
    assert ids(tracker, at(), STEP) == []
    assert ids(tracker, at((0, 0)), SECOND) == [1]
    assert ids(tracker, at((0, 0)), 2 * SECOND + 1) == [2]
    assert tracker.alive == {2}


@few
@given(looks=st.lists(boxes(most=6), max_size=8))
def test_every_box_of_a_look_has_its_own_number(looks: list[Boxes]) -> None:
    """Whatever the boxes, one look never gives two of them the same number, and all given numbers are alive."""
    tracker = Tracker()
    for step, drawn in enumerate(looks):
        found = ids(tracker, drawn, step * STEP)

        assert len(found) == len(drawn) == len(set(found))
        assert set(found) <= tracker.alive


def test_the_track_keeps_its_own_copy_of_the_box() -> None:
    """A caller that reuses its array does not move the faces."""
    tracker, drawn = Tracker(), at((0, 0))
    tracker.update(drawn, 0)
    drawn += 500

    assert ids(tracker, at((0, 0)), STEP) == [1]
