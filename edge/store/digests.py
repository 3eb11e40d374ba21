"""What ended lessons teach about their class: worked out once and kept, because unpacking twenty takes seconds."""

import math
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from edge.fusion.baseline import LessonDigest, digest
from edge.metric import Metric
from edge.role import Role
from edge.store import rows
from edge.store.reading import Read, contexts, windows
from edge.summary import WindowSummary

Row = tuple[Any, ...]
"""Role, metric, length of the windows, quantiles."""

_TOLERANCE_S = 1e-6


def ended_lessons(read: Read, group: str, kind: str, count: int) -> list[int]:
    """Return the keys of a class's last lessons of one kind, newest first; none of a class without a name."""
    query = (
        "SELECT key FROM lessons WHERE group_name = ? AND kind = ? AND ended_us IS NOT NULL "
        "ORDER BY started_us DESC LIMIT ?"
    )
    return [key for (key,) in read(query, (group, kind, count))] if group else []


def kept(read: Read, lesson: int) -> list[Row]:
    """Return the rows that :func:`keep` wrote of a lesson."""
    return read("SELECT role, metric, window_s, quantiles FROM digests WHERE lesson = ?", (lesson,))


def work_out(read: Read, lesson: int) -> list[Row]:
    """Return the rows of a lesson's digest; none where nothing could be told."""
    found = digest(_separate(read, lesson))
    if found is None:
        return []
    return [
        (role.value, metric.value, found.window_s, struct.pack(f"<{len(values)}f", *values))
        for (role, metric), values in found.values.items()
    ]


def keep(db: sqlite3.Connection, lesson: int, found: Sequence[Row]) -> None:
    """Write the rows of a lesson's digest, unless the lesson is gone or goes on.

    Raises:
        sqlite3.Error: They can't be written.
    """
    query = (
        "INSERT OR REPLACE INTO digests (lesson, role, metric, window_s, quantiles) "
        "SELECT key, ?, ?, ?, ? FROM lessons WHERE key = ? AND ended_us IS NOT NULL"
    )
    db.executemany(query, [(*row, lesson) for row in found])


def to_digest(found: Sequence[Row]) -> LessonDigest:
    """Return the digest of a lesson's rows, at least one."""
    values = {
        (Role(role), Metric(metric)): struct.unpack(f"<{len(packed) // 4}f", packed)
        for role, metric, _, packed in found
    }
    return LessonDigest(found[0][2], values)


def _separate(read: Read, lesson: int) -> Iterator[WindowSummary]:
    """Yield the windows that a digest counts, chosen before they are unpacked, which is what takes the time."""
    found = windows(read, lesson)
    longest_s = max((length_s for _, _, _, _, length_s, *_ in found), default=0.0)
    # A digest says what is usual, it doesn't ask.
    known = {number: (parts, None) for number, (parts, _) in contexts(read, lesson).items()}
    free_s = {role.value: -math.inf for role in Role}
    for row in sorted(found, key=itemgetter(3)):
        role, _, _, closed_s, length_s, *_ = row
        if length_s >= longest_s - _TOLERANCE_S and closed_s - length_s >= free_s[role] - _TOLERANCE_S:
            free_s[role] = closed_s
            yield rows.to_summary(row, known)
