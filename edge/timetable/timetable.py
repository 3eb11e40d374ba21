"""Which lesson is on, and when that changes next."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from edge.timetable.slot import Slot

_WEEK = timedelta(days=7)
_FIRST = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday
_SEARCHED = 58  # weeks: longer than any holidays
_KEPT = 128  # weeks of slots in memory


class Timetable:
    """Answers from slots that are worked out week by week, as they are asked for. For one thread.

    Where slots overlap, the one that started last is on; of those, the one that ends first.

    Args:
        between: Returns the slots that overlap a stretch of time (UTC, end exclusive), in any order.
    """

    def __init__(self, between: Callable[[datetime, datetime], Iterable[Slot]]) -> None:
        self._between = between
        self._weeks: dict[int, tuple[Slot, ...]] = {}

    def now(self, at: datetime) -> Slot | None:
        """Return the slot that is on at an instant.

        Raises:
            SettingsError: The timetable can't be worked out for that week.
        """
        at = at.astimezone(UTC)
        on = [slot for slot in self._week(_week_of(at)) if slot.holds(at)]
        return max(on, key=_rank, default=None)

    def next_change(self, at: datetime) -> datetime | None:
        """Return the first instant after *at* at which :meth:`now` says something else, UTC.

        ``None`` where nothing changes in the 57 weeks that follow.

        Raises:
            SettingsError: The timetable can't be worked out for a week.
        """
        at = at.astimezone(UTC)
        before, first = self.now(at), _week_of(at)
        for number in range(first, first + _SEARCHED):
            slots = self._week(number)
            edges = {edge for slot in slots for edge in (slot.starts_at, slot.ends_at)}
            for edge in sorted(edges):
                if edge > at and _week_of(edge) == number and self.now(edge) != before:
                    return edge
        return None

    def _week(self, number: int) -> tuple[Slot, ...]:
        if number not in self._weeks:
            if len(self._weeks) >= _KEPT:
                self._weeks.clear()
            start = _FIRST + number * _WEEK
            self._weeks[number] = tuple(self._between(start, start + _WEEK))
        return self._weeks[number]


def _week_of(at: datetime) -> int:
    return (at - _FIRST) // _WEEK


def _rank(slot: Slot) -> tuple[datetime, timedelta, str, str, str]:
    # The names make the choice the same whatever order the slots came in.
    return slot.starts_at, slot.starts_at - slot.ends_at, slot.title, slot.group, slot.kind
