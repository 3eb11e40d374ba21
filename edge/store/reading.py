"""What is asked of the database."""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any

from edge.role import Role
from edge.store import rows
from edge.store.schema import window_keys
from edge.store.writing import Mark
from edge.summary import Alert, Feedback, Health, Lesson, WindowSummary

Read = Callable[[str, tuple[str | int, ...]], list[tuple[Any, ...]]]
"""Runs a query; raises StoreError."""

_LATEST_US = 1 << 62
_OF_LESSON = "lesson = (SELECT key FROM lessons WHERE id = ?)"


def lessons(read: Read, first_us: int = -_LATEST_US, end_us: int = _LATEST_US) -> list[Lesson]:
    """Return the lessons that began from the first microsecond on and before the end, oldest first."""
    query = (
        f"SELECT {rows.LESSON_COLUMNS} FROM lessons "  # noqa: S608 - constants
        "WHERE started_us >= ? AND started_us < ? ORDER BY started_us, key"
    )
    return [rows.to_lesson(row) for row in read(query, (first_us, end_us))]


def summaries(read: Read, lesson_id: str, role: Role) -> list[WindowSummary]:
    """Return one role's summaries in order of time."""
    for (lesson,) in read("SELECT key FROM lessons WHERE id = ?", (lesson_id,)):
        known = contexts(read, lesson)
        return [rows.to_summary(row, known) for row in windows(read, lesson) if row[0] == role.value]
    return []


def alerts(read: Read, lesson_id: str) -> list[Alert]:
    """Return a lesson's alerts, beginnings and ends, in order of time."""
    query = (
        f"SELECT {rows.ALERT_COLUMNS} FROM alerts WHERE {_OF_LESSON} "  # noqa: S608 - constants
        "ORDER BY at_us, state = 'cleared'"
    )
    return [rows.to_alert(row) for row in read(query, (lesson_id,))]


def feedback(read: Read, lesson_id: str) -> list[Feedback]:
    """Return what teachers said of a lesson's alerts, in order of time."""
    query = f"SELECT {rows.FEEDBACK_COLUMNS} FROM feedback WHERE {_OF_LESSON} ORDER BY at_us"  # noqa: S608 - constants
    return [rows.to_feedback(row) for row in read(query, (lesson_id,))]


def health(read: Read, lesson_id: str) -> list[Health]:
    """Return the reports that were kept of a lesson, in order of time."""
    query = (
        f"SELECT {rows.SOURCE_COLUMNS} FROM health_sources WHERE {_OF_LESSON} "  # noqa: S608 - constants
        "ORDER BY at_us, number"
    )
    by_time = {at_us: list(group) for at_us, group in groupby(read(query, (lesson_id,)), key=itemgetter(0))}
    query = f"SELECT {rows.HEALTH_COLUMNS} FROM health WHERE {_OF_LESSON} ORDER BY at_us"  # noqa: S608 - constants
    return [rows.to_health(row, by_time.get(row[0], ())) for row in read(query, (lesson_id,))]


def marks(read: Read, lesson_id: str) -> list[Mark]:
    """Return a lesson's marks, in order of time."""
    query = f"SELECT at_us, kind, text FROM marks WHERE {_OF_LESSON} ORDER BY at_us"  # noqa: S608 - constants
    return [Mark(rows.to_utc(at_us), kind, text) for at_us, kind, text in read(query, (lesson_id,))]


def windows(read: Read, lesson: int) -> list[rows.Row]:
    """Return the rows of the summaries of the lesson with this key, in order of time."""
    query = (
        f"SELECT {rows.SUMMARY_COLUMNS} FROM summaries "  # noqa: S608 - constants
        "WHERE key BETWEEN ? AND ? ORDER BY key"
    )
    return read(query, window_keys(lesson))


def contexts(read: Read, lesson: int) -> dict[int, rows.Context]:
    """Return the contexts of the lesson with this key, by their number."""
    return {number: (engagement, usual) for number, engagement, usual in read(rows.CONTEXTS, (lesson,))}
