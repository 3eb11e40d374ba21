"""Lessons on disk."""

import logging
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.observation import EmotionDistribution
from edge.role import Role
from edge.store import rows
from edge.store.schema import MIGRATIONS
from edge.store.store import Store
from edge.summary import AlertState, Coverage, ModalitySummary, Outgoing, WindowSummary
from tests.builders import EPOCH, summary
from tests.outgoing import alert, health
from tests.strategies import distributions


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


def limit(store: Store, pages: int | None = None) -> None:
    """Make the disk as large as the database is now, or of *pages*."""
    db: sqlite3.Connection = store._db  # noqa: SLF001 - the disk, made small
    pages = pages or int(db.execute("PRAGMA page_count").fetchone()[0])
    db.execute(f"PRAGMA max_page_count={pages}")


def float32(shares: EmotionDistribution) -> EmotionDistribution:
    """Return the distribution as four-byte numbers can hold it."""
    return EmotionDistribution(struct.unpack("<7f", struct.pack("<7f", *shares.probabilities)))


@settings(deadline=None)
@given(st.none() | distributions, st.none() | st.floats(0, 1), st.floats(0, 1e5))
def test_rows_keep_summaries(shares: EmotionDistribution | None, ratio: float | None, closed_s: float) -> None:
    """A summary that was stored is the one read, its shares as 32-bit floats, no evidence as none."""
    said = ModalitySummary(5, None if shares is None else float32(shares))
    sent = replace(
        summary(20.0, 0.5),
        closed_s=closed_s,
        closed_at=EPOCH + timedelta(seconds=20, microseconds=1),
        fused=said,
        voice=ModalitySummary(0, None),
        face=said,
        coverage=Coverage(3, ratio, None, ratio, 1),
        late=4,
    )

    assert rows.to_summary(rows.from_summary(sent)) == sent


def test_lesson_is_read_back(store: Store) -> None:
    """What was accepted during a lesson is read back by lesson and role, in order of time."""
    lesson = store.begin_lesson(title="8b Maths", started_at=EPOCH)
    sent = [summary(10.0, 0.25), summary(12.0, None), summary(12.0, 0.5, role=Role.TEACHER)]
    events = [alert("a", at_s=10.0), alert("a", AlertState.CLEARED, at_s=12.0)]
    items: list[Outgoing] = [*reversed(sent), *reversed(events), health()]
    for item in items:
        store.accept(item)
    store.end_lesson(ended_at=EPOCH + timedelta(minutes=45))

    assert store.lessons() == [replace(lesson, ended_at=EPOCH + timedelta(minutes=45))]
    assert store.summaries(lesson.id, Role.STUDENTS) == sent[:2]
    assert store.summaries(lesson.id, Role.TEACHER) == sent[2:]
    assert store.alerts(lesson.id) == events
    assert store.stats().stored == 5


def test_same_window_twice_is_stored_once(store: Store) -> None:
    """Accepting an item again changes nothing."""
    lesson = store.begin_lesson(title="", started_at=EPOCH)
    for _ in range(2):
        store.accept(summary(10.0, 0.25))
        store.accept(alert())

    assert len(store.summaries(lesson.id, Role.STUDENTS)) == len(store.alerts(lesson.id)) == 1


def test_suppressed_shares_never_reach_the_disk(store: Store, path: Path) -> None:
    """A suppressed summary is stored as one, without the shares it came with."""
    lesson = store.begin_lesson(title="", started_at=EPOCH)
    store.accept(replace(summary(10.0, 0.25), suppressed=True))
    (read,) = store.summaries(lesson.id, Role.STUDENTS)

    assert read.suppressed
    assert read.fused.shares is read.face.shares is read.voice.shares is None
    assert struct.pack("<f", 0.25) not in path.with_name(path.name + "-wal").read_bytes()


def test_nothing_is_stored_between_lessons(store: Store) -> None:
    """Before a lesson begins and after it ended, nothing is kept."""
    store.accept(summary(10.0, 0.25))
    lesson = store.begin_lesson(title="", started_at=EPOCH)
    store.end_lesson(ended_at=EPOCH + timedelta(minutes=1))
    store.accept(alert())

    assert store.summaries(lesson.id, Role.STUDENTS) == []
    assert store.alerts(lesson.id) == []


def test_lesson_left_open_is_ended_by_the_next(path: Path) -> None:
    """A lesson that a crash left open ends at its last summary, and not before another begins."""
    crashed = Store(path)
    lesson = crashed.begin_lesson(title="one", started_at=EPOCH)
    crashed.accept(summary(10.0, 0.25))
    reader = Store(path)
    open_still = reader.lessons()
    crashed.close()
    reader.begin_lesson(title="two", started_at=EPOCH + timedelta(hours=1))
    first, second = reader.lessons()
    reader.close()

    assert open_still == [lesson]
    assert first.ended_at == EPOCH + timedelta(seconds=10)
    assert second.ended_at is None


