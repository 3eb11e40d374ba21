"""The bounded queue that forgets the oldest first, or makes its writer wait."""

import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.ring import RingClosedError, RingQueue, RingStats
from tests.strategies import few


class RingAgainstDeque(RuleBasedStateMachine):
    """Any order of calls gives what a plain bounded deque gives, and the counters always add up."""

    @initialize(capacity=st.integers(1, 5))
    def make(self, capacity: int) -> None:
        """Start with an empty ring and its model."""
        self.ring: RingQueue[int] = RingQueue(capacity)
        self.model: deque[int] = deque(maxlen=capacity)
        self.capacity, self.put_in, self.got, self.closed = capacity, 0, 0, False

    @precondition(lambda self: not self.closed)
    @rule()
    def put(self) -> None:
        """A put returns whether it pushed an older item out."""
        was_full = len(self.model) == self.capacity
        self.model.append(self.put_in)

        assert self.ring.put(self.put_in) == was_full
        self.put_in += 1

    @precondition(lambda self: self.closed)
    @rule()
    def put_after_close(self) -> None:
        """A closed ring takes nothing."""
        with pytest.raises(RingClosedError):
            self.ring.put(-1)

    @rule()
    def get(self) -> None:
        """A get returns the oldest; an empty ring says whether more may come."""
        if self.model:
            assert self.ring.get(timeout_s=0) == self.model.popleft()
            self.got += 1
        else:
            with pytest.raises(RingClosedError if self.closed else TimeoutError):
                self.ring.get(timeout_s=0)

    @rule()
    def close(self) -> None:
        """Closing twice is closing once."""
        self.ring.close()
        self.closed = True

    @invariant()
    def every_item_is_accounted_for(self) -> None:
        """What was accepted was delivered, dropped, or waits."""
        stats = self.ring.stats()

        assert stats.accepted == self.put_in == self.got + stats.dropped + stats.waiting
        assert stats.waiting == len(self.model) <= stats.capacity == self.capacity


RingAgainstDeque.TestCase.settings = few
TestRingAgainstDeque = RingAgainstDeque.TestCase


@given(items=st.lists(st.integers(), max_size=60), capacity=st.integers(1, 10))
def test_a_closed_ring_delivers_what_waits_in_order(items: list[int], capacity: int) -> None:
    """Iterating ends after the newest items that fit, oldest first."""
    ring: RingQueue[int] = RingQueue(capacity)
    for item in items:
        ring.put(item)
    ring.close()

    assert list(ring) == items[-capacity:]


def test_a_put_never_blocks() -> None:
    """A ring that nobody reads takes a thousand items from its own thread and keeps the newest two."""
    ring: RingQueue[int] = RingQueue(2)
    for number in range(1000):
        ring.put(number)

    assert ring.stats() == RingStats(capacity=2, waiting=2, accepted=1000, dropped=998)
    assert [ring.get(), ring.get()] == [998, 999]


def test_a_reader_in_another_thread_gets_everything_in_order() -> None:
    """Across threads order is kept, and what was not dropped is delivered once."""
    ring: RingQueue[int] = RingQueue(8)
    got: list[int] = []
    reader = threading.Thread(target=lambda: got.extend(ring))
    reader.start()
    for number in range(2000):
        ring.put(number)
    ring.close()
    reader.join(timeout=10)

    assert got == sorted(set(got))
    assert got[-1] == 1999
    assert len(got) + ring.stats().dropped == 2000


def test_closing_wakes_everybody_who_waits() -> None:
    """No reader hangs on a ring that will never fill."""
    ring: RingQueue[int] = RingQueue(1)
    ended: list[bool] = []

    def read() -> None:
        with pytest.raises(RingClosedError):
            ring.get()
        ended.append(True)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    ring.close()
    for reader in readers:
        reader.join(timeout=10)

    assert ended == [True] * 3


@given(items=st.lists(st.integers(), max_size=60), capacity=st.integers(1, 4))
def test_a_ring_that_waits_loses_nothing(items: list[int], capacity: int) -> None:
    """However small it is, its reader gets every item, once and in order."""
    ring: RingQueue[int] = RingQueue(capacity, waits=True)
    got: list[int] = []
    reader = threading.Thread(target=lambda: got.extend(ring))
    reader.start()
    pushed_out = [ring.put(item) for item in items]
    ring.close()
    reader.join(timeout=10)

    assert got == items
    assert not any(pushed_out)
    assert ring.stats() == RingStats(capacity=capacity, waiting=0, accepted=len(items), dropped=0)


def test_a_writer_that_waits_is_woken_by_the_first_free_place() -> None:
    """A full ring holds its writer until one item is taken, and not longer."""
    ring: RingQueue[int] = RingQueue(1, waits=True)
    ring.put(1)
    writer = threading.Thread(target=ring.put, args=(2,))
    writer.start()

    assert ring.get() == 1
    assert ring.get(timeout_s=10) == 2
    writer.join(timeout=10)


def test_closing_wakes_a_writer_who_waits() -> None:
    """Whoever waits for room in a ring that nobody reads any more is told so, and its item is not in it."""
    ring: RingQueue[int] = RingQueue(1, waits=True)
    ring.put(1)
    refused: list[bool] = []

    def write() -> None:
        with pytest.raises(RingClosedError):
            ring.put(2)
        refused.append(True)

    writer = threading.Thread(target=write)
    writer.start()
    ring.close()
    writer.join(timeout=10)

    assert refused == [True]
    assert list(ring) == [1]


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_ring_holds_at_least_one(capacity: int) -> None:
    """A ring that holds nothing would drop everything in silence."""
    with pytest.raises(ValueError, match=f"at least 1, got {capacity}"):
        RingQueue(capacity)
