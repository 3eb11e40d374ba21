"""On the media's own clock what comes out is the media's doing alone, not the threads'."""

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import count, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.channel import FRAMES_WAITING, Passed, ready_ns
from edge.clock import SystemClock
from edge.errors import MediaError, SourceMissingError
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.coverage import Look
from edge.fusion.evidence import Reliability
from edge.media import AudioBlock, Frame
from edge.observation import Emotion, FaceObservation, VoiceObservation
from edge.pipeline import LATENESS_S, Feed, Pipeline
from edge.role import Role
from edge.summary import Alert, Lesson, WindowSummary
from edge.testing import ListSink, ScriptedSource, ScriptedVision, ScriptedVoice
from tests.builders import EPOCH, SECOND, block, face, frame, sound, sure, to_utc

PATIENCE_S = 30.0
"""Longest wait for another thread; reached only when a test fails."""
WINDOWS = Windows(window_s=2.0, hop_s=0.5, least_s=0.0)
RULE = Rule(hold_s=1.0)
LESSON = Lesson(id="1", title="Maths", started_at=EPOCH, ended_at=None)
MOODS = (Emotion.SADNESS, Emotion.HAPPINESS)

Item = Frame | AudioBlock
Result = tuple[list[WindowSummary], list[Alert]]


def feelings(at_s: float, who: int) -> Emotion:
    """Return a mood that turns every four seconds, for each a little later than for the one before."""
    return MOODS[int((at_s - who / 3) / 4) % len(MOODS)]


def see(shown: Frame) -> tuple[FaceObservation, ...]:
    """See three people of as many moods, none of them surely."""
    at_s = shown.captured_ns / SECOND
    return tuple(
        face(at_s, sure(feelings(at_s, n), 0.7 + n / 10), source=shown.source, role=shown.role, track_id=n)
        for n in range(3)
    )


def hear(part: AudioBlock) -> tuple[VoiceObservation, ...]:
    """Hear a window of three seconds, of which the last is new, at the end of each whole second."""
    end_s = part.end_ns / SECOND
    if part.end_ns % SECOND:
        return ()
    return (sound(end_s, sure(feelings(end_s, 1), 0.8), source=part.source, role=part.role),)


def media(seconds: float, *, name: str, role: Role = Role.STUDENTS, start_s: float = 0.0, fps: int = 5) -> list[Item]:
    """Return pictures and sound as a container holds them."""
    frames = [frame(start_s + n / fps, sequence=n, source=name, role=role) for n in range(round(seconds * fps))]
    blocks = [block(start_s + n / 10, source=name, role=role) for n in range(round(seconds * 10))]
    return sorted([*frames, *blocks], key=lambda i: i.captured_ns if isinstance(i, Frame) else i.start_ns)


def source(items: Iterable[Item | BaseException], *, name: str, role: Role = Role.STUDENTS) -> ScriptedSource:
    """Return a source that plays once."""
    return ScriptedSource(openings=[items], name=name, role=role)


def run(feeds: Sequence[Feed], watch: Callable[[Passed], None] | None = None) -> Result:
    """Run feeds to their ends on their own clock."""
    numbers = count()
    sink = ListSink()
    pipeline = Pipeline(
        feeds=feeds,
        make_aggregator=lambda epoch_ns: Aggregator(
            epoch_ns=epoch_ns, to_utc=to_utc, windows=WINDOWS, reliability=Reliability()
        ),
        to_utc=to_utc,
        policy=None,
        engine=AlertEngine([RULE], hop_s=WINDOWS.hop_s, make_id=lambda: str(next(numbers))),
        sinks=[sink],
        clock=SystemClock(),
        delays=lambda: repeat(0.0),
        lesson=LESSON,
        media_clock=True,
        watch=watch,
    )
    pipeline.start()

    assert pipeline.wait(PATIENCE_S)
    return sink.summaries, sink.alerts


