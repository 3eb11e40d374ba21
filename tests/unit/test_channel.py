"""One source with its rings and its threads."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count, repeat

import pytest

from edge.channel import FRAMES_WAITING, SLACK_NS, SOUND_WAITING, Channel, Lane, Mark, Passed, middle, ready_ns
from edge.clock import Clock, SystemClock
from edge.errors import DeviceLostError, MediaError, SourceMissingError
from edge.fusion.coverage import Look
from edge.media import AudioBlock, Frame
from edge.ports import MediaSource, VisionStage, VoiceStage
from edge.ring import RingQueue
from edge.role import Role
from edge.summary import SourceHealth, SourceState
from edge.testing import HandClock, ScriptedSource, ScriptedVision, ScriptedVoice
from tests.builders import SECOND, block, face, frame, sound

PATIENCE_S = 10.0
"""Longest wait for another thread; reached only when a test fails."""


class Rig:
    """A channel with what it needs, and what came of it."""

    def __init__(
        self,
        source: MediaSource,
        *,
        vision: VisionStage | None = None,
        voice: VoiceStage | None = None,
        clock: Clock | None = None,
        delays: Callable[[], Iterator[float]] = lambda: count(1.0),
        media_clock: bool = False,
    ) -> None:
        self.out: Lane = RingQueue(1000)
        self.failures: list[BaseException] = []
        self.delays_made = 0
        self._delays = delays
        self.channel = Channel(
            source=source,
            vision=vision,
            voice=voice,
            out=None if media_clock else self.out,
            clock=HandClock() if clock is None else clock,
            delays=self._make_delays,
            on_failure=self._fail,
        )

    def _make_delays(self) -> Iterator[float]:
        self.delays_made += 1
        return self._delays()

    def _fail(self, error: BaseException) -> None:
        self.failures.append(error)
        self.channel.stop()

    def run(self) -> list[Passed]:
        """Run the channel to its end; return what it put out."""
        self.channel.start()
        self.channel.join()
        self.out.close()
        return list(self.out)

    @property
    def health(self) -> SourceHealth:
        """The channel's report."""
        return self.channel.health()


def seeing() -> ScriptedVision:
    """Return a stage that sees one unreadable face in every frame."""
    return ScriptedVision(lambda shown: (face(shown.captured_ns / SECOND, None),))


def wait(event: threading.Event) -> Callable[[], None]:
    """Return a step that waits for another thread."""

    def step() -> None:
        assert event.wait(PATIENCE_S)

    return step


