"""The threads, and how summaries and alerts come out of them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import repeat

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.clock import Clock, SystemClock
from edge.errors import DeviceLostError, MediaError
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.evidence import Reliability
from edge.media import AudioBlock, Frame
from edge.observation import Emotion, FaceObservation
from edge.pipeline import Feed, Pipeline
from edge.ports import Sink
from edge.privacy.policy import Mode, Policy, Purpose
from edge.role import Role
from edge.summary import AlertState, Health, Lesson, Outgoing, SourceState, WindowSummary
from edge.testing import HandClock, ListSink, ScriptedSource, ScriptedVision, ScriptedVoice
from tests.builders import EPOCH, SECOND, block, face, frame, sound, sure, to_utc

PATIENCE_S = 10.0
"""Longest wait for another thread; reached only when a test fails."""
NEVER_S = 1e6
"""A lateness that lets no window close before the end, so that what is in it does not depend on the threads."""
HOP_S = 0.1
SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)
LESSON = Lesson(id="1", title="Maths", started_at=EPOCH, ended_at=None)
RULE = Rule(raise_at=0.5, clear_at=0.3, hold_s=0.2)
EMOTION = Policy(
    Mode.EMOTION, jurisdiction="CH", purpose=Purpose.RESEARCH, responsible="A. Person", decided_on=date(2026, 2, 1)
)

Step = Frame | AudioBlock | BaseException | Callable[[], object]


class Watched(ListSink):
    """A sink that others can wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def accept(self, item: Outgoing) -> None:
        """Keep one item and wake who waits."""
        with self._changed:
            super().accept(item)
            self._changed.notify_all()

    def wait_for(self, ready: Callable[[], object]) -> None:
        """Wait until *ready*."""
        with self._changed:
            assert self._changed.wait_for(ready, PATIENCE_S)


def pipeline(
    *feeds: Feed,
    sinks: Iterable[Sink],
    clock: Clock,
    policy: Policy | None = None,
    lateness_s: float = NEVER_S,
    health_s: float = 5.0,
    delays: Callable[[], Iterator[float]] = lambda: repeat(0.0),
) -> Pipeline:
    """Return a pipeline with windows of 0.2 s every 0.1 s, from the clock's present on."""
    roles = [role for role in Role if any(feed.source.role is role for feed in feeds)]
    return Pipeline(
        feeds=feeds,
        make_aggregator=lambda epoch_ns: Aggregator(
            epoch_ns=epoch_ns,
            to_utc=to_utc,
            windows=Windows(window_s=0.2, hop_s=HOP_S, least_s=0.0),
            reliability=Reliability(),
            roles=roles,
        ),
        to_utc=to_utc,
        policy=policy,
        engine=AlertEngine([RULE], hop_s=HOP_S),
        sinks=sinks,
        clock=clock,
        delays=delays,
        lesson=LESSON,
        lateness_s=lateness_s,
        health_s=health_s,
    )


def seeing(people: int = 1, seen: Callable[[Frame], object] = lambda _: None) -> ScriptedVision:
    """Return a stage that sees sad people until 0.5 s, and happy ones from then on."""

    def observe(shown: Frame) -> tuple[FaceObservation, ...]:
        at_s = shown.captured_ns / SECOND
        mood = SAD if at_s < 0.5 else HAPPY
        faces = tuple(
            face(at_s, mood, span_s=0.1, source=shown.source, role=shown.role, track_id=number)
            for number in range(people)
        )
        seen(shown)
        return faces

    return ScriptedVision(observe)


def hearing() -> ScriptedVoice:
    """Return a stage that hears happy speech in every block."""
    return ScriptedVoice(
        lambda part: (sound(part.end_ns / SECOND, HAPPY, span_s=0.1, source=part.source, role=part.role),)
    )


class Taught:
    """Ten frames and ten blocks of sound in one second, each frame looked at before the next comes."""

    def __init__(self, clock: HandClock, *, people: int = 1, name: str = "cam", role: Role = Role.STUDENTS) -> None:
        looked = threading.Semaphore(0)
        script: list[Step] = []
        for number in range(10):
            at_s = number / 10
            script += [
                frame(at_s, sequence=number, source=name, role=role),
                lambda: looked.acquire(timeout=PATIENCE_S),
                block(at_s, source=name, role=role),
                lambda: clock.advance(0.1),
            ]
        self.source = ScriptedSource(openings=[script], name=name, role=role)
        self.feed = Feed(self.source, seeing(people, lambda _: looked.release()), None)


