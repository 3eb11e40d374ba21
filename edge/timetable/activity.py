"""Whether a lesson is on, told by what goes on in the room."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_GRACE = timedelta(seconds=30)  # a camera or a detector may miss so much without the room having changed


@dataclass(slots=True)
class _Streak:
    """For how long something has held."""

    since: datetime | None = None
    last: datetime | None = None

    def see(self, at: datetime, *, holds: bool) -> timedelta:
        """Return how long it has held, breaks of less than :data:`_GRACE` left out of account."""
        if self.last is not None and not timedelta(0) <= at - self.last <= _GRACE:
            self.since = self.last = None
        if holds:
            self.since = self.since or at
            self.last = at
        return timedelta(0) if self.since is None or self.last is None else self.last - self.since

    def end(self) -> None:
        """It holds no more."""
        self.since = self.last = None


class ActivityTrigger:
    """Begins after the room has been busy for a while, and ends after it has been quiet for a while.

    ::

                 busy for busy_for
         off ─────────────────────► on
          ▲                          │
          └──────────────────────────┘
                 quiet for quiet_for

    Busy is: at least *people* in view, or speech in at least *speech_ratio* of the sound. Quiet is: it was looked or
    listened, and neither is so. Without evidence the room is neither, and a break of up to 30 s in what was seen
    changes nothing; a quiet room that is busy for one moment begins to be quiet anew.

    Args:
        people: Least number of people.
        busy_for: How long the room must be busy.
        quiet_for: How long it must be quiet.
        speech_ratio: Least share of speech, in (0, 1].

    Raises:
        ValueError: A number can't be right.
    """

    def __init__(
        self,
        *,
        people: int = 3,
        busy_for: timedelta = timedelta(minutes=3),
        quiet_for: timedelta = timedelta(minutes=5),
        speech_ratio: float = 0.3,
    ) -> None:
        if people < 1 or not 0 < speech_ratio <= 1:
            raise ValueError(f"people must be at least 1 and speech_ratio in (0, 1], got {people} and {speech_ratio}")
        if min(busy_for, quiet_for) <= timedelta(0):
            raise ValueError(f"times must be above 0, got {busy_for} and {quiet_for}")
        self._people, self._speech_ratio = people, speech_ratio
        self._busy_for, self._quiet_for = busy_for, quiet_for
        self._busy, self._quiet = _Streak(), _Streak()
        self._on = False

    @property
    def on(self) -> bool:
        """Whether a lesson seems to be held."""
        return self._on

    def assume_on(self) -> None:
        """Take it that a lesson is on, whatever was seen: it ends after the room has been quiet for a while."""
        self._on = True
        self._quiet.end()

    def see(self, at: datetime, *, people: int | None, speech_ratio: float | None) -> bool:
        """Take in what was observed, in order of time; return whether a lesson seems to be held.

        Args:
            at: When; aware. A step back begins all waits anew.
            people: In view; ``None`` without a camera that sees.
            speech_ratio: Share of speech, in [0, 1]; ``None`` without a microphone that hears.
        """
        busy = (people or 0) >= self._people or (speech_ratio or 0.0) >= self._speech_ratio
        known = people is not None or speech_ratio is not None
        if busy:
            self._quiet.end()
        busy_for = self._busy.see(at, holds=busy)
        quiet_for = self._quiet.see(at, holds=known and not busy)
        if self._on and quiet_for >= self._quiet_for:
            self._on = False
            self._busy.end()
        elif not self._on and busy_for >= self._busy_for:
            self._on = True
            self._quiet.end()
        return self._on
