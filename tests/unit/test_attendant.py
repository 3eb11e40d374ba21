"""Lessons that begin and end by themselves, and what a tablet says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from edge.attendant import Attendant
from edge.errors import SettingsError
from edge.fusion.coverage import Look
from edge.publish.commands import (
    DONE,
    Acknowledge,
    BeginLesson,
    Command,
    EndLesson,
    GiveFeedback,
    Mark,
    PauseSensing,
    Ping,
    Snooze,
)
from edge.role import Role
from edge.store.store import Store
from edge.summary import Feedback, Lesson, Verdict
from edge.timetable.activity import ActivityTrigger
from edge.timetable.keeper import LessonKeeper
from tests.builders import look, sound

if TYPE_CHECKING:
    from edge.pipeline import Pipeline
    from edge.timetable.timetable import Timetable

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class FakePipeline:
    """Remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def begin_lesson(self, lesson: Lesson) -> None:
        """Remember."""
        self.asked.append(("begin", lesson.title, lesson.group, lesson.kind))

    def end_lesson(self) -> None:
        """Remember."""
        self.asked.append(("end",))

    def tell(self, feedback: Feedback) -> None:
        """Remember."""
        self.asked.append((feedback.alert_id, feedback.verdict))

    def snooze(self, rule: str | None, seconds: float) -> None:
        """Remember."""
        self.asked.append(("snooze", rule, seconds))


class Room:
    """An attendant with a pipeline and a clock that are moved by hand."""

    def __init__(self, store: Store, keeper: LessonKeeper | None) -> None:
        self.now, self.pipeline, self.store = START, FakePipeline(), store
        self.attendant = Attendant(
            keeper=keeper, store=store, rules=frozenset({"mood"}), group="7b", kind="talk", now=lambda: self.now
        )
        self.attendant.attend(cast("Pipeline", self.pipeline))

    def pass_time(self, minutes: float, *, faces: int | None, speech: float | None = None) -> None:
        """Let time pass, with that many faces at every look."""
        for _ in range(round(minutes * 30)):
            self.now += timedelta(seconds=2)
            if faces is not None:
                self.attendant.watch(look(1.0, *[None] * faces))
            if speech is not None:
                self.attendant.watch(sound(1.0, None, speech_ratio=speech))
            self.attendant.tick()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database."""
    made = Store(tmp_path / "edge.db")
    yield made
    made.close()


def test_a_busy_room_has_a_lesson_and_an_empty_one_none(store: Store) -> None:
    """A class that comes in begins one, and one that has gone has ended it; one person is no class."""
    room = Room(store, LessonKeeper(activity=ActivityTrigger()))
    room.pass_time(6, faces=1)
    assert room.pipeline.asked == []
    room.pass_time(6, faces=12)
    assert [asked[0] for asked in room.pipeline.asked] == ["begin"]
    room.pass_time(10, faces=0)

    assert [asked[0] for asked in room.pipeline.asked] == ["begin", "end"]


def test_nothing_seen_is_no_empty_room(store: Store) -> None:
    """A camera that is gone ends no lesson."""
    room = Room(store, LessonKeeper(activity=ActivityTrigger()))
    room.pass_time(6, faces=12)
    room.pass_time(20, faces=None)

    assert [asked[0] for asked in room.pipeline.asked] == ["begin"]


def test_the_teachers_camera_says_nothing_of_the_class(store: Store) -> None:
    """Faces that a camera for the teacher sees begin no lesson."""
    room = Room(store, LessonKeeper(activity=ActivityTrigger()))
    for _ in range(300):
        room.now += timedelta(seconds=2)
        room.attendant.watch(Look(0, "desk", Role.TEACHER, look(1.0, *[None] * 9).faces))
        room.attendant.tick()

    assert room.pipeline.asked == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_command_begins_and_ends_a_lesson(store: Store, *, kept: bool) -> None:
    """With a keeper or without; what the command does not say is taken from the settings."""
    room = Room(store, LessonKeeper() if kept else None)
    room.attendant.carry_out(BeginLesson(title="Algebra", kind="test"))
    room.attendant.tick()
    room.attendant.carry_out(EndLesson())

    assert room.pipeline.asked == [("begin", "Algebra", "7b", "test"), ("end",)]


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (Snooze(10, "mood"), ("snooze", "mood", 600)),
        (Snooze(2.5), ("snooze", None, 150.0)),
        (Acknowledge("a1"), ("a1", Verdict.SEEN)),
        (GiveFeedback("a2", Verdict.WRONG), ("a2", Verdict.WRONG)),
    ],
)
def test_answers_to_alerts_reach_the_pipeline(store: Store, command: Command, asked: tuple[object, ...]) -> None:
    """Snooze in seconds, seen and wrong as feedback."""
    room = Room(store, None)

    assert room.attendant.carry_out(command) == DONE
    assert room.pipeline.asked == [asked]


def test_what_cannot_be_done_is_answered_in_one_line(store: Store) -> None:
    """An unknown rule, a mark without a lesson, something this box can't: an error, and nothing happens."""
    room = Room(store, None)
    errors = [
        room.attendant.carry_out(command).error for command in (Snooze(5, "noise"), Mark("phase", "x"), PauseSensing())
    ]

    assert errors[0] == "no rule 'noise'; known: mood"
    assert all(error is not None and "\n" not in error for error in errors)
    assert room.pipeline.asked == []
    assert room.attendant.carry_out(Ping()) == DONE


def test_a_mark_is_kept_with_the_lesson_that_runs(store: Store) -> None:
    """What a teacher notes is in the database."""
    room = Room(store, None)
    lesson = store.begin_lesson(title="Algebra", started_at=START)

    assert room.attendant.carry_out(Mark("phase", "group work")) == DONE
    assert [(mark.kind, mark.text) for mark in store.marks(lesson.id)] == [("phase", "group work")]


def test_before_the_pipeline_is_there_commands_are_refused(store: Store) -> None:
    """A command that comes while models are loaded is told to come again."""
    early = Attendant(keeper=None, store=store, rules=frozenset())

    assert early.carry_out(Ping()).error == "the box is still starting; try again"


class Broken:
    """A timetable that can't be worked out."""

    def now(self, at: datetime) -> None:
        """Fail."""
        raise SettingsError(f"school.ics: no such zone at {at:%H:%M}")


def test_a_broken_timetable_stops_no_lesson(store: Store) -> None:
    """It is a fault in health, said in the log once, and commands still work."""
    room = Room(store, LessonKeeper(timetable=cast("Timetable", Broken())))
    room.pass_time(1, faces=12)

    assert room.attendant.fault is not None
    assert "school.ics" in room.attendant.fault
    assert room.attendant.carry_out(Snooze(5)) == DONE
