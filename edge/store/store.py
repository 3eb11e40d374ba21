"""Lessons, their summaries and their alerts, on disk.

What the pipeline says is written at once: a summary without waiting for the disk (a killed process loses none, a power
cut the last seconds), an alert with it. A disk that is full or away never stops the lesson: it is said once, counted,
and writing goes on when the disk does.
"""

import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from edge.clock import utc_now
from edge.errors import StoreError
from edge.role import Role
from edge.store import rows
from edge.store.schema import connect, is_damage, move_aside
from edge.summary import Alert, Lesson, Outgoing, WindowSummary

_LOGGER = logging.getLogger(__name__)

_INSERT_SUMMARY = (
    f"INSERT OR REPLACE INTO summaries (lesson, {rows.SUMMARY_COLUMNS}) "  # noqa: S608 - constants
    f"VALUES ({', '.join('?' * 19)})"
)
_INSERT_ALERT = (
    f"INSERT OR REPLACE INTO alerts (lesson, {rows.ALERT_COLUMNS}) "  # noqa: S608 - constants
    f"VALUES ({', '.join('?' * 11)})"
)
_INSERT_LESSON = (
    f"INSERT INTO lessons ({rows.LESSON_COLUMNS}) VALUES (?, ?, ?, ?) "  # noqa: S608 - constants
    "ON CONFLICT (id) DO UPDATE SET ended_us = excluded.ended_us RETURNING key"
)
_CLOSE_LEFTOVERS = """
    UPDATE lessons SET ended_us =
        coalesce((SELECT max(closed_us) FROM summaries WHERE lesson = lessons.key), started_us)
    WHERE ended_us IS NULL
"""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Counters since the store was opened."""

    stored: int
    """Summaries and alerts."""

    lost: int
    """Summaries and alerts that the disk refused."""

    error: str | None
    """Why it refuses, in one line; ``None`` while it doesn't."""


