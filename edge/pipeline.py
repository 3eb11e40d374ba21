"""The threads: who reads which ring, and how summaries and alerts come out.

::

    capture thread a source ─► ring of frames (newest wins) ─► vision thread a source ─┐
                            └► ring of sound (a loss is a gap) ─► voice thread a source ┴► ring of observations
                                                                                                │
                                          sinks ◄─ alerts ◄─ policy ◄─ aggregator ◄─ fusion thread ◄┘

Data flows one way. No thread waits for a slower one behind it; what is lost is counted at the ring where it was lost.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from edge.alerts.engine import AlertEngine
from edge.channel import Channel, Observed, middle
from edge.clock import Clock, utc_now
from edge.fusion.aggregator import Aggregator
from edge.fusion.coverage import Look
from edge.ports import MediaSource, Sink, VisionStage, VoiceStage
from edge.privacy.policy import Policy
from edge.ring import RingClosedError, RingQueue
from edge.summary import Health, Outgoing

_LOG = logging.getLogger(__name__)

_TICK_S = 0.1
_OBSERVATIONS_WAITING = 2000


@dataclass(frozen=True, slots=True)
class Feed:
    """A source and the stages that read it; each stage belongs to this feed alone."""

    source: MediaSource
    vision: VisionStage | None
    voice: VoiceStage | None


class Pipeline:
    """Runs all feeds until they end or :meth:`stop` is called.

    Args:
        feeds: At least one; their sources' names must be unique.
        aggregator: Closes the windows; its epoch is the clock's time at the start.
        policy: Applied to every summary before anything else sees it.
        engine: Judges every summary.
        sinks: Each is handed every summary, alert and health report.
        clock: The one the sources stamp with.
        delays: Makes the waiting times between two attempts to open a source, seconds.
        lateness_s: How long after its close a window waits for observations still on their way, seconds.
        health_s: Seconds between two health reports.
    """

    def __init__(  # noqa: PLR0913 - the house's central joint
        self,
        *,
        feeds: Iterable[Feed],
        aggregator: Aggregator,
        policy: Policy | None,
        engine: AlertEngine,
        sinks: Iterable[Sink],
        clock: Clock,
        delays: Callable[[], Iterator[float]],
        lateness_s: float = 0.8,
        health_s: float = 5.0,
    ) -> None:
        self._aggregator, self._policy, self._engine, self._clock = aggregator, policy, engine, clock
        self._sinks = tuple(sinks)
        self._observed: RingQueue[Observed] = RingQueue(_OBSERVATIONS_WAITING)
        self._lateness_ns, self._health_ns = int(lateness_s * 1e9), int(health_s * 1e9)
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
        """Start all threads and return."""
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

    def health(self) -> Health:
        """Return the state of every source and stage."""
        vision = [ms for channel in self._channels for ms in channel.vision_ms]
        voice = [ms for channel in self._channels for ms in channel.voice_ms]
        return Health(
            at=utc_now(),
            sources=tuple(channel.health() for channel in self._channels),
            vision_ms=middle(vision),
            voice_ms=middle(voice),
            analysed_per_s=sum(channel.looks_per_s for channel in self._channels),
            late=self._aggregator.late,
        )

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
            self._finished.set()

    def _fuse(self) -> None:
        next_health_ns = self._clock.now_ns()
        while True:
            ended = all(channel.ended for channel in self._channels)
            if ended:
                self._observed.close()
            try:
                self._count(self._observed.get(timeout_s=_TICK_S))
                while True:
                    self._count(self._observed.get(timeout_s=0))
            except TimeoutError:
                pass
            except RingClosedError:
                # Nothing is on its way any more, so no window has to wait.
                self._close_until(self._clock.now_ns())
                self._hand_out(self.health())
                return
            self._close_until(self._clock.now_ns() - self._lateness_ns)
            if self._clock.now_ns() >= next_health_ns:
                next_health_ns += self._health_ns
                self._hand_out(self.health())

    def _count(self, observed: Observed) -> None:
        if isinstance(observed, Look):
            self._aggregator.add_look(observed)
        else:
            self._aggregator.add_sound(observed)

    def _close_until(self, now_ns: int) -> None:
        for whole in self._aggregator.advance(now_ns):
            summary = whole if self._policy is None else self._policy.apply(whole)
            self._hand_out(summary)
            for alert in self._engine.judge(summary):
                self._hand_out(alert)

    def _hand_out(self, item: Outgoing) -> None:
        for sink in self._sinks:
            sink.accept(item)
