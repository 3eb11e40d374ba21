"""The database's tables, and how older files become newer ones.

``docs/store.md`` draws them for people who open the file. Times are UTC in microseconds since 1970; ``NULL`` is "no
evidence". A day of two roles every two seconds is 86 400 summaries, so one is kept near 200 bytes: its place in the
lesson is its key, its small numbers are packed, and what seldom changes stands once, in ``contexts``.
"""

import sqlite3
import struct
from collections.abc import Callable, Iterator

from edge.observation import EmotionDistribution
from edge.store.packing import AMOUNTS, VALUES, Readings, pack

_TIME_BITS = 43
_MILLISECONDS = (1 << 42) - 1


def window_key(lesson: int, closed_us: int, *, teacher: bool) -> int:
    """Return the key of a summary: lesson, millisecond of its close (42 bits, until 2109), role.

    Rows are added in its order, so pages are filled to the brim and a lesson lies together.
    """
    return lesson << _TIME_BITS | (closed_us // 1000 & _MILLISECONDS) << 1 | int(teacher)


def window_keys(lesson: int) -> tuple[int, int]:
    """Return the first and the last key that a lesson's summaries may have."""
    return lesson << _TIME_BITS, ((lesson + 1) << _TIME_BITS) - 1


def window_length_s(seconds: float, microseconds: int) -> float:
    """Return how long a window is by its seconds, to a nanosecond; by the calendar where those say nothing."""
    return round(seconds, 9) if seconds > 0 else microseconds / 1e6


_FIRST_SHARES = "<7f"
_FIRST = """
    CREATE TABLE lessons (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        started_us INTEGER NOT NULL,
        ended_us INTEGER
    );
    CREATE TABLE summaries (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        role TEXT NOT NULL,
        closed_us INTEGER NOT NULL,
        opened_us INTEGER NOT NULL,
        opened_s REAL NOT NULL,
        closed_s REAL NOT NULL,
        face_observations INTEGER NOT NULL,
        face_shares BLOB,
        voice_observations INTEGER NOT NULL,
        voice_shares BLOB,
        fused_observations INTEGER NOT NULL,
        fused_shares BLOB,
        people INTEGER NOT NULL,
        usable_faces REAL,
        speech_ratio REAL,
        level_dbfs REAL,
        gaps INTEGER NOT NULL,
        late INTEGER NOT NULL,
        suppressed INTEGER NOT NULL,
        PRIMARY KEY (lesson, role, closed_us)
    ) WITHOUT ROWID;
    CREATE TABLE alerts (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        id TEXT NOT NULL,
        state TEXT NOT NULL,
        rule TEXT NOT NULL,
        role TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        at_s REAL NOT NULL,
        since_s REAL NOT NULL,
        reason TEXT NOT NULL,
        value REAL,
        threshold REAL NOT NULL,
        PRIMARY KEY (lesson, id, state)
    ) WITHOUT ROWID;
"""

_SECOND = (
    "ALTER TABLE lessons ADD COLUMN group_name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE lessons ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE alerts ADD COLUMN severity TEXT NOT NULL DEFAULT 'warning'",
    "ALTER TABLE alerts ADD COLUMN metric TEXT",
    "ALTER TABLE alerts ADD COLUMN usual REAL",
    "UPDATE alerts SET metric = 'negative'",  # all that the first rules watched
    "ALTER TABLE summaries RENAME TO first_summaries",
    f"""
    CREATE TABLE summaries (
        key INTEGER PRIMARY KEY,
        lesson INTEGER AS (key >> {_TIME_BITS}),
        role TEXT AS (CASE key & 1 WHEN 1 THEN 'teacher' ELSE 'students' END),
        closed_us INTEGER AS ((key >> 1 & {_MILLISECONDS}) * 1000 + closed_rest_us),
        opened_us INTEGER AS (
            (key >> 1 & {_MILLISECONDS}) * 1000 + closed_rest_us - CAST(round(length_s * 1e6) AS INTEGER)
        ),
        opened_s REAL AS (closed_s - length_s),
        closed_rest_us INTEGER NOT NULL,
        closed_s REAL NOT NULL,
        length_s REAL NOT NULL,
        face_observations INTEGER NOT NULL,
        voice_observations INTEGER NOT NULL,
        fused_observations INTEGER NOT NULL,
        people INTEGER NOT NULL,
        gaps INTEGER NOT NULL,
        late INTEGER NOT NULL,
        suppressed INTEGER NOT NULL,
        context INTEGER,
        readings BLOB NOT NULL
    )""",
    f"""
    CREATE TRIGGER summaries_go_with_their_lesson BEFORE DELETE ON lessons BEGIN
        DELETE FROM summaries
        WHERE key BETWEEN old.key << {_TIME_BITS} AND ((old.key + 1) << {_TIME_BITS}) - 1;
    END""",  # noqa: S608 - a constant
    """
    CREATE TABLE contexts (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        number INTEGER NOT NULL,
        engagement TEXT,
        usual TEXT,
        PRIMARY KEY (lesson, number)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE digests (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        role TEXT NOT NULL,
        metric TEXT NOT NULL,
        window_s REAL NOT NULL,
        quantiles BLOB NOT NULL,
        PRIMARY KEY (lesson, role, metric)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE feedback (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        alert TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        PRIMARY KEY (lesson, alert, at_us, verdict)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE marks (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        at_us INTEGER NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (lesson, at_us, kind, text)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE health (
        lesson INTEGER NOT NULL REFERENCES lessons ON DELETE CASCADE,
        at_us INTEGER NOT NULL,
        vision_ms REAL,
        voice_ms REAL,
        analysed_per_s REAL NOT NULL,
        late INTEGER NOT NULL,
        faults TEXT,
        PRIMARY KEY (lesson, at_us)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE health_sources (
        lesson INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        state TEXT NOT NULL,
        error TEXT,
        reconnects INTEGER NOT NULL,
        frames INTEGER NOT NULL,
        frames_per_s REAL NOT NULL,
        dropped_frames INTEGER NOT NULL,
        lost_audio_s REAL NOT NULL,
        idle_s REAL,
        PRIMARY KEY (lesson, at_us, number),
        FOREIGN KEY (lesson, at_us) REFERENCES health ON DELETE CASCADE
    ) WITHOUT ROWID""",
)


def _run_first(db: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _FIRST.split(";")):
        db.execute(statement)


def _run_second(db: sqlite3.Connection) -> None:
    for statement in _SECOND:
        db.execute(statement)
    db.executemany("INSERT INTO summaries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _compacted(db))
    db.execute("DROP TABLE first_summaries")


def _compacted(db: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    nothing = (0.0,) * len(AMOUNTS)
    rest = (None,) * (len(VALUES) - 3)
    for row in db.execute("SELECT * FROM first_summaries ORDER BY lesson, closed_us, role"):
        lesson, role, closed_us, opened_us, opened_s, closed_s = row[:6]
        people, *values, gaps, late, suppressed = row[12:]
        shares = [
            None if packed is None else EmotionDistribution(struct.unpack(_FIRST_SHARES, packed))
            for packed in row[7:12:2]
        ]
        yield (
            window_key(lesson, closed_us, teacher=role == "teacher"),
            closed_us % 1000,
            closed_s,
            window_length_s(closed_s - opened_s, closed_us - opened_us),
            *row[6:11:2],
            people,
            gaps,
            late,
            suppressed,
            None,
            pack(Readings(shares, (*values, *rest), nothing)),
        )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_run_first, _run_second)
"""One step a version: the file's ``user_version`` counts those that were taken. A step is never changed."""
