"""What is done to the database for each kind of item; the transaction is the caller's."""

import logging
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from edge.store import rows
from edge.store.schema import window_keys
from edge.summary import Alert, Feedback, Health, Lesson, Outgoing, WindowSummary

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a teacher notes of a lesson: that a phase begins, or a remark."""

    at: datetime
    """UTC."""

    kind: str
    """Such as phase or note."""

    text: str
    """As it was typed."""


Kept = Outgoing | Mark


def is_precious(item: Kept) -> bool:
    """Whether an item must outlive a power cut."""
    return not isinstance(item, WindowSummary | Health)


class Writer:
    """Writes items, and remembers where a lesson's rows go so that it needn't ask each time."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._contexts: dict[rows.Context, int] = {}
        self._contexts_of: int | None = None

    def forget(self) -> None:
        """Ask the database again: what was written last may not be there, or the file may be another."""
        self._keys, self._contexts, self._contexts_of = {}, {}, None

    def write(self, db: sqlite3.Connection, item: Kept, lesson: Lesson | None) -> None:
        """Write one item of a lesson.

        Raises:
            sqlite3.Error: It can't be written; call :meth:`forget` then.
        """
        if isinstance(item, Lesson):
            self._write_lesson(db, item)
        elif isinstance(item, Feedback):
            self._write_feedback(db, item, lesson)
        elif lesson is None:
            raise ValueError(f"needs a lesson: {item}")
        else:
            self._write_of_lesson(db, item, self._key(db, lesson))

    def _write_of_lesson(self, db: sqlite3.Connection, item: WindowSummary | Alert | Health | Mark, key: int) -> None:
        if isinstance(item, WindowSummary):
            _insert(db, "summaries", rows.SUMMARY_STORED, rows.from_summary(item, key, self._context(db, item, key)))
        elif isinstance(item, Alert):
            _insert(db, "alerts", f"lesson, {rows.ALERT_COLUMNS}", (key, *rows.from_alert(item)))
        elif isinstance(item, Mark):
            _insert(db, "marks", "lesson, at_us, kind, text", (key, rows.to_us(item.at), item.kind, item.text))
        else:
            _insert(db, "health", f"lesson, {rows.HEALTH_COLUMNS}", (key, *rows.from_health(item)))
            for source in rows.from_sources(item):
                _insert(db, "health_sources", f"lesson, {rows.SOURCE_COLUMNS}", (key, *source))

    def _write_lesson(self, db: sqlite3.Connection, lesson: Lesson) -> None:
        if lesson.ended_at is None:
            _end_leftovers(db, lesson.id)
        columns = rows.LESSON_COLUMNS
        query = (
            f"INSERT INTO lessons ({columns}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "  # noqa: S608 - constants
            "title = excluded.title, ended_us = excluded.ended_us, group_name = excluded.group_name, "
            "kind = excluded.kind"
        )
        db.execute(query, rows.from_lesson(lesson))
        # What it teaches about its class may change until it has ended for good.
        db.execute("DELETE FROM digests WHERE lesson = (SELECT key FROM lessons WHERE id = ?)", (lesson.id,))

    def _write_feedback(self, db: sqlite3.Connection, feedback: Feedback, lesson: Lesson | None) -> None:
        query = "SELECT max(lesson) FROM alerts WHERE id = ?"
        (key,) = db.execute(query, (feedback.alert_id,)).fetchone()
        if key is None and lesson is not None:
            key = self._key(db, lesson)
        if key is None:
            _LOGGER.warning("feedback to alert %s is not kept: no stored lesson has it", feedback.alert_id)
            return
        _insert(db, "feedback", f"lesson, {rows.FEEDBACK_COLUMNS}", (key, *rows.from_feedback(feedback)))

    def _key(self, db: sqlite3.Connection, lesson: Lesson) -> int:
        """Return the key of a lesson, written now if its beginning was lost with a damaged file."""
        if lesson.id not in self._keys:
            query = "SELECT key FROM lessons WHERE id = ?"
            found = db.execute(query, (lesson.id,)).fetchone()
            if found is None:
                self._write_lesson(db, lesson)
                found = db.execute(query, (lesson.id,)).fetchone()
            self._keys = {lesson.id: found[0]}
        return self._keys[lesson.id]

    def _context(self, db: sqlite3.Connection, summary: WindowSummary, lesson: int) -> int | None:
        context = rows.from_context(summary)
        if context == rows.NO_CONTEXT:
            return None
        if lesson != self._contexts_of:
            known = db.execute(rows.CONTEXTS, (lesson,))
            self._contexts = {(engagement, usual): number for number, engagement, usual in known}
            self._contexts_of = lesson
        if context not in self._contexts:
            number = len(self._contexts)
            _insert(db, "contexts", "lesson, number, engagement, usual", (lesson, number, *context))
            self._contexts[context] = number
        return self._contexts[context]


def _end_leftovers(db: sqlite3.Connection, but: str) -> None:
    """End lessons that a crash left open, at their last window."""
    query = "SELECT key, started_us FROM lessons WHERE ended_us IS NULL AND id != ?"
    for key, started_us in db.execute(query, (but,)).fetchall():
        query = "SELECT closed_us FROM summaries WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1"
        last = db.execute(query, window_keys(key)).fetchone()
        db.execute("UPDATE lessons SET ended_us = ? WHERE key = ?", (started_us if last is None else last[0], key))


def _insert(db: sqlite3.Connection, table: str, columns: str, row: rows.Row) -> None:
    query = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - constants
    db.execute(query, row)
