"""The screen delivers frames, and sound beside them where a device is named."""

import sys
import types
from typing import Self

import numpy as np
import numpy.typing as npt
import pytest

from edge.capture import microphone as microphone_module
from edge.capture.screen import Screen
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import AudioBlock, Frame
from edge.role import Role
from tests.capture_fakes import HandClock, SoundDevice, tone


class ScreenShotError(Exception):
    """As mss's."""


class ScriptedMss:
    """Stands for ``mss.MSS``: one monitor that shows blue, and after some grabs is gone."""

    grabs = 3
    closed = 0

    def __init__(self) -> None:
        self.monitors = [{"width": 8, "height": 6}, {"width": 8, "height": 6}]
        self._left = self.grabs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        type(self).closed += 1

    def grab(self, monitor: dict[str, int]) -> npt.NDArray[np.uint8]:
        """Return blue in BGRA."""
        if not self._left:
            raise ScreenShotError("XGetImage() failed")
        self._left -= 1
        image = np.zeros((monitor["height"], monitor["width"], 4), np.uint8)
        image[:, :, 0] = 200
        return image


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a scripted desktop in place."""
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setattr(ScriptedMss, "closed", 0)
    monkeypatch.setitem(sys.modules, "mss", types.SimpleNamespace(MSS=ScriptedMss, ScreenShotError=ScreenShotError))


@pytest.mark.usefixtures("desktop")
def test_frames_come_in_rgb_at_the_wanted_rate_until_the_display_is_lost() -> None:
    """Four a second are a quarter second apart; a failing grab is a lost device; mss is closed."""
    frames: list[Frame | AudioBlock] = []
    with pytest.raises(DeviceLostError, match="XGetImage"):
        frames.extend(Screen(name="s", role=Role.STUDENTS, fps=4.0, clock=HandClock(0)).items())
    pictures = [f for f in frames if isinstance(f, Frame)]

    assert [f.captured_ns for f in pictures] == [0, 250_000_000, 500_000_000]
    assert pictures[0].pixels[0, 0].tolist() == [0, 0, 200]
    assert ScriptedMss.closed == 1


@pytest.mark.usefixtures("desktop")
def test_sound_is_delivered_beside_the_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind is in order of time, and the sound is complete."""
    clock = HandClock(0)
    parts = [(part, False) for part in np.split(tone(1.0), 20)]
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(clock, parts, name="Monitor"))
    monkeypatch.setattr(microphone_module, "_SILENT_S", 0.0)
    items: list[Frame | AudioBlock] = []
    with pytest.raises(DeviceLostError):
        items.extend(Screen(name="s", role=Role.STUDENTS, sound="Monitor", clock=clock).items())

    assert sum(len(i.samples) for i in items if isinstance(i, AudioBlock)) == 16_000
    assert any(isinstance(i, Frame) for i in items)


@pytest.mark.usefixtures("desktop")
def test_a_monitor_that_is_not_there_says_which_are() -> None:
    """The numbers to choose from are in the line."""
    with pytest.raises(SourceMissingError, match=r"monitor 4 not there; choose one from 0 \(all\) to 1"):
        next(Screen(name="s", role=Role.STUDENTS, monitor=4, clock=HandClock()).items())


def test_without_a_display_or_without_mss_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box without a desktop, and an installation without the extra."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SourceMissingError, match="DISPLAY"):
        next(Screen(name="s", role=Role.STUDENTS, clock=HandClock()).items())
    monkeypatch.setitem(sys.modules, "mss", None)
    with pytest.raises(SourceMissingError, match=r"pip install 'classroom-edge\[screen\]'"):
        next(Screen(name="s", role=Role.STUDENTS, clock=HandClock()).items())


def test_a_rate_beyond_the_sound_blocks_is_refused() -> None:
    """Frames are taken between blocks, so no faster than ten a second."""
    with pytest.raises(ValueError, match="fps"):
        Screen(name="s", role=Role.STUDENTS, fps=25.0, clock=HandClock())
