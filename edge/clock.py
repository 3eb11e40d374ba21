"""Time: monotonic nanoseconds for order, one anchor for the calendar."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self


class Clock(Protocol):
    """A source of monotonic time that can also be waited on."""

    def now_ns(self) -> int:
        """Return monotonic nanoseconds."""
        ...

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait at most *seconds*; return whether *stop* was set."""
        ...


class SystemClock:
    """The operating system's monotonic clock."""

    def now_ns(self) -> int:
        """Return monotonic nanoseconds."""
        return time.monotonic_ns()

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait at most *seconds*; return whether *stop* was set."""
        return stop.wait(max(seconds, 0.0))


def utc_now() -> datetime:
    """Return the calendar's time, for stamps that no media time belongs to."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ClockAnchor:
    """Pins one monotonic instant to one calendar instant."""

    monotonic_ns: int
    utc: datetime

    @classmethod
    def take(cls, clock: Clock) -> Self:
        """Read both clocks once, at start-up."""
        return cls(clock.now_ns(), utc_now())

    def to_utc(self, monotonic_ns: int) -> datetime:
        """Convert a monotonic instant to UTC."""
        return self.utc + timedelta(microseconds=(monotonic_ns - self.monotonic_ns) / 1000)
