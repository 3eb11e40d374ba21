"""Recordings of one lesson from beginning to end, through the pipeline of the live service, as fast as it goes."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from edge.alerts.engine import AlertEngine
from edge.channel import Observed, Passed, ready_ns
from edge.clock import ClockAnchor, SystemClock, utc_now
from edge.errors import SourceError
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.coverage import Look
from edge.fusion.evidence import Reliability
from edge.fusion.tally import Tally
from edge.observation import VoiceObservation
from edge.pipeline import Baseline, Feed, Pipeline
from edge.ports import Sink
from edge.privacy.policy import Policy
from edge.role import Role
from edge.summary import Alert, Lesson, Outgoing, WindowSummary


@dataclass(slots=True, eq=False)
class Analysis:
    """What the recordings of one lesson showed."""

    duration_s: float = 0.0
    """Seconds from the lesson's start to the end of the last recording."""

    elapsed_s: float = 0.0
    """Seconds it took."""

    tallies: dict[Role, Tally] = field(default_factory=lambda: {role: Tally() for role in Role})
    """All of each role. Under a policy, only the seconds whose windows were told."""

    summaries: list[WindowSummary] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    withheld: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 0))
    """Windows of each role that the policy withheld."""

    damages: dict[str, str] = field(default_factory=dict)
    """A source: what ended its reading early, in one line."""

    @property
    def damage(self) -> str | None:
        """What ended the reading of any source early, in one line; ``None`` when all is whole."""
        return "; ".join(self.damages.values()) or None


def analyse(  # noqa: PLR0913 - most have a default
    feeds: Iterable[Feed],
    *,
    windows: Windows,
    reliability: Reliability,
    engine: AlertEngine,
    policy: Policy | None = None,
    make_baseline: Callable[[Lesson], Baseline] | None = None,
    lesson: Lesson | None = None,
    sinks: Iterable[Sink] = (),
    progress: Callable[[float], None] = lambda _: None,
) -> Analysis:
    """Run the sources of one lesson to their ends.

    Args:
        feeds: Sources that deliver as fast as they are read, with their stages; the lesson starts at 0 of their time.
            Stages must not look at the time things take, or results would depend on it.
        windows: How time is cut.
        reliability: Of the two models.
        engine: Judges the windows.
        policy: Applied to every window before anything else sees it, and to the tallies.
        make_baseline: Makes what is usual in the lesson.
        lesson: What it is called and when it began; ``None`` for one that begins now.
        sinks: Handed all that a live lesson's sinks are.
        progress: Told the seconds of media worked through so far, from another thread.

    Raises:
        SourceMissingError: One of them isn't there.
        MediaError: Nothing of any could be read; damage further on ends that source with what came before.
    """
    feeds = tuple(feeds)
    roles = [role for role in Role if any(feed.source.role is role for feed in feeds)]
    lesson = lesson or Lesson(id=uuid.uuid4().hex, title="", started_at=utc_now(), ended_at=None)
    to_utc = ClockAnchor(0, lesson.started_at).to_utc
    record = _Record(policy, windows, progress)
    pipeline = Pipeline(
        feeds=feeds,
        make_aggregator=lambda epoch_ns: Aggregator(
            epoch_ns=epoch_ns, to_utc=to_utc, windows=windows, reliability=reliability, roles=roles
        ),
        to_utc=to_utc,
        policy=policy,
        make_baseline=make_baseline,
        engine=engine,
        sinks=(record, *sinks),
        clock=SystemClock(),
        delays=_never,
        lesson=lesson,
        media_clock=True,
        watch=record.watch,
    )
    begun = time.perf_counter()
    pipeline.start()
    try:
        pipeline.wait()
    except KeyboardInterrupt:
        pipeline.stop()
        pipeline.wait()
        raise
    errors = pipeline.ended_by
    if pipeline.end_ns == 0:
        _raise_first(errors)
    result = record.result
    result.damages = {name: str(error) for name, error in errors.items()}
    result.duration_s, result.elapsed_s = pipeline.end_ns / 1e9, time.perf_counter() - begun
    progress(result.duration_s)
    return result


class _Record:
    """Keeps what comes out, and tallies what of the observations may be told."""

    def __init__(self, policy: Policy | None, windows: Windows, progress: Callable[[float], None]) -> None:
        self.result = Analysis()
        self._policy, self._progress = policy, progress
        self._hop_s = windows.hop_s
        self._reached_ns = 0
        self._untold: dict[Role, list[Observed]] = {role: [] for role in Role}
        """Under a policy, what waits for the window that it is the newest hop of."""

    def watch(self, passed: Passed) -> None:
        """Count what a stage put out."""
        if isinstance(passed, Look | VoiceObservation):
            if self._policy is None:
                self._tally(passed)
            else:
                self._untold[passed.role].append(passed)
        self._reached_ns = max(self._reached_ns, ready_ns(passed))
        self._progress(self._reached_ns / 1e9)

    def accept(self, item: Outgoing) -> None:
        """Keep one item."""
        if isinstance(item, Alert):
            self.result.alerts.append(item)
        elif isinstance(item, WindowSummary):
            self.result.summaries.append(item)
            self.result.withheld[item.role] += item.suppressed
            self._decide(item)

    def _decide(self, window: WindowSummary) -> None:
        """Tally the newest hop of a window that was told, and let go of it where it was not."""
        closed_ns = round(window.closed_s * 1e9)
        waiting = self._untold[window.role]
        self._untold[window.role] = [observed for observed in waiting if _began_ns(observed) >= closed_ns]
        if not window.suppressed:
            for observed in waiting:
                if _began_ns(observed) < closed_ns:
                    self._tally(observed)

    def _tally(self, observed: Observed) -> None:
        tally = self.result.tallies[observed.role]
        if not self._reads_emotions(observed.role):
            observed = _without_emotions(observed)
        if isinstance(observed, Look):
            tally.add_look(observed)
        else:
            tally.add_sound(observed)

    def _reads_emotions(self, role: Role) -> bool:
        policy = self._policy
        return policy is None or (policy.reads_emotions and (role is Role.STUDENTS or policy.teacher_emotions))


def _began_ns(observed: Observed) -> int:
    return observed.at_ns if isinstance(observed, Look) else observed.end_ns - observed.span_ns


def _without_emotions(observed: Observed) -> Observed:
    if isinstance(observed, Look):
        return replace(observed, faces=tuple(replace(face, emotion=None) for face in observed.faces))
    return replace(observed, emotion=None)


def _raise_first(errors: dict[str, SourceError]) -> None:
    for error in errors.values():
        raise error


def _never() -> Iterator[float]:
    return iter(())
