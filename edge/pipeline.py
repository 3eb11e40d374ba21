"""The threads: who reads which ring, and how lessons, summaries and alerts come out.

::

    capture thread a source ─► ring of frames (newest wins) ─► vision thread a source ─┐
                            └► ring of sound (a loss is a gap) ─► voice thread a source ┴► ring of observations
                                                                                                │
             sinks ◄─ alerts ◄─ baseline ◄─ policy ◄─ aggregator of the lesson ◄─ fusion thread ◄┘

Data flows one way. Live, no thread waits for a slower one behind it; what is lost is counted at the ring where it was
lost. On the media's own clock nothing is lost, and it is always as late as what the slowest stage has worked through,
so what comes out does not depend on the threads (``docs/adr/0008-recorded-equals-live.md``).
"""

import heapq
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from edge.alerts.engine import AlertEngine
from edge.channel import Channel, Lane, Mark, Observed, Passed, middle, ready_ns
from edge.clock import Clock, utc_now
from edge.errors import SourceError
from edge.fusion.aggregator import Aggregator
from edge.fusion.coverage import Look
from edge.ports import MediaSource, Sink, VisionStage, VoiceStage
from edge.privacy.memory import PolicyMemory
from edge.privacy.policy import Policy
from edge.ring import RingClosedError, RingQueue
from edge.summary import Alert, Feedback, Health, Lesson, Outgoing, Verdict, WindowSummary

_LOG = logging.getLogger(__name__)

LATENESS_S = 1.2
"""Seconds a window waits after its close: a window of sound is known a hop (1 s) after what is newest in it began."""

Baseline = Callable[[WindowSummary], WindowSummary]
"""Adds to a window how it stands against what is usual, and learns from it."""

_TICK_S = 0.1
_OBSERVATIONS_WAITING = 2000


@dataclass(frozen=True, slots=True)
class Feed:
    """A source and the stages that read it; each stage belongs to this feed alone."""

    source: MediaSource
    vision: VisionStage | None
    voice: VoiceStage | None


@dataclass(frozen=True, slots=True)
class _Turn:
    """A lesson that shall begin, or for ``None`` the running one that shall end."""

    at_ns: int
    lesson: Lesson | None


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """The lesson under way and what is its alone."""

    lesson: Lesson
    epoch_ns: int
    aggregator: Aggregator
    policy: PolicyMemory | None
    baseline: Baseline | None


