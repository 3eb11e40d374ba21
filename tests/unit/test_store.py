"""Lessons on disk: what is accepted, where it goes, what is read."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.fusion.baseline import DIGEST_SIZE, digest
from edge.metric import Metric
from edge.role import Role
from edge.store.store import Store
from edge.store.writing import Mark
from edge.summary import AlertState, Feedback, Health, Outgoing, SourceState, Verdict, WindowSummary
from tests.builders import EPOCH, summary
from tests.outgoing import alert, health
from tests.stored import dice_of, ended, full_window, lesson, some_usual


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "state" / "edge.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An empty store."""
    one = Store(path)
    yield one
    one.close()


def at(seconds: float, *, error: str | None = None, faults: tuple[str, ...] = ()) -> Health:
    """Return a health report."""
    return replace(health(error=error), at=EPOCH + timedelta(seconds=seconds), faults=faults)


def parts(window: WindowSummary) -> list[tuple[str, str]]:
    """Return the names and units of a window's engagement."""
    return [(part.name, part.unit) for part in window.engagement.components] if window.engagement else []


def test_lesson_is_read_back(store: Store) -> None:
    """What was accepted during a lesson is read back by lesson and role, in order of time."""
    begun = lesson()
    sent = [summary(10.0, 0.25), summary(12.0, None), summary(12.0, 0.5, role=Role.TEACHER)]
    events = [alert("a", at_s=10.0), alert("a", AlertState.CLEARED, at_s=12.0)]
    answer = Feedback("a", Verdict.WRONG, EPOCH + timedelta(seconds=30))
    items: list[Outgoing] = [begun, *reversed(sent), *reversed(events), health(), answer, ended(begun)]
    for item in items:
        store.accept(item)

    assert store.lessons() == [ended(begun)]
    assert store.summaries(begun.id, Role.STUDENTS) == sent[:2]
    assert store.summaries(begun.id, Role.TEACHER) == sent[2:]
    assert store.alerts(begun.id) == events
    assert store.health(begun.id) == [health()]
    assert store.feedback(begun.id) == [answer]
    assert store.stats().stored == len(items)


def test_windows_keep_what_is_usual(store: Store) -> None:
    """Windows come back with their behaviour, their engagement and how they stood, though the usual is stored once."""
    dice = dice_of(1)
    usual = [some_usual(dice), some_usual(dice)]
    store.accept(lesson())
    sent = [
        full_window(2.0 * number, role, dice=dice, usual=usual[number % 2]) for number in range(1, 20) for role in Role
    ]
    for window in sent:
        store.accept(window)
    read = [window for role in Role for window in store.summaries("one", role)]
    sent.sort(key=lambda window: window.role is Role.TEACHER)

    assert len(read) == len(sent)
    for window, expected in zip(read, sent, strict=True):
        assert parts(window) == parts(expected)
        assert [(one.metric, one.usual, one.spread) for one in window.standings] == [
            (one.metric, one.usual, one.spread) for one in expected.standings
        ]
        assert [one.value for one in window.standings] == pytest.approx([one.value for one in expected.standings])


def test_same_thing_twice_is_stored_once(store: Store) -> None:
    """Accepting an item again changes nothing."""
    store.accept(lesson())
    for _ in range(2):
        store.accept(lesson())
        store.accept(summary(10.0, 0.25))
        store.accept(alert())
        store.accept(Feedback("a", Verdict.SEEN, EPOCH))

    assert len(store.summaries("one", Role.STUDENTS)) == len(store.alerts("one")) == len(store.lessons()) == 1
    assert len(store.feedback("one")) == 1


