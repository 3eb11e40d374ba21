"""Timetables as they are written: weekly plans and calendars."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.timetable.read import read_timetable
from edge.timetable.slot import Slot
from edge.timetable.timetable import Timetable
from edge.timetable.zone import zone
from tests.strategies import few

VIENNA = ZoneInfo("Europe/Vienna")
DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "timetable.md").read_text("utf-8")

MONDAY = """
timezone = "Europe/Vienna"
[[lessons]]
weekday = "mon"
from = "08:00"
to = 08:45:00
title = "Maths"
group = "7b"
kind = "lecture"
[[lessons]]
weekday = "mon"
from = "08:45"
to = "09:30"
title = "Physics"
"""


def wall(*when: int) -> datetime:
    """Return an instant by Vienna's clocks; the first of two where they go back."""
    year, month, day, hour, minute = when
    return datetime(year, month, day, hour, minute, tzinfo=VIENNA)


def weekly(folder: Path, text: str) -> Timetable:
    """Read a weekly plan."""
    path = folder / "plan.toml"
    path.write_text(text, "utf-8")
    return read_timetable(path)


def calendar(folder: Path, *events: str, location: str | None = None, zone_of_box: ZoneInfo = VIENNA) -> Timetable:
    """Read a calendar of these events."""
    path = folder / "plan.ICS"
    body = "".join(f"BEGIN:VEVENT\nUID:{number}\n{event}\nEND:VEVENT\n" for number, event in enumerate(events))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{body}END:VCALENDAR\n".replace("\n", "\r\n")
    path.write_bytes(text.encode())
    return read_timetable(path, default_zone=zone_of_box, location=location)


def changes(table: Timetable, at: datetime, count: int) -> list[tuple[str, str | None]]:
    """Return the next changes by Vienna's clocks, each with the title of what is on from then."""
    found = list[tuple[str, str | None]]()
    for _ in range(count):
        following = table.next_change(at)
        if following is None:
            break
        at, slot = following, table.now(following)
        found.append((f"{at.astimezone(VIENNA):%m-%d %H:%M}", None if slot is None else slot.title))
    return found


WEEKLY_EVENT = """SUMMARY:Maths
CATEGORIES:7b,core
DTSTART;TZID=Europe/Vienna:20260302T080000
DTEND;TZID=Europe/Vienna:20260302T084500
RRULE:FREQ=WEEKLY;BYDAY=MO"""


def test_week_repeats(tmp_path: Path) -> None:
    """Lessons of a weekly plan are on at their times each week, back to back."""
    table = weekly(tmp_path, MONDAY)
    now = table.now(wall(2026, 3, 2, 8, 44))

    assert now == Slot(
        "Maths", "7b", "lecture", datetime(2026, 3, 2, 7, 0, tzinfo=UTC), datetime(2026, 3, 2, 7, 45, tzinfo=UTC)
    )
    assert table.now(wall(2026, 3, 2, 9, 30)) is None
    assert changes(table, wall(2026, 3, 2, 7, 0), 4) == [
        ("03-02 08:00", "Maths"),
        ("03-02 08:45", "Physics"),
        ("03-02 09:30", None),
        ("03-09 08:00", "Maths"),
    ]


def test_week_keeps_to_the_clock_on_the_wall(tmp_path: Path) -> None:
    """Before and after the clocks change a lesson begins at the same time by them, and lasts as long."""
    table = weekly(tmp_path, MONDAY)
    winter, summer = table.now(wall(2026, 3, 23, 8, 0)), table.now(wall(2026, 3, 30, 8, 0))

    assert winter is not None
    assert summer is not None
    assert (winter.starts_at.hour, summer.starts_at.hour) == (7, 6)
    assert summer.starts_at - winter.starts_at == timedelta(days=7, hours=-1)
    assert summer.ends_at - summer.starts_at == timedelta(minutes=45)