def by_hand(scripts: Sequence[Sequence[Item]], end_s: float) -> Result:
    """Do in one thread and one loop what the pipeline does in many: the definition of what must come out."""
    found: list[Look | VoiceObservation] = []
    for script in scripts:
        for item in script:
            if isinstance(item, Frame):
                found.append(Look(item.captured_ns, item.source, item.role, see(item)))
            else:
                found += hear(item)
    aggregator = Aggregator(epoch_ns=0, to_utc=to_utc, windows=WINDOWS, reliability=Reliability())
    numbers = count()
    engine = AlertEngine([RULE], hop_s=WINDOWS.hop_s, make_id=lambda: str(next(numbers)))
    engine.begin_lesson(EPOCH)
    for observed in found:
        if isinstance(observed, Look):
            aggregator.add_look(observed)
        else:
            aggregator.add_sound(observed)
    end_ns = round(end_s * SECOND)
    summaries = aggregator.advance(end_ns)
    alerts = [alert for summary in summaries for alert in engine.judge(summary)]
    return summaries, [*alerts, *engine.end_lesson(to_utc(end_ns), end_s)]


class Slow:
    """Lets a stage look only when the other one of the same feed is far ahead, or at an end."""

    def __init__(self, calls: int) -> None:
        self._behind = threading.Semaphore(calls)

    def wait(self) -> None:
        """Wait for the other stage, or at most a moment where it has nothing more to do."""
        self._behind.acquire(timeout=0.01)

    def go_on(self) -> None:
        """Let the slow one have a look."""
        self._behind.release()


def slowed(which: str) -> tuple[ScriptedVision, ScriptedVoice]:
    """Return stages of which one runs behind the other as far as the rings let it."""
    slow = Slow(0)

    def look(shown: Frame) -> tuple[FaceObservation, ...]:
        slow.wait() if which == "vision" else slow.go_on()
        return see(shown)

    def listen(part: AudioBlock) -> tuple[VoiceObservation, ...]:
        slow.wait() if which == "voice" else slow.go_on()
        return hear(part)

    return ScriptedVision(look), ScriptedVoice(listen)


@pytest.mark.parametrize("which", ["none", "vision", "voice"])
def test_slow_stages_change_nothing(which: str) -> None:
    """Windows, their number, alerts and every digit are those of one loop in one thread; nothing is late or lost."""
    script = media(20, name="cam")
    vision, voice = slowed(which)
    summaries, alerts = run([Feed(source(script, name="cam"), vision, voice)])

    assert (summaries, alerts) == by_hand([script], 20)
    assert len(summaries) == 2 * 40
    assert summaries[-1].late == 0
    assert len(alerts) > 2


@pytest.mark.parametrize("which", ["none", "vision", "voice"])
def test_sources_wait_for_each_other(which: str) -> None:
    """Three recordings of one lesson, one of them begun later, one slow: the same as in one loop."""
    scripts: dict[str, Sequence[Item]] = {
        "front": media(12, name="front"),
        "desk": media(9.3, name="desk", role=Role.TEACHER, start_s=4.2, fps=25),
        "side": [item for item in media(14, name="side", fps=3) if isinstance(item, Frame)],
    }
    roles = {"desk": Role.TEACHER}
    slow = slowed(which)
    quick = ScriptedVision(see), ScriptedVoice(hear)
    feeds = [
        Feed(source(script, name=name, role=roles.get(name, Role.STUDENTS)), *(slow if name == "front" else quick))
        for name, script in scripts.items()
    ]

    assert run(feeds) == by_hand(list(scripts.values()), 14)


@settings(max_examples=15)
@given(
    seconds=st.lists(st.floats(0.3, 6.0), min_size=1, max_size=3),
    offsets=st.lists(st.integers(0, 40), min_size=3, max_size=3),
    fps=st.integers(1, 30),
)
def test_any_recordings_give_what_one_loop_gives(seconds: list[float], offsets: list[int], fps: int) -> None:
    """Whatever their lengths and beginnings, no digit depends on which thread was first."""
    scripts = [
        media(length, name=str(n), start_s=offset / 8, fps=fps)
        for n, (length, offset) in enumerate(zip(seconds, offsets, strict=False))
    ]
    ends = [0.0]
    for script in scripts:
        frames = [item.captured_ns for item in script if isinstance(item, Frame)]
        last = 2 * frames[-1] - frames[-2] if len(frames) > 1 else 0
        ends.append(max([last, *(i.captured_ns if isinstance(i, Frame) else i.end_ns for i in script)]) / SECOND)
    feeds = [
        Feed(source(script, name=str(n)), ScriptedVision(see), ScriptedVoice(hear)) for n, script in enumerate(scripts)
    ]

    assert run(feeds) == by_hand(scripts, max(ends))


