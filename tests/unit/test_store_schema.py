"""How older databases become newer ones, and how small a day is."""

import re
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.role import Role
from edge.store import database
from edge.store.rows import to_us
from edge.store.schema import MIGRATIONS
from edge.store.store import Store
from edge.summary import AlertState, Severity
from tests.builders import EPOCH, summary
from tests.outgoing import alert, health
from tests.stored import dice_of, ended, full_window, lesson, some_usual


def version_1(path: Path) -> None:
    """Make a database of the first version with a lesson in it, part of whose windows had no evidence."""
    db = sqlite3.connect(path, isolation_level=None)
    MIGRATIONS[0](db)
    db.execute("INSERT INTO lessons VALUES (3, 'one', 'Maths one', ?, NULL)", (to_us(EPOCH),))
    for window in (summary(12.0, 0.25), summary(14.0, None), summary(12.0, 0.5, role=Role.TEACHER)):
        shares = None if window.fused.shares is None else struct.pack("<7f", *window.fused.shares.probabilities)
        seen, said = window.coverage, (window.fused.observations, shares)
        times = (to_us(window.closed_at), to_us(window.opened_at), window.opened_s, window.closed_s)
        about = (seen.people, seen.usable_faces, seen.speech_ratio, seen.level_dbfs, seen.gaps, window.late, 0)
        row = (3, window.role.value, *times, *said, *said, *said, *about)
        db.execute(f"INSERT INTO summaries VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - constants
    for state in (AlertState.RAISED, AlertState.CLEARED):
        one = alert("a", state)
        said_of = (one.id, one.state.value, one.rule, one.role.value, to_us(one.at), one.at_s, one.since_s, one.reason)
        db.execute("INSERT INTO alerts VALUES (3, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*said_of, one.value, one.threshold))
    db.execute("PRAGMA user_version=1")
    db.close()


def test_first_version_is_brought_up(tmp_path: Path) -> None:
    """Everything in a database of the first version is there afterwards, what it did not know as not known."""
    path = tmp_path / "edge.db"
    version_1(path)
    store = Store(path)
    students, teacher = store.summaries("one", Role.STUDENTS), store.summaries("one", Role.TEACHER)
    alerts, lessons = store.alerts("one"), store.lessons()
    store.accept(lesson())
    store.accept(summary(16.0, 0.75))
    longer = store.summaries("one", Role.STUDENTS)
    store.close()

    assert students == [summary(12.0, 0.25), summary(14.0, None)]
    assert teacher == [summary(12.0, 0.5, role=Role.TEACHER)]
    assert alerts == [alert("a"), alert("a", AlertState.CLEARED)]
    assert all(one.severity is Severity.WARNING for one in alerts)
    assert lessons == [lesson(group="", kind="")]
    assert longer == [*students, summary(16.0, 0.75)]


def test_upgrade_that_must_wait_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that another program is writing to stays of its version and is brought up later."""
    monkeypatch.setattr(database, "_OPENING_MS", 10)
    path = tmp_path / "edge.db"
    version_1(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="close the program that is writing to it"):
        Store(path)
    version = other.execute("PRAGMA user_version").fetchone()
    other.execute("ROLLBACK")
    other.close()
    store = Store(path)
    found = store.summaries("one", Role.TEACHER)
    store.close()

    assert version == (1,)
    assert len(found) == 1


def test_upgrade_that_fails_half_way_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that can't be finished, as on a full disk, is undone as a whole and taken at the next opening."""
    path = tmp_path / "edge.db"
    version_1(path)

    def second(db: sqlite3.Connection) -> None:
        MIGRATIONS[1](db)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database, "MIGRATIONS", (MIGRATIONS[0], second))
    with pytest.raises(StoreError, match="disk is full"):
        Store(path)
    monkeypatch.undo()
    store = Store(path)
    found = store.summaries("one", Role.TEACHER)
    store.close()

    assert found == [summary(12.0, 0.5, role=Role.TEACHER)]


def test_newer_database_is_left_alone(tmp_path: Path) -> None:
    """A database of a newer program is refused with what to do, in one line, and not touched."""
    path = tmp_path / "edge.db"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="update the program") as refused:
        Store(path)

    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