def test_lesson_that_goes_on_keeps_its_windows(path: Path) -> None:
    """A lesson that begins again under its id, as after a crash, goes on: nothing of it is overwritten."""
    dice = dice_of(2)
    windows = [full_window(2.0 * number, Role.STUDENTS, dice=dice, usual=some_usual(dice)) for number in (1, 2, 3, 4)]
    for part in (windows[:2], windows[2:]):
        store = Store(path)
        store.accept(lesson())
        for window in part:
            # Seconds are counted anew by a service that was started anew.
            store.accept(replace(window, opened_s=0.0, closed_s=10.0))
        store.close()
    reader = Store(path)
    read, known = reader.summaries("one", Role.STUDENTS), reader.lessons()
    reader.close()

    assert known == [lesson()]
    assert [window.closed_at for window in read] == [window.closed_at for window in windows]
    assert [one.usual for window in read for one in window.standings] == [
        one.usual for window in windows for one in window.standings
    ]


def test_suppressed_shares_never_reach_the_disk(store: Store, path: Path) -> None:
    """A suppressed summary is stored as one, without the shares it came with."""
    store.accept(lesson())
    store.accept(replace(summary(10.0, 0.25), suppressed=True))
    (read,) = store.summaries("one", Role.STUDENTS)

    assert read.suppressed
    assert read.fused.shares is read.face.shares is read.voice.shares is None
    assert struct.pack("<f", 0.25) not in path.with_name(path.name + "-wal").read_bytes()


def test_nothing_is_stored_between_lessons(store: Store) -> None:
    """Before a lesson begins and after it ended, nothing is kept."""
    store.accept(summary(10.0, 0.25))
    store.accept(lesson())
    store.accept(ended(lesson()))
    for item in (summary(20.0, 0.25), alert(), health()):
        store.accept(item)
    with pytest.raises(StoreError, match="no lesson runs"):
        store.add_mark(kind="note", text="too late")

    assert store.summaries("one", Role.STUDENTS) == []
    assert store.alerts("one") == []
    assert store.health("one") == []
    assert store.marks("one") == []


def test_next_lesson_ends_the_one_that_runs(store: Store) -> None:
    """A lesson ends when another begins, and the end of one that doesn't run ends nothing else."""
    second = lesson("two", at=EPOCH + timedelta(hours=1))
    for item in (lesson(), second, ended(lesson("zero", at=EPOCH - timedelta(hours=1))), summary(3700.0, 0.25)):
        store.accept(item)
    zero, first, running = store.lessons()

    assert zero.ended_at == EPOCH - timedelta(minutes=15)
    assert first.ended_at == second.started_at
    assert running == second
    assert len(store.summaries("two", Role.STUDENTS)) == 1


def test_lesson_begun_by_hand(store: Store) -> None:
    """A lesson can be begun and ended by call as well, and ending it again changes nothing."""
    begun = store.begin_lesson(title="by hand", started_at=EPOCH)
    store.accept(summary(10.0, 0.25))
    store.end_lesson(ended_at=EPOCH + timedelta(minutes=1))
    store.end_lesson(ended_at=EPOCH + timedelta(minutes=2))

    assert store.lessons() == [replace(begun, ended_at=EPOCH + timedelta(minutes=1))]
    assert len(store.summaries(begun.id, Role.STUDENTS)) == 1


def test_lesson_left_open_is_ended_by_the_next(path: Path) -> None:
    """A lesson that a crash left open ends at its last summary, one without at its start, and not before another."""
    crashed = Store(path)
    crashed.accept(lesson())
    crashed.accept(summary(10.0, 0.25))
    reader = Store(path)
    open_still = reader.lessons()
    crashed.close()
    reader.accept(lesson("two", at=EPOCH + timedelta(hours=1)))
    reader.close()
    last = Store(path)
    last.accept(lesson("three", at=EPOCH + timedelta(hours=2)))
    first, second, third = last.lessons()
    last.close()

    assert open_still == [lesson()]
    assert first.ended_at == EPOCH + timedelta(seconds=10)
    assert second.ended_at == second.started_at
    assert third.ended_at is None


def test_lessons_between_two_instants(store: Store) -> None:
    """Lessons are found by when they began: from the first instant on, before the second."""
    for hour in range(4):
        store.accept(ended(lesson(str(hour), at=EPOCH + timedelta(hours=hour))))
    found = store.lessons_between(EPOCH + timedelta(hours=1), EPOCH + timedelta(hours=3))

    assert [one.id for one in found] == ["1", "2"]


