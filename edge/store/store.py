"""Lessons and all that is known of them, on disk.

What the pipeline says is written at once: a window without waiting for the disk (a killed process loses none, a power
cut the last seconds), a lesson, an alert or a teacher's word with it. A disk that is full, busy or away never stops the
lesson: it is said once, what comes meanwhile waits in memory, and is written when the disk is back.
"""

import logging
import sqlite3
import threading
import uuid
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from edge.clock import utc_now
from edge.errors import StoreError
from edge.fusion.baseline import Key, LessonDigest
from edge.role import Role
from edge.store import digests, reading
from edge.store.database import BUSY_MS, Database, advice, delete_aside, is_damage
from edge.store.rows import to_us
from edge.store.sampling import HealthSampler
from edge.store.writing import Kept, Mark, Writer, is_precious
from edge.summary import Alert, Feedback, Health, Lesson, Outgoing, WindowSummary

_LOGGER = logging.getLogger(__name__)

_AT_ONCE = 64  # what waited is written in portions, so that the caller is not held up


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Counters since the store was opened."""

    stored: int
    """Items written."""

    waiting: int
    """Items that the disk refuses, kept in memory until it takes them."""

    lost: int
    """Items dropped because too many waited."""

    error: str | None
    """Why the disk refuses, in one line; ``None`` while it doesn't."""

    damage: str | None = None
    """That a damaged file was moved aside, in one line; ``None`` while none was."""