def wait(event: threading.Event) -> Callable[[], None]:
    """Return a step that waits for another thread."""

    def step() -> None:
        assert event.wait(PATIENCE_S)

    return step


def run(pipe: Pipeline) -> None:
    """Run a pipeline to its end."""
    pipe.start()

    assert pipe.wait(PATIENCE_S)


def test_every_sink_is_handed_everything_in_the_same_order() -> None:
    """Windows in the order of time, each alert right after the window that decided it, health at the end."""
    clock, sinks = HandClock(), [ListSink(), ListSink(), ListSink()]
    run(pipeline(Taught(clock).feed, sinks=sinks, clock=clock))
    first = sinks[0]

    assert [w.closed_s for w in first.summaries] == pytest.approx([n / 10 for n in range(1, 11)])
    assert [alert.state for alert in first.alerts] == [AlertState.RAISED, AlertState.CLEARED]
    for alert in first.alerts:
        before = first.items[first.items.index(alert) - 1]
        assert isinstance(before, WindowSummary)
        assert before.closed_s == alert.at_s
    assert isinstance(first.items[-1], Health)
    assert sinks[1].items == sinks[2].items == first.items


def test_what_a_lesson_showed_is_in_its_windows() -> None:
    """Sad until 0.5 s and happy from then on, at the times of the frames and not of the threads."""
    clock, sink = HandClock(), ListSink()
    run(pipeline(Taught(clock).feed, sinks=[sink], clock=clock))

    assert [w.fused.negative_share for w in sink.summaries] == [1.0] * 5 + [0.0] * 5


def test_the_policy_comes_before_sinks_and_rules() -> None:
    """Of four sad pupils nobody hears: no sink has a share, and no rule rings."""
    clock, sink = HandClock(), ListSink()
    run(pipeline(Taught(clock, people=4).feed, sinks=[sink], clock=clock, policy=EMOTION))

    assert len(sink.summaries) == 10
    assert all(w.suppressed for w in sink.summaries)
    assert {w.fused.shares for w in sink.summaries} == {None}
    assert sink.alerts == []


def test_the_policy_lets_a_group_through() -> None:
    """Five sad pupils are a group: shares pass and the alert rings."""
    clock, sink = HandClock(), ListSink()
    run(pipeline(Taught(clock, people=5).feed, sinks=[sink], clock=clock, policy=EMOTION))

    assert not any(w.suppressed for w in sink.summaries)
    assert len(sink.alerts) == 2


def test_several_sources_and_roles_run_side_by_side() -> None:
    """Each source has its own stages; each role has its own windows; pictures and sound meet in them."""
    clock, sink = HandClock(), ListSink()
    students = Taught(clock, people=3)
    teacher = ScriptedSource(
        openings=[[block(n / 10, source="desk", role=Role.TEACHER) for n in range(10)]], name="desk", role=Role.TEACHER
    )
    run(pipeline(students.feed, Feed(teacher, None, hearing()), sinks=[sink], clock=clock))
    by_role = {role: [w for w in sink.summaries if w.role is role] for role in Role}

    assert [len(windows) for windows in by_role.values()] == [10, 10]
    assert by_role[Role.STUDENTS][0].face.shares == SAD
    assert by_role[Role.STUDENTS][0].coverage.people == 3
    assert by_role[Role.TEACHER][3].voice.shares == HAPPY
    assert by_role[Role.TEACHER][3].face.shares is None


def test_windows_close_while_the_sources_run() -> None:
    """A window comes out when its lateness is over, not at the end of the lesson."""
    clock, sink = HandClock(), Watched()
    script: list[Step] = [frame(0), lambda: clock.advance(0.7), lambda: sink.wait_for(lambda: len(sink.summaries) == 2)]
    source = ScriptedSource(openings=[script])
    run(pipeline(Feed(source, seeing(), None), sinks=[sink], clock=clock, lateness_s=0.5))

    assert len(sink.summaries) == 7


