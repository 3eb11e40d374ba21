"""Reads a timetable's file, whichever kind it is."""

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.errors import SettingsError
from edge.timetable.calendar import CalendarFile
from edge.timetable.timetable import Timetable
from edge.timetable.weekly import Weekly

_LARGEST = 8 * 1024 * 1024  # bytes; a school year of single events has about two million

UTC_ZONE = ZoneInfo("UTC")


def read_timetable(path: Path, *, default_zone: ZoneInfo = UTC_ZONE, location: str | None = None) -> Timetable:
    """Read an iCalendar file (``.ics``) or a weekly plan (``.toml``).

    Args:
        path: The file.
        default_zone: Time zone of times that name none.
        location: Of a calendar, only events with this ``LOCATION``; ``None`` takes all.

    Raises:
        SettingsError: It can't be read, or used; one line with where.
    """
    where = f"timetable {path}"
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"can't be read: {error.strerror}", key=where) from None
    if len(data) > _LARGEST:
        raise SettingsError(f"has more than {_LARGEST} bytes", key=where)
    match path.suffix.lower():
        case ".ics":
            calendar = CalendarFile(data, default_zone=default_zone, location=location, where=where)
            return Timetable(calendar.between)
        case ".toml":
            return Timetable(_read_weekly(data, default_zone=default_zone, where=where).between)
        case _:
            raise SettingsError("must be an iCalendar file, .ics, or a weekly plan, .toml", key=where)


def _read_weekly(data: bytes, *, default_zone: ZoneInfo, where: str) -> Weekly:
    try:
        values = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"is no TOML file: {error}", key=where) from None
    return Weekly(values, default_zone=default_zone, where=where)