def test_every_frame_becomes_a_look_in_order() -> None:
    """A look carries its frame's time, source and role."""
    # Vision takes each frame before the next one comes, so none is dropped.
    looked = threading.Semaphore(0)

    def observe(_: Frame) -> tuple[()]:
        looked.release()
        return ()

    script: list[Frame | Callable[[], object]] = []
    for number in range(5):
        script += [frame(number / 5, sequence=number, source="back", role=Role.TEACHER), looked.acquire]
    rig = Rig(ScriptedSource(openings=[script]), vision=ScriptedVision(observe))

    assert rig.run() == [Look(number * SECOND // 5, "back", Role.TEACHER, ()) for number in range(5)]
    assert rig.health.dropped_frames == 0
    assert len(rig.channel.vision_ms) == 5


def test_a_frame_that_was_not_due_is_no_look() -> None:
    """Where vision gives None nothing comes out, and no time is counted for it."""
    rig = Rig(ScriptedSource(openings=[[frame(0)]]), vision=ScriptedVision(lambda _: None))

    assert rig.run() == []
    assert rig.channel.vision_ms == []
    assert rig.health.frames == 1


def test_while_vision_is_busy_the_newest_frames_win_and_the_rest_are_counted() -> None:
    """A slow look never holds the camera up: what it missed is dropped, and health says how many."""
    busy, delivered = threading.Event(), threading.Event()

    def observe(shown: Frame) -> tuple[()]:
        if shown.sequence == 0:
            busy.set()
            wait(delivered)()
        return ()

    frames = [frame(number / 10, sequence=number) for number in range(1, 8)]
    rig = Rig(ScriptedSource(openings=[[frame(0), wait(busy), *frames, delivered.set]]), vision=ScriptedVision(observe))
    looks = [item.at_ns for item in rig.run() if isinstance(item, Look)]

    assert looks == [0, *(shown.captured_ns for shown in frames[-FRAMES_WAITING:])]
    assert rig.health.frames == 8
    assert rig.health.dropped_frames == 7 - FRAMES_WAITING


def test_sound_waits_for_a_busy_voice_stage() -> None:
    """Sound is not dropped where pictures would be: half a minute of it fits."""
    busy, delivered = threading.Event(), threading.Event()
    heard: list[int] = []

    def observe(part: AudioBlock) -> tuple[()]:
        if not heard:
            busy.set()
            wait(delivered)()
        heard.append(part.start_ns)
        return ()

    blocks = [block(number / 10) for number in range(1 + SOUND_WAITING)]
    rig = Rig(
        ScriptedSource(openings=[[blocks[0], wait(busy), *blocks[1:], delivered.set]]), voice=ScriptedVoice(observe)
    )
    rig.run()

    assert heard == [part.start_ns for part in blocks]
    assert rig.health.lost_audio_s == 0


def test_sound_that_does_not_fit_is_lost_and_counted_in_seconds() -> None:
    """Ten blocks too many for the ring are one second of lost sound: a fault that shows."""
    busy, delivered = threading.Event(), threading.Event()

    def observe(_: AudioBlock) -> tuple[()]:
        busy.set()
        wait(delivered)()
        return ()

    blocks = [block(number / 10) for number in range(1 + SOUND_WAITING + 10)]
    rig = Rig(
        ScriptedSource(openings=[[blocks[0], wait(busy), *blocks[1:], delivered.set]]), voice=ScriptedVoice(observe)
    )
    rig.run()

    assert rig.health.lost_audio_s == pytest.approx(1.0)


@pytest.mark.parametrize("voice", [ScriptedVoice(lambda _: ()), None])
def test_lost_sound_is_counted_from_jumps_in_its_time(voice: VoiceStage | None) -> None:
    """A device that skips 0.3 s and later 0.5 s has lost 0.8 s, whether or not anybody listens."""
    starts = [0.0, 0.1, 0.5, 0.6, 1.2]
    rig = Rig(ScriptedSource(openings=[[block(at) for at in starts]]), voice=voice)
    rig.run()

    assert rig.health.lost_audio_s == pytest.approx(0.8)


def test_what_voice_hears_comes_out_in_order() -> None:
    """All windows that a block completes, each with its share of the time it took."""
    rig = Rig(
        ScriptedSource(openings=[[block(0), block(0.1)]]),
        voice=ScriptedVoice(lambda part: tuple(sound(part.start_ns / SECOND + n, None) for n in (3, 4))),
    )

    assert rig.run() == [sound(at, None) for at in (3, 4, 3.1, 4.1)]
    assert len(rig.channel.voice_ms) == 4


def test_without_stages_media_is_read_and_left() -> None:
    """A source that nobody looks at still runs, is counted, and puts nothing out."""
    rig = Rig(ScriptedSource(openings=[[frame(0), block(0), frame(0.1)]]))

    assert rig.run() == []
    assert (rig.health.state, rig.health.frames) == (SourceState.ENDED, 2)


def test_a_file_ends() -> None:
    """The end of a recording is its end: nothing is opened again, nothing is wrong."""
    source = ScriptedSource(openings=[[frame(0)], [frame(1)]])
    rig = Rig(source, vision=seeing())

    assert len(rig.run()) == 1
    assert source.opened == 1
    assert (rig.health.state, rig.health.error, rig.health.reconnects) == (SourceState.ENDED, None, 0)


@pytest.mark.parametrize("error", [MediaError("a.mp4: damaged after 1.0 s"), SourceMissingError("a.mp4: no such file")])
def test_a_file_that_fails_ends_with_its_error(error: Exception) -> None:
    """What was read before counts, and health carries the one line that says why it ended."""
    rig = Rig(ScriptedSource(openings=[[frame(0), error]]), vision=seeing())

    assert len(rig.run()) == 1
    assert (rig.health.state, rig.health.error) == (SourceState.ENDED, str(error))
    assert rig.failures == []


def test_a_live_source_that_is_lost_is_opened_again() -> None:
    """Running, lost with its error, running again without it, and the reconnection is counted."""

    def stop() -> None:
        rig.channel.stop()

    seen: list[SourceHealth] = []
    source = ScriptedSource(
        openings=[
            [
                lambda: seen.append(rig.health),
                frame(0),
                lambda: seen.append(rig.health),
                DeviceLostError("camera 0: gone"),
            ],
            [lambda: seen.append(rig.health), frame(1), lambda: seen.append(rig.health), stop],
        ],
        live=True,
    )
    rig = Rig(source)
    rig.run()

    assert [(h.state, h.error, h.reconnects) for h in seen] == [
        (SourceState.STARTING, None, 0),
        (SourceState.RUNNING, None, 0),
        (SourceState.LOST, "camera 0: gone", 1),
        (SourceState.RUNNING, None, 1),
    ]
    assert (rig.health.state, rig.health.frames) == (SourceState.ENDED, 2)


def test_a_live_source_that_just_ends_is_lost() -> None:
    """A camera that stops without an error is opened again like any other, and health says what happened."""

    def stop() -> None:
        rig.channel.stop()

    seen: list[SourceHealth] = []
    source = ScriptedSource(openings=[[frame(0)], [lambda: seen.append(rig.health), stop]], live=True)
    rig = Rig(source)
    rig.run()

    assert [(h.state, h.error) for h in seen] == [(SourceState.LOST, "ended without being asked to")]


def test_each_attempt_waits_longer_until_one_delivers() -> None:
    """Back-off grows over attempts that fail and starts over after one that ran."""

    def stop() -> None:
        rig.channel.stop()

    clock, opened_at = HandClock(), list[float]()
    gone = DeviceLostError("gone")

    def note() -> None:
        opened_at.append(clock.now_ns() / SECOND)

    openings: list[Iterable[Frame | BaseException | Callable[[], object]]] = [
        [note, SourceMissingError("not there")],
        [note, SourceMissingError("not there")],
        [note, frame(0), gone],
        [note, gone],
        [note, stop],
    ]
    rig = Rig(ScriptedSource(openings=openings, live=True), clock=clock)
    rig.run()

    # Waits of 1 and 2 s, then, after it ran, of 1 and 2 s again.
    assert opened_at == [0.0, 1.0, 3.0, 4.0, 6.0]
    assert rig.health.reconnects == 4
    assert rig.delays_made == 2


def test_only_the_first_failure_is_news(caplog: pytest.LogCaptureFixture) -> None:
    """The first is a warning, its repeats are for debugging, and the return is said."""

    def stop() -> None:
        rig.channel.stop()

    openings = [[SourceMissingError("camera 0: not there")]] * 4
    source = ScriptedSource(openings=[*openings, [frame(0), stop]], live=True)
    rig = Rig(source)
    with caplog.at_level(logging.DEBUG, logger="edge.channel"):
        rig.run()

    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", "scripted: camera 0: not there"),
        *[("DEBUG", "scripted: camera 0: not there")] * 3,
        ("WARNING", "scripted: back after camera 0: not there"),
    ]


def test_a_stop_ends_a_long_wait() -> None:
    """Who waits an hour before the next attempt is woken and ends."""
    waiting = threading.Event()

    class TellingClock(SystemClock):
        def wait(self, seconds: float, stop: threading.Event) -> bool:
            waiting.set()
            return super().wait(seconds, stop)

    source = ScriptedSource(openings=repeat([DeviceLostError("gone")]), live=True)
    rig = Rig(source, clock=TellingClock(), delays=lambda: repeat(3600.0))
    rig.channel.start()
    wait(waiting)()
    rig.channel.stop()
    rig.channel.join()

    assert rig.channel.ended
    assert source.opened == 1


def test_a_stop_ends_a_source_that_delivers_nothing() -> None:
    """A silent device is closed from outside."""
    rig = Rig(ScriptedSource(openings=[], live=True))
    rig.channel.start()
    rig.channel.stop()
    rig.channel.stop()
    rig.channel.join()

    assert rig.channel.ended
    assert rig.health.idle_s is None


def test_a_source_that_ignores_its_closing_is_left() -> None:
    """A driver that keeps delivering after close() does not keep the channel alive."""

    class Stubborn(ScriptedSource):
        def close(self) -> None:
            """Do nothing."""

    def script() -> Iterator[Frame | Callable[[], object]]:
        for number in count():
            yield frame(number, sequence=number)
            if number == 3:
                yield lambda: rig.channel.stop()  # noqa: PLW0108 - made before the rig is

    rig = Rig(Stubborn(openings=[script()], live=True))
    rig.run()

    assert rig.health.frames == 5
    assert (rig.health.state, rig.health.error) == (SourceState.ENDED, None)


def test_a_channel_that_never_started_can_be_joined() -> None:
    """Whoever gives up before the start has nothing to wait for."""
    rig = Rig(ScriptedSource(openings=[]))
    rig.channel.stop()
    rig.channel.join()

    assert not rig.channel.ended


def test_what_was_delivered_before_a_stop_is_still_read() -> None:
    """Stopping closes the tap and does not spill the glass."""
    busy, stopped = threading.Event(), threading.Event()

    def observe(_: Frame) -> tuple[()]:
        busy.set()
        wait(stopped)()
        return ()

    def stop() -> None:
        rig.channel.stop()
        stopped.set()

    script: list[Frame | Callable[[], object]] = [frame(0), wait(busy), frame(0.1), frame(0.2), stop, frame(0.3)]
    rig = Rig(ScriptedSource(openings=[script], live=True), vision=ScriptedVision(observe))

    assert [item.at_ns for item in rig.run() if isinstance(item, Look)] == [0, SECOND // 10, SECOND // 5]


@pytest.mark.parametrize("where", ["source", "vision", "voice"])
def test_an_error_that_is_none_of_the_sources_own_is_handed_on(where: str) -> None:
    """A bug in a driver or a stage is told to whoever runs the channel, from whatever thread it happened in."""

    def fail(_: object) -> tuple[()]:
        raise ZeroDivisionError(where)

    script: list[Frame | AudioBlock | BaseException] = [frame(0), block(0)]
    if where == "source":
        script.append(ZeroDivisionError(where))
    rig = Rig(
        ScriptedSource(openings=[script]),
        vision=ScriptedVision(fail) if where == "vision" else None,
        voice=ScriptedVoice(fail) if where == "voice" else None,
    )
    rig.run()

    assert [repr(error) for error in rig.failures] == [f"ZeroDivisionError('{where}')"]


def test_health_tells_the_rate_and_the_idle_time() -> None:
    """Frames a second over the last ones, 0 once nothing has come for seconds, and how long that is."""
    clock = HandClock()
    seen: list[SourceHealth] = []
    script: list[Frame | Callable[[], object]] = [lambda: seen.append(rig.health)]
    for number in range(11):
        script += [frame(number / 10), lambda: clock.advance(0.1)]
    script += [lambda: seen.append(rig.health), lambda: clock.advance(9.9), lambda: seen.append(rig.health)]
    rig = Rig(ScriptedSource(openings=[script]), clock=clock)
    rig.run()

    assert [h.idle_s for h in seen] == [None, pytest.approx(0.1), pytest.approx(10.0)]
    assert [h.frames_per_s for h in seen] == [0.0, pytest.approx(10.0), 0.0]


def test_sound_is_a_sign_of_life_too() -> None:
    """A microphone has no frames, and its idle time counts from its last block."""
    clock = HandClock()
    rig = Rig(ScriptedSource(openings=[[block(0), lambda: clock.advance(2.0)]]), clock=clock)
    rig.run()

    assert (rig.health.frames, rig.health.frames_per_s) == (0, 0.0)
    assert rig.health.idle_s == pytest.approx(2.0)


def test_looks_a_second_are_those_of_late() -> None:
    """The rate of looks, and 0 before there are two."""
    clock, looked = HandClock(), threading.Semaphore(0)

    def observe(_: Frame) -> tuple[()]:
        clock.advance(0.25)
        return ()

    class Counting(RingQueue[Passed]):
        def put(self, item: Passed) -> bool:
            full = super().put(item)
            looked.release()
            return full

    rates: list[float] = []
    script: list[Frame | Callable[[], object]] = []
    for number in range(5):
        script += [frame(number), looked.acquire, lambda: rates.append(channel.looks_per_s)]
    channel = Channel(
        source=ScriptedSource(openings=[script]),
        vision=ScriptedVision(observe),
        voice=None,
        out=Counting(10),
        clock=clock,
        delays=lambda: count(1.0),
        on_failure=lambda error: pytest.fail(repr(error)),
    )
    channel.start()
    channel.join()

    assert rates == [0.0, *[pytest.approx(4.0)] * 4]


def test_the_middle_of_nothing_is_none() -> None:
    """No times, no median; else the usual one."""
    assert middle([]) is None
    assert middle([3.0, 1.0, 2.0]) == 2.0


def lanes(rig: Rig) -> tuple[list[Passed], list[Passed]]:
    """Run a channel on the media's own clock; return what vision and what voice put out."""
    rig.run()
    seen, heard = rig.channel.lanes
    return list(seen), list(heard)


def hearing() -> ScriptedVoice:
    """Return a stage that hears a window in every block."""
    return ScriptedVoice(lambda part: (sound(part.end_ns / SECOND, None),))


def test_on_the_medias_own_clock_nothing_is_dropped() -> None:
    """More frames and more sound than the rings hold, delivered before anybody reads, all come out in order."""
    frames = [frame(n / 10, sequence=n) for n in range(4 * FRAMES_WAITING)]
    blocks = [block(n / 10) for n in range(SOUND_WAITING + 50)]
    go_on = threading.Event()
    listened: list[AudioBlock] = []

    def observe(part: AudioBlock) -> tuple[()]:
        wait(go_on)()
        listened.append(part)
        return ()

    script: list[AudioBlock | Callable[[], object]] = [*blocks[:SOUND_WAITING], go_on.set, *blocks[SOUND_WAITING:]]
    deaf = Rig(ScriptedSource(openings=[script]), voice=ScriptedVoice(observe), media_clock=True)
    seen, _ = lanes(Rig(ScriptedSource(openings=[frames]), vision=seeing(), media_clock=True))
    _, heard = lanes(deaf)

    assert [item.at_ns for item in seen if isinstance(item, Look)] == [shown.captured_ns for shown in frames]
    assert heard[-1] == Mark(blocks[-1].end_ns)
    assert listened == blocks
    assert deaf.health.lost_audio_s == 0


def test_a_lane_is_in_order_and_says_how_far_it_has_got() -> None:
    """Every stage tells of its progress even where it has nothing to say, and never goes back."""
    script = [item for n in range(30) for item in (frame(n / 10, sequence=n), block(n / 10))]
    source = ScriptedSource(openings=[script])
    seen, heard = lanes(Rig(source, vision=ScriptedVision(lambda _: None), voice=hearing(), media_clock=True))

    for lane, end_s in ((seen, 2.9), (heard, 3.0)):
        times = [ready_ns(item) for item in lane]
        assert times == sorted(times)
        assert times[-1] == pytest.approx(end_s * SECOND)
    assert all(isinstance(item, Mark) for item in seen)


@pytest.mark.parametrize(
    ("script", "lane"),
    [([frame(n / 10, sequence=n) for n in range(50)], 1), ([block(n / 10) for n in range(50)], 0)],
)
def test_a_stage_without_media_is_told_how_far_the_other_is(script: list[Frame | AudioBlock], lane: int) -> None:
    """A silent film does not keep whoever joins the lanes waiting for its sound, nor a voice for its pictures."""
    rig = Rig(ScriptedSource(openings=[script]), vision=seeing(), voice=hearing(), media_clock=True)
    marks = lanes(rig)[lane]

    assert all(isinstance(mark, Mark) for mark in marks)
    assert 4.9 * SECOND - SLACK_NS >= ready_ns(marks[-1]) >= 4.7 * SECOND - SLACK_NS
    assert len(marks) > 10


def test_a_stage_that_dies_lets_go_of_who_waits_for_it() -> None:
    """The capture thread does not hang on a ring that nobody reads any more, and the lane ends."""

    def fail(_: object) -> tuple[()]:
        raise ZeroDivisionError

    frames = [frame(n / 10, sequence=n) for n in range(50)]
    rig = Rig(ScriptedSource(openings=[frames]), vision=ScriptedVision(fail), media_clock=True)
    seen, _ = lanes(rig)

    assert [repr(error) for error in rig.failures] == ["ZeroDivisionError()"]
    assert seen == []


def test_whoever_stops_reading_a_lane_lets_its_stage_end() -> None:
    """A lane that is closed from outside ends its stage without a failure of its own."""
    frames = [frame(n / 10, sequence=n) for n in range(50)]
    rig = Rig(ScriptedSource(openings=[frames]), vision=seeing(), media_clock=True)
    for lane in rig.channel.lanes:
        lane.close()
    rig.run()

    assert rig.failures == []


def test_on_the_medias_own_clock_a_source_that_is_not_there_is_a_failure() -> None:
    """What is to be read to its end must be there; one that is damaged ends with what was read."""
    missing = Rig(ScriptedSource(openings=[[SourceMissingError("a.mp4: not there")]]), media_clock=True)
    damaged = Rig(ScriptedSource(openings=[[frame(0), MediaError("b.mp4: damaged")]]), media_clock=True)
    missing.run()
    damaged.run()

    assert [str(error) for error in missing.failures] == ["a.mp4: not there"]
    assert damaged.failures == []
    assert str(damaged.channel.ended_by) == "b.mp4: damaged"
    assert damaged.channel.end_ns == 0


def test_a_last_frame_is_as_long_as_the_one_before_it() -> None:
    """Two frames a fifth of a second apart last two fifths, whatever pause there was before them."""
    script = [frame(0), frame(9), frame(9.2)]
    rig = Rig(ScriptedSource(openings=[script]), media_clock=True)

    assert rig.channel.end_ns is None
    rig.run()
    assert rig.channel.end_ns == pytest.approx(9.4 * SECOND)
