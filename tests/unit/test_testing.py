"""The scripted parts and the hand-moved clock that we and users test with."""

import threading

import pytest

from edge.clock import Clock
from edge.errors import DeviceLostError
from edge.ports import MediaSource, Sink, VisionStage, VoiceStage
from edge.role import Role
from edge.summary import Health
from edge.testing import HandClock, ListSink, ScriptedSource, ScriptedVision, ScriptedVoice
from tests.builders import EPOCH, block, face, frame, sound, summary


def test_the_fakes_have_the_shapes_of_the_ports() -> None:
    """The type checker holds each fake against its port, here."""

    def accept(source: MediaSource, vision: VisionStage, voice: VoiceStage, sink: Sink, clock: Clock) -> str:
        assert all((vision, voice, sink, clock))
        return f"{source.name} {source.role} {source.live}"

    source = ScriptedSource(openings=[], name="s", role=Role.TEACHER, live=True)
    stages = ScriptedVision(lambda _: None), ScriptedVoice(lambda _: ())

    assert accept(source, *stages, ListSink(), HandClock()) == "s teacher True"


def test_a_hand_clock_moves_when_told_to() -> None:
    """And only forward."""
    clock = HandClock(5)
    clock.advance(1.5)

    assert clock.now_ns() == 1_500_000_005
    with pytest.raises(ValueError, match="does not go back, got -1"):
        clock.advance(-1)


def test_waiting_on_a_hand_clock_takes_no_time() -> None:
    """An hour passes at once, unless the waiter is stopped, and then none does."""
    clock, stop = HandClock(), threading.Event()

    assert not clock.wait(3600, stop)
    assert not clock.wait(-1, stop)
    stop.set()
    assert clock.wait(3600, stop)
    assert clock.now_ns() == 3600 * 10**9


def test_a_script_is_delivered_called_and_raised_in_order() -> None:
    """Items come out, calls happen between them, and an exception ends the opening."""
    calls: list[str] = []
    first, second = frame(0), block(0)
    source = ScriptedSource(openings=[[first, lambda: calls.append("now"), second, DeviceLostError("gone"), first]])
    items = source.items()

    assert next(items) is first
    assert calls == []
    assert next(items) is second
    assert calls == ["now"]
    with pytest.raises(DeviceLostError, match="gone"):
        next(items)


def test_every_opening_has_its_own_script() -> None:
    """Opened again, a source plays the next script, and counts."""
    one, two = frame(0), frame(1)
    source = ScriptedSource(openings=[[one], [two]])

    assert list(source.items()) == [one]
    assert list(source.items()) == [two]
    assert source.opened == 2


def test_a_source_without_a_script_waits_until_it_is_closed() -> None:
    """A device that delivers nothing looks like this, and close() ends it from another thread."""
    source = ScriptedSource(openings=[])
    got: list[object] = []
    reader = threading.Thread(target=lambda: got.extend(source.items()))
    reader.start()
    source.close()
    reader.join(timeout=10)

    assert not reader.is_alive()
    assert got == []


def test_a_closed_source_delivers_nothing_more() -> None:
    """close() ends a script between two items, any number of times."""
    source = ScriptedSource(openings=[[frame(0), frame(1)]])
    items = source.items()
    next(items)
    source.close()
    source.close()

    assert list(items) == []


def test_scripted_stages_answer_by_their_function() -> None:
    """A test decides what is seen and heard."""
    seen, heard = (face(1, None),), (sound(3, None),)

    assert ScriptedVision(lambda f: seen if f.sequence else None).observe(frame(0)) is None
    assert ScriptedVision(lambda _: seen).observe(frame(0)) is seen
    assert ScriptedVoice(lambda _: heard).observe(block(0)) is heard


def test_a_list_sink_keeps_everything_in_order() -> None:
    """And sorts it by kind for whoever asks."""
    sink, window = ListSink(), summary(10, 0.5)
    report = Health(at=EPOCH, sources=(), vision_ms=None, voice_ms=None, analysed_per_s=0.0, late=0)
    sink.accept(report)
    sink.accept(window)

    assert sink.items == [report, window]
    assert sink.summaries == [window]
    assert sink.alerts == []
