"""One source with its rings and its threads: capture, vision, voice.

Live, nobody waits: a ring that is full forgets, and what comes out goes into one ring for all. On the media's own clock
everybody waits: nothing is lost, and each stage puts out a lane of its own, in order of time. A stage that has nothing
to say still says how far it has got (:class:`Mark`), so that whoever joins the lanes knows what can't come any more::

    capture ─► frames (waits when full) ─► vision ─► lane   look 0.0   look 0.2   look 0.4 ...
            └► sound  (waits when full) ─► voice  ─► lane   mark 0.1   mark 0.2   mark 0.3 ... heard 3.0
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from edge.clock import Clock
from edge.errors import SourceError, SourceMissingError
from edge.fusion.coverage import Look
from edge.media import AudioBlock, Frame
from edge.observation import VoiceObservation
from edge.ports import MediaSource, VisionStage, VoiceStage
from edge.ring import RingClosedError, RingQueue
from edge.summary import SourceHealth, SourceState

_LOG = logging.getLogger(__name__)

Observed = Look | VoiceObservation
"""What a stage says."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a stage has worked through its media; only on the media's own clock."""

    at_ns: int
    """Nothing that was ready before this is on its way any more."""


Passed = Observed | Mark
"""What a channel puts out."""

Lane = RingQueue[Passed]
"""One stage's way out."""

FRAMES_WAITING = 2
"""Frames a ring holds: an old picture is worth nothing, so the newest wins."""
SOUND_WAITING = 300
"""Blocks of sound a ring holds, half a minute of 0.1 s: sound that is lost leaves a hole."""
SLACK_NS = 1_000_000_000
"""How far a container's pictures and sound may be out of step."""

_LANE = 1000
"""Items a lane holds: more than come in :data:`SLACK_NS`, or two lanes of a channel could wait for each other."""
_MARK_NS = 100_000_000
"""Least time between two marks."""
_IDLE_S = 3.0


def ready_ns(passed: Passed) -> int:
    """Return the media time at which something could be known: a look at once, a sound when its window is full."""
    return passed.end_ns if isinstance(passed, VoiceObservation) else passed.at_ns