def slow_look(lateness_s: float, *, close_first: bool) -> tuple[list[WindowSummary], Health]:
    """Run one look, of a frame at 0.05 s, that takes until 0.45 s."""
    clock, sink = HandClock(), Watched()
    looking, go_on = threading.Event(), threading.Event()

    def observe(_: Frame) -> None:
        looking.set()
        assert go_on.wait(PATIENCE_S)

    script: list[Step] = [frame(0.05), wait(looking), lambda: clock.advance(0.45)]
    if close_first:
        script.append(lambda: sink.wait_for(lambda: sink.summaries))
    source = ScriptedSource(openings=[[*script, go_on.set]])
    run(pipeline(Feed(source, seeing(1, observe), None), sinks=[sink], clock=clock, lateness_s=lateness_s))
    last = sink.items[-1]
    assert isinstance(last, Health)
    return sink.summaries, last


def test_a_window_waits_for_what_is_still_on_its_way() -> None:
    """A look that ends within the lateness is in its window."""
    summaries, health = slow_look(0.4, close_first=False)

    assert summaries[0].face.observations == 1
    assert health.late == 0


def test_what_comes_after_its_window_is_counted_as_late() -> None:
    """A look that takes longer is late, shows in health, and is in the next window if that is still open."""
    summaries, health = slow_look(0.34, close_first=True)

    assert [w.face.observations for w in summaries[:3]] == [0, 1, 0]
    assert health.late == 1


def test_a_lost_source_never_stops_the_others() -> None:
    """While a camera comes and goes the other one is read to its end."""
    clock, sink = HandClock(), ListSink()
    lost_twice, done = threading.Event(), threading.Event()
    seen: list[Health] = []
    gone = DeviceLostError("camera 1: gone")
    broken = ScriptedSource(
        openings=[[frame(0, source="broken"), gone], [gone], [lost_twice.set, wait(done)]], name="broken", live=True
    )

    def stop_all() -> None:
        pipe.stop()
        done.set()

    script: list[Step] = [
        frame(0),
        wait(lost_twice),
        lambda: seen.append(pipe.health()),
        frame(0.1),
        lambda: clock.advance(1.0),
        stop_all,
    ]
    steady = ScriptedSource(openings=[script], name="steady")
    pipe = pipeline(Feed(broken, seeing(), None), Feed(steady, seeing(), None), sinks=[sink], clock=clock)
    run(pipe)
    broken_health, steady_health = seen[0].sources

    assert (broken_health.state, broken_health.error) == (SourceState.LOST, "camera 1: gone")
    assert broken_health.reconnects == 2
    assert (steady_health.state, steady_health.error) == (SourceState.RUNNING, None)
    assert pipe.health().sources[1].frames == 2
    assert len(sink.summaries) == 10


def test_a_file_that_cannot_be_read_shows_in_health_and_ends() -> None:
    """Its error is in the last report, and what came before it is in the windows."""
    clock, sink = HandClock(), ListSink()
    source = ScriptedSource(openings=[[frame(0), lambda: clock.advance(0.2), MediaError("a.mp4: damaged after 0.2 s")]])
    run(pipeline(Feed(source, seeing(), None), sinks=[sink], clock=clock))
    last = sink.items[-1]

    assert isinstance(last, Health)
    assert [(h.state, h.error) for h in last.sources] == [(SourceState.ENDED, "a.mp4: damaged after 0.2 s")]
    assert [w.face.observations for w in sink.summaries] == [1, 1]


@pytest.mark.parametrize("where", ["source", "vision", "voice", "sink"])
def test_a_failure_inside_ends_everything_loudly(where: str) -> None:
    """A bug in any part stops all sources and comes out of wait(): a box that lost a stage must not look well."""

    def fail(_: object) -> tuple[()]:
        raise ZeroDivisionError(where)

    class BadSink(ListSink):
        def accept(self, item: Outgoing) -> None:
            if where == "sink":
                fail(item)

    clock = HandClock()
    bad = ZeroDivisionError(where)
    broken = ScriptedSource(openings=[[frame(0), block(0), *([bad] if where == "source" else [])]], name="broken")
    idle = ScriptedSource(openings=[], name="idle", live=True)
    feed = Feed(
        broken,
        ScriptedVision(fail) if where == "vision" else seeing(),
        ScriptedVoice(fail) if where == "voice" else hearing(),
    )
    pipe = pipeline(feed, Feed(idle, seeing(), hearing()), sinks=[BadSink()], clock=clock)
    pipe.start()

    with pytest.raises(ZeroDivisionError, match=where):
        pipe.wait(PATIENCE_S)