def test_what_comes_out_is_watched_in_order_of_time() -> None:
    """Whoever watches sees the observations of all sources in one order that is the media's."""
    watched: list[int] = []
    names = ("left", "right")
    run(
        [Feed(source(media(6, name=n), name=n), ScriptedVision(see), ScriptedVoice(hear)) for n in names],
        lambda passed: watched.append(ready_ns(passed)),
    )

    assert watched == sorted(watched)
    assert watched[-1] == pytest.approx(6 * SECOND)


def test_nothing_is_read_further_ahead_than_rings_and_lanes_hold() -> None:
    """However fast a source and its stages are, they wait for who works it up: memory stays flat, and nothing falls."""
    changed = threading.Condition()
    read = worked_up = furthest = 0

    def script() -> Iterable[Frame]:
        nonlocal read
        for number in range(2000):
            with changed:
                read = number
                changed.notify_all()
            yield frame(number / 10, sequence=number)

    def watch(passed: Passed) -> None:
        nonlocal worked_up, furthest
        if isinstance(passed, Look):
            with changed:
                # The lane is full each time before one is taken.
                assert changed.wait_for(lambda: read >= min(worked_up + 1001, 1999), PATIENCE_S)
                furthest = max(furthest, read - worked_up)
                worked_up += 1

    run([Feed(source(script(), name="cam"), ScriptedVision(see), None)], watch)

    assert furthest <= 1000 + FRAMES_WAITING + 2
    assert worked_up == 2000


def test_a_failure_behind_full_lanes_leaves_nobody_waiting() -> None:
    """Who waits for room in a lane that nobody reads any more is let go."""
    full = threading.Event()

    def script() -> Iterable[Frame]:
        for number in range(3000):
            if number == 1001:
                full.set()
            yield frame(number / 10, sequence=number)

    def watch(_: Passed) -> None:
        assert full.wait(PATIENCE_S)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([Feed(source(script(), name="cam"), ScriptedVision(see), None)], watch)


def test_damage_ends_one_source_and_not_the_others() -> None:
    """What was read of it stays, and the windows go on to the end of the others."""
    whole, broken = media(8, name="whole"), media(3, name="broken", role=Role.TEACHER)
    feeds = [
        Feed(source(whole, name="whole"), ScriptedVision(see), ScriptedVoice(hear)),
        Feed(
            source([*broken, MediaError("broken: damaged after 3.0 s")], name="broken", role=Role.TEACHER),
            ScriptedVision(see),
            ScriptedVoice(hear),
        ),
    ]

    assert run(feeds) == by_hand([whole, broken], 8)


def test_a_missing_source_ends_all() -> None:
    """A file that isn't there is a mistake to be told at once, whatever the others hold."""
    feeds = [
        Feed(source(media(60, name="whole"), name="whole"), ScriptedVision(see), ScriptedVoice(hear)),
        Feed(source([SourceMissingError("b.mp4: not there")], name="b"), None, None),
    ]

    with pytest.raises(SourceMissingError, match=r"b\.mp4: not there"):
        run(feeds)


@pytest.mark.parametrize("where", ["vision", "voice", "watch"])
def test_a_failure_ends_all_and_nobody_hangs(where: str) -> None:
    """Full rings on all sides do not keep a thread waiting for one that has died."""

    def fail(_: object) -> tuple[()]:
        raise ZeroDivisionError(where)

    def watch(passed: Passed) -> None:
        if where == "watch" and ready_ns(passed) > SECOND:
            fail(passed)

    vision = ScriptedVision(fail) if where == "vision" else ScriptedVision(see)
    voice = ScriptedVoice(fail) if where == "voice" else ScriptedVoice(hear)
    feeds = [
        Feed(source(media(60, name="one"), name="one"), vision, voice),
        Feed(source(media(60, name="two", fps=50), name="two"), ScriptedVision(see), ScriptedVoice(hear)),
    ]

    with pytest.raises(ZeroDivisionError, match=where):
        run(feeds, watch)


def test_windows_wait_long_enough_for_a_hop_of_sound() -> None:
    """A window of sound is known a second after its newest hop began; the usual lateness covers that."""
    assert LATENESS_S > 1.0 + 0.05