def test_old_lessons_are_deleted_with_all_they_held(store: Store, path: Path) -> None:
    """Lessons older than the retention leave nothing on disk, not even in free pages; the running one stays."""
    for day in (0, 1):
        store.begin_lesson(title=f"secret-title-{day}", started_at=EPOCH + timedelta(days=day))
        store.accept(summary(10.0, 0.25))
        store.accept(alert(reason=f"secret-reason-{day}"))
    store.end_lesson(ended_at=EPOCH + timedelta(days=1, hours=1))
    running = store.begin_lesson(title="now", started_at=EPOCH)
    deleted = store.delete_older_than(30, now=EPOCH + timedelta(days=30, hours=12))
    left = [lesson.title for lesson in store.lessons()]
    files = b"".join(piece.read_bytes() for piece in path.parent.iterdir())

    assert deleted == 1
    assert left == [running.title, "secret-title-1"]
    assert b"secret-title-0" not in files
    assert b"secret-reason-0" not in files
    assert b"secret-reason-1" in files


def test_full_disk_does_not_stop_the_lesson(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """On a full disk accepting goes on, is said once and counted, and storing resumes when there is space."""
    lesson = store.begin_lesson(title="", started_at=EPOCH)
    limit(store)
    for number in range(1, 200):
        store.accept(summary(2.0 * number, 0.25))
    full = store.stats()
    limit(store, 100_000)
    store.accept(alert())
    stats = store.stats()

    assert full.lost > 0
    assert "full" in str(full.error)
    assert stats == replace(full, stored=full.stored + 1, error=None)
    assert len(store.summaries(lesson.id, Role.STUDENTS)) == full.stored
    assert store.alerts(lesson.id) == [alert()]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert "written again" in warnings[1]


def test_lesson_begun_on_a_full_disk_is_stored_later(store: Store) -> None:
    """A lesson whose beginning could not be written is written with its first item that can be."""
    limit(store)
    lesson = store.begin_lesson(title="x" * 20_000, started_at=EPOCH)
    before = store.lessons()
    limit(store, 100_000)
    store.accept(summary(10.0, 0.25))

    assert before == []
    assert store.lessons() == [lesson]


def test_damage_while_running_begins_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A database that breaks under a running lesson is moved aside, and the lesson goes on in a new one."""
    store = Store(path)
    lesson = store.begin_lesson(title="maths", started_at=EPOCH)
    for number in range(1, 300):
        store.accept(summary(2.0 * number, 0.25))
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # noqa: SLF001 - so that the pages are in the file
    store._db.execute("PRAGMA cache_size=0")  # noqa: SLF001
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    store.accept(summary(1000.0, 0.5))
    after, lessons = store.summaries(lesson.id, Role.STUDENTS), store.lessons()
    store.close()

    assert after == [summary(1000.0, 0.5)]
    assert lessons == [lesson]
    assert list(path.parent.glob("edge.db.damaged-*"))
    assert "is damaged" in caplog.text


def test_damaged_file_is_moved_aside(path: Path) -> None:
    """A file that is no database is kept under another name and a new one begun."""
    path.parent.mkdir()
    path.write_bytes(b"not a database " * 100)
    store = Store(path)
    empty = store.lessons()
    store.close()

    assert empty == []
    assert len(list(path.parent.glob("edge.db.damaged-*"))) == 1


def test_newer_database_is_left_alone(path: Path) -> None:
    """A database of a newer program is refused with what to do, and not touched."""
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreError, match="update the program"):
        Store(path)

    assert not list(path.parent.glob("*damaged*"))


def test_folder_that_is_no_folder(tmp_path: Path) -> None:
    """A path that can't be made is an error of one line."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be opened"):
        Store(tmp_path / "file" / "edge.db")


def test_reading_a_closed_store_is_an_error(path: Path) -> None:
    """Reading and deleting tell when they can't."""
    store = Store(path)
    store.close()
    with pytest.raises(StoreError, match="can't be read"):
        store.lessons()
    with pytest.raises(StoreError, match="can't delete"):
        store.delete_older_than(1)


def test_a_day_is_small(store: Store, path: Path) -> None:
    """A day of both roles every two seconds, 86 400 summaries, is under 20 MB."""
    store.begin_lesson(title="", started_at=EPOCH)
    shares = EmotionDistribution((0.11, 0.09, 0.05, 0.35, 0.1, 0.1, 0.2))
    said = ModalitySummary(412, shares)
    count = 2000

    def window(number: int) -> WindowSummary:
        return replace(
            summary(2.0 * number, 0.25, role=list(Role)[number % 2]),
            face=said,
            voice=said,
            fused=said,
            coverage=Coverage(17, 0.9123, 0.61234, -30.123, 0),
            closed_s=2.0 * number + 0.123,
            opened_s=2.0 * number - 9.9,
        )

    for number in range(1, count + 1):
        store.accept(window(number))
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # noqa: SLF001 - so that the file is all there is

    assert path.stat().st_size / count * 86_400 < 20e6
