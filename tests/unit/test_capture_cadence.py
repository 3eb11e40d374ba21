"""A stream is thinned evenly to at most the wanted rate."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.cadence import Cadence


@pytest.mark.parametrize(("own", "wanted", "expected"), [(25, 5, 50), (30, 10, 100), (25, 10, 100), (10, 10, 100)])
def test_a_stream_is_thinned_to_the_wanted_rate(own: int, wanted: int, expected: int) -> None:
    """Over ten seconds as many frames are due as were asked for."""
    cadence = Cadence(wanted)
    due = [cadence.due(n * 1_000_000_000 // own) for n in range(own * 10)]

    assert abs(sum(due) - expected) <= 2


@given(jitter=st.lists(st.integers(-20_000_000, 20_000_000), min_size=100, max_size=100))
def test_jitter_of_a_camera_at_the_wanted_rate_loses_no_frame(jitter: list[int]) -> None:
    """A frame up to an eighth of a period early is due all the same."""
    cadence = Cadence(10.0)

    assert all(cadence.due(n * 100_000_000 + off // 2 if n else 0) for n, off in enumerate(jitter))


@given(steps=st.lists(st.integers(1_000_000, 400_000_000), min_size=1, max_size=200), rate=st.floats(0.5, 50.0))
def test_the_rate_is_never_exceeded_by_more_than_the_slack(steps: list[int], rate: float) -> None:
    """Two frames that are due lie at least three quarters of a period apart."""
    cadence, at, taken = Cadence(rate), 0, []
    for step in steps:
        at += step
        if cadence.due(at):
            taken.append(at)

    assert all(later - earlier >= 0.74e9 / rate for earlier, later in itertools.pairwise(taken))


def test_no_rate_lets_every_frame_through_and_a_rate_of_nothing_is_refused() -> None:
    """``None`` means all; zero is a mistake."""
    cadence = Cadence(None)

    assert all(cadence.due(n) for n in range(100))
    with pytest.raises(ValueError, match="rate_hz"):
        Cadence(0.0)


def test_a_clock_set_back_starts_the_beat_over() -> None:
    """A stream that begins again at zero is not ignored until it has caught up."""
    cadence = Cadence(5.0)
    cadence.due(10_000_000_000)

    assert cadence.due(0)


def test_wait_says_how_long_until_the_next_frame() -> None:
    """A source that paces itself waits one period after a frame, and not at all when late."""
    cadence = Cadence(4.0)

    assert cadence.wait_s(0) == 0.0
    cadence.due(0)
    assert cadence.wait_s(50_000_000) == pytest.approx(0.2)
    assert cadence.wait_s(900_000_000) == 0.0
