"""One source with its rings and its threads: capture, vision, voice."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from statistics import median

from edge.clock import Clock
from edge.errors import SourceError
from edge.fusion.coverage import Look
from edge.media import AudioBlock, Frame
from edge.observation import VoiceObservation
from edge.ports import MediaSource, VisionStage, VoiceStage
from edge.ring import RingQueue
from edge.summary import SourceHealth, SourceState

_LOG = logging.getLogger(__name__)

Observed = Look | VoiceObservation
"""What a channel puts out."""

FRAMES_WAITING = 2
"""Frames a ring holds: an old picture is worth nothing, so the newest wins."""
SOUND_WAITING = 300
"""Blocks of sound a ring holds, half a minute of 0.1 s: sound that is lost leaves a hole."""
_IDLE_S = 3.0


class Channel:
    """Runs one source until it ends or is stopped, and opens it again when it is lost.

    Args:
        source: Where the media come from.
        vision: Reads the frames; ``None`` leaves them unread.
        voice: Reads the sound; ``None`` leaves it unread.
        out: Where observations go.
        clock: For back-off and health.
        delays: Makes the waiting times between two attempts to open the source, seconds.
        on_failure: Told of an error that is none of the source's own, from the thread it happened in.
    """

    def __init__(
        self,
        *,
        source: MediaSource,
        vision: VisionStage | None,
        voice: VoiceStage | None,
        out: RingQueue[Observed],
        clock: Clock,
        delays: Callable[[], Iterator[float]],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._source, self._vision, self._voice, self._out = source, vision, voice, out
        self._clock, self._delays, self._on_failure = clock, delays, on_failure
        self._frames: RingQueue[Frame] = RingQueue(FRAMES_WAITING)
        self._sound: RingQueue[AudioBlock] = RingQueue(SOUND_WAITING)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._state, self._reconnects = SourceState.STARTING, 0
        self._error: str | None = None
        self._frame_count, self._lost_ns = 0, 0
        self._item_ns: int | None = None
        self._arrivals: deque[int] = deque(maxlen=40)
        self._looked: deque[int] = deque(maxlen=40)
        self._vision_ms: deque[float] = deque(maxlen=50)
        self._voice_ms: deque[float] = deque(maxlen=50)
        jobs = ((self._capture, "capture"), (self._see, "vision"), (self._hear, "voice"))
        self._threads = [
            threading.Thread(target=self._guard, args=(job,), name=f"{what}-{source.name}", daemon=True)
            for job, what in jobs
        ]

    def start(self) -> None:
        """Start the three threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the source to close; what its rings hold is still read."""
        self._stop.set()
        self._source.close()

    def join(self) -> None:
        """Wait until all threads have ended."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come out."""
        return all(thread.ident is not None and not thread.is_alive() for thread in self._threads)

    @property
    def vision_ms(self) -> list[float]:
        """Milliseconds each of the last looks took."""
        with self._lock:
            return list(self._vision_ms)

    @property
    def voice_ms(self) -> list[float]:
        """Milliseconds each of the last windows of sound took."""
        with self._lock:
            return list(self._voice_ms)

    @property
    def looks_per_s(self) -> float:
        """Frames analysed a second, lately."""
        with self._lock:
            return _rate(self._looked, self._clock.now_ns())

    def health(self) -> SourceHealth:
        """Return a consistent snapshot."""
        now = self._clock.now_ns()
        dropped = self._frames.stats().dropped
        with self._lock:
            return SourceHealth(
                name=self._source.name,
                role=self._source.role,
                state=self._state,
                error=self._error,
                reconnects=self._reconnects,
                frames=self._frame_count,
                frames_per_s=_rate(self._arrivals, now),
                dropped_frames=dropped,
                lost_audio_s=self._lost_ns / 1e9,
                idle_s=None if self._item_ns is None else (now - self._item_ns) / 1e9,
                slowed=0 if self._vision is None else self._vision.slowed,
            )

    def _guard(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the pipeline
            _LOG.exception("%s failed", threading.current_thread().name)
            self._on_failure(error)

    def _capture(self) -> None:
        try:
            waits = self._delays()
            while not self._stop.is_set():
                error = self._deliver()
                if self._stop.is_set() or not self._source.live:
                    self._set_state(SourceState.ENDED, error)
                    return
                if self._set_state(SourceState.LOST, error or "ended without being asked to"):
                    waits = self._delays()
                if self._clock.wait(next(waits), self._stop):
                    return
                with self._lock:
                    self._reconnects += 1
        finally:
            self._frames.close()
            self._sound.close()

    def _deliver(self) -> str | None:
        """Fill the rings from one opening of the source; return what ended it, ``None`` for its natural end."""
        try:
            for item in self._source.items():
                now = self._clock.now_ns()
                with self._lock:
                    self._item_ns = now
                    if self._state is not SourceState.RUNNING:
                        if self._state is SourceState.LOST:
                            _LOG.warning("%s: back after %s", self._source.name, self._error)
                        self._state, self._error = SourceState.RUNNING, None
                    if isinstance(item, Frame):
                        self._frame_count += 1
                        self._arrivals.append(now)
                if isinstance(item, Frame):
                    self._frames.put(item)
                else:
                    self._sound.put(item)
                if self._stop.is_set():
                    return None
        except SourceError as error:
            return str(error)
        return None

    def _set_state(self, state: SourceState, error: str | None) -> bool:
        """Note why delivery ended; return whether it had been running."""
        with self._lock:
            had_run, known = self._state is SourceState.RUNNING, self._error
            self._state, self._error = state, error
        if error is not None:
            # The first failure is news, its repeats are not.
            _LOG.log(logging.DEBUG if error == known else logging.WARNING, "%s: %s", self._source.name, error)
        return had_run

    def _see(self) -> None:
        for frame in self._frames:
            if self._vision is None:
                continue
            begun = time.perf_counter()
            faces = self._vision.observe(frame)
            if faces is None:
                continue
            with self._lock:
                self._vision_ms.append((time.perf_counter() - begun) * 1e3)
                self._looked.append(self._clock.now_ns())
            self._out.put(Look(frame.captured_ns, frame.source, frame.role, faces))

    def _hear(self) -> None:
        expected: int | None = None
        for block in self._sound:
            if expected is not None and block.start_ns > expected:
                with self._lock:
                    self._lost_ns += block.start_ns - expected
            expected = block.end_ns
            if self._voice is None:
                continue
            begun = time.perf_counter()
            windows = self._voice.observe(block)
            for observation in windows:
                with self._lock:
                    self._voice_ms.append((time.perf_counter() - begun) * 1e3 / len(windows))
                self._out.put(observation)


def middle(values: list[float]) -> float | None:
    """Return the median, ``None`` of nothing."""
    return median(values) if values else None


def _rate(times_ns: deque[int], now_ns: int) -> float:
    """Return events a second over the last ones; 0 when the last is long ago."""
    if len(times_ns) < 2 or now_ns - times_ns[-1] > _IDLE_S * 1e9:  # noqa: PLR2004 - a rate needs two
        return 0.0
    return (len(times_ns) - 1) * 1e9 / max(times_ns[-1] - times_ns[0], 1)
