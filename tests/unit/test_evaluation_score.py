"""Figures of a classifier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.evaluation.picture import confusion_svg
from edge.evaluation.score import calibration_error, score

NAMES = ("calm", "<loud>", "absent")


def sure(*found: int) -> "np.typing.NDArray[np.float64]":
    """Return one-hot probabilities."""
    return np.eye(3)[list(found)]


def test_figures_are_counted_from_the_confusion() -> None:
    """Three of four are right; the class without cases has no recall and no say in the mean."""
    result = score(sure(0, 0, 1, 0), np.array([0, 0, 1, 1]), NAMES)

    assert result.n == 4
    assert result.accuracy == 0.75
    assert result.recalls == {"calm": 1.0, "<loud>": 0.5, "absent": None}
    assert result.mean_recall == 0.75
    assert result.confusion.tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_the_plain_data_has_what_programs_read() -> None:
    """The keys of the JSON are fixed."""
    line = score(sure(0, 1), np.array([0, 1]), NAMES).as_json()

    assert {"n", "accuracy", "mean_recall", "per_class", "confusion", "labels"} <= line.keys()
    assert line["per_class"] == {"calm": 1.0, "<loud>": 1.0, "absent": None}


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3)), elements=st.floats(0.01, 1)), st.data())
def test_figures_stay_in_their_ranges(weights: "np.typing.NDArray[np.float64]", data: st.DataObject) -> None:
    """Whatever is found: every case is in the confusion once, and every figure in [0, 1]."""
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    true = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(weights), max_size=len(weights))))
    result = score(probabilities, true, NAMES)

    assert result.n == len(weights)
    assert 0 <= result.accuracy <= 1
    assert 0 <= result.mean_recall <= 1
    assert 0 <= result.calibration_error <= 1


def test_a_forecast_that_keeps_its_word_is_calibrated() -> None:
    """80 % sure and 80 % right is no error; 80 % sure and never right is one of 0.8."""
    confidence = np.full(10, 0.8)

    assert calibration_error(confidence, np.arange(10) < 8) == pytest.approx(0.0)
    assert calibration_error(confidence, np.zeros(10, bool)) == pytest.approx(0.8)


@pytest.mark.parametrize("true", [[], [3], [-1]])
def test_labels_out_of_range_are_refused(true: list[int]) -> None:
    """Nothing to judge, or a class that the model does not have, is an error and not a figure."""
    with pytest.raises(ValueError, match="label"):
        score(np.zeros((len(true), 3)), np.array(true, np.int64), NAMES)


def test_the_picture_holds_every_count_and_no_markup_of_names() -> None:
    """Each cell shows its count; a name with markup in it is text."""
    svg = confusion_svg(score(sure(0, 0, 1, 0), np.array([0, 0, 1, 1]), NAMES), "a & b")

    assert "&lt;loud&gt;" in svg
    assert "<loud>" not in svg
    assert "a &amp; b" in svg
    assert svg.count("<rect") == 1 + 9
