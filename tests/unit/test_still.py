"""Faces that did not change are not read again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.observation import Emotion
from edge.vision.still import Place, StillFaces
from tests.builders import SECOND, sure

CROP = np.random.default_rng(1).integers(40, 200, (48, 48), np.uint8)
SAD = sure(Emotion.SADNESS)


def place(left: float, roll_deg: float = 0.0) -> Place:
    """Return a box of 40 pixels."""
    return Place(np.array([left, 10, left + 40, 50], np.float32), roll_deg)


HERE = place(10)


def test_an_unchanged_crop_is_answered_until_it_is_too_old() -> None:
    """The last reading holds below the greatest age and not at it."""
    still = StillFaces(most_s=1.0)
    still.remember(1, HERE, CROP, SAD, 0)

    assert still.known(1, CROP, SECOND - 1) == (True, SAD)
    assert still.known(1, CROP, SECOND) == (False, None)


def test_a_track_is_answered_by_its_own_reading_only() -> None:
    """Another track's crop is no evidence, and a forgotten one is gone."""
    still = StillFaces()
    still.remember(1, HERE, CROP, SAD, 0)

    assert still.known(2, CROP, 0) == (False, None)
    still.forget_all_but(frozenset({2}))
    assert still.known(1, CROP, 0) == (False, None)


def test_an_unreadable_face_that_keeps_still_stays_unreadable() -> None:
    """None is remembered as none, not as something to try again."""
    still = StillFaces()
    still.remember(1, HERE, CROP, None, 0)

    assert still.known(1, CROP, 1) == (True, None)


@given(st.integers(-30, 30))
def test_a_lamp_is_not_a_change(step: int) -> None:
    """Brightness alone does not make a face be read again."""
    still = StillFaces()
    still.remember(1, HERE, CROP, SAD, 0)

    assert still.known(1, (CROP.astype(int) + step).astype(np.uint8), 1) == (True, SAD)


def test_a_changed_mouth_is_a_change() -> None:
    """A tenth of the face that turns dark is read again."""
    still = StillFaces()
    still.remember(1, HERE, CROP, SAD, 0)
    changed = CROP.copy()
    changed[34:42, 12:36] = 0

    assert still.known(1, changed, 1) == (False, None)


def test_a_trembling_box_is_cut_where_it_was_cut() -> None:
    """Two pixels beside or two degrees over is the same place; a quarter of the face, or a tilt, is another."""
    still = StillFaces()
    still.remember(1, HERE, CROP, SAD, 0)

    assert still.place(1, place(12, 2.0)) is HERE
    for other in (place(20), place(10, 8.0)):
        assert still.place(1, other) is other
    elsewhere = place(12)
    assert still.place(2, elsewhere) is elsewhere