def test_the_first_failure_is_the_one_that_is_told() -> None:
    """What fails because something else did does not hide the cause."""
    looking, stopped = threading.Event(), threading.Event()

    def first(_: object) -> tuple[()]:
        wait(looking)()
        raise ZeroDivisionError("first")

    def second(_: object) -> tuple[()]:
        looking.set()
        wait(stopped)()
        raise KeyError("second")

    class Telling(ScriptedSource):
        def close(self) -> None:
            super().close()
            stopped.set()

    one = ScriptedSource(openings=[[frame(0)]], name="one")
    two = Telling(openings=[[frame(0)]], name="two")
    feeds = Feed(one, ScriptedVision(first), None), Feed(two, ScriptedVision(second), None)
    pipe = pipeline(*feeds, sinks=[], clock=HandClock())
    pipe.start()

    with pytest.raises(ZeroDivisionError, match="first"):
        pipe.wait(PATIENCE_S)


def test_a_stop_ends_sources_that_would_never_end() -> None:
    """A silent camera and one that is waited for an hour both end at once, and the last report still comes."""
    sink = Watched()
    silent = ScriptedSource(openings=[], name="silent", live=True)
    lost = ScriptedSource(openings=repeat([DeviceLostError("gone")]), name="lost", live=True)
    pipe = pipeline(
        Feed(silent, seeing(), hearing()),
        Feed(lost, seeing(), hearing()),
        sinks=[sink],
        clock=SystemClock(),
        delays=lambda: repeat(3600.0),
    )
    pipe.start()
    sink.wait_for(lambda: sink.items)

    assert not pipe.wait(timeout_s=0)
    pipe.stop()
    pipe.stop()
    assert pipe.wait(PATIENCE_S)
    assert isinstance(sink.items[-1], Health)
    assert lost.opened == 1


def test_health_is_reported_at_once_and_at_its_interval() -> None:
    """The first report does not wait, and one follows each time the interval is over."""
    clock, sink = HandClock(), Watched()

    def reports() -> int:
        return sum(isinstance(item, Health) for item in sink.items)

    def reported(number: int) -> Callable[[], None]:
        return lambda: sink.wait_for(lambda: reports() == number)

    script: list[Step] = []
    for number in range(1, 4):
        script += [reported(number), lambda: clock.advance(5.0)]
    script.append(reported(4))
    run(pipeline(Feed(ScriptedSource(openings=[script]), None, None), sinks=[sink], clock=clock))

    assert reports() == 5


def test_health_joins_the_sources() -> None:
    """Times of all stages in one median, rates added, every source listed."""
    clock, sink = HandClock(), ListSink()
    first = Taught(clock, name="left")
    second = ScriptedSource(openings=[[block(n / 10, source="desk") for n in range(10)]], name="desk")
    pipe = pipeline(first.feed, Feed(second, None, hearing()), sinks=[sink], clock=clock)
    before = pipe.health()
    run(pipe)
    after = pipe.health()

    assert (before.vision_ms, before.voice_ms, before.analysed_per_s) == (None, None, 0.0)
    assert [source.name for source in after.sources] == ["left", "desk"]
    assert [source.state for source in before.sources] == [SourceState.STARTING] * 2
    assert after.vision_ms is not None
    assert after.voice_ms is not None
    assert after.analysed_per_s > 0


@pytest.mark.parametrize("names", [[], ["cam", "cam"], ["cam", "mic", "cam"]])
def test_sources_have_different_names(names: list[str]) -> None:
    """At least one source, and no two that health could not tell apart."""
    feeds = [Feed(ScriptedSource(openings=[], name=name), None, None) for name in names]

    with pytest.raises(ValueError, match="unique names, got"):
        pipeline(*feeds, sinks=[], clock=HandClock())