class Store:
    """One database. For several threads; a sink of the pipeline.

    Args:
        path: Database file, made if missing.

    Raises:
        StoreError: It can't be opened. One that is damaged is moved aside and a new one begun.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._lesson: Lesson | None = None
        self._lesson_key: int | None = None
        self._stored = 0
        self._lost = 0
        self._error: str | None = None
        self._db = self._open()

    def begin_lesson(self, *, title: str, started_at: datetime | None = None) -> Lesson:
        """Begin a lesson, now if not told otherwise, ending any that was left open.

        What is accepted from now on belongs to it.
        """
        started_at = started_at or utc_now()
        with self._lock:
            self._end(started_at)
            self._lesson = Lesson(uuid.uuid4().hex, title, started_at, None)
            self._lesson_key = None
            self._try_to(self._write_lesson)
            return self._lesson

    def end_lesson(self, *, ended_at: datetime | None = None) -> None:
        """End the lesson that runs, if any, now if not told otherwise; nothing is stored between lessons."""
        with self._lock:
            self._end(ended_at or utc_now())

    def accept(self, item: Outgoing) -> None:
        """Store a summary or an alert of the lesson that runs; health is not stored."""
        if not isinstance(item, WindowSummary | Alert):
            return
        with self._lock:
            if self._lesson is None:
                return
            if self._try_to(lambda: self._write(item)):
                self._stored += 1
            else:
                self._lost += 1

    def stats(self) -> StoreStats:
        """Return a consistent snapshot."""
        with self._lock:
            return StoreStats(self._stored, self._lost, self._error)

    def lessons(self) -> list[Lesson]:
        """Return all lessons, oldest first.

        Raises:
            StoreError: The database can't be read; so do all that read.
        """
        query = f"SELECT {rows.LESSON_COLUMNS} FROM lessons ORDER BY started_us, key"  # noqa: S608 - constants
        return [rows.to_lesson(row) for row in self._read(query, ())]

    def summaries(self, lesson_id: str, role: Role) -> list[WindowSummary]:
        """Return one role's summaries in order of time."""
        query = (
            f"SELECT {rows.SUMMARY_COLUMNS} FROM summaries "  # noqa: S608 - constants
            "WHERE lesson = (SELECT key FROM lessons WHERE id = ?) AND role = ? ORDER BY closed_us"
        )
        return [rows.to_summary(row) for row in self._read(query, (lesson_id, role.value))]

    def alerts(self, lesson_id: str) -> list[Alert]:
        """Return a lesson's alerts, beginnings and ends, in order of time."""
        query = (
            f"SELECT {rows.ALERT_COLUMNS} FROM alerts "  # noqa: S608 - constants
            "WHERE lesson = (SELECT key FROM lessons WHERE id = ?) ORDER BY at_us, state = 'cleared'"
        )
        return [rows.to_alert(row) for row in self._read(query, (lesson_id,))]

    def delete_older_than(self, days: float, *, now: datetime | None = None) -> int:
        """Delete lessons that began more than *days* before *now*, overwritten on disk, but not the one that runs.

        Returns:
            Lessons deleted.

        Raises:
            StoreError: The database can't be written.
        """
        before_us = rows.to_us((now or utc_now()) - timedelta(days=days))
        with self._lock:
            running = "" if self._lesson is None else self._lesson.id
            try:
                self._db.execute("PRAGMA secure_delete=ON")
                query = "DELETE FROM lessons WHERE started_us < ? AND id != ?"
                with closing(self._db.execute(query, (before_us, running))) as cursor:
                    deleted = cursor.rowcount
                # What was deleted must not live on in the journal.
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise StoreError(
                    f"database {self._path} can't delete old lessons: {error}; is the disk full?"
                ) from error
            return deleted

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return connect(self._path)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                return self._begin_anew(error)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"database {self._path} can't be opened: {error}; check that its folder can be written"
            ) from error

    def _begin_anew(self, damage: sqlite3.Error) -> sqlite3.Connection:
        aside = move_aside(self._path)
        _LOGGER.warning("database %s is damaged (%s): moved to %s, a new one begun", self._path, damage, aside.name)
        return connect(self._path)

    def _end(self, ended_at: datetime) -> None:
        if self._lesson is not None:
            self._lesson = replace(self._lesson, ended_at=ended_at)
            self._try_to(self._write_lesson)
        self._lesson = self._lesson_key = None
        self._try_to(lambda: self._db.execute(_CLOSE_LEFTOVERS))

    def _write(self, item: WindowSummary | Alert) -> None:
        if self._lesson_key is None:
            self._write_lesson()
        if isinstance(item, WindowSummary):
            self._db.execute(_INSERT_SUMMARY, (self._lesson_key, *rows.from_summary(item)))
            return
        self._db.execute("PRAGMA synchronous=FULL")
        try:
            self._db.execute(_INSERT_ALERT, (self._lesson_key, *rows.from_alert(item)))
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def _write_lesson(self) -> None:
        lesson = self._lesson
        if lesson is None:
            raise RuntimeError("no lesson runs")
        ended_us = None if lesson.ended_at is None else rows.to_us(lesson.ended_at)
        row = (lesson.id, lesson.title, rows.to_us(lesson.started_at), ended_us)
        ((self._lesson_key,),) = self._db.execute(_INSERT_LESSON, row).fetchall()  # all, or it is not committed

    def _try_to(self, write: Callable[[], object]) -> bool:
        """Write, on a new file if this one turns out to be damaged; return whether it worked."""
        try:
            try:
                write()
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._db.close()
                self._lesson_key = None
                self._db = self._begin_anew(error)
                write()
        except (OSError, sqlite3.Error, StoreError) as error:
            level = logging.WARNING if self._error is None else logging.DEBUG
            self._error = f"database {self._path} can't be written: {error}; free some space or check the disk"
            _LOGGER.log(level, "%s; the lesson goes on without it", self._error)
            return False
        if self._error is not None:
            self._error = None
            _LOGGER.warning("database %s is written again; %d items were lost", self._path, self._lost)
        return True

    def _read(self, query: str, parameters: tuple[str, ...]) -> list[rows.Row]:
        with self._lock:
            try:
                return self._db.execute(query, parameters).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"database {self._path} can't be read: {error}") from error
