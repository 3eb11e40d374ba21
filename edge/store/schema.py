"""The database's tables and how older files become newer ones.

Times are UTC in microseconds since 1970, shares seven little-endian 32-bit floats in the order of ``Emotion`` (a day of
two roles every two seconds is 86 400 rows, so a row is kept near 150 bytes). ``NULL`` is "no evidence".
"""

import sqlite3
from pathlib import Path

from edge.clock import utc_now
from edge.errors import StoreError

MIGRATIONS = (
    """
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
    """,
)
"""One script a version: the file's ``user_version`` counts those that were applied."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the database and bring it to the newest version.

    Raises:
        StoreError: It was made by a newer version of the program.
        sqlite3.Error: It can't be opened; :func:`is_damage` tells whether it is worth beginning a new one.
    """
    db = sqlite3.connect(path, timeout=2.0, check_same_thread=False, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            db.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")
        db.execute("SELECT * FROM lessons ORDER BY key DESC LIMIT 1").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    if version > len(MIGRATIONS):
        db.close()
        raise StoreError(
            f"database {path} is of version {version}, this program knows {len(MIGRATIONS)}: update the program"
        )
    return db


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than busy, full or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def move_aside(path: Path) -> Path:
    """Rename a damaged database, with its journal, so that a new one can begin; return its new path.

    Raises:
        OSError: It can't be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged-{utc_now():%Y%m%dT%H%M%S%f}")
    for suffix in ("", "-wal", "-shm"):
        piece = path.with_name(path.name + suffix)
        if piece.exists():
            piece.rename(aside.with_name(aside.name + suffix))
    return aside