class Pipeline:
    """Runs all feeds until they end or :meth:`stop` is called.

    Args:
        feeds: At least one; their sources' names must be unique.
        make_aggregator: Makes a lesson's aggregator, given its start on the pipeline's clock, nanoseconds.
        to_utc: Converts an instant of that clock to the calendar.
        policy: Applied to every summary before anything else sees it.
        make_baseline: Makes what is usual in a lesson; it is applied after the policy. ``None`` knows nothing usual.
        engine: Judges every summary, and live every health report.
        sinks: Each is handed, from one thread, every lesson as it begins and with its end, and every summary, alert,
            answer and health report.
        clock: The one the sources stamp with when live; it paces back-off and health in any case.
        delays: Makes the waiting times between two attempts to open a source, seconds.
        lesson: Begins at once; without, nothing is summarised until :meth:`begin_lesson`.
        media_clock: Whether time is the media's own, which starts at 0: sources are read as fast as it goes, nothing is
            dropped, and the same media give the same results whatever the threads' timing. For sources that end.
        watch: Told, from the fusion thread, of everything that comes out of the stages, in order of time where that is
            the media's own.
        faults: Names what is wrong with the box, for health; called from any thread.
        lateness_s: How long after its close a window waits for observations still on their way, seconds.
        health_s: Seconds between two health reports.
    """

    def __init__(  # noqa: PLR0913 - the house's central joint
        self,
        *,
        feeds: Iterable[Feed],
        make_aggregator: Callable[[int], Aggregator],
        to_utc: Callable[[int], datetime],
        policy: Policy | None,
        engine: AlertEngine,
        sinks: Iterable[Sink],
        clock: Clock,
        delays: Callable[[], Iterator[float]],
        make_baseline: Callable[[Lesson], Baseline] | None = None,
        lesson: Lesson | None = None,
        media_clock: bool = False,
        watch: Callable[[Passed], None] | None = None,
        faults: Callable[[], Iterable[str]] = tuple,
        lateness_s: float = LATENESS_S,
        health_s: float = 5.0,
    ) -> None:
        self._make_aggregator, self._to_utc, self._policy = make_aggregator, to_utc, policy
        self._make_baseline, self._engine, self._clock = make_baseline, engine, clock
        self._watch, self._faults = watch, faults
        self._sinks = tuple(sinks)
        self._observed: Lane | None = None if media_clock else RingQueue(_OBSERVATIONS_WAITING)
        self._reached_ns = 0
        self._lateness_ns, self._health_ns = int(lateness_s * 1e9), int(health_s * 1e9)
        self._next_health_ns = clock.now_ns()
        self._first = lesson
        self._running: _Running | None = None
        # Appending and popping are atomic, so other threads may ask.
        self._turns: deque[_Turn] = deque()
        self._asked: deque[Callable[[], None]] = deque()
        self._ahead: list[Observed] = []
        self._late = 0
        self._failure: BaseException | None = None
        self._finished = threading.Event()
        self._channels = [
            Channel(
                source=feed.source,
                vision=feed.vision,
                voice=feed.voice,
                out=self._observed,
                clock=clock,
                delays=delays,
                on_failure=self._fail,
            )
            for feed in feeds
        ]
        names = [channel.health().name for channel in self._channels]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"need sources with unique names, got {names}")
        self._fusion = threading.Thread(target=self._guard, name="fusion", daemon=True)

    def start(self) -> None:
        """Start all threads, and the first lesson if there is one, and return."""
        if self._first is not None:
            self.begin_lesson(self._first)
        for channel in self._channels:
            channel.start()
        self._fusion.start()

    def stop(self) -> None:
        """Stop all sources; what they delivered is still worked through. Callable from any thread."""
        for channel in self._channels:
            channel.stop()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end, at most *timeout_s*; return whether it came.

        Raises:
            Exception: What a stage died of.
        """
        if not self._finished.wait(timeout_s):
            return False
        self._fusion.join()
        for channel in self._channels:
            channel.join()
        if self._failure is not None:
            raise self._failure
        return True

    def begin_lesson(self, lesson: Lesson) -> None:
        """Begin a lesson, after what was asked before; one that runs ends first. Callable from any thread."""
        self._turns.append(_Turn(self._now_ns(), lesson))

    def end_lesson(self) -> None:
        """End the lesson that runs, if one does. Callable from any thread.

        Its last windows still wait for what is on its way to them. What comes after it is kept for a lesson that was
        asked for meanwhile.
        """
        self._turns.append(_Turn(self._now_ns(), None))

    def tell(self, feedback: Feedback) -> None:
        """Hand a teacher's answer to the sinks, and to the rule that was wrong. Callable from any thread."""

        def told() -> None:
            if feedback.verdict is Verdict.WRONG:
                self._engine.was_wrong(feedback.alert_id)
            self._hand_out(feedback)

        self._ask(told)

    def snooze(self, rule: str | None, seconds: float) -> None:
        """Raise nothing by a rule, or by any for ``None``, for a time. Callable from any thread."""

        def snoozed() -> None:
            try:
                self._engine.snooze(rule, seconds)
            except ValueError as error:
                # It came from outside; a wrong name must not end the lesson.
                _LOG.warning("nothing snoozed: %s", error)

        self._ask(snoozed)

    def health(self) -> Health:
        """Return the state of every source and stage."""
        vision = [ms for channel in self._channels for ms in channel.vision_ms]
        voice = [ms for channel in self._channels for ms in channel.voice_ms]
        running = self._running
        return Health(
            at=utc_now(),
            sources=tuple(channel.health() for channel in self._channels),
            vision_ms=middle(vision),
            voice_ms=middle(voice),
            analysed_per_s=sum(channel.looks_per_s for channel in self._channels),
            late=self._late + (0 if running is None else running.aggregator.late),
            faults=tuple(self._faults()),
        )

    @property
    def ended_by(self) -> dict[str, SourceError]:
        """What ended sources before their natural end, by their names."""
        errors = ((channel.health().name, channel.ended_by) for channel in self._channels)
        return {name: error for name, error in errors if error is not None}

    @property
    def end_ns(self) -> int:
        """Where on the media's own clock what was read ends."""
        return max((channel.end_ns or 0 for channel in self._channels), default=0)

    def _ask(self, call: Callable[[], None]) -> None:
        if self._finished.is_set():
            _LOG.warning("what was asked after the end is not done")
            return
        self._asked.append(call)

    def _now_ns(self) -> int:
        return self._reached_ns if self._observed is None else self._clock.now_ns()

    def _fail(self, error: BaseException) -> None:
        """Remember the first failure and stop: a box that has lost a stage must not look well."""
        if self._failure is None:
            self._failure = error
        self.stop()

    def _guard(self) -> None:
        try:
            self._fuse()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the pipeline
            _LOG.exception("fusion failed")
            self._fail(error)
        finally:
            # Nobody reads on, so nobody may wait for room.
            for channel in self._channels:
                for lane in channel.lanes:
                    lane.close()
            self._finished.set()

    def _fuse(self) -> None:
        for passed in self._arriving() if self._observed is None else self._tick(self._observed):
            if passed is None or self._observed is None:
                self._take_turns()
                self._close_until(self._now_ns() - self._lateness_ns)
                if self._clock.now_ns() >= self._next_health_ns:
                    self._next_health_ns += self._health_ns
                    self._report()
            if passed is not None:
                if self._watch is not None:
                    self._watch(passed)
                if not isinstance(passed, Mark):
                    self._count(passed)
        # Nothing is on its way any more, so no window has to wait.
        self._reached_ns = max(self._reached_ns, self.end_ns)
        self._take_turns(waiting=False)
        self._end(self._now_ns())
        self._hand_out(self.health())

    def _tick(self, observed: Lane) -> Iterator[Passed | None]:
        """Yield what comes as it comes, and ``None`` whenever nothing waits."""
        while True:
            if all(channel.ended for channel in self._channels):
                observed.close()
            try:
                yield observed.get(timeout_s=_TICK_S)
                while True:
                    yield observed.get(timeout_s=0)
            except TimeoutError:
                yield None
            except RingClosedError:
                return

    def _arriving(self) -> Iterator[Passed]:
        """Yield what all stages put out, in order of the media's time; waits for each that may still say something."""
        lanes = [lane for channel in self._channels for lane in channel.lanes]
        for passed in heapq.merge(*lanes, key=ready_ns):
            self._reached_ns = max(self._reached_ns, ready_ns(passed))
            yield passed

    def _take_turns(self, *, waiting: bool = True) -> None:
        """Do what was asked; lessons in order, and the end of one waits for what is still on its way to it."""
        while self._turns:
            turn = self._turns[0]
            if self._running is not None:
                # A lesson that begins ends the one before it at the same instant.
                if waiting and self._now_ns() < turn.at_ns + self._lateness_ns:
                    break
                self._end(turn.at_ns)
            self._turns.popleft()
            if turn.lesson is not None:
                self._begin(turn.lesson, turn.at_ns)
        while self._asked:
            self._asked.popleft()()

    def _begin(self, lesson: Lesson, epoch_ns: int) -> None:
        self._running = _Running(
            lesson,
            epoch_ns,
            self._make_aggregator(epoch_ns),
            None if self._policy is None else PolicyMemory(self._policy),
            None if self._make_baseline is None else self._make_baseline(lesson),
        )
        self._hand_out(lesson)
        self._ring(self._engine.begin_lesson(self._to_utc(epoch_ns)))
        ahead, self._ahead = self._ahead, []
        for observed in ahead:
            self._count(observed)

    def _end(self, at_ns: int) -> None:
        running = self._running
        if running is None:
            return
        self._close_until(at_ns)
        at = self._to_utc(at_ns)
        self._ring(self._engine.end_lesson(at, (at_ns - running.epoch_ns) / 1e9))
        self._late, self._running = self._late + running.aggregator.late, None
        self._hand_out(replace(running.lesson, ended_at=at))

    def _count(self, observed: Observed) -> None:
        """Give an observation to the lesson it belongs to; between lessons to none."""
        at_ns = observed.at_ns if isinstance(observed, Look) else observed.end_ns - observed.span_ns
        if self._turns and at_ns >= self._turns[0].at_ns:
            self._ahead.append(observed)
        elif self._running is not None and at_ns >= self._running.epoch_ns:
            if isinstance(observed, Look):
                self._running.aggregator.add_look(observed)
            else:
                self._running.aggregator.add_sound(observed)

    def _close_until(self, now_ns: int) -> None:
        running = self._running
        if running is None:
            return
        for whole in running.aggregator.advance(now_ns):
            summary = whole if running.policy is None else running.policy.apply(whole)
            if running.baseline is not None:
                summary = running.baseline(summary)
            self._hand_out(summary)
            self._ring(self._engine.judge(summary))

    def _report(self) -> None:
        health = self.health()
        self._hand_out(health)
        if self._observed is not None:
            # A file is not lost, and when it is looked at must not decide what rings.
            self._ring(self._engine.judge_health(health))

    def _ring(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self._hand_out(alert)

    def _hand_out(self, item: Outgoing) -> None:
        for sink in self._sinks:
            sink.accept(item)
