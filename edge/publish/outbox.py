"""Messages that must arrive, kept on disk until the broker has acknowledged them.

An MQTT client's own queue is memory only and refuses the newest message when it is full; this one survives a power cut
and forgets the oldest.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.clock import utc_now
from edge.errors import StoreError

_LOGGER = logging.getLogger(__name__)

_SCHEMA = "CREATE TABLE IF NOT EXISTS messages (key INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL)"
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One message that waits."""

    key: int
    """Grows with each message: the order they must arrive in."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """Counters since the outbox was opened, and what waits."""

    waiting: int
    dropped: int
    """Messages that never arrived because the outbox was full."""

    in_memory: int
    """Messages, of those waiting, that the disk refused: they would not survive a power cut."""


class Outbox:
    """First in, first out, on disk. For several threads.

    Args:
        path: Database file, made if missing; ``None`` keeps messages in memory only, for demonstrations.
        capacity: Most messages kept; the oldest is dropped and counted.

    Raises:
        StoreError: The file can't be opened. One that is damaged is moved aside and a new one begun.
    """

    def __init__(self, path: Path | None, *, capacity: int = 10_000) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._capacity = capacity
        self._lock = threading.Lock()
        self._overflow: dict[int, OutboxMessage] = {}
        self._dropped = 0
        self._refused = False
        self._db = _open(path)
        last, stored = self._db.execute("SELECT coalesce(max(key), 0), count(*) FROM messages").fetchone()
        self._last_key, self._stored = int(last), int(stored)

    def put(self, topic: str, payload: bytes) -> None:
        """Keep a message; once this returns it survives a power cut, unless the disk refused it (see the stats)."""
        with self._lock:
            self._last_key += 1
            message = OutboxMessage(self._last_key, topic, payload)
            try:
                with self._db:
                    self._db.execute("INSERT INTO messages VALUES (?, ?, ?)", (message.key, topic, payload))
                self._stored += 1
                self._refused = False
            except sqlite3.Error as error:
                level = logging.DEBUG if self._refused else logging.WARNING
                _LOGGER.log(level, "the outbox's disk refused a message, kept in memory: %s; free some space", error)
                self._refused = True
                self._overflow[message.key] = message
            while self._stored + len(self._overflow) > self._capacity:
                self._drop_oldest()

    def peek(self, limit: int, *, after: int = 0) -> list[OutboxMessage]:
        """Return the oldest messages with a key above *after*, in order; they stay until removed."""
        with self._lock:
            return self._peek(limit, after)

    def remove(self, keys: Iterable[int]) -> None:
        """Forget messages that were delivered; unknown keys are ignored."""
        with self._lock:
            self._remove(keys)

    def stats(self) -> OutboxStats:
        """Return a consistent snapshot."""
        with self._lock:
            return OutboxStats(self._stored + len(self._overflow), self._dropped, len(self._overflow))

    def close(self) -> None:
        """Close the file; what waits stays in it."""
        with self._lock:
            self._db.close()

    def _peek(self, limit: int, after: int) -> list[OutboxMessage]:
        query = "SELECT key, topic, payload FROM messages WHERE key > ? ORDER BY key LIMIT ?"
        try:
            rows = [OutboxMessage(*row) for row in self._db.execute(query, (after, limit))]
        except sqlite3.Error as error:
            _LOGGER.log(logging.DEBUG if self._refused else logging.WARNING, "the outbox can't be read: %s", error)
            self._refused, rows = True, []
        refused = [message for key, message in self._overflow.items() if key > after]
        return sorted(rows + refused, key=lambda message: message.key)[:limit]

    def _remove(self, keys: Iterable[int]) -> None:
        keys = list(keys)
        for key in keys:
            self._overflow.pop(key, None)
        try:
            with self._db:
                cursor = self._db.executemany("DELETE FROM messages WHERE key = ?", [(key,) for key in keys])
            self._stored -= max(cursor.rowcount, 0)
        except sqlite3.Error as error:
            # Harmless but for a repeat after a restart, which the alerts' ids make out.
            _LOGGER.debug("the outbox's disk kept a delivered message: %s", error)

    def _drop_oldest(self) -> None:
        waiting = self._stored + len(self._overflow)
        self._remove(message.key for message in self._peek(1, 0))
        if self._stored + len(self._overflow) == waiting:  # the disk refuses even that: make room in memory
            if not self._overflow:
                return
            del self._overflow[min(self._overflow)]
        self._dropped += 1


def _open(path: Path | None) -> sqlite3.Connection:
    if path is None:
        return _connect(":memory:")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(str(path))
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            aside = path.with_name(f"{path.name}.damaged-{utc_now():%Y%m%dT%H%M%S%f}")
            for suffix in ("", "-wal", "-shm"):
                piece = path.with_name(path.name + suffix)
                if piece.exists():
                    piece.rename(aside.with_name(aside.name + suffix))
            _LOGGER.warning("outbox %s is damaged (%s): moved to %s, a new one begun", path, error, aside.name)
            return _connect(str(path))
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"outbox {path} can't be opened: {error}; check that its folder can be written") from error


def _connect(where: str) -> sqlite3.Connection:
    db = sqlite3.connect(where, timeout=1.0, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            damaged = sqlite3.DatabaseError(verdict)
            damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damaged
        with db:
            db.execute(_SCHEMA)
        db.execute("SELECT key, topic, payload FROM messages LIMIT 1")
    except sqlite3.Error:
        db.close()
        raise
    return db
