"""The only module that reads time."""

import threading
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ClockAnchor, SystemClock, utc_now
from edge.testing import HandClock
from tests.builders import EPOCH


def test_the_systems_clock_does_not_go_back() -> None:
    """Monotonic time grows or stands."""
    clock = SystemClock()
    times = [clock.now_ns() for _ in range(100)]

    assert times == sorted(times)


def test_a_wait_ends_with_the_stop() -> None:
    """Who waits an hour is woken at once when asked to stop."""
    clock, stop, result = SystemClock(), threading.Event(), list[bool]()
    waiter = threading.Thread(target=lambda: result.append(clock.wait(3600, stop)))
    waiter.start()
    stop.set()
    waiter.join(timeout=10)

    assert result == [True]


def test_a_wait_that_ran_its_time_was_not_stopped() -> None:
    """Waiting a moment, or less than none, returns that nobody asked to stop."""
    clock, stop = SystemClock(), threading.Event()

    assert not clock.wait(0.0, stop)
    assert not clock.wait(-5.0, stop)


@given(start_ns=st.integers(0, 10**18), later_us=st.integers(-(10**12), 10**12))
def test_an_anchor_turns_monotonic_time_into_the_calendars(start_ns: int, later_us: int) -> None:
    """A microsecond of the clock is a microsecond of the calendar, before and after the anchor."""
    found = ClockAnchor(start_ns, EPOCH).to_utc(start_ns + later_us * 1000)

    assert abs(found - (EPOCH + timedelta(microseconds=later_us))) <= timedelta(microseconds=1)


def test_an_anchor_is_taken_from_both_clocks() -> None:
    """The pin is the given clock's now and the calendar's now, in UTC."""
    before = utc_now()
    anchor = ClockAnchor.take(HandClock(7))

    assert anchor.monotonic_ns == 7
    assert before <= anchor.utc <= utc_now()
    assert anchor.utc.tzinfo is UTC
