"""Which of command, timetable and room decides when a lesson begins and ends."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.timetable.activity import ActivityTrigger
from edge.timetable.keeper import Begin, Cause, Change, End, LessonKeeper
from edge.timetable.slot import Slot
from edge.timetable.timetable import Timetable
from tests.strategies import few

LONGEST = timedelta(hours=4)


def at(clock: str, day: int = 2) -> datetime:
    """Return an instant of March 2026, UTC."""
    hour, minute = clock.split(":")
    return datetime(2026, 3, day, int(hour), int(minute), tzinfo=UTC)


MATHS = Slot("Maths", "7b", "lecture", at("08:00"), at("08:45"))
PHYSICS = Slot("Physics", "7b", "lab", at("08:45"), at("09:30"))
ART = Slot("", "8a", "", at("11:00"), at("12:00"))


def keeper(*, activity: bool = False, slots: Iterable[Slot] = (MATHS, PHYSICS, ART)) -> LessonKeeper:
    """Return one with a timetable, and on request an eye on the room."""
    slots = tuple(slots)
    table = Timetable(lambda start, end: [slot for slot in slots if slot.starts_at < end and slot.ends_at > start])
    trigger = ActivityTrigger(busy_for=timedelta(minutes=3), quiet_for=timedelta(minutes=5))
    return LessonKeeper(timetable=table, activity=trigger if activity else None)


def told(changes: Iterable[Change]) -> list[str]:
    """Return changes in short."""
    return [f"begin {c.slot.title} {c.cause.value}" if isinstance(c, Begin) else f"end {c.slot.title}" for c in changes]


def watch(one: LessonKeeper, start: datetime, end: datetime, *, people: int | None = None) -> list[tuple[str, str]]:
    """Tick every twenty seconds; return each change with its time."""
    found, now = list[tuple[str, str]](), start
    while now < end:
        one.see(now, people=people, speech_ratio=None)
        found += [(f"{now:%H:%M}", change) for change in told(one.tick(now))]
        now += timedelta(seconds=20)
    return found


def test_timetable_begins_and_ends() -> None:
    """Each slot is a lesson from its beginning to its end; one without a title gets one."""
    assert watch(keeper(), at("07:00"), at("13:00"), people=20) == [
        ("08:00", "begin Maths timetable"),
        ("08:45", "end Maths"),
        ("08:45", "begin Physics timetable"),
        ("09:30", "end Physics"),
        ("11:00", "begin Lesson timetable"),
        ("12:00", "end Lesson"),
    ]


def test_start_in_the_middle_of_a_slot() -> None:
    """A box that is switched on during a lesson begins it."""
    one = keeper()

    assert told(one.tick(at("08:20"))) == ["begin Maths timetable"]
    assert one.running == MATHS


def test_command_takes_the_slot_it_is_given_in() -> None:
    """A lesson begun by command lasts until the slot's end, and has what it doesn't say from the slot."""
    one = keeper()
    one.tick(at("08:00"))
    begun = one.begin(at("08:20"), title="Test")
    later = watch(one, at("08:21"), at("09:00"))

    assert told(begun) == ["end Maths", "begin Test command"]
    assert begun[1] == Begin(Slot("Test", "7b", "lecture", at("08:20"), at("08:45")), Cause.COMMAND)
    assert later == [("08:45", "end Test"), ("08:45", "begin Physics timetable")]


def test_command_just_before_a_slot_takes_it() -> None:
    """A teacher who begins some minutes early has one lesson, not two."""
    one = keeper()
    begun = one.begin(at("07:52"))

    assert begun == (Begin(Slot("Maths", "7b", "lecture", at("07:52"), at("08:45")), Cause.COMMAND),)
    assert watch(one, at("07:53"), at("08:46")) == [("08:45", "end Maths"), ("08:45", "begin Physics timetable")]


def test_command_outside_slots_lasts_until_the_next() -> None:
    """A lesson begun in a free hour gives way to the timetable."""
    one = keeper()
    one.begin(at("10:00"), title="Choir")

    assert watch(one, at("10:01"), at("11:30")) == [("11:00", "end Choir"), ("11:00", "begin Lesson timetable")]


def test_ended_by_command_stays_ended() -> None:
    """What a command ended does not begin again before the slot is over; ending nothing changes nothing."""
    one = keeper()
    one.tick(at("08:00"))

    assert told(one.end(at("08:20"))) == ["end Maths"]
    assert one.end(at("08:21")) == ()
    assert watch(one, at("08:21"), at("09:00")) == [("08:45", "begin Physics timetable")]


def test_begin_after_end_wins() -> None:
    """The last command is the one that holds."""
    one = keeper()
    one.tick(at("08:00"))
    one.end(at("08:10"))

    assert told(one.begin(at("08:11"))) == ["begin Maths command"]
    assert told(one.begin(at("08:12"), title="B")) == ["end Maths", "begin B command"]
    assert told(one.end(at("08:13"))) == ["end B"]


def test_room_begins_and_ends_where_the_timetable_is_free() -> None:
    """Outside slots a busy room is a lesson; a slot that begins ends it."""
    one = keeper(activity=True)

    assert watch(one, at("10:00"), at("10:30"), people=20) == [("10:03", "begin Lesson activity")]
    assert watch(one, at("10:30"), at("10:50"), people=0) == [("10:35", "end Lesson")]
    assert watch(one, at("10:50"), at("11:10"), people=20) == [
        ("10:53", "begin Lesson activity"),
        ("11:00", "end Lesson"),
        ("11:00", "begin Lesson timetable"),
    ]


def test_room_does_not_begin_what_a_command_ended() -> None:
    """Outside slots a lesson that was ended stays so until the room was quiet and is busy again."""
    one = keeper(activity=True)
    watch(one, at("13:00"), at("13:10"), people=20)

    assert told(one.end(at("13:10"))) == ["end Lesson"]
    assert watch(one, at("13:10"), at("14:00"), people=20) == []
    assert watch(one, at("14:00"), at("14:10"), people=0) == []
    assert watch(one, at("14:10"), at("14:20"), people=20) == [("14:13", "begin Lesson activity")]


def test_overrun_is_no_second_lesson() -> None:
    """A room that is still busy when a slot ends begins no lesson of its own before it was quiet."""
    one = keeper(activity=True)

    assert watch(one, at("11:50"), at("12:30"), people=20) == [
        ("11:50", "begin Lesson timetable"),
        ("12:00", "end Lesson"),
    ]
    assert watch(one, at("12:30"), at("12:40"), people=0) == []
    assert watch(one, at("12:40"), at("12:50"), people=20) == [("12:43", "begin Lesson activity")]


def test_end_at_once_holds() -> None:
    """A lesson that is ended while the room has just become busy is not begun by it a moment later."""
    one = keeper(activity=True)
    one.begin(at("13:00"))
    watch(one, at("13:00"), at("13:02"), people=20)
    one.end(at("13:02"))

    assert watch(one, at("13:02"), at("14:00"), people=20) == []


def test_end_when_the_slot_changed_meanwhile() -> None:
    """An end that comes before the tick of a new slot ends what runs and holds for the new slot."""
    one = keeper()
    one.tick(at("08:40"))

    assert told(one.end(at("08:46"))) == ["end Maths"]
    assert watch(one, at("08:46"), at("10:00")) == []


def test_no_lesson_is_endless() -> None:
    """A slot, a command and a busy room each end after four hours, and the room does not begin it over."""
    all_day = Slot("Fair", "", "", at("06:00"), at("20:00"))
    by_slot = watch(keeper(slots=[all_day]), at("06:00"), at("20:00"))
    commanded = keeper(slots=[], activity=True)
    commanded.begin(at("06:00"), title="Choir")
    by_command = watch(commanded, at("06:00"), at("20:00"), people=20)
    by_room = watch(keeper(slots=[], activity=True), at("06:00"), at("20:00"), people=20)

    assert by_slot == [("06:00", "begin Fair timetable"), ("10:00", "end Fair")]
    assert by_command == [("10:00", "end Choir")]
    assert by_room == [("06:03", "begin Lesson activity"), ("10:03", "end Lesson")]


def test_keeper_of_nothing_obeys_commands() -> None:
    """Without a timetable and without an eye on the room only commands begin and end a lesson."""
    one = LessonKeeper()
    one.see(at("08:00"), people=30, speech_ratio=1.0)

    assert one.tick(at("08:00")) == ()
    assert told(one.begin(at("08:00"))) == ["begin Lesson command"]
    assert told(one.end(at("09:00"))) == ["end Lesson"]
    with pytest.raises(ValueError, match="longest"):
        LessonKeeper(longest=timedelta(0))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["tick", "tick", "tick", "begin", "end"]),
        st.integers(0, 1800),
        st.none() | st.integers(0, 9),
        st.integers(1, 10),
    ),
    max_size=25,
)


@few
@given(STEPS, st.booleans())
def test_lessons_never_overlap_nor_outlast_their_time(
    steps: list[tuple[str, int, int | None, int]],
    activity: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever happens beginnings and ends alternate, what runs is what began, and none outlasts its end at a tick."""
    one, now, running = keeper(activity=activity), at("06:00"), None
    for what, step_s, people, times in steps:
        for _ in range(times):
            now += timedelta(seconds=step_s)
            one.see(now, people=people, speech_ratio=None)
            changes = {"tick": one.tick, "begin": one.begin, "end": one.end}[what](now)
            for change in changes:
                if isinstance(change, End):
                    assert change.slot == running
                    running = None
                else:
                    assert running is None
                    running = change.slot
            assert one.running == running
            assert running is None or now < min(running.ends_at, running.starts_at + LONGEST)
            assert what != "end" or running is None
            assert what != "begin" or running is not None
            assert one.tick(now) == ()
