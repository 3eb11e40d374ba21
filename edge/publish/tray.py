"""What waits for the network in memory: live values, retained truths and answers to commands."""

import threading
from collections import deque
from dataclasses import dataclass

_MOST_ANSWERS = 256


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to be published."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Tray:
    """Filled by several threads, emptied by the one that has the connection.

    Of a live topic the newest value waits; without a connection none does. A retained topic's value is kept, and goes
    out again with each connection, so that a broker that forgot is put right. Answers go to whoever asked, now or
    never: who hears none asks again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._dropped = 0
        self._live: dict[str, bytes] = {}
        self._retained: dict[str, bytes] = {}
        self._changed: dict[str, None] = {}  # a set that keeps its order
        self._answers: deque[Outbound] = deque()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        with self._lock:
            return self._open

    @property
    def dropped(self) -> int:
        """Live values and answers that were never handed out."""
        with self._lock:
            return self._dropped

    def put_live(self, topic: str, payload: bytes) -> None:
        """Keep a value until there is a newer one."""
        with self._lock:
            if not self._open or topic in self._live:
                self._dropped += 1
            if self._open:
                self._live[topic] = payload

    def put_retained(self, topic: str, payload: bytes) -> None:
        """Keep what is true from now on."""
        with self._lock:
            self._retained[topic] = payload
            self._changed[topic] = None

    def put_answer(self, topic: str, payload: bytes) -> None:
        """Keep an answer for whoever waits for it."""
        with self._lock:
            if not self._open or len(self._answers) == _MOST_ANSWERS:
                self._dropped += 1
            else:
                self._answers.append(Outbound(topic, payload, qos=1, retain=False))

    def open(self) -> None:
        """There is a connection, which knows nothing yet."""
        with self._lock:
            self._open = True
            self._changed = dict.fromkeys(self._retained)

    def close(self) -> None:
        """There is none any more."""
        with self._lock:
            self._open = False
            self._dropped += len(self._live) + len(self._answers)
            self._live.clear()
            self._answers.clear()

    def take(self) -> list[Outbound]:
        """Return what is to be published now: truths first, then answers, then live values."""
        with self._lock:
            changed = [Outbound(topic, self._retained[topic], qos=1, retain=True) for topic in self._changed]
            live = [Outbound(topic, payload, qos=0, retain=False) for topic, payload in self._live.items()]
            messages = [*changed, *self._answers, *live]
            self._changed.clear()
            self._answers.clear()
            self._live.clear()
            return messages
