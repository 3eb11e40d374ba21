"""A bounded queue between two threads that forgets the oldest item first, or makes its writer wait."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class RingClosedError(Exception):
    """The queue was closed, and to a reader: is empty."""


@dataclass(frozen=True, slots=True)
class RingStats:
    """Counters of one queue since it was made."""

    capacity: int
    waiting: int
    accepted: int
    dropped: int


class RingQueue(Generic[T]):
    """Thread-safe bounded queue.

    Args:
        capacity: Most items held; at least 1.
        waits: Whether ``put`` waits for room, so that nothing is lost. Else it never blocks: the oldest is dropped.
    """

    def __init__(self, capacity: int, *, waits: bool = False) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._waits = waits
        self._accepted = 0
        self._dropped = 0
        self._closed = False
        lock = threading.Lock()
        self._filled, self._freed = threading.Condition(lock), threading.Condition(lock)

    def put(self, item: T) -> bool:
        """Add *item*; return whether an older one was dropped to make room.

        Raises:
            RingClosedError: The queue was closed, before or while this waited.
        """
        with self._freed:
            if self._waits:
                self._freed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                raise RingClosedError
            full = len(self._items) == self._capacity
            if full:
                self._items.popleft()
                self._dropped += 1
            self._items.append(item)
            self._accepted += 1
            self._filled.notify()
            return full

    def get(self, timeout_s: float | None = None) -> T:
        """Wait for and remove the oldest item.

        Raises:
            RingClosedError: The queue is closed and empty.
            TimeoutError: Nothing arrived within *timeout_s* seconds.
        """
        with self._filled:
            if not self._filled.wait_for(lambda: self._items or self._closed, timeout_s):
                raise TimeoutError
            if not self._items:
                raise RingClosedError
            self._freed.notify()
            return self._items.popleft()

    def close(self) -> None:
        """Refuse new items and wake everybody who waits; what is in it can still be read."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()
            self._freed.notify_all()

    def stats(self) -> RingStats:
        """Return a consistent snapshot of the counters."""
        with self._filled:
            return RingStats(self._capacity, len(self._items), self._accepted, self._dropped)

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                yield self.get()
            except RingClosedError:
                return
