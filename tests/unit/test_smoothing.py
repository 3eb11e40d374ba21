"""Calmer readings."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.observation import Emotion, EmotionDistribution
from edge.vision.smoothing import Smoother
from tests.builders import SECOND, sure
from tests.strategies import distributions, few

SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)


@few
@given(readings=st.lists(distributions, min_size=1, max_size=8), step_ns=st.integers(0, 2 * SECOND))
def test_a_distribution_stays_one(readings: list[EmotionDistribution], step_ns: int) -> None:
    """Shares sum to 1, and none leaves the span of what was read."""
    smoother = Smoother(time_constant_s=0.6)
    for number, reading in enumerate(readings):
        mean = smoother.smooth(1, reading, number * step_ns)
        so_far = [r.probabilities for r in readings[: number + 1]]

        assert math.isclose(sum(mean.probabilities), 1, abs_tol=1e-6)
        for value, *seen in zip(mean.probabilities, *so_far, strict=True):
            assert min(seen) - 1e-6 <= value <= max(seen) + 1e-6


@few
@given(reading=distributions, rate_hz=st.integers(1, 60))
def test_a_constant_face_reads_the_same_at_any_rate(reading: EmotionDistribution, rate_hz: int) -> None:
    """Smoothing what does not change changes nothing."""
    smoother = Smoother(time_constant_s=0.6)
    for step in range(rate_hz):
        mean = smoother.smooth(1, reading, step * SECOND // rate_hz)

        assert mean.probabilities == pytest.approx(reading.probabilities, abs=1e-6)


@few
@given(rate_hz=st.integers(1, 60))
def test_a_change_is_followed_at_the_same_speed_at_any_rate(rate_hz: int) -> None:
    """One second after a face changes, the old reading weighs exp(-1 / constant), however often it was read."""
    smoother = Smoother(time_constant_s=0.6)
    mean = smoother.smooth(1, SAD, 0)
    for step in range(1, rate_hz + 1):
        mean = smoother.smooth(1, HAPPY, step * SECOND // rate_hz)

    assert mean.shares()[Emotion.SADNESS] == pytest.approx(math.exp(-1 / 0.6), abs=1e-6)


def test_faces_do_not_mix() -> None:
    """Each track has its own memory."""
    smoother = Smoother()
    smoother.smooth(1, SAD, 0)

    assert smoother.smooth(2, HAPPY, 1) == HAPPY


def test_a_constant_of_zero_switches_it_off() -> None:
    """The reading comes back as it went in."""
    smoother = Smoother(time_constant_s=0)
    smoother.smooth(1, SAD, 0)

    assert smoother.smooth(1, HAPPY, 1) == HAPPY


def test_a_face_that_is_gone_is_forgotten() -> None:
    """A number that is no longer alive starts afresh; those alive keep their memory."""
    smoother = Smoother()
    for track in (1, 2):
        smoother.smooth(track, SAD, 0)
    smoother.forget_all_but(frozenset({2}))

    assert smoother.smooth(1, HAPPY, 1) == HAPPY
    assert smoother.smooth(2, HAPPY, 1).top is Emotion.SADNESS


def test_a_reading_out_of_order_does_no_harm() -> None:
    """Time that stands or goes back gives the old mean, never a weight above 1."""
    smoother = Smoother()
    smoother.smooth(1, SAD, SECOND)

    assert smoother.smooth(1, HAPPY, 0) == SAD