@pytest.mark.parametrize(
    ("begins", "ends", "day", "minutes"),
    [
        ("01:30", "03:30", (2026, 3, 29), 60),  # the hour from 2 to 3 is left out
        ("02:15", "02:45", (2026, 3, 29), 30),  # it lies in that hour, and is an hour later
        ("02:45", "03:00", (2026, 3, 29), None),  # by the clocks it would end before it begins
        ("01:30", "03:30", (2026, 10, 25), 180),  # the hour from 2 to 3 comes twice
        ("02:15", "02:45", (2026, 10, 25), 30),  # the first of the two
    ],
)
def test_week_when_the_clocks_change(
    tmp_path: Path, begins: str, ends: str, day: tuple[int, int, int], minutes: int | None
) -> None:
    """A lesson at night lasts from clock to clock, and none lasts less than no time."""
    text = f'timezone = "Europe/Vienna"\n[[lessons]]\nweekday="sun"\nfrom="{begins}"\nto="{ends}"\ntitle="Night"\n'
    table = weekly(tmp_path, text)
    start = table.next_change(wall(*day, 0, 0))
    slot = None if start is None else table.now(start)

    assert slot is not None
    if minutes is None:
        assert slot.starts_at > wall(*day, 12, 0)
    else:
        assert slot.ends_at - slot.starts_at == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[lessons", "is no TOML file"),
        ("", "lessons: Field required"),
        ("lessons = []", "lessons: List should have at least 1"),
        ("lessons = 3", "lessons: Input should be a valid list"),
        (MONDAY.replace("mon", "monday"), "lessons.0.weekday: Input should be 'mon'"),
        (MONDAY.replace('"08:00"', '"8:00"'), 'lessons.0.from: must be a time of day such as "08:45"'),
        (MONDAY.replace('"08:00"', "800"), "lessons.0.from: must be a time of day"),
        (MONDAY.replace('"09:30"', '"08:30"'), "lessons.1: to must be after from"),
        (MONDAY.replace('from = "08:45"', 'from = "08:30"'), "'Maths' and 'Physics' overlap on mon at 08:30"),
        (MONDAY.replace("Vienna", "Atlantis"), "timezone: no time zone 'Europe/Atlantis'"),
        (MONDAY.replace("group", "groop"), "lessons.0.groop: unknown key"),
        (MONDAY.replace('title = "Maths"', ""), "lessons.0.title: Field required"),
    ],
)
def test_nonsense_in_a_week(tmp_path: Path, text: str, error: str) -> None:
    """A weekly plan that can't be is one line with the file and the key."""
    with pytest.raises(SettingsError, match=re.escape(f"timetable {tmp_path / 'plan.toml'}: {error}")) as caught:
        weekly(tmp_path, text)

    assert "\n" not in str(caught.value)


def test_calendar_repeats_with_exceptions(tmp_path: Path) -> None:
    """Events of a calendar repeat by their rule, but for exceptions, by the clock on the wall."""
    exception = "EXDATE;TZID=Europe/Vienna:20260330T080000"
    table = calendar(tmp_path, f"{WEEKLY_EVENT};UNTIL=20260413T060000Z\n{exception}")
    slot = table.now(wall(2026, 3, 23, 8, 10))

    assert slot is not None
    assert (slot.title, slot.group, slot.kind) == ("Maths", "7b", "")
    assert changes(table, wall(2026, 3, 20, 0, 0), 20) == [
        ("03-23 08:00", "Maths"),
        ("03-23 08:45", None),
        ("04-06 08:00", "Maths"),
        ("04-06 08:45", None),
        ("04-13 08:00", "Maths"),
        ("04-13 08:45", None),
    ]


def test_calendar_with_a_changed_event(tmp_path: Path) -> None:
    """One event of a series that was moved, and one that was cancelled, are where the calendar says."""
    moved = "UID:0\nSUMMARY:Maths, moved\nRECURRENCE-ID;TZID=Europe/Vienna:20260309T080000\n"
    moved += "DTSTART;TZID=Europe/Vienna:20260309T100000\nDTEND;TZID=Europe/Vienna:20260309T104500"
    off = "UID:0\nSTATUS:CANCELLED\nRECURRENCE-ID;TZID=Europe/Vienna:20260316T080000\n"
    off += "DTSTART;TZID=Europe/Vienna:20260316T080000\nDTEND;TZID=Europe/Vienna:20260316T084500"
    path = tmp_path / "plan.ics"
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in (f"UID:0\n{WEEKLY_EVENT}", moved, off))
    path.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{body}END:VCALENDAR\n", "utf-8")

    assert changes(read_timetable(path), wall(2026, 3, 3, 0, 0), 3) == [
        ("03-09 10:00", "Maths, moved"),
        ("03-09 10:45", None),
        ("03-23 08:00", "Maths"),
    ]


def test_calendar_with_a_zone_of_its_own(tmp_path: Path) -> None:
    """A zone that the calendar itself defines is used, whatever its name."""
    path = tmp_path / "plan.ics"
    text = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VTIMEZONE