def test_feedback_belongs_to_its_alert(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """An answer goes to the lesson of its alert, even when that has ended; without one it is said that it is lost."""
    store.accept(lesson())
    store.accept(alert("a"))
    store.accept(lesson("two", at=EPOCH + timedelta(hours=1)))
    late = Feedback("a", Verdict.WRONG, EPOCH + timedelta(hours=1))
    unknown = Feedback("x", Verdict.SEEN, EPOCH + timedelta(hours=1))
    store.accept(late)
    store.accept(unknown)
    store.accept(ended(lesson("two", at=EPOCH + timedelta(hours=1))))
    store.accept(replace(unknown, alert_id="y"))

    assert store.feedback("one") == [late]
    assert store.feedback("two") == [unknown]
    assert "alert y is not kept" in caplog.text
    assert store.stats().error is None


def test_health_is_sampled(store: Store) -> None:
    """Health is kept once a minute, and at once when a state, an error or a fault changes, numbers aside."""
    lost = at(30.0)
    lost = replace(lost, sources=(replace(lost.sources[0], state=SourceState.LOST),))
    kept = [
        at(0.0),
        at(10.0, error="no camera, tried 1 times"),
        at(20.0),
        lost,
        at(40.0, faults=("disk full, 3 items wait",)),
        at(100.0, faults=("disk full, 9 items wait",)),
    ]
    dropped = [
        at(5.0),
        at(15.0, error="no camera, tried 2 times"),
        at(45.0, faults=("disk full, 5 items wait",)),
        at(99.0, faults=("disk full, 8 items wait",)),
    ]
    store.accept(lesson())
    for report in sorted(kept + dropped, key=lambda one: one.at):
        store.accept(report)

    assert store.health("one") == kept


def test_every_lesson_has_health(store: Store) -> None:
    """A lesson keeps its first report, however short ago the last kept one, and one after a fall of the clock."""
    for number, name in enumerate(("one", "two")):
        store.accept(lesson(name))
        store.accept(at(number))
    store.accept(at(-3600.0))

    assert len(store.health("one")) == 1
    assert store.health("two") == [at(-3600.0), at(1.0)]


def test_teachers_marks_are_kept(store: Store) -> None:
    """What a teacher notes is kept as it was typed, in order of time."""
    store.accept(lesson())
    notes = [
        store.add_mark(kind="note", text="fire drill; naïve 🔔", at=EPOCH + timedelta(minutes=9)),
        store.add_mark(kind="phase", text="group work", at=EPOCH + timedelta(minutes=5)),
    ]
    now = store.add_mark(kind="note", text="now")

    assert notes[0] == Mark(EPOCH + timedelta(minutes=9), "note", "fire drill; naïve 🔔")
    assert store.marks("one") == [*reversed(notes), now]


def teach(store: Store, name: str, *, hour: int, group: str = "8b", windows: int = 160) -> list[WindowSummary]:
    """Store a lesson and return its windows as they are read."""
    dice = dice_of(name)
    begun = lesson(name, at=EPOCH + timedelta(hours=hour), group=group)
    store.accept(begun)
    for number in range(1, windows):
        for role in Role:
            window = full_window(2.0 * number, role, dice=dice, usual=some_usual(dice) if number < 3 else None)
            window = replace(window, suppressed=number % 7 == 0, opened_s=max(0.0, window.opened_s))
            store.accept(replace(window, closed_at=begun.started_at + timedelta(seconds=2 * number)))
    store.accept(ended(begun))
    return [window for role in Role for window in store.summaries(name, role)]


def test_digests_are_those_of_the_whole_lesson(store: Store) -> None:
    """What a class's recent lessons teach is the same as from all their windows, newest first, and stays so."""
    lessons = [teach(store, str(hour), hour=hour) for hour in range(3)]
    first = store.recent_digests("8b", "lecture", lessons=2)
    again = store.recent_digests("8b", "lecture", lessons=2)

    assert first == again
    assert len(first) == 2
    for found, windows in zip(first, reversed(lessons[1:]), strict=True):
        expected = digest(windows)
        assert expected is not None
        assert found.window_s == expected.window_s
        assert found.values.keys() == expected.values.keys()
        for key, values in expected.values.items():
            assert found.values[key] == pytest.approx(values, abs=1e-5)


def test_recent_values_are_of_this_class_and_kind(store: Store) -> None:
    """Values come from ended lessons of this class and kind, at most 64 a lesson, none of suppressed windows."""
    teach(store, "a", hour=0)
    teach(store, "b", hour=1, group="9c")
    empty = lesson("d", at=EPOCH + timedelta(hours=3), group="5a")
    store.accept(empty)
    store.accept(replace(summary(10.0, 0.25), suppressed=True))
    store.accept(ended(empty))
    store.accept(lesson("c", at=EPOCH + timedelta(hours=4)))
    store.accept(full_window(2.0, Role.STUDENTS, dice=dice_of(3)))
    found = store.recent_values("8b", "lecture")

    assert all(len(values) <= DIGEST_SIZE for values in found.values())
    assert (Role.STUDENTS, Metric.ATTENTION) in found
    assert store.recent_values("8b", "group work") == store.recent_values("", "lecture") == {}
    assert store.recent_values("5a", "lecture") == {}


def test_digests_need_not_be_kept(store: Store, path: Path) -> None:
    """While another program writes, digests are worked out all the same, and kept when it is done."""
    teach(store, "a", hour=0, windows=50)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        during = store.recent_digests("8b", "lecture")
        other.execute("ROLLBACK")
        after = store.recent_digests("8b", "lecture")
        kept = other.execute("SELECT count(*) FROM digests").fetchone()

    assert during == after
    assert kept == (len(after[0].values),)


def test_unknown_lesson_has_nothing(store: Store) -> None:
    """Of a lesson that isn't there, nothing is read."""
    assert store.summaries("none", Role.STUDENTS) == []
    assert store.alerts("none") == []
    assert store.health("none") == []


def test_digest_follows_a_lesson_that_goes_on(store: Store) -> None:
    """A lesson that is taken up again teaches nothing while it runs, and all of it afterwards."""
    teach(store, "a", hour=0, windows=100)
    before = store.recent_values("8b", "lecture")
    store.accept(lesson("a"))
    running = store.recent_values("8b", "lecture")
    for number in range(100, 140):
        store.accept(full_window(2.0 * number, Role.STUDENTS, dice=dice_of(number)))
    store.accept(ended(lesson("a")))
    after = store.recent_values("8b", "lecture")
    key = Role.STUDENTS, Metric.MOVEMENT

    assert running == {}
    assert len(after[key]) > len(before[key])


def test_only_what_is_rare_waits_for_the_disk(store: Store) -> None:
    """Lessons, alerts, answers and marks are flushed to the disk before they count; windows and health are not."""
    said: list[str] = []
    db = store._database._db  # noqa: SLF001 - what the disk is told
    db.set_trace_callback(said.append)
    store.accept(lesson())
    for item in (summary(10.0, 0.25), health(), alert(), Feedback("a", Verdict.SEEN, EPOCH)):
        store.accept(item)
    store.add_mark(kind="note", text="")
    db.set_trace_callback(None)
    mode, flushed = "", {}
    for line in said:
        if line.startswith("PRAGMA synchronous="):
            mode = line.removeprefix("PRAGMA synchronous=")
        elif line.startswith("INSERT"):
            flushed[line.split("INTO ")[1].split()[0]] = mode == "FULL"

    assert flushed == {
        "lessons": True,
        "summaries": False,
        "health": False,
        "health_sources": False,
        "alerts": True,
        "feedback": True,
        "marks": True,
    }


def test_reading_a_closed_store_is_an_error(path: Path) -> None:
    """Reading and deleting tell when they can't."""
    store = Store(path)
    store.close()
    with pytest.raises(StoreError, match="can't be read"):
        store.lessons()
    with pytest.raises(StoreError, match="can't delete"):
        store.delete_older_than(1)
