"""Distributions over the emotions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.observation import NEGATIVE, Emotion, EmotionDistribution
from tests.builders import sure
from tests.strategies import distributions, weights

NUMBER = len(Emotion)


@given(weights=weights)
def test_weights_become_a_distribution(weights: list[float]) -> None:
    """Whatever the size of the weights, each share is in [0, 1] and they sum to 1."""
    made = EmotionDistribution.of(weights)

    assert all(0 <= p <= 1 for p in made.probabilities)
    assert math.isclose(sum(made.probabilities), 1, abs_tol=1e-9)


@given(weights=st.lists(st.floats(1e-3, 1e3), min_size=NUMBER, max_size=NUMBER), scale=st.floats(1e-6, 1e6))
def test_only_the_proportion_of_weights_matters(weights: list[float], scale: float) -> None:
    """Seconds, minutes or counts give the same shares."""
    first, second = EmotionDistribution.of(weights), EmotionDistribution.of([w * scale for w in weights])

    assert first.probabilities == pytest.approx(second.probabilities, abs=1e-12)


@pytest.mark.parametrize("bad", [-1e-9, math.nan, math.inf, -math.inf])
def test_weights_that_are_none_are_refused(bad: float) -> None:
    """A negative or endless weight is an error upstream, never a share."""
    with pytest.raises(ValueError, match="non-negative, finite"):
        EmotionDistribution.of([bad, 1, 1, 1, 1, 1, 1])


def test_no_weight_at_all_is_refused() -> None:
    """No evidence is None, never an even distribution."""
    with pytest.raises(ValueError, match="not all zero"):
        EmotionDistribution.of([0.0] * NUMBER)


@pytest.mark.parametrize("count", [0, 6, 8])
def test_there_are_seven_probabilities(count: int) -> None:
    """A model with other labels does not slip through."""
    with pytest.raises(ValueError, match=f"need 7 probabilities, got {count}"):
        EmotionDistribution((1.0,) * count)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1.5, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0), r"in \[0, 1\]"),
        ((math.nan, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), r"in \[0, 1\]"),
        ((0.5, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0), "sum to 1"),
    ],
)
def test_what_is_no_distribution_is_refused(values: tuple[float, ...], message: str) -> None:
    """Each in [0, 1], and their sum is 1."""
    with pytest.raises(ValueError, match=message):
        EmotionDistribution(values)


@given(drawn=distributions)
def test_the_negative_share_is_that_of_the_four_negative_emotions(drawn: EmotionDistribution) -> None:
    """Anger, disgust, fear and sadness count; surprise and neutral do not."""
    shares = drawn.shares()

    assert list(shares) == list(Emotion)
    assert set(NEGATIVE) == {Emotion.ANGER, Emotion.DISGUST, Emotion.FEAR, Emotion.SADNESS}
    assert 0 <= drawn.negative_share <= 1
    assert drawn.negative_share == pytest.approx(1 - sum(shares[e] for e in Emotion if e not in NEGATIVE), abs=1e-3)


@pytest.mark.parametrize("emotion", list(Emotion))
def test_the_top_label_is_the_most_probable(emotion: Emotion) -> None:
    """Every label can win."""
    assert sure(emotion, 0.4).top is emotion


def test_the_top_label_of_a_tie_is_the_first() -> None:
    """Ties have one answer, whatever the machine."""
    assert EmotionDistribution((0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0)).top is Emotion.FEAR
