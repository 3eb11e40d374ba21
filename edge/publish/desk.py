"""Where commands from the wire are checked, carried out once, and answered.

The thread that has the connection only hands them in; another one carries them out, so that a slow command holds up
neither alerts nor the connection.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.clock import Clock
from edge.errors import EdgeError
from edge.publish.bucket import TokenBucket
from edge.publish.commands import Command, Reply
from edge.publish.request_payload import COMMANDS, Request, ResponsePayload, read_request, read_transaction
from edge.publish.wire import PayloadError
from edge.ring import RingClosedError, RingQueue

_LOGGER = logging.getLogger(__name__)

RATE_PER_S = 5.0
"""Commands a second that each topic takes."""

BURST = 20
"""Commands that each topic takes at once."""

MEMORY_S = 300.0
"""Seconds for which a command sent again is answered and not carried out again."""

_WAITING = 64  # commands handed in and not carried out yet
_NAME = re.compile(r"[a-z0-9_]{1,32}")
_STOPPING = Reply("the box is stopping; send it again when it is back")


@dataclass(frozen=True, slots=True)
class CommandStats:
    """Counters since the start."""

    done: int = 0
    """Carried out."""

    failed: int = 0
    """Tried, and answered with an error."""

    repeated: int = 0
    """Sent again, and answered from memory."""

    refused: int = 0
    """No commands, or too many of them."""

    ignored: int = 0
    """Retained by the broker: said at some other time, for then."""


@dataclass(slots=True)
class _Seen:
    """A transaction that was handed in."""

    digest: bytes
    at_ns: int
    reply: Reply | None = None
    """``None`` while it is under way."""


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    request: Request


class CommandDesk:
    """Takes commands, at a bounded rate.

    Args:
        on_command: Carries one out. Called in a thread of the desk's, one at a time; an :class:`EdgeError` it raises
            is its reply. It must return, and must not close the desk.
        answer: Takes the name of a command and the response to it, without blocking.
        clock: For rates, and for how long a transaction is remembered.
    """

    def __init__(
        self, *, on_command: Callable[[Command], Reply], answer: Callable[[str, bytes], None], clock: Clock
    ) -> None:
        self._on_command, self._answer, self._clock = on_command, answer, clock
        self._buckets: dict[str, TokenBucket] = {}
        self._flooded: set[str] = set()
        self._jobs: RingQueue[_Job] = RingQueue(_WAITING)
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._stats = CommandStats()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to carry out what is handed in."""
        self._thread = threading.Thread(target=self._work, name="mqtt-commands")
        self._thread.start()

    def close(self) -> None:
        """End what is under way, refuse what waits; callable any number of times."""
        self._stopping.set()
        self._jobs.close()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def stats(self) -> CommandStats:
        """Return a consistent snapshot."""
        with self._lock:
            return self._stats

    def take(self, name: str, data: bytes | bytearray, *, retained: bool) -> None:
        """Hand in what came on ``command/<name>``; returns at once, whatever it is. For one thread."""
        if retained:
            self._count("ignored")
            _LOGGER.warning("a retained command was ignored: commands must be sent without the retain flag")
            return
        if not _NAME.fullmatch(name):
            self._count("refused")  # not answered: the response's topic would be of a stranger's making
            return
        if not self._has_room(name):
            self._count("refused")
            self._refuse_flood(name, data)
            return
        self._flooded.discard(_bucket_of(name))
        try:
            request = read_request(name, data)
        except PayloadError as error:
            self._count("refused")
            _LOGGER.debug("command %s was refused: %s", name, error)
            self._say(name, read_transaction(data), Reply(str(error)))
            return
        if not self._was_seen(name, request.transaction, data):
            self._hand_in(_Job(name, request))

    def _has_room(self, name: str) -> bool:
        key = _bucket_of(name)
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(rate_per_s=RATE_PER_S, burst=BURST)
        return self._buckets[key].take(self._clock.now_ns())

    def _refuse_flood(self, name: str, data: bytes | bytearray) -> None:
        """Answer the first that is too many, and no more until one is taken again."""
        key = _bucket_of(name)
        if key in self._flooded:
            return
        self._flooded.add(key)
        _LOGGER.debug("too many commands of the kind %s", name)
        too_many = f"too many commands: {RATE_PER_S:g} a second are taken, {BURST} at once; send it again later"
        self._say(name, read_transaction(data), Reply(too_many))

    def _was_seen(self, name: str, transaction: str, data: bytes | bytearray) -> bool:
        """Answer a transaction that is known, or begin to remember it."""
        # The rate bounds how many there can be.
        now_ns, digest = self._clock.now_ns(), hashlib.sha256(data).digest()
        with self._lock:
            while self._seen:
                oldest = next(iter(self._seen))
                if now_ns - self._seen[oldest].at_ns < MEMORY_S * 1e9:
                    break
                del self._seen[oldest]
            seen = self._seen.get((name, transaction))
            if seen is None:
                self._seen[name, transaction] = _Seen(digest, now_ns)
                return False
        if seen.digest != digest:
            self._count("refused")
            self._say(name, transaction, Reply("this id was used for another command; make a new one for each"))
            return True
        self._count("repeated")
        if seen.reply is not None:  # else it is answered when it is done
            self._say(name, transaction, seen.reply)
        return True

    def _hand_in(self, job: _Job) -> None:
        # This thread alone hands in, so what has room now has room below.
        if self._jobs.stats().waiting == _WAITING:
            self._give_up(job, Reply("the box is busy with earlier commands; send it again later"))
            return
        try:
            self._jobs.put(job)
        except RingClosedError:
            self._give_up(job, _STOPPING)

    def _give_up(self, job: _Job, reply: Reply) -> None:
        """Answer a command that was not tried; sent again, it will be."""
        self._count("refused")
        with self._lock:
            self._seen.pop((job.name, job.request.transaction), None)
        self._say(job.name, job.request.transaction, reply)

    def _work(self) -> None:
        for job in self._jobs:
            if self._stopping.is_set():
                self._give_up(job, _STOPPING)
                continue
            reply = self._carry_out(job)
            self._count("done" if reply.error is None else "failed")
            with self._lock:
                if (seen := self._seen.get((job.name, job.request.transaction))) is not None:
                    seen.reply = reply
            self._say(job.name, job.request.transaction, reply)

    def _carry_out(self, job: _Job) -> Reply:
        try:
            return self._on_command(job.request.command)
        except EdgeError as error:
            return Reply(str(error))
        except Exception:
            # A stranger's command must not end the service, whatever it found.
            _LOGGER.exception("command %s failed", job.name)
            return Reply("failed inside the box; its log says why")

    def _count(self, what: str) -> None:
        with self._lock:
            self._stats = replace(self._stats, **{what: getattr(self._stats, what) + 1})

    def _say(self, name: str, transaction: str | None, reply: Reply) -> None:
        self._answer(name, ResponsePayload.of(transaction, reply).to_json())


def _bucket_of(name: str) -> str:
    """Return what a command shares its rate with: itself, or all those that don't exist."""
    return name if name in COMMANDS else ""