TZID:Our School
BEGIN:STANDARD
DTSTART:20200101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0300
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1
SUMMARY:Maths
DTSTART;TZID=Our School:20260302T080000
DTEND;TZID=Our School:20260302T084500
END:VEVENT
END:VCALENDAR
"""
    path.write_text(text, "utf-8")
    slot = read_timetable(path).now(datetime(2026, 3, 2, 5, 0, tzinfo=UTC))

    assert slot is not None
    assert slot.starts_at == datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def test_calendar_events_that_are_no_lessons(tmp_path: Path) -> None:
    """All-day, cancelled and timeless events, and those of other rooms, are left out."""
    day = "SUMMARY:Holiday\nDTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260307"
    yearly = "SUMMARY:Birthday\nDTSTART;VALUE=DATE:20200302\nRRULE:FREQ=YEARLY;BYYEARDAY=61"
    off = "SUMMARY:Off\nSTATUS:cancelled\nDTSTART:20260302T090000Z\nDURATION:PT45M"
    reminder = "SUMMARY:Bell\nDTSTART:20260302T100000Z"
    other = "SUMMARY:Other\nLOCATION:Room 9\nDTSTART:20260302T110000Z\nDURATION:PT45M"
    ours = "SUMMARY:Ours\nLOCATION: Room 12 \nDTSTART:20260302T120000Z\nDURATION:PT45M"
    every = calendar(tmp_path, day, yearly, off, reminder, other, ours)
    room = calendar(tmp_path, day, yearly, off, reminder, other, ours, location="Room 12")
    monday = wall(2026, 3, 2, 0, 0)

    assert changes(every, monday, 9) == [
        ("03-02 12:00", "Other"), ("03-02 12:45", None), ("03-02 13:00", "Ours"), ("03-02 13:45", None)
    ]  # fmt: skip
    assert changes(room, monday, 9) == [("03-02 13:00", "Ours"), ("03-02 13:45", None)]


def test_calendar_times_without_a_zone_are_the_boxes(tmp_path: Path) -> None:
    """A floating time is in the zone of the box, and our own properties name group and type."""
    event = "SUMMARY:Maths\nX-EDGE-GROUP:8a\nX-EDGE-KIND:group work\nCATEGORIES:x\n"
    event += "DTSTART:20260301T233000\nDTEND:20260301T235000\nRRULE:FREQ=DAILY;COUNT=2"
    table = calendar(tmp_path, event, zone_of_box=ZoneInfo("America/New_York"))
    slot = table.now(datetime(2026, 3, 2, 4, 40, tzinfo=UTC))  # Sunday there, Monday in UTC

    assert slot is not None
    assert (slot.group, slot.kind) == ("8a", "group work")
    assert slot.starts_at == datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def test_latest_of_overlapping_slots_is_on(tmp_path: Path) -> None:
    """Where slots overlap the one that started last is on, of those the one that ends first."""
    events = [
        f"SUMMARY:{title}\nDTSTART:20260302T{start}00Z\nDTEND:20260302T{end}00Z"
        for title, start, end in (("long", "0700", "1000"), ("late", "0800", "0900"), ("later", "0800", "0930"))
    ]

    assert changes(calendar(tmp_path, *events), wall(2026, 3, 2, 7, 0), 9) == [
        ("03-02 08:00", "long"),
        ("03-02 09:00", "late"),
        ("03-02 10:00", "later"),
        ("03-02 10:30", "long"),
        ("03-02 11:00", None),
    ]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ("SUMMARY:M", "event 1 (M): must have one DTSTART"),
        ("DTSTART:20260302T080000\nDTSTART:20260302T090000", "event 1 (without a SUMMARY): must have one DTSTART"),
        ("DTSTART:20260302T0800", "event 1 (without a SUMMARY): DTSTART can't be read"),
        ("DTSTART:080000", "event 1 (without a SUMMARY): DTSTART: must be a date or a time of a date"),
        ("DTSTART:00010101T000000", "event 1 (without a SUMMARY): DTSTART: must be a year from 1970"),
        ("DTSTART;TZID=Mars/Base:20260302T080000", "DTSTART: names a time zone 'Mars/Base' that isn't known"),
        (f"{WEEKLY_EVENT}\nEXDATE;TZID=Mars/Base:20260309T080000", "EXDATE: names a time zone 'Mars/Base'"),
        ("DTSTART:20260302T080000Z\nDTEND:20260302T074500Z", "ends before it begins"),
        ("DTSTART:20260302T080000Z\nDTEND:20260303", "DTSTART and DTEND must be of the same type"),
        ("DTSTART:20260302T080000Z\nDTEND:20260302T084500Z\nDURATION:PT1H", "Only one of DTEND and DURATION"),
        ("DTSTART:20260302T080000Z\nDURATION:P99999999W", "event 1 (without a SUMMARY): date value out of range"),
        (f"{WEEKLY_EVENT}\nRRULE:FREQ=DAILY", "has more than one RRULE"),
        (f"{WEEKLY_EVENT};INTERVAL=0", "RRULE: INTERVAL must be 1 to 520, got 0"),
        (f"{WEEKLY_EVENT};COUNT=0", "RRULE: COUNT must be 1 to 10000, got 0"),
        (f"{WEEKLY_EVENT};BYMONTH=13", "RRULE: BYMONTH must be 1 to 12, got 13"),
        (f"{WEEKLY_EVENT};BYHOUR=1", "RRULE: BYHOUR can't be used with WEEKLY"),
        (f"{WEEKLY_EVENT};BYMONTHDAY=30", "RRULE: BYMONTHDAY can't be used with WEEKLY"),
        (f"{WEEKLY_EVENT};UNTIL=tomorrow", "RRULE can't be read"),
        (WEEKLY_EVENT.replace("WEEKLY", "SECONDLY"), "RRULE: a lesson repeats DAILY, WEEKLY, MONTHLY, YEARLY, not"),
        (WEEKLY_EVENT.replace("WEEKLY", "OFTEN"), "RRULE can't be read"),
        (WEEKLY_EVENT.replace("FREQ=WEEKLY;", ""), "not without FREQ"),
        (WEEKLY_EVENT.replace("WEEKLY;BYDAY=MO", "MONTHLY;BYDAY=99MO"), "can't be used"),
        ("DTSTART;VALUE=DATE:20260302", "has no event with a time of day"),
    ],
)
def test_nonsense_in_a_calendar(tmp_path: Path, event: str, error: str) -> None:
    """An event that would be read wrongly or take for ever is one line with the file and the event."""
    with pytest.raises(SettingsError, match=re.escape(error)) as caught:
        calendar(tmp_path, event)

    assert str(caught.value).startswith(f"timetable {tmp_path / 'plan.ICS'}: ")
    assert "\n" not in str(caught.value)


PARTS = st.sampled_from(
    [
        b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"BEGIN:VEVENT", b"END:VEVENT", b"DTSTART:20260302T080000Z", b"UID:1",
        b"DTSTART:20260302T080000", b"DURATION:PT45M", b"DURATION:-PT45M", b"DTEND:20260302T084500Z",
        b"RRULE:FREQ=WEEKLY", b"RRULE:FREQ=DAILY;COUNT=3", b"RRULE:FREQ=MONTHLY;BYDAY=-1FR", b"EXDATE:20260309T080000Z",
        b"RDATE:20260310T080000Z", b"RECURRENCE-ID:20260309T080000Z", b"BEGIN:VTIMEZONE", b"END:VTIMEZONE", b"\xff",
        b"X-WR-TIMEZONE:Europe/Vienna", b"SUMMARY;X=:a", b"CATEGORIES:", b"DTSTART;TZID=:20260302T080000",
    ]
)  # fmt: skip


@few
@given(st.lists(PARTS, max_size=12) | st.binary(max_size=200).map(lambda data: [data]))
def test_any_bytes_are_a_calendar_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Whatever a file holds, it is a timetable that answers, or one error of one line."""
    for suffix in ("ics", "toml"):
        path = tmp_path_factory.mktemp("fuzz") / f"plan.{suffix}"
        inside = b"\r\n".join([b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", *lines, b"END:VEVENT", b"END:VCALENDAR"])
        for data in (inside, b"\r\n".join(lines)):
            path.write_bytes(data)
            fault = ""
            try:
                table = read_timetable(path)
                table.next_change(datetime(2026, 3, 1, tzinfo=UTC))
            except SettingsError as error:
                fault = str(error)
            assert "\n" not in fault


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    """A file that isn't there, is of another kind, or far too large, is one line."""
    for name, error in (
        ("none.ics", "No such file"),
        ("plan.xlsx", "must be an iCalendar file"),
        ("big.ics", "8388608"),
    ):
        path = tmp_path / name
        if name != "none.ics":
            path.write_bytes(b" " * (8 * 1024 * 1024 + 1 if name == "big.ics" else 1))
        with pytest.raises(SettingsError, match=error):
            read_timetable(path)


@pytest.mark.parametrize("name", ["", "Europe", "Nowhere", "../../etc/passwd", "/etc/passwd", "a\x00"])
def test_zones_that_are_none(name: str) -> None:
    """A name that is no zone's, whatever it is instead, is one line with its key."""
    with pytest.raises(SettingsError, match=r"^here: no time zone"):
        zone(name, key="here")


def test_slot_is_in_utc_and_takes_time() -> None:
    """A slot of another zone's times, or without length, can't be made."""
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    with pytest.raises(ValueError, match="UTC"):
        Slot("a", "", "", at.astimezone(VIENNA), at + timedelta(hours=1))
    with pytest.raises(ValueError, match="end after"):
        Slot("a", "", "", at, at)


def test_documented_week_is_one(tmp_path: Path) -> None:
    """The plan in the document can be used as it is."""
    (example,) = re.findall(r"```text\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    slot = weekly(tmp_path, example).now(wall(2026, 3, 2, 9, 0))

    assert slot is not None
    assert slot.title == "Physics"
