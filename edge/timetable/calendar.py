"""A timetable from an iCalendar file (RFC 5545), as schools' programs export it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events  # type: ignore[import-untyped] # it ships no types
from icalendar import Calendar, Event

from edge.errors import SettingsError
from edge.timetable.slot import Slot

_MOST_EVENTS = 10_000
_TRIED = 10  # events worked out at once, so that a fault is found when the file is read
_LONGEST_LABEL = 100
_OLDEST = 1970
_TIMES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE")

_WEEKLY = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "WKST"})
_PARTS = {
    "DAILY": _WEEKLY,
    "WEEKLY": _WEEKLY,
    "MONTHLY": _WEEKLY | {"BYMONTHDAY", "BYSETPOS"},
    "YEARLY": _WEEKLY | {"BYMONTHDAY", "BYSETPOS"},
}
"""Parts of a recurrence rule by how often it repeats: what can be worked out quickly, whatever the numbers are."""

_NUMBERS = {
    "INTERVAL": (1, 520),
    "COUNT": (1, 10_000),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYSETPOS": (-366, 366),
}


class CalendarFile:
    """Slots from the events of one calendar.

    All-day and cancelled events are no lessons. ``SUMMARY`` is the title; the group is ``X-EDGE-GROUP``, or the first
    of the ``CATEGORIES``; the type of lesson is ``X-EDGE-KIND``.

    Args:
        data: What the file holds.
        default_zone: Time zone of times that name none.
        location: Only events with this ``LOCATION``; ``None`` takes all.
        where: The file, for errors.

    Raises:
        SettingsError: It is no calendar, or an event in it can't be used; the first fault is named.
    """

    def __init__(self, data: bytes, *, default_zone: ZoneInfo, location: str | None, where: str) -> None:
        self._zone, self._location, self._where = default_zone, location, where
        try:
            calendar = Calendar.from_ical(data)
        except Exception as error:  # noqa: BLE001 - whatever the library meets in a file, the file is the reason
            raise SettingsError(f"is no iCalendar file: {_line(error)}", key=where) from None
        if calendar.name != "VCALENDAR":
            raise SettingsError(f"is no iCalendar file: it begins with {calendar.name}", key=where)
        events = [part for part in calendar.subcomponents if isinstance(part, Event)]
        if len(events) > _MOST_EVENTS:
            raise SettingsError(f"has {len(events)} events, at most {_MOST_EVENTS} are read", key=where)
        for number, event in enumerate(events, 1):
            self._check(event, f"{where}: event {number} ({_label(event.get('SUMMARY')) or 'without a SUMMARY'})")
        if not any(_is_timed(event) for event in events):
            raise SettingsError("has no event with a time of day", key=where)
        try:
            self._query = recurring_ical_events.of(calendar)
        except Exception as error:  # noqa: BLE001 - as above
            raise self._unusable(error) from None
        for event in [one for one in events if "RRULE" in one or "RDATE" in one][:_TRIED]:
            first = _values(event, "DTSTART")[0].dt
            day = datetime(first.year, first.month, first.day, tzinfo=UTC)
            self._expand(day, day + timedelta(days=1))

    def between(self, start: datetime, end: datetime) -> Iterator[Slot]:
        """Return the slots that overlap a stretch of time.

        Raises:
            SettingsError: An event repeats in a way that can't be worked out.
        """
        # A day around it, since times without a zone are compared as if they were UTC.
        for slot in self._expand(start - timedelta(days=1), end + timedelta(days=1)):
            if slot.starts_at < end and slot.ends_at > start:
                yield slot

    def _expand(self, start: datetime, end: datetime) -> list[Slot]:
        try:
            slots = [self._slot(event) for event in self._query.between(start, end)]
        except Exception as error:  # noqa: BLE001 - as above
            raise self._unusable(error) from None
        return [slot for slot in slots if slot is not None]

    def _slot(self, event: Event) -> Slot | None:
        start, end = event.start, event.end
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            return None
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            return None
        if self._location is not None and str(event.get("LOCATION", "")).strip() != self._location:
            return None
        starts_at, ends_at = self._utc(start), self._utc(end)
        if ends_at <= starts_at:
            return None
        group = event.get("X-EDGE-GROUP") or _first_category(event)
        title, kind = _label(event.get("SUMMARY")), _label(event.get("X-EDGE-KIND"))
        return Slot(title, _label(group), kind, starts_at, ends_at)

    def _utc(self, at: datetime) -> datetime:
        return (at.replace(tzinfo=self._zone) if at.tzinfo is None else at).astimezone(UTC)

    def _check(self, event: Event, where: str) -> None:
        """Refuse what would be read wrongly, or take for ever."""
        for name, fault in event.errors:
            if name in _TIMES:
                raise SettingsError(f"{name} can't be read: {_line(fault)}", key=where)
        if len(_values(event, "DTSTART")) != 1:
            raise SettingsError("must have one DTSTART", key=where)
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"):
            for value in _values(event, name):
                _check_time(value, f"{where}: {name}")
        if not _is_timed(event):
            return
        self._check_length(event, where)
        rules = _values(event, "RRULE")
        if len(rules) > 1:
            raise SettingsError("has more than one RRULE", key=where)
        if rules:
            _check_rule(rules[0], f"{where}: RRULE")

    def _check_length(self, event: Event, where: str) -> None:
        try:
            start, end = event.start, event.end
        except Exception as error:  # noqa: BLE001 - as above
            raise SettingsError(_line(error), key=where) from None
        if isinstance(start, datetime) and isinstance(end, datetime) and self._utc(end) < self._utc(start):
            raise SettingsError("ends before it begins", key=where)

    def _unusable(self, error: Exception) -> SettingsError:
        return SettingsError(f"can't be used: {_line(error)}", key=self._where)


def _check_time(value: Any, where: str) -> None:  # noqa: ANN401 - one of icalendar's types
    zone = value.params.get("TZID")
    for one in getattr(value, "dts", [value]):
        at = one.dt[0] if isinstance(one.dt, tuple) else one.dt  # a period's begin
        if not isinstance(at, date):
            raise SettingsError("must be a date or a time of a date", key=where)
        if not _OLDEST <= at.year <= 9000:  # noqa: PLR2004 - far from where dates end
            raise SettingsError(f"must be a year from {_OLDEST}, got {at.year}", key=where)
        if zone is not None and isinstance(at, datetime) and at.tzinfo is None:
            raise SettingsError(f"names a time zone {str(zone)[:64]!r} that isn't known", key=where)


def _check_rule(rule: Any, where: str) -> None:  # noqa: ANN401 - icalendar's
    often = ",".join(str(one).upper() for one in rule.get("FREQ", []))
    if often not in _PARTS:
        raise SettingsError(f"a lesson repeats {', '.join(_PARTS)}, not {often or 'without FREQ'}", key=where)
    if unknown := sorted(set(rule) - _PARTS[often]):
        raise SettingsError(f"{unknown[0]} can't be used with {often}", key=where)
    for part, (least, most) in _NUMBERS.items():
        for number in rule.get(part, []):
            if not least <= int(number) <= most or not int(number):
                raise SettingsError(f"{part} must be {least} to {most}, got {int(number)}", key=where)


def _is_timed(event: Event) -> bool:
    return isinstance(_values(event, "DTSTART")[0].dt, datetime)


def _values(event: Event, name: str) -> list[Any]:
    value = event.get(name, [])
    return value if isinstance(value, list) else [value]


def _first_category(event: Event) -> str:
    categories = next(iter(_values(event, "CATEGORIES")), None)
    return "" if categories is None or not categories.cats else str(categories.cats[0])


def _label(value: object) -> str:
    text = str(value[0] if isinstance(value, list) and value else value or "")
    return " ".join(text.split())[:_LONGEST_LABEL]


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]
