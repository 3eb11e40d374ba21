"""How quiet a room is when it is quiet."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.quiet import QuietLevel
from edge.observation import VoiceObservation
from tests.builders import sound
from tests.strategies import few


def hops(*levels: float | None) -> list[VoiceObservation]:
    """Return windows of sound of these levels."""
    return [sound(3.0 + n, None, level_dbfs=level) for n, level in enumerate(levels)]


def test_too_few_hops_tell_nothing() -> None:
    """None, and no guess, under ten of them; digital silence is none."""
    assert QuietLevel().level(hops(*[-50.0] * 9, None, None)) is None
    assert QuietLevel().level(hops(*[-50.0] * 10)) == -50.0


def test_the_quiet_is_the_low_end() -> None:
    """Speech nine times out of ten leaves the quiet where it is."""
    assert QuietLevel().level(hops(*[-25.0] * 18, *[-55.0] * 2)) == -55.0


@few
@given(levels=st.lists(st.floats(-110, 0), min_size=10, max_size=60), split=st.integers(0, 60))
def test_what_is_remembered_counts_as_what_is_at_hand(levels: list[float], split: int) -> None:
    """Forgetting hops keeps their levels; a microphone's gain moves the quiet by as much."""
    quiet = QuietLevel()
    quiet.learn(hops(*levels[:split]))
    found = quiet.level(hops(*levels[split:]))

    assert found == QuietLevel().level(hops(*levels))
    assert found is not None
    assert abs(found - sorted(levels)[-(-len(levels) // 10) - 1]) <= 0.5 + 1e-9


def test_levels_out_of_range_are_kept_in_it() -> None:
    """Louder than full scale or softer than anything is the end of the scale."""
    assert QuietLevel().level(hops(*[3.0] * 10)) == 0.0
    assert QuietLevel().level(hops(*[-200.0] * 10)) == -120.0


def test_a_gain_that_changes_is_learnt() -> None:
    """After an hour at the new gain the old one is forgotten."""
    quiet = QuietLevel()
    quiet.learn(hops(*[-70.0] * 600))
    for _ in range(60):
        quiet.learn(hops(*[-40.0] * 60))

    assert quiet.level([]) == -40.0


def test_its_size_is_fixed() -> None:
    """However long the lesson, and however the counts are halved."""
    short, long = QuietLevel(), QuietLevel()
    short.learn(hops(-40.0))
    for _ in range(100):
        long.learn(hops(*[-40.0] * 50))

    assert len(pickle.dumps(long)) == len(pickle.dumps(short))
    assert long.counts.sum() == pytest.approx(long.counts.max())
    assert long.counts.sum() <= 1200