def test_tables_can_be_read_with_sqlite(tmp_path: Path) -> None:
    """The columns that people read are there, though the table works them out."""
    path = tmp_path / "edge.db"
    store = Store(path)
    store.accept(lesson())
    store.accept(summary(12.0, 0.5, role=Role.TEACHER))
    store.close()
    db = sqlite3.connect(path)
    found = db.execute(
        "SELECT lesson, role, closed_us, opened_us, opened_s, closed_s, people FROM summaries"
    ).fetchall()
    db.close()

    assert found == [(1, "teacher", to_us(EPOCH) + 12_000_000, to_us(EPOCH) + 2_000_000, 2.0, 12.0, 12)]


DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "store.md").read_text("utf-8")


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A database with three lessons, the third of which is the one that the document asks for."""
    dice, store = dice_of(1), Store(tmp_path / "edge.db")
    for name in ("one", "two", "three"):
        store.accept(lesson(name))
        store.accept(full_window(12.0, Role.STUDENTS, dice=dice, usual=some_usual(dice)))
        store.accept(alert(name))
    store.close()
    monkeypatch.chdir(tmp_path)
    db = sqlite3.connect(tmp_path / "edge.db")
    yield db
    db.close()


def test_queries_in_the_document_work(documented: sqlite3.Connection) -> None:
    """Every query that docs/store.md shows finds something."""
    queries = re.findall(r"^sqlite> (.*)$", DOCUMENT, flags=re.MULTILINE)
    queries += re.findall(r"```sql\n(.*?)```", DOCUMENT, flags=re.DOTALL)

    assert len(queries) == 4
    for query in queries:
        assert documented.execute(query).fetchone() is not None, query


@pytest.mark.usefixtures("documented")
def test_program_in_the_document_works(capsys: pytest.CaptureFixture[str]) -> None:
    """The program in docs/store.md that unpacks readings prints a window's numbers."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    exec(compile(program, "docs/store.md", "exec"), {})  # noqa: S102 - our own

    assert re.fullmatch(r"12\.0 0\.\d+ 0\.\d+\n", capsys.readouterr().out)


def test_every_column_is_documented(documented: sqlite3.Connection) -> None:
    """Every table and column of the database stands in docs/store.md."""
    tables = [name for (name,) in documented.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]

    for table in tables:
        assert f"`{table}`" in DOCUMENT
        for _, column, *_ in documented.execute(f"PRAGMA table_xinfo({table})"):
            assert f"`{column}`" in DOCUMENT, f"{table}.{column}"


def test_a_day_is_small(tmp_path: Path) -> None:
    """A day of both roles every two seconds, 86 400 windows that say all there is, with health, is under 20 MB."""
    path, dice = tmp_path / "edge.db", dice_of(1)
    store = Store(path)
    store.accept(lesson())
    minutes, usual = 45, some_usual(dice)
    for number in range(minutes * 30):
        # As a class's baseline does: every ten seconds of the first five minutes, then no more.
        if number < 150 and number % 5 == 0:
            usual = some_usual(dice)
        for role in Role:
            store.accept(full_window(10.123 + 2.0 * number, role, dice=dice, usual=usual))
        report = health()
        camera = report.sources[0]
        store.accept(
            replace(
                report,
                at=EPOCH + timedelta(seconds=2 * number),
                sources=tuple(
                    replace(camera, name=f"camera-{n}", frames_per_s=9.87654, idle_s=0.123) for n in range(4)
                ),
            )
        )
    store.accept(ended(lesson()))
    store.recent_digests("8b", "lecture")
    store.close()
    empty = tmp_path / "empty.db"
    Store(empty).close()
    day = (path.stat().st_size - empty.stat().st_size) * 24 * 60 / minutes

    assert day + empty.stat().st_size < 20e6
