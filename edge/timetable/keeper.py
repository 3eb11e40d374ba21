"""Decides when a lesson begins and ends: a command before the timetable, the timetable before what is seen.

- A lesson begun by command lasts until the slot that is on ends; begun up to ten minutes before a slot, or in it, it
  takes that slot. Begun at any other time it lasts until the next slot begins.
- A lesson ended by command stays ended until the slot that is on ends.
- Where no command holds, a slot of the timetable is a lesson.
- Outside slots the room itself begins and ends a lesson, where that is wanted; after a lesson, whatever made it, only
  once it has been quiet and is busy again.
- No lesson lasts longer than four hours, unless told so: what has been forgotten ends by itself.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from edge.timetable.activity import ActivityTrigger
from edge.timetable.slot import Slot
from edge.timetable.timetable import Timetable

_EARLY = timedelta(minutes=10)


class Cause(StrEnum):
    """What makes a lesson."""

    COMMAND = "command"
    TIMETABLE = "timetable"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True)
class Begin:
    """A lesson begins."""

    slot: Slot
    """``starts_at`` is when it began by the clock that decided, ``ends_at`` when it will end if nothing happens."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class End:
    """The lesson that runs ends."""

    slot: Slot
    """As it was begun."""


Change = Begin | End


@dataclass(frozen=True, slots=True)
class _Hold:
    """What a command wants, and for how long."""

    slot: Slot | None
    until: datetime


class LessonKeeper:
    """Says at each tick what begins and what ends. Holds no clock and no thread; for one thread.

    Args:
        timetable: ``None``: there is none.
        activity: ``None``: what is seen begins nothing.
        longest: A lesson's longest time.
        title: Of lessons that have no other.
    """

    def __init__(
        self,
        *,
        timetable: Timetable | None = None,
        activity: ActivityTrigger | None = None,
        longest: timedelta = timedelta(hours=4),
        title: str = "Lesson",
    ) -> None:
        if longest <= timedelta(0):
            raise ValueError(f"longest must be above 0, got {longest}")
        self._timetable, self._activity, self._longest, self._title = timetable, activity, longest, title
        self._hold: _Hold | None = None
        self._running: Begin | None = None
        self._spent = False  # whether what goes on in the room has had its lesson

    @property
    def running(self) -> Slot | None:
        """The lesson that runs."""
        return None if self._running is None else self._running.slot

    def see(self, at: datetime, *, people: int | None, speech_ratio: float | None) -> None:
        """Take in what was observed in the room; see :meth:`ActivityTrigger.see`."""
        if self._activity is not None and not self._activity.see(at, people=people, speech_ratio=speech_ratio):
            self._spent = False

    def begin(self, at: datetime, *, title: str = "", group: str = "", kind: str = "") -> tuple[Change, ...]:
        """Begin a lesson by command; what is not said is taken from the slot that is on.

        Raises:
            SettingsError: The timetable can't be worked out.
        """
        at = at.astimezone(UTC)
        slot, last = self._slot(at) or self._slot(at + _EARLY), at + self._longest
        if slot is not None:
            title, group, kind = title or slot.title, group or slot.group, kind or slot.kind
        until = min(last, (slot.ends_at if slot is not None else self._next_change(at)) or last)
        self._hold = _Hold(Slot(title or self._title, group, kind, at, until), until)
        return self.tick(at)

    def end(self, at: datetime) -> tuple[Change, ...]:
        """End a lesson by command; where none runs, none begins until the slot ends or the room has been quiet.

        Raises:
            SettingsError: The timetable can't be worked out.
        """
        at = at.astimezone(UTC)
        slot, ended = self._slot(at), self._running
        self._hold = None if slot is None else _Hold(None, slot.ends_at)
        self._running = None
        self._rest()
        return () if ended is None else (End(ended.slot),)

    def tick(self, at: datetime) -> tuple[Change, ...]:
        """Return what begins and ends now; an end comes before a beginning.

        Raises:
            SettingsError: The timetable can't be worked out.
        """
        at = at.astimezone(UTC)
        wanted, ended = self._wanted(at), self._running
        if wanted == ended:
            return ()
        self._running = wanted
        changes: list[Change] = []
        if ended is not None:
            self._rest()
            changes.append(End(ended.slot))
        if wanted is not None:
            changes.append(wanted)
        return tuple(changes)

    def _wanted(self, at: datetime) -> Begin | None:
        if self._hold is not None and at >= self._hold.until:
            self._hold = None
        if self._hold is not None:
            return None if self._hold.slot is None else Begin(self._hold.slot, Cause.COMMAND)
        slot = self._slot(at)
        if slot is not None:
            named = replace(slot, title=slot.title or self._title)
            return Begin(named, Cause.TIMETABLE) if at < slot.starts_at + self._longest else None
        return self._by_activity(at)

    def _by_activity(self, at: datetime) -> Begin | None:
        running, on = self._running, self._activity is not None and self._activity.on
        if running is not None:
            goes_on = on and running.cause is Cause.ACTIVITY and at < running.slot.ends_at
            return running if goes_on else None
        if not on or self._spent:
            return None
        return Begin(Slot(self._title, "", "", at, at + self._longest), Cause.ACTIVITY)

    def _rest(self) -> None:
        """Begin nothing by what is seen before the room has been quiet."""
        self._spent = True
        if self._activity is not None:
            self._activity.assume_on()

    def _slot(self, at: datetime) -> Slot | None:
        return None if self._timetable is None else self._timetable.now(at)

    def _next_change(self, at: datetime) -> datetime | None:
        return None if self._timetable is None else self._timetable.next_change(at)
