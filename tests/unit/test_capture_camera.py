"""Cameras: images become RGB frames at the wanted rate, with the driver asked once."""

import sys
import types
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.capture.camera import Camera
from edge.capture.csi_camera import CsiCamera
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import Frame
from edge.role import Role
from tests.capture_fakes import HandClock, camera, picture


def frames_until_lost(source: Camera) -> list[Frame]:
    """Return what it delivers before its script ends."""
    frames: list[Frame] = []
    with pytest.raises(DeviceLostError):
        frames.extend(source.items())  # extend keeps what came before the error
    return frames


def test_images_become_rgb_in_order_with_time_and_number() -> None:
    """OpenCV's BGR is turned, and each frame says when, which, whose."""
    source, _ = camera([picture(shade) for shade in (10, 20, 30)])
    frames = frames_until_lost(source)

    assert [int(f.pixels[0, 0, 2]) for f in frames] == [10, 20, 30]
    assert not any(f.pixels[:, :, :2].any() for f in frames)
    assert [f.sequence for f in frames] == [0, 1, 2]
    assert [f.captured_ns for f in frames] == [1_100_000_000, 1_200_000_000, 1_300_000_000]
    assert {(f.source, f.role) for f in frames} == {("front", Role.STUDENTS)}


def test_a_faster_camera_is_thinned() -> None:
    """Of a second at 30 fps, ten frames are decoded when 10 fps are wanted."""
    source, _ = camera([picture(1)] * 30, step_s=1 / 30, fps=10.0)

    assert len(frames_until_lost(source)) == pytest.approx(10, abs=1)


def test_the_driver_is_asked_for_compressed_images_and_one_buffer() -> None:
    """720p over USB 2 needs MJPG, and an old frame is of no use."""
    source, opened = camera([])
    frames_until_lost(source)

    assert opened[0].asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert opened[0].asked[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert (opened[0].asked[cv2.CAP_PROP_FRAME_WIDTH], opened[0].asked[cv2.CAP_PROP_FRAME_HEIGHT]) == (1280, 720)


def test_a_grey_camera_gives_three_equal_channels() -> None:
    """An infrared camera's single channel fits the same type."""
    source, _ = camera([np.full((4, 6), 77, np.uint8)])

    assert (frames_until_lost(source)[0].pixels == 77).all()


def test_one_image_that_cannot_be_decoded_is_skipped() -> None:
    """A torn MJPG image costs one frame, not the camera."""
    source, _ = camera([picture(1), None, picture(2)])

    assert [int(f.pixels[0, 0, 2]) for f in frames_until_lost(source)] == [1, 2]


def test_sizes_that_make_no_sense_are_refused() -> None:
    """A rate of nothing is a mistake of the caller."""
    with pytest.raises(ValueError, match="fps"):
        Camera(name="c", role=Role.STUDENTS, device=0, fps=0.0, clock=HandClock())
    with pytest.raises(ValueError, match="width"):
        CsiCamera(name="c", role=Role.STUDENTS, width=0, clock=HandClock())


class ScriptedPicamera2:
    """Stands for ``picamera2.Picamera2``: delivers its frames, then nothing in time."""

    frames: tuple[npt.NDArray[np.uint8], ...] = ()
    closed = 0

    def __init__(self, number: int) -> None:
        if number:
            raise IndexError("list index out of range")
        self._left = list(self.frames)

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return it."""
        return wanted

    def configure(self, wanted: dict[str, Any]) -> None:
        """Check that RGB in memory is asked for."""
        assert wanted["main"]["format"] == "BGR888"

    def start(self) -> None:
        """Do nothing."""

    def capture_array(self, stream: str, *, wait: bool) -> str:
        """Return a job."""
        assert not wait
        return stream

    def wait(self, job: str, *, timeout: float) -> npt.NDArray[np.uint8]:
        """Return the next frame, or run out of time."""
        assert job == "main"
        assert timeout > 0
        if not self._left:
            raise TimeoutError
        return self._left.pop(0)

    def close(self) -> None:
        """Note it."""
        type(self).closed += 1


def test_a_csi_camera_delivers_through_picamera2_and_is_lost_when_it_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames come as the driver made them; silence is a lost device, and the camera is closed."""
    monkeypatch.setattr(ScriptedPicamera2, "frames", (picture(5), picture(6)))
    monkeypatch.setattr(ScriptedPicamera2, "closed", 0)
    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=ScriptedPicamera2))
    frames: list[Frame] = []
    with pytest.raises(DeviceLostError, match="ribbon"):
        frames.extend(CsiCamera(name="c", role=Role.TEACHER, clock=HandClock()).items())

    assert [(f.sequence, int(f.pixels[0, 0, 0])) for f in frames] == [(0, 5), (1, 6)]
    assert ScriptedPicamera2.closed == 1


def test_a_csi_camera_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong number names the tool that lists cameras."""
    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=ScriptedPicamera2))
    with pytest.raises(SourceMissingError, match="CSI camera 3 not there"):
        next(CsiCamera(name="c", role=Role.TEACHER, device=3, clock=HandClock()).items())


def test_without_picamera2_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from the system's package manager, not from pip."""
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceMissingError, match="apt install python3-picamera2"):
        next(CsiCamera(name="c", role=Role.TEACHER, clock=HandClock()).items())
