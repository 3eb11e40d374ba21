"""Lessons told by what goes on in the room."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.timetable.activity import ActivityTrigger
from tests.builders import EPOCH
from tests.strategies import few

BUSY_S, QUIET_S = 60, 120


def trigger() -> ActivityTrigger:
    """Return one that is on after a busy minute and off after two quiet ones."""
    return ActivityTrigger(
        people=3, busy_for=timedelta(seconds=BUSY_S), quiet_for=timedelta(seconds=QUIET_S), speech_ratio=0.3
    )


def states(seen: Sequence[tuple[int | None, float | None]], *, hop_s: float = 2.0) -> list[bool]:
    """Return what one says after each of a row of (people, speech)."""
    one = trigger()
    return [
        one.see(EPOCH + timedelta(seconds=number * hop_s), people=people, speech_ratio=speech)
        for number, (people, speech) in enumerate(seen)
    ]


@pytest.mark.parametrize("busy", [(3, None), (None, 0.3), (0, 1.0), (12, 0.0)])
def test_busy_room_begins_a_lesson(busy: tuple[int | None, float | None]) -> None:
    """Enough people or enough speech for long enough begin a lesson, and not a moment before."""
    said = states([busy] * 40)

    assert said.index(True) == BUSY_S // 2


@pytest.mark.parametrize("not_busy", [(2, None), (None, 0.29), (2, 0.2), (None, None), (0, 0.0)])
def test_room_that_is_not_busy_begins_none(not_busy: tuple[int | None, float | None]) -> None:
    """Too few people, too little speech, or no evidence never begin a lesson."""
    assert not any(states([not_busy] * 500))


def test_quiet_room_ends_a_lesson() -> None:
    """A room in which nothing goes on for long enough ends it; a busy moment begins the wait anew."""
    said = states([(12, 0.5)] * 31 + [(0, 0.0)] * 59 + [(12, 0.0)] + [(1, 0.0)] * 70)

    assert said.index(True) == 30
    assert said.index(False, 31) == 31 + 59 + 1 + QUIET_S // 2


def test_lost_camera_ends_no_lesson() -> None:
    """A room of which nothing is known is neither busy nor quiet."""
    said = states([(12, None)] * 31 + [(None, None)] * 5000 + [(0, None)] * 100)

    assert said.index(False, 31) == 31 + 5000 + QUIET_S // 2


def test_flicker_does_not_matter() -> None:
    """A detector that misses everybody now and then, or a gap of some seconds, holds up neither beginning nor end."""
    begins = states([(12, None), (0, None), (None, None)] * 20)
    ends = states([(12, None)] * 31 + [(0, None), (None, None)] * 50)

    assert begins.index(True) == 30
    assert ends.index(False, 31) == 31 + QUIET_S // 2


def test_step_of_the_clock_begins_all_waits_anew() -> None:
    """Times that jump forward or back count for nothing."""
    for jump_s in (3600, -3600):
        one = trigger()
        for at_s in (0, 20, 40, 40 + jump_s, 60 + jump_s, 80 + jump_s):
            assert not one.see(EPOCH + timedelta(seconds=at_s), people=9, speech_ratio=None)
        assert one.see(EPOCH + timedelta(seconds=100 + jump_s), people=9, speech_ratio=None)


SEEN = st.lists(
    st.tuples(st.integers(1, 60), st.none() | st.integers(0, 6), st.none() | st.floats(0, 1), st.integers(1, 40)),
    max_size=30,
)


@few
@given(SEEN)
def test_nothing_begins_or_ends_without_its_reason(seen: list[tuple[int, int | None, float | None, int]]) -> None:
    """Each beginning follows a busy moment, each end a quiet one, and at least the stated time since the last turn."""
    one, at, turned, on = trigger(), EPOCH, EPOCH, False
    for step_s, people, speech, times in seen:
        for _ in range(times):
            at += timedelta(seconds=step_s)
            said = one.see(at, people=people, speech_ratio=speech)
            busy = (people or 0) >= 3 or (speech or 0.0) >= 0.3
            known = people is not None or speech is not None
            if said != on:
                assert busy if said else (known and not busy)
                assert at - turned >= timedelta(seconds=BUSY_S if said else QUIET_S)
                turned, on = at, said
            assert one.on is said


@pytest.mark.parametrize(
    "changes", [{"people": 0}, {"speech_ratio": 0.0}, {"speech_ratio": 1.1}, {"busy_for": timedelta(0)}]
)
def test_trigger_that_can_not_be(changes: dict[str, float]) -> None:
    """Numbers that would begin a lesson in an empty room are refused."""
    with pytest.raises(ValueError, match="must be"):
        ActivityTrigger(**changes)  # type: ignore[arg-type] # one of each kind
