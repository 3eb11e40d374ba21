"""Arithmetic of boxes."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.boxes import area, iou, suppress
from tests.strategies import boxes, few

Boxes = npt.NDArray[np.float32]


def at(*rows: tuple[float, float, float, float]) -> Boxes:
    """Return boxes as an array."""
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
        ((9, 9, 3, 3), (0, 0, 10, 10), 0.0),
    ],
)
def test_overlap_is_the_common_area_over_the_joint_one(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    """The same box is 1, neighbours that touch are 0, a box of no area or inside out overlaps nothing."""
    found = iou(np.array([first], np.float32), np.array([second], np.float32))

    assert found[0, 0] == pytest.approx(expected)


@few
@given(first=boxes(), second=boxes())
def test_overlap_is_symmetric_and_a_share(first: Boxes, second: Boxes) -> None:
    """Either way round it is the same number, in [0, 1]."""
    found = iou(first, second)

    assert found.shape == (len(first), len(second))
    assert np.array_equal(found, iou(second, first).T)
    assert ((found >= 0) & (found <= 1)).all()


@few
@given(drawn=boxes(least=1))
def test_a_box_with_area_overlaps_itself_fully(drawn: Boxes) -> None:
    """The diagonal is 1 where there is an area and 0 where there is none."""
    assert np.diag(iou(drawn, drawn)) == pytest.approx((area(drawn) > 0).astype(float))


@few
@given(drawn=boxes(), data=st.data(), overlap=st.floats(0.1, 0.9))
def test_suppression_keeps_the_best_box_of_every_group(drawn: Boxes, data: st.DataObject, overlap: float) -> None:
    """Best first; the best score is kept; nothing is made up; what is kept lies within what was given."""
    scores = np.array(
        data.draw(st.lists(st.floats(1 / 64, 1, width=32), min_size=len(drawn), max_size=len(drawn))), np.float32
    )
    kept, kept_scores = suppress(drawn, scores, overlap)

    assert kept.shape == (len(kept_scores), 4)
    assert np.isfinite(kept).all()
    assert list(kept_scores) == sorted(kept_scores, reverse=True)
    assert set(kept_scores.tolist()) <= set(scores.tolist())
    if len(drawn):
        assert kept_scores[0] == scores.max()
        assert (kept >= drawn.min(axis=0) - 1e-3).all()
        assert (kept <= drawn.max(axis=0) + 1e-3).all()


@few
@given(drawn=boxes(most=6), data=st.data())
def test_suppression_does_not_depend_on_the_order_of_the_boxes(drawn: Boxes, data: st.DataObject) -> None:
    """The network's cells may come in any order, as long as no two scores tie."""
    scores = np.linspace(0.2, 0.9, len(drawn)).astype(np.float32)
    order = data.draw(st.permutations(range(len(drawn))))
    kept, kept_scores = suppress(drawn, scores, 0.4)
    again, again_scores = suppress(drawn[order], scores[order], 0.4)

    assert np.array_equal(kept_scores, again_scores)
    assert again == pytest.approx(kept, abs=1e-3)


def test_faces_side_by_side_are_all_kept() -> None:
    """Boxes that hardly overlap are different faces and stay where they are."""
    drawn = at((0, 0, 10, 10), (9, 0, 19, 10), (30, 30, 40, 40))

    kept, scores = suppress(drawn, np.array([0.5, 0.9, 0.7], np.float32), 0.4)

    assert np.array_equal(kept, drawn[[1, 2, 0]])
    assert scores.tolist() == pytest.approx([0.9, 0.7, 0.5])


def test_boxes_of_one_face_become_their_weighted_mean() -> None:
    """Two boxes of the same score and nearly the same place give the place between them."""
    kept, scores = suppress(at((0, 0, 20, 20), (2, 0, 22, 20)), np.array([0.8, 0.8], np.float32), 0.4)

    assert len(kept) == 1
    assert kept[0] == pytest.approx([1, 0, 21, 20], abs=1e-4)
    assert scores[0] == np.float32(0.8)


def test_no_boxes_are_no_boxes() -> None:
    """An empty look has the same shapes as any other."""
    kept, scores = suppress(at(), np.zeros(0, np.float32), 0.4)

    assert kept.shape == (0, 4)
    assert scores.shape == (0,)
