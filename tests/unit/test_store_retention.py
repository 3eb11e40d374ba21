"""Old lessons are gone for good."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from edge.role import Role
from edge.store.store import Store
from edge.summary import Feedback, Verdict
from tests.builders import EPOCH
from tests.outgoing import alert, health
from tests.stored import dice_of, ended, full_window, lesson, some_usual

LATER = EPOCH + timedelta(days=30, hours=12)
TABLES = ("lessons", "summaries", "contexts", "alerts", "feedback", "marks", "health", "health_sources", "digests")


def fill(store: Store, name: str, *, day: int) -> None:
    """Store a lesson in which every text that can hold one holds the name."""
    dice, start = dice_of(name), EPOCH + timedelta(days=day)
    one = lesson(f"id-{name}", at=start, group=f"group-{name}", kind=f"kind-{name}")
    store.accept(one)
    for number in range(1, 60):
        for role in Role:
            usual = some_usual(dice) if number < 9 else None
            store.accept(full_window(2.0 * number, role, dice=dice, usual=usual, start=start))
    store.accept(alert(f"alert-{name}", reason=f"reason-{name} " * 500))
    store.accept(Feedback(f"alert-{name}", Verdict.WRONG, start))
    store.add_mark(kind="note", text=f"text-{name} " * 500)
    store.accept(health(error=f"error-{name}"))
    store.accept(ended(one))
    store.recent_digests(f"group-{name}", f"kind-{name}")


def bytes_of(folder: Path) -> bytes:
    """Return everything that lies in a folder."""
    return b"".join(piece.read_bytes() for piece in folder.iterdir())


def first_readings(path: Path) -> bytes:
    """Return the packed numbers of the oldest window."""
    db = sqlite3.connect(path)
    (packed,) = db.execute("SELECT readings FROM summaries ORDER BY key LIMIT 1").fetchone()
    db.close()
    assert isinstance(packed, bytes)
    return packed


def counts(path: Path) -> dict[str, int]:
    """Return how many lessons each table holds rows of."""
    db = sqlite3.connect(path)
    found = {
        table: db.execute(
            f"SELECT count(DISTINCT {'key' if table == 'lessons' else 'lesson'}) FROM {table}"  # noqa: S608 - constants
        ).fetchone()[0]
        for table in TABLES
    }
    db.close()
    return found


@pytest.mark.parametrize("written_out", [False, True])
def test_old_lessons_are_deleted_with_all_they_held(tmp_path: Path, *, written_out: bool) -> None:
    """Of lessons older than the retention not a byte is left on disk: not in tables, free pages or the journal."""
    path = tmp_path / "edge.db"
    store = Store(path)
    for day, name in enumerate(("secret", "secret-too", "kept")):
        fill(store, name, day=day)
    if written_out:
        store.close()
        store = Store(path)
    packed = first_readings(path)
    before = counts(path), bytes_of(tmp_path)
    deleted = store.delete_older_than(30, now=EPOCH + timedelta(days=31, hours=12))
    found = bytes_of(tmp_path)
    left = [one.title for one in store.lessons()]
    store.close()

    assert before[0] == dict.fromkeys(TABLES, 3)
    assert packed in before[1]
    assert b"reason-secret" in before[1]
    assert deleted == 2
    assert left == ["Maths id-kept"]
    assert counts(path) == dict.fromkeys(TABLES, 1)
    assert b"secret" not in found
    assert packed not in found
    assert b"secret" not in bytes_of(tmp_path)
    assert b"reason-kept" in bytes_of(tmp_path)


def test_lesson_that_runs_is_not_deleted(tmp_path: Path) -> None:
    """However old, the lesson that runs stays, and what comes after the deletion is still stored in it."""
    store = Store(tmp_path / "edge.db")
    fill(store, "old", day=0)
    store.accept(lesson("running"))
    store.accept(full_window(2.0, Role.STUDENTS, dice=dice_of(1), usual=some_usual(dice_of(1))))
    deleted = store.delete_older_than(1, now=LATER)
    store.accept(full_window(4.0, Role.STUDENTS, dice=dice_of(2), usual=some_usual(dice_of(1))))
    read = store.summaries("running", Role.STUDENTS)
    store.close()

    assert deleted == 1
    assert [window.closed_s for window in read] == [2.0, 4.0]
    assert all(window.standings for window in read)


def test_lesson_may_begin_again_after_it_was_deleted(tmp_path: Path) -> None:
    """A lesson that begins under the id of one that was deleted is a new one, and its windows are its own."""
    store = Store(tmp_path / "edge.db")
    for name in ("first", "second"):
        fill(store, name, day=0)
    deleted = store.delete_older_than(1, now=LATER)
    store.accept(lesson("id-second"))
    store.accept(full_window(2.0, Role.STUDENTS, dice=dice_of(1), usual=some_usual(dice_of(1))))
    (read,) = store.summaries("id-second", Role.STUDENTS)
    store.close()

    assert deleted == 2
    assert read.standings


def test_damaged_files_are_deleted_as_well(tmp_path: Path) -> None:
    """A damaged file that was moved aside holds lessons too, and goes when they would have."""
    path = tmp_path / "edge.db"
    path.write_bytes(b"secret, and no database " * 100)
    mine = tmp_path / "edge.db.damaged-look-at-this"
    mine.touch()
    store = Store(path)
    kept = store.delete_older_than(30)
    still_there = list(tmp_path.glob("*damaged*"))
    deleted = store.delete_older_than(-1)
    found = bytes_of(tmp_path)
    store.close()

    assert kept == deleted == 0
    assert len(still_there) == 2
    assert list(tmp_path.glob("*damaged*")) == [mine]
    assert b"secret" not in found


def test_reader_in_the_way_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While another program reads, the journal can't be emptied: that is said, and the next deletion does it."""
    path = tmp_path / "edge.db"
    store = Store(path)
    fill(store, "secret", day=0)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM lessons").fetchone()
    deleted = store.delete_older_than(30, now=LATER)
    during = bytes_of(tmp_path)
    reader.execute("COMMIT")
    reader.close()
    store.delete_older_than(30, now=LATER)
    after = bytes_of(tmp_path)
    store.close()

    assert deleted == 1
    assert "is being read" in caplog.text
    assert b"secret" in during
    assert b"secret" not in after
