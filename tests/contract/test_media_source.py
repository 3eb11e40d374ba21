"""Every source keeps the promises of ``edge.ports.MediaSource``."""

import itertools
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from edge.capture import microphone as microphone_module
from edge.capture.csi_camera import CsiCamera
from edge.capture.lesson import read_lesson
from edge.capture.microphone import Microphone
from edge.capture.recording import Recording
from edge.capture.screen import Screen
from edge.capture.simulated import SimulatedClassroom
from edge.errors import DeviceLostError
from edge.media import AudioBlock, Frame
from edge.ports import MediaSource
from edge.role import Role
from tests.capture_fakes import HandClock, SoundDevice, camera, in_thread, picture, tone, write_media

Make = Callable[[], MediaSource]


class _Mss:
    """A desktop that never goes away."""

    monitors = ({"w": 0}, {"w": 1})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def grab(self, _monitor: object) -> object:
        """Return a grey picture."""
        return np.full((6, 8, 4), 9, np.uint8)


class _Picamera2:
    """A Raspberry Pi's camera that delivers for ever."""

    def __init__(self, _number: int) -> None:
        pass

    def create_video_configuration(self, **_: object) -> None:
        """Take anything."""

    def configure(self, _: object) -> None:
        """Take anything."""

    def start(self) -> None:
        """Do nothing."""

    def capture_array(self, *_: object, **__: object) -> None:
        """Return no job."""

    def wait(self, *_: object, **__: object) -> object:
        """Return a picture."""
        return picture(3)

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture(
    params=["camera", "csi", "microphone", "screen", "screen with sound", "file", "paced file", "simulated"]
)
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Make:
    """Return a maker of one kind of source over a scripted device."""
    clock = HandClock()
    parts = [(part, False) for part in np.split(tone(2.0), 20)]
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(clock, parts))
    monkeypatch.setattr(microphone_module, "_SILENT_S", 0.0)
    monkeypatch.setitem(sys.modules, "mss", types.SimpleNamespace(MSS=_Mss, ScreenShotError=OSError))
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=_Picamera2))
    role = Role.TEACHER
    path = str(write_media(tmp_path / "l.mp4")) if "file" in request.param else ""
    makers: dict[str, Make] = {
        "camera": lambda: camera([picture(n) for n in range(20)])[0],
        "csi": lambda: CsiCamera(name="front", role=role, clock=clock),
        "microphone": lambda: Microphone(name="front", role=role, clock=clock),
        "screen": lambda: Screen(name="front", role=role, clock=clock),
        "screen with sound": lambda: Screen(name="front", role=role, sound=0, clock=clock),
        "file": lambda: Recording(name="front", role=role, url=path),
        "paced file": lambda: Recording(name="front", role=role, url=path, clock=clock),
        "simulated": lambda: SimulatedClassroom(name="front", role=role, lesson=read_lesson("standard")),
    }
    return makers[request.param]


def test_items_carry_the_sources_name_and_role_in_order_of_time(make: Make) -> None:
    """Each kind is in order, stamped, and read-only."""
    source = make()
    items = list(itertools.islice(source.items(), 12))
    frames = [i for i in items if isinstance(i, Frame)]
    blocks = [i for i in items if isinstance(i, AudioBlock)]

    assert len(items) == 12
    assert {(i.source, i.role) for i in items} == {(source.name, source.role)}
    assert all(a.captured_ns < b.captured_ns and a.sequence < b.sequence for a, b in itertools.pairwise(frames)) or (
        len({f.captured_ns for f in frames}) == 1  # a camera whose scripted clock stands still
    )
    assert all(a.end_ns <= b.start_ns for a, b in itertools.pairwise(blocks))
    assert not any((i.pixels if isinstance(i, Frame) else i.samples).flags.writeable for i in items)


def test_close_from_another_thread_ends_the_items(make: Make) -> None:
    """The reader's loop ends by itself, without an error."""
    source = make()
    seen = 0
    for _ in source.items():
        seen += 1
        if seen == 3:
            in_thread(source.close)

    assert 3 <= seen <= 5


def test_a_closed_source_delivers_nothing_and_may_be_closed_again(make: Make) -> None:
    """A close that comes before the reader's first step is not forgotten."""
    source = make()
    source.close()
    source.close()

    assert list(source.items()) == []


def test_items_may_be_read_again_after_they_ended(make: Make) -> None:
    """A source opens its device anew, whether the last time ended, raised or was left."""
    source = make()
    first = next(iter(source.items()))
    again = source.items()

    assert type(next(iter(again))) is type(first)


def test_a_live_source_that_ends_by_itself_says_it_was_lost(make: Make) -> None:
    """Only what is not live may end without a word, because only that is not opened again."""
    source = make()
    if not source.live:
        assert list(source.items())
        return

    def read_until_lost() -> None:
        for number, _ in enumerate(source.items()):
            if number > 100:
                raise DeviceLostError("a device that never goes away: torn out by the test")

    with pytest.raises(DeviceLostError) as caught:
        read_until_lost()

    assert "\n" not in str(caught.value)