class Store:
    """One database. For several threads; a sink of the pipeline.

    Args:
        path: Database file, made if missing.
        most_waiting: Items kept in memory while the disk refuses them; then the oldest windows go first. The default is
            half an hour of both roles every two seconds.

    Raises:
        StoreError: It can't be opened. One that is damaged is moved aside and a new one begun.
    """

    def __init__(self, path: Path, *, most_waiting: int = 2000) -> None:
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._lesson: Lesson | None = None
        self._waiting: deque[tuple[Kept, Lesson | None]] = deque()
        self._writer, self._sampler = Writer(), HealthSampler()
        self._stored = self._lost = 0
        self._error: str | None = None
        self._database = Database(path)

    def begin_lesson(self, *, title: str, started_at: datetime | None = None) -> Lesson:
        """Begin a lesson, now if not told otherwise, and return it; the same as accepting it."""
        lesson = Lesson(uuid.uuid4().hex, title, started_at or utc_now(), None)
        self.accept(lesson)
        return lesson

    def end_lesson(self, *, ended_at: datetime | None = None) -> None:
        """End the lesson that runs, if any, now if not told otherwise; the same as accepting it with its end."""
        with self._lock:
            self._end(ended_at or utc_now())
            self._flush()

    def accept(self, item: Outgoing) -> None:
        """Store one item without blocking for long.

        A lesson without an end begins, and ends any that runs; one with its end is ended. Windows, alerts and health
        belong to the lesson that runs and are not kept between lessons; a teacher's answer to an alert belongs to the
        alert's lesson. Health is kept once a minute and when it changes.
        """
        with self._lock:
            if isinstance(item, Lesson):
                self._take_lesson(item)
            elif isinstance(item, Feedback):
                self._keep(item)
            elif self._lesson is None or (isinstance(item, Health) and not self._sampler.due(item)):
                return
            else:
                self._keep(item)
            self._flush()

    def add_mark(self, *, kind: str, text: str, at: datetime | None = None) -> Mark:
        """Note something in the lesson that runs, now if not told otherwise.

        Raises:
            StoreError: No lesson runs.
        """
        mark = Mark(at or utc_now(), kind, text)
        with self._lock:
            if self._lesson is None:
                raise StoreError(f"no lesson runs that {kind} {text!r} could be noted in: begin one first")
            self._keep(mark)
            self._flush()
        return mark

    def stats(self) -> StoreStats:
        """Return a consistent snapshot."""
        with self._lock:
            return StoreStats(self._stored, len(self._waiting), self._lost, self._error, self._database.damage)

    def lessons(self) -> list[Lesson]:
        """Return all lessons, oldest first.

        Raises:
            StoreError: The database can't be read; so do all that read.
        """
        return reading.lessons(self._read)

    def lessons_between(self, start: datetime, end: datetime) -> list[Lesson]:
        """Return the lessons that began from *start* on and before *end*, oldest first."""
        return reading.lessons(self._read, to_us(start), to_us(end))

    def summaries(self, lesson_id: str, role: Role) -> list[WindowSummary]:
        """Return one role's summaries in order of time."""
        return reading.summaries(self._read, lesson_id, role)

    def alerts(self, lesson_id: str) -> list[Alert]:
        """Return a lesson's alerts, beginnings and ends, in order of time."""
        return reading.alerts(self._read, lesson_id)

    def feedback(self, lesson_id: str) -> list[Feedback]:
        """Return what teachers said of a lesson's alerts, in order of time."""
        return reading.feedback(self._read, lesson_id)

    def health(self, lesson_id: str) -> list[Health]:
        """Return the reports that were kept of a lesson, in order of time."""
        return reading.health(self._read, lesson_id)

    def marks(self, lesson_id: str) -> list[Mark]:
        """Return a lesson's marks, in order of time."""
        return reading.marks(self._read, lesson_id)

    def recent_digests(self, group: str, kind: str, *, lessons: int = 20) -> list[LessonDigest]:
        """Return what a class's last lessons of one kind teach about it, newest first.

        Lessons that still run, or in which nothing could be told, are left out; of a class without a name nothing is
        known.
        """
        found: list[LessonDigest] = []
        for lesson in digests.ended_lessons(self._read, group, kind, lessons):
            kept = digests.kept(self._read, lesson)
            if not kept:
                kept = digests.work_out(self._read, lesson)
                self._keep_digest(lesson, kept)
            if kept:
                found.append(digests.to_digest(kept))
        return found

    def recent_values(self, group: str, kind: str, *, lessons: int = 20) -> dict[Key, list[float]]:
        """Return the values of :meth:`recent_digests` together: at most 64 a lesson, role and metric."""
        found: dict[Key, list[float]] = {}
        for digest in self.recent_digests(group, kind, lessons=lessons):
            for key, values in digest.values.items():
                found.setdefault(key, []).extend(values)
        return found

    def delete_older_than(self, days: float, *, now: datetime | None = None) -> int:
        """Delete lessons that began more than *days* before *now* with all they hold, but not the one that runs.

        They are overwritten on disk, and so are damaged files that were moved aside before.

        Returns:
            Lessons deleted.

        Raises:
            StoreError: The database can't be written.
        """
        before = (now or utc_now()) - timedelta(days=days)
        with self._lock:
            running = "" if self._lesson is None else self._lesson.id
            deleted = 0

            def delete(db: sqlite3.Connection) -> None:
                nonlocal deleted
                query = "DELETE FROM lessons WHERE started_us < ? AND id != ?"
                deleted = db.execute(query, (to_us(before), running)).rowcount

            path = self._database.path
            try:
                self._database.write(delete, durable=True)
                # What was deleted must not live on in the journal.
                if not self._database.empty_journal():
                    _LOGGER.warning("database %s is being read: what was deleted stays in its journal until then", path)
                delete_aside(path, before)
            except (OSError, sqlite3.Error) as error:
                raise StoreError(f"database {path} can't delete old lessons: {error}; {advice(error)}") from error
            finally:
                self._writer.forget()
            return deleted

    def close(self) -> None:
        """Write what waits, if the disk takes it, and close the file."""
        with self._lock:
            while self._flush():
                pass
            if self._waiting:
                _LOGGER.warning("%s; %d items are lost", self._error, len(self._waiting))
                self._lost += len(self._waiting)
                self._waiting.clear()
            self._database.close()

    def _take_lesson(self, lesson: Lesson) -> None:
        if self._lesson is not None and self._lesson.id != lesson.id and lesson.ended_at is None:
            self._end(lesson.started_at)
        if lesson.ended_at is None:
            self._lesson, self._sampler = lesson, HealthSampler()
        elif self._lesson is not None and self._lesson.id == lesson.id:
            self._lesson = None
        self._keep(lesson)

    def _end(self, ended_at: datetime) -> None:
        if self._lesson is not None:
            self._keep(replace(self._lesson, ended_at=ended_at))
            self._lesson = None

    def _keep(self, item: Kept) -> None:
        self._waiting.append((item, self._lesson))
        if len(self._waiting) > self._most_waiting:
            plain = (number for number, (kept, _) in enumerate(self._waiting) if not is_precious(kept))
            del self._waiting[next(plain, 0)]
            self._lost += 1

    def _flush(self) -> bool:
        """Write a portion of what waits, in order; return whether there is more that can be written."""
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            if not self._try_to_write(*self._waiting[0]):
                return False
            self._waiting.popleft()
            self._stored += 1
        return bool(self._waiting)

    def _try_to_write(self, item: Kept, lesson: Lesson | None) -> bool:
        """Write one item, on a new file if this one turns out to be damaged; return whether it worked."""
        try:
            try:
                self._write(item, lesson)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._database.begin_anew(error)
                self._write(item, lesson)
        except (OSError, sqlite3.Error, StoreError) as error:
            self._refused(error)
            return False
        if self._error is not None:
            self._error = None
            self._database.wait_for_others(BUSY_MS)
            path = self._database.path
            _LOGGER.warning("database %s is written again; %d items were lost", path, self._lost)
        return True

    def _write(self, item: Kept, lesson: Lesson | None) -> None:
        try:
            self._database.write(lambda db: self._writer.write(db, item, lesson), durable=is_precious(item))
        except BaseException:
            self._writer.forget()
            raise

    def _keep_digest(self, lesson: int, found: list[digests.Row]) -> None:
        with self._lock:
            try:
                self._database.write(lambda db: digests.keep(db, lesson, found), durable=False)
            except sqlite3.Error as error:
                _LOGGER.debug("a digest is not kept and will be worked out again: %s", error)

    def _refused(self, error: Exception) -> None:
        level = logging.WARNING if self._error is None else logging.DEBUG
        self._error = f"database {self._database.path} can't be written: {error}; {advice(error)}"
        _LOGGER.log(level, "%s; the lesson goes on, its last %d items wait in memory", self._error, self._most_waiting)
        # Waiting once is enough; from now on the pipeline must not be held up by every item.
        self._database.wait_for_others(0)

    def _read(self, query: str, parameters: tuple[str | int, ...]) -> list[tuple[object, ...]]:
        with self._lock:
            return self._database.read(query, parameters)
