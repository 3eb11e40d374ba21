"""The one door to PortAudio: what it can hear, and why it can't."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from edge.errors import SourceMissingError

_LOCK = threading.Lock()
_OPEN: list[Any] = []
"""Streams that are open; PortAudio can look for new devices only while there are none."""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """Something PortAudio can record from."""

    index: int
    """PortAudio's number; changes when devices come and go."""

    name: str

    channels: int
    """Most input channels."""

    sample_rate: int
    """Hertz, its own choice."""

    default: bool
    """Whether it is used when no device is named."""


def portaudio() -> ModuleType:
    """Return the ``sounddevice`` module.

    Raises:
        SourceMissingError: The PortAudio library isn't installed.
    """
    try:
        import sounddevice  # noqa: PLC0415  # loads a system library that a box without sound may lack
    except OSError as exc:
        raise SourceMissingError("PortAudio missing; apt install libportaudio2") from exc
    return sounddevice  # type: ignore[no-any-return]


def open_stream(make: Callable[[ModuleType], Any], *, rescan: bool) -> Any:  # noqa: ANN401  # sounddevice has no types
    """Return the stream that *make* opens, given the ``sounddevice`` module.

    Args:
        make: Finds a device and returns its stream, not started.
        rescan: Look for devices plugged in since the start, where no other stream is open (PortAudio closes them all).

    Raises:
        SourceMissingError: The PortAudio library isn't installed.
    """
    sd = portaudio()
    with _LOCK:
        if rescan and not _OPEN:
            sd._terminate()  # noqa: SLF001  # the only way to refresh the list
            sd._initialize()  # noqa: SLF001
        stream = make(sd)
        _OPEN.append(stream)
    return stream


def close_stream(stream: Any) -> None:  # noqa: ANN401
    """Close a stream of :func:`open_stream`."""
    with _LOCK:
        stream.close()
        _OPEN.remove(stream)


def input_devices() -> tuple[InputDevice, ...]:
    """Return all devices that can record, in PortAudio's order.

    Raises:
        SourceMissingError: The PortAudio library isn't installed.
    """
    sd = portaudio()
    with _LOCK:
        devices, default = sd.query_devices(), sd.default.device[0]
        if default < 0:  # nothing chosen by the program: PortAudio's own
            default = next((api["default_input_device"] for api in sd.query_hostapis()), -1)
    return tuple(
        InputDevice(
            index=index,
            name=str(device["name"]),
            channels=int(device["max_input_channels"]),
            sample_rate=round(device["default_samplerate"]),
            default=index == default,
        )
        for index, device in enumerate(devices)
        if device["max_input_channels"] > 0
    )


def loopback_device() -> int:
    """Return the device that hears what the loudspeakers play: the first PulseAudio or PipeWire monitor.

    Raises:
        SourceMissingError: PortAudio is missing or shows no monitor.
    """
    for device in input_devices():
        if "monitor" in device.name.lower():
            return device.index
    raise SourceMissingError(
        "no monitor of the loudspeakers among the sound devices; make it the default source with "
        '`pactl set-default-source "$(pactl get-default-sink).monitor"` and record from the device named pulse'
    )
