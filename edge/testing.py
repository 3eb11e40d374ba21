"""Scripted sources, stages and sinks and a hand-moved clock: for our tests, and for yours."""

import threading
from collections.abc import Callable, Iterable, Iterator

from edge.media import AudioBlock, Frame
from edge.observation import FaceObservation, VoiceObservation
from edge.role import Role
from edge.summary import Alert, Outgoing, WindowSummary


class HandClock:
    """Time that moves only when told to, or when somebody waits on it."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Return the hand's position."""
        with self._lock:
            return self._now_ns

    def advance(self, seconds: float) -> None:
        """Move the hand forward.

        Raises:
            ValueError: *seconds* is negative; monotonic time does not go back.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back, got {seconds} s")
        with self._lock:
            self._now_ns += round(seconds * 1e9)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Move the hand as if the time had passed, unless *stop* is set; return whether it is."""
        if not stop.is_set():
            self.advance(max(seconds, 0.0))
        return stop.is_set()


class ScriptedSource:
    """Plays one script an opening: items to deliver, errors to raise, calls to make.

    Args:
        name: The source's name.
        role: Whom it looks at.
        openings: One iterable each time it is opened; an exception in it is raised, a callable is called, anything
            else is delivered. Opened more often than there are scripts, it waits until it is closed.
        live: Whether it should be opened again.
    """

    def __init__(
        self,
        *,
        openings: Iterable[Iterable[Frame | AudioBlock | BaseException | Callable[[], object]]],
        name: str = "scripted",
        role: Role = Role.STUDENTS,
        live: bool = False,
    ) -> None:
        self.name, self.role, self.live = name, role, live
        self._openings = iter(openings)
        self._closed = threading.Event()
        self.opened = 0
        """How often it was opened."""

    def items(self) -> Iterator[Frame | AudioBlock]:
        """Play the next script."""
        self.opened += 1
        script = next(self._openings, None)
        if script is None:
            self._closed.wait()
            return
        for step in script:
            if self._closed.is_set():
                return
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Frame | AudioBlock):
                yield step
            else:
                step()

    def close(self) -> None:
        """End what is playing."""
        self._closed.set()


class ScriptedVision:
    """Answers each frame by a function of it."""

    slowed = 0

    def __init__(self, answer: Callable[[Frame], tuple[FaceObservation, ...] | None]) -> None:
        self._answer = answer

    def observe(self, frame: Frame) -> tuple[FaceObservation, ...] | None:
        """Return the function's answer."""
        return self._answer(frame)


class ScriptedVoice:
    """Answers each block of sound by a function of it."""

    def __init__(self, answer: Callable[[AudioBlock], tuple[VoiceObservation, ...]]) -> None:
        self._answer = answer

    def observe(self, block: AudioBlock) -> tuple[VoiceObservation, ...]:
        """Return the function's answer."""
        return self._answer(block)


class ListSink:
    """Keeps everything it is handed."""

    def __init__(self) -> None:
        self.items: list[Outgoing] = []

    def accept(self, item: Outgoing) -> None:
        """Keep one item."""
        self.items.append(item)

    @property
    def summaries(self) -> list[WindowSummary]:
        """The summaries among the items, in order."""
        return [item for item in self.items if isinstance(item, WindowSummary)]

    @property
    def alerts(self) -> list[Alert]:
        """The alerts among the items, in order."""
        return [item for item in self.items if isinstance(item, Alert)]