class Channel:
    """Runs one source until it ends or is stopped, and opens it again when it is lost.

    Args:
        source: Where the media come from.
        vision: Reads the frames; ``None`` leaves them unread.
        voice: Reads the sound; ``None`` leaves it unread.
        out: Where observations go as they come; ``None`` runs on the media's own clock, into :attr:`lanes`.
        clock: For back-off and health.
        delays: Makes the waiting times between two attempts to open the source, seconds.
        on_failure: Told of an error that is none of the source's own, from the thread it happened in; on the media's
            own clock also of a source that isn't there.
    """

    def __init__(
        self,
        *,
        source: MediaSource,
        vision: VisionStage | None,
        voice: VoiceStage | None,
        out: Lane | None,
        clock: Clock,
        delays: Callable[[], Iterator[float]],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._source, self._vision, self._voice = source, vision, voice
        self._clock, self._delays, self._on_failure = clock, delays, on_failure
        self._lossless = out is None
        self.lanes: tuple[Lane, Lane] = (
            (RingQueue(_LANE, waits=True), RingQueue(_LANE, waits=True)) if out is None else (out, out)
        )
        """What vision and what voice put out; live, both is the same."""
        self._frames: RingQueue[Frame | Mark] = RingQueue(FRAMES_WAITING, waits=self._lossless)
        self._sound: RingQueue[AudioBlock | Mark] = RingQueue(SOUND_WAITING, waits=self._lossless)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._state, self._reconnects = SourceState.STARTING, 0
        self._error: str | None = None
        self._ended_by: SourceError | None = None
        self._frame_count, self._lost_ns = 0, 0
        self._item_ns: int | None = None
        self._read = _Read()
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
    def ended_by(self) -> SourceError | None:
        """What ended a source that isn't opened again; ``None`` for its natural end."""
        with self._lock:
            return self._ended_by

    @property
    def end_ns(self) -> int | None:
        """Where what was read ends, a last frame as long as the one before it; ``None`` while nothing was."""
        return self._read.end_ns

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
        except RingClosedError:
            # Who reads this ring has ended, and has said why.
            _LOG.debug("%s: nobody reads on", threading.current_thread().name)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the pipeline
            _LOG.exception("%s failed", threading.current_thread().name)
            self._on_failure(error)

    def _capture(self) -> None:
        try:
            waits = self._delays()
            while not self._stop.is_set():
                error = self._deliver()
                if self._stop.is_set() or self._lossless or not self._source.live:
                    self._set_state(SourceState.ENDED, error)
                    if self._lossless and isinstance(error, SourceMissingError):
                        self._on_failure(error)
                    return
                if self._set_state(SourceState.LOST, error):
                    waits = self._delays()
                if self._clock.wait(next(waits), self._stop):
                    return
                with self._lock:
                    self._reconnects += 1
        finally:
            self._frames.close()
            self._sound.close()

    def _deliver(self) -> SourceError | None:
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
                self._pass_on(item)
                if self._stop.is_set():
                    return None
        except SourceError as error:
            return error
        return None

    def _pass_on(self, item: Frame | AudioBlock) -> None:
        """Put an item into its ring, and on the media's own clock a mark into the other one if that is far behind."""
        read = self._read
        read.add(item)
        if isinstance(item, Frame):
            self._frames.put(item)
            behind_ns = item.captured_ns - SLACK_NS
            if self._lossless and behind_ns - read.sound_ns >= _MARK_NS:
                read.sound_ns = behind_ns
                self._sound.put(Mark(behind_ns))
        else:
            self._sound.put(item)
            behind_ns = item.start_ns - SLACK_NS
            if self._lossless and behind_ns - read.frames_ns >= _MARK_NS:
                read.frames_ns = behind_ns
                self._frames.put(Mark(behind_ns))

    def _set_state(self, state: SourceState, error: SourceError | None) -> bool:
        """Note why delivery ended; return whether it had been running."""
        why = str(error) if error is not None else None
        if state is SourceState.LOST and why is None:
            why = "ended without being asked to"
        with self._lock:
            had_run, known = self._state is SourceState.RUNNING, self._error
            self._state, self._error = state, why
            self._ended_by = error if state is SourceState.ENDED else None
        if why is not None:
            # The first failure is news, its repeats are not.
            # Of recordings, whoever analyses them tells.
            quiet = why == known or self._lossless
            _LOG.log(logging.DEBUG if quiet else logging.WARNING, "%s: %s", self._source.name, why)
        return had_run

    def _see(self) -> None:
        with self._reading(self._frames, self.lanes[0]) as marks:
            for item in self._frames:
                if isinstance(item, Mark):
                    marks.reach(item.at_ns)
                elif (look := self._look(item)) is not None:
                    self.lanes[0].put(look)
                else:
                    marks.reach(item.captured_ns)

    def _look(self, frame: Frame) -> Look | None:
        if self._vision is None:
            return None
        begun = time.perf_counter()
        faces = self._vision.observe(frame)
        if faces is None:
            return None
        with self._lock:
            self._vision_ms.append((time.perf_counter() - begun) * 1e3)
            self._looked.append(self._clock.now_ns())
        return Look(frame.captured_ns, frame.source, frame.role, faces)

    def _hear(self) -> None:
        expected: int | None = None
        with self._reading(self._sound, self.lanes[1]) as marks:
            for item in self._sound:
                if isinstance(item, Mark):
                    marks.reach(item.at_ns)
                    continue
                if expected is not None and item.start_ns > expected:
                    with self._lock:
                        self._lost_ns += item.start_ns - expected
                expected = item.end_ns
                for observation in self._listen(item):
                    self.lanes[1].put(observation)
                marks.reach(item.end_ns)

    def _listen(self, block: AudioBlock) -> tuple[VoiceObservation, ...]:
        if self._voice is None:
            return ()
        begun = time.perf_counter()
        windows = self._voice.observe(block)
        if windows:
            with self._lock:
                self._voice_ms += [(time.perf_counter() - begun) * 1e3 / len(windows)] * len(windows)
        return windows

    @contextmanager
    def _reading(self, ring: RingQueue[Frame | Mark] | RingQueue[AudioBlock | Mark], lane: Lane) -> Iterator["_Marks"]:
        """End the lane with its stage, and the ring as well, so that nobody waits for one that has died."""
        try:
            yield _Marks(lane if self._lossless else None)
        finally:
            ring.close()
            if self._lossless:
                lane.close()


@dataclass(slots=True)
class _Read:
    """How far a source was read; of the capture thread."""

    frame_ns: int | None = None
    frame_end_ns: int = 0
    reached_ns: int | None = None

    frames_ns: int = 0
    """How far the vision stage was told of."""

    sound_ns: int = 0
    """How far the voice stage was told of."""

    @property
    def end_ns(self) -> int | None:
        """Where the last item ends; a last frame is as long as the one before it."""
        return None if self.reached_ns is None else max(self.reached_ns, self.frame_end_ns)

    def add(self, item: Frame | AudioBlock) -> None:
        """Note one item."""
        if isinstance(item, Frame):
            at_ns = self.frames_ns = item.captured_ns
            length_ns = 0 if self.frame_ns is None else max(at_ns - self.frame_ns, 0)
            self.frame_ns, self.frame_end_ns = at_ns, at_ns + length_ns
        else:
            at_ns = self.sound_ns = item.end_ns
        self.reached_ns = at_ns if self.reached_ns is None else max(self.reached_ns, at_ns)


class _Marks:
    """Puts marks into a lane, not too many; into none when live."""

    def __init__(self, lane: Lane | None) -> None:
        self._lane, self._at_ns = lane, 0

    def reach(self, at_ns: int) -> None:
        """Say that everything up to *at_ns* has been worked through."""
        if self._lane is not None and at_ns - self._at_ns >= _MARK_NS:
            self._at_ns = at_ns
            self._lane.put(Mark(at_ns))


def middle(values: list[float]) -> float | None:
    """Return the median, ``None`` of nothing."""
    return median(values) if values else None


def _rate(times_ns: deque[int], now_ns: int) -> float:
    """Return events a second over the last ones; 0 when the last is long ago."""
    if len(times_ns) < 2 or now_ns - times_ns[-1] > _IDLE_S * 1e9:  # noqa: PLR2004 - a rate needs two
        return 0.0
    return (len(times_ns) - 1) * 1e9 / max(times_ns[-1] - times_ns[0], 1)
