"""A timetable that is the same each week, from TOML."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import model_validator as check

from edge.errors import SettingsError
from edge.timetable.slot import Slot
from edge.timetable.zone import zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_MOST = 1000


def _clock(value: object) -> time:
    if isinstance(value, time) and not value.second and not value.microsecond:
        return value
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value)):
        return time(int(match[1]), int(match[2]))
    raise ValueError('must be a time of day such as "08:45"')


Clock = Annotated[time, BeforeValidator(_clock)]
Label = Annotated[str, Field(max_length=100)]


class _Lesson(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    begins: Clock = Field(alias="from")
    ends: Clock = Field(alias="to")
    title: Annotated[Label, Field(min_length=1)]
    group: Label = ""
    kind: Label = ""

    @check(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError("to must be after from, on the same day")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    timezone: str | None = None
    lessons: Annotated[list[_Lesson], Field(min_length=1, max_length=_MOST)]

    @check(mode="after")
    def _one_at_a_time(self) -> Self:
        placed = sorted((_DAYS.index(one.weekday), one.begins, one.ends, one.title) for one in self.lessons)
        for (day, _, ends, title), (next_day, begins, _, next_title) in pairwise(placed):
            if day == next_day and begins < ends:
                raise ValueError(f"{title!r} and {next_title!r} overlap on {_DAYS[day]} at {begins:%H:%M}")
        return self


class Weekly:
    """Slots that repeat each week by the clocks on the wall.

    Where the clocks go forward over a slot's beginning or end, that is an hour later by them; where they go back, the
    first of the two hours is meant.

    Args:
        values: What the file says.
        default_zone: Time zone where the file names none.
        where: The file, for errors.

    Raises:
        SettingsError: It says something that can't be; the first fault is named.
    """

    def __init__(self, values: dict[str, Any], *, default_zone: ZoneInfo, where: str) -> None:
        try:
            file = _File.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            message = str(first["msg"]).removeprefix("Value error, ")
            if first["type"] == "extra_forbidden":
                message = "unknown key; check its spelling"
            raise SettingsError(message, key=f"{where}: {key}" if key else where) from None
        self._lessons = file.lessons
        self._zone = default_zone if file.timezone is None else zone(file.timezone, key=f"{where}: timezone")

    def between(self, start: datetime, end: datetime) -> Iterator[Slot]:
        """Return the slots that overlap a stretch of time."""
        day = start.astimezone(self._zone).date() - timedelta(days=1)
        while day <= end.astimezone(self._zone).date():
            for lesson in self._lessons:
                if _DAYS[day.weekday()] == lesson.weekday:
                    starts_at, ends_at = (
                        datetime.combine(day, at, self._zone).astimezone(UTC) for at in (lesson.begins, lesson.ends)
                    )
                    # A lesson that lies in the hour that is left out may have no time at all.
                    if starts_at < ends_at and starts_at < end and ends_at > start:
                        yield Slot(lesson.title, lesson.group, lesson.kind, starts_at, ends_at)
            day += timedelta(days=1)
