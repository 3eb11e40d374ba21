"""One SQLite file: opened, brought to the newest version, written in transactions, begun anew when it breaks."""

import logging
import os
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.clock import utc_now
from edge.errors import StoreError
from edge.store.schema import MIGRATIONS

_LOGGER = logging.getLogger(__name__)

BUSY_MS = 250
"""Milliseconds a write waits for another program that is writing; in a lesson the next window is two seconds away."""

_OPENING_MS = 2000
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PIECES = ("", "-wal", "-shm")
_ZEROS = bytes(1 << 20)
_STAMP = "%Y%m%dT%H%M%S%f"
_ADVICE = {
    sqlite3.SQLITE_FULL: "free some space",
    sqlite3.SQLITE_BUSY: "close the program that is writing to it",
    sqlite3.SQLITE_LOCKED: "close the program that is writing to it",
    sqlite3.SQLITE_READONLY: "let its folder be written",
}


class Database:
    """A file and the one connection to it. Its owner sees to it that one thread uses it at a time.

    Args:
        path: Made if missing, with its folder.

    Raises:
        StoreError: It can't be opened, or a newer program made it. One that is damaged is moved aside and a new one
            begun.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        """That a damaged file was moved aside, and where to, in one line; ``None`` while none was."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._db = connect(path)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._db = self._begin_anew(error)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"database {path} can't be opened: {error}; {advice(error)}") from error

    def write(self, action: Callable[[sqlite3.Connection], None], *, durable: bool) -> None:
        """Do *action* in one transaction: all of it is on disk afterwards, or nothing.

        Args:
            action: Called once; it must leave nothing behind that a rollback doesn't undo.
            durable: Whether it must outlive a power cut, not just the end of the program.

        Raises:
            sqlite3.Error: It can't be written now.
        """
        if durable:
            self._db.execute("PRAGMA synchronous=FULL")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                action(self._db)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have rolled back by itself
                    self._db.execute("ROLLBACK")
                raise
        finally:
            if durable:
                self._db.execute("PRAGMA synchronous=NORMAL")

    def read(self, query: str, parameters: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query.

        Raises:
            StoreError: It can't be read.
        """
        try:
            return self._db.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"database {self.path} can't be read: {error}; {advice(error)}") from error

    def wait_for_others(self, milliseconds: int) -> None:
        """Set how long a write waits for another program that is writing."""
        self._db.execute(f"PRAGMA busy_timeout={milliseconds}")

    def begin_anew(self, damage: sqlite3.Error) -> None:
        """Move the damaged file aside and begin a new one.

        Raises:
            OSError: It can't be moved.
            StoreError: Another program made a new one meanwhile, and a newer one.
            sqlite3.Error: A new one can't be made.
        """
        self._db.close()
        self._db = self._begin_anew(damage)

    def empty_journal(self) -> bool:
        """Move the journal's pages into the file and leave nothing in it; return whether no reader was in the way.

        Raises:
            sqlite3.Error: The file can't be written.
        """
        busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _begin_anew(self, damage: sqlite3.Error) -> sqlite3.Connection:
        aside = move_aside(self.path)
        self.damage = f"database {self.path} was damaged ({damage}): moved to {aside.name}, a new one begun"
        _LOGGER.warning("%s", self.damage)
        return connect(self.path)


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the database and bring it to the newest version.

    Raises:
        StoreError: It was made by a newer version of the program.
        sqlite3.Error: It can't be opened; :func:`is_damage` tells whether it is worth beginning a new one.
    """
    db = sqlite3.connect(path, timeout=_OPENING_MS / 1000, check_same_thread=False, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA foreign_keys=ON")
        while (version := _version(db)) < len(MIGRATIONS):
            _migrate(db, version)
        db.execute("SELECT * FROM lessons ORDER BY key DESC LIMIT 1").fetchone()
        db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    except sqlite3.Error:
        db.close()
        raise
    if version > len(MIGRATIONS):
        db.close()
        raise StoreError(
            f"database {path} is of version {version}, this program knows {len(MIGRATIONS)}: update the program"
        )
    return db


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection, version: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if _version(db) == version:  # another program may have been first
            MIGRATIONS[version](db)
            db.execute(f"PRAGMA user_version={version + 1}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than busy, full or out of reach."""
    return _code(error) in _DAMAGED


def advice(error: Exception) -> str:
    """Return what to do about an error."""
    return _ADVICE.get(_code(error), "check the disk and that its folder can be written")


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def move_aside(path: Path) -> Path:
    """Rename a damaged database, with its journal, so that a new one can begin; return its new path.

    Raises:
        OSError: It can't be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged-{utc_now():{_STAMP}}")
    for suffix in _PIECES:
        piece = path.with_name(path.name + suffix)
        if piece.exists():
            piece.rename(aside.with_name(aside.name + suffix))
    return aside


def delete_aside(path: Path, before: datetime) -> None:
    """Overwrite and delete the damaged files that were moved aside before an instant.

    Raises:
        OSError: They can't be.
    """
    name = re.compile(rf"{re.escape(path.name)}\.damaged-(\d{{8}}T\d{{12}})(-wal|-shm)?")
    for piece in path.parent.iterdir():
        found = name.fullmatch(piece.name)
        if found and datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC) < before:
            with piece.open("r+b") as file:
                left = piece.stat().st_size
                while left:
                    left -= file.write(_ZEROS[:left])
                file.flush()
                os.fsync(file.fileno())
            piece.unlink()
