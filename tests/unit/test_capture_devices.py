"""What the box has is listed without opening it, and what it lacks is a finding with a remedy."""

import sys
from pathlib import Path

import pytest

from edge.capture.devices import CameraInfo, diagnose, list_cameras, list_microphones
from tests.capture_fakes import HandClock, SoundDevice


def node(sysfs: Path, number: int, name: str, index: int = 0) -> None:
    """Add a video device to a made-up kernel."""
    folder = sysfs / f"video{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "index").write_text(f"{index}\n")


def test_cameras_are_listed_and_other_video_nodes_are_not(tmp_path: Path) -> None:
    """Metadata nodes of a camera and a board's codecs can't be looked through."""
    node(tmp_path, 2, "HD Pro Webcam C920")
    node(tmp_path, 3, "HD Pro Webcam C920", index=1)
    node(tmp_path, 10, "bcm2835-codec-decode")
    node(tmp_path, 13, "bcm2835-isp-output0")
    node(tmp_path, 19, "rpi-hevc-dec")
    node(tmp_path, 0, "Integrated Camera: Integrated C")

    assert list_cameras(sysfs=tmp_path) == (
        CameraInfo(0, "/dev/video0", "Integrated Camera: Integrated C"),
        CameraInfo(2, "/dev/video2", "HD Pro Webcam C920"),
    )


def test_a_kernel_without_video_lists_nothing(tmp_path: Path) -> None:
    """No camera is a fact, not a fault."""
    assert list_cameras(sysfs=tmp_path / "none") == ()


def test_microphones_are_what_portaudio_can_record_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and numbers as the microphone source takes them."""
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(HandClock(), []))

    assert [(m.index, m.name) for m in list_microphones()] == [(0, "USB microphone")]


def test_a_healthy_box_needs_no_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is named, and nothing is advised about it."""
    node(tmp_path, 0, "Webcam")
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(HandClock(), []))
    monkeypatch.setenv("DISPLAY", ":0")
    found = {f.name: f for f in diagnose(data_dir=tmp_path / "not" / "yet", sysfs=tmp_path)}

    assert found["camera"].detail == "/dev/video0 (Webcam)"
    assert found["microphone"].detail == "[0] USB microphone"
    assert found["portaudio"].detail == "PortAudio V19.7.0-devel"
    assert all(found[name].ok for name in ("camera", "microphone", "portaudio", "display", "disk"))
    assert all((f.remedy is None) == f.ok for f in found.values())


def test_a_bare_box_is_diagnosed_without_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without camera, PortAudio, display and extras, each is a finding that says what brings it."""

    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    monkeypatch.delenv("DISPLAY", raising=False)
    found = {f.name: f for f in diagnose(data_dir=tmp_path, sysfs=tmp_path)}

    assert list_microphones() == ()
    assert found["portaudio"].remedy == "apt install libportaudio2"
    assert not any(found[name].ok for name in ("camera", "microphone", "portaudio", "display"))
    assert all((f.remedy is None) == f.ok for f in found.values())
