"""What this box can see and hear with, for ``edge devices`` and ``edge doctor``."""

import grp
import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from edge.capture.portaudio import InputDevice, input_devices, portaudio
from edge.errors import SourceMissingError

_SYSFS = Path("/sys/class/video4linux")
_NO_CAMERA = re.compile(r"codec|[-_]isp|\bisp\b|pispbe|rpivid|hevc|jpeg|metadata|vivid-.*-out", re.IGNORECASE)
"""Drivers that make video nodes without a camera: encoders, decoders and image processors of boards."""
_LEAST_FREE_BYTES = 500_000_000
"""Room for a term of summaries (some 100 MB) and logs."""


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A V4L2 device that looks like a camera."""

    index: int
    """Number in ``/dev/videoN``."""

    path: str

    name: str
    """The driver's words for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at."""

    name: str

    ok: bool

    detail: str
    """What was found."""

    remedy: str | None
    """What to do about it; ``None`` when all is well."""


def list_cameras(*, sysfs: Path = _SYSFS) -> tuple[CameraInfo, ...]:
    """Return the cameras the kernel knows, by number, without opening them.

    Args:
        sysfs: The kernel's list of video devices.
    """
    found = []
    for node in sysfs.glob("video*") if sysfs.is_dir() else ():
        number = node.name.removeprefix("video")
        name = _line(node / "name") or node.name
        first = _line(node / "index") or "0"  # later nodes of one camera carry metadata
        if number.isdecimal() and first == "0" and not _NO_CAMERA.search(name):
            found.append(CameraInfo(int(number), f"/dev/{node.name}", name))
    return tuple(sorted(found, key=lambda camera: camera.index))


def list_microphones() -> tuple[InputDevice, ...]:
    """Return what PortAudio can record from; none where PortAudio is missing (:func:`diagnose` says so)."""
    try:
        return input_devices()
    except SourceMissingError:
        return ()


def diagnose(*, data_dir: Path | None = None, sysfs: Path = _SYSFS) -> tuple[Finding, ...]:
    """Look at everything the sources may need; whatever is missing is a finding, never an error.

    Args:
        data_dir: Where lessons are kept; the current folder by default.
        sysfs: The kernel's list of video devices.
    """
    cameras = ", ".join(f"{camera.path} ({camera.name})" for camera in list_cameras(sysfs=sysfs))
    microphones = ", ".join(f"[{device.index}] {device.name}" for device in list_microphones())
    return (
        _finding("camera", cameras, "no V4L2 camera", "plug a camera in; a recording or the demo needs none"),
        _portaudio(),
        _finding(
            "microphone", microphones, "none that PortAudio sees", "plug a microphone in; `arecord -l` lists them"
        ),
        _group("video", "cameras"),
        _group("audio", "microphones"),
        _package("picamera2", "Raspberry Pi camera", "apt install python3-picamera2 (Raspberry Pi's CSI camera only)"),
        _package("mss", "screen capture", "pip install 'classroom-edge[screen]' (online lessons only)"),
        _finding("display", os.environ.get("DISPLAY", ""), "no X display", "run in a desktop session (screen only)"),
        _disk(data_dir or Path.cwd()),
    )


def _finding(name: str, found: str, otherwise: str, remedy: str) -> Finding:
    return Finding(name, ok=bool(found), detail=found or otherwise, remedy=None if found else remedy)


def _portaudio() -> Finding:
    try:
        version = portaudio().get_portaudio_version()[1]
    except SourceMissingError as exc:
        return Finding("portaudio", ok=False, detail=str(exc).partition(";")[0], remedy="apt install libportaudio2")
    return Finding("portaudio", ok=True, detail=version.split(",")[0], remedy=None)


def _group(name: str, what: str) -> Finding:
    label = f"group {name}"
    if os.geteuid() == 0:
        return Finding(label, ok=True, detail="root may open all devices", remedy=None)
    try:
        member = grp.getgrnam(name).gr_gid in {os.getegid(), *os.getgroups()}
    except KeyError:
        return Finding(label, ok=True, detail=f"this system has no group {name}", remedy=None)
    return _finding(
        label,
        f"you may open {what}" if member else "",
        f"you may not open {what} outside a desktop session",
        f"sudo usermod -aG {name} $USER, then log in again",
    )


def _package(name: str, what: str, remedy: str) -> Finding:
    there = importlib.util.find_spec(name) is not None
    return _finding(name, f"{what} possible" if there else "", "not installed", remedy)


def _disk(folder: Path) -> Finding:
    while not folder.exists():  # it is made at the first lesson
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free at {folder}"
    enough = free >= _LEAST_FREE_BYTES
    return Finding(
        "disk", ok=enough, detail=detail, remedy=None if enough else "free some space, or set another folder"
    )


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # the device went away while we looked
        return ""
