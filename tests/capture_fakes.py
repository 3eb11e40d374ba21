"""Scripted devices and tiny media files for the tests of the sources."""

import threading
import types
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from edge.capture.camera import Camera
from edge.role import Role

TONE_HZ = 440.0


class HandClock:
    """A clock that moves only when it is waited on or told to."""

    def __init__(self, start_ns: int = 1_000_000_000) -> None:
        self.ns = start_ns

    def now_ns(self) -> int:
        """Return the hand's position."""
        return self.ns

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Move on at once."""
        self.ns += round(max(seconds, 0.0) * 1e9)
        return stop.is_set()


class ScriptedCapture:
    """Stands for ``cv2.VideoCapture``: delivers images, ``None`` for one that can't be decoded, then goes away."""

    def __init__(self, clock: HandClock, images: Sequence[npt.NDArray[np.uint8] | None], *, step_s: float) -> None:
        self._clock = clock
        self._images = iter(images)
        self._step_ns = round(step_s * 1e9)
        self._image: npt.NDArray[np.uint8] | None = None
        self.there = True
        self.released = False
        self.asked: dict[int, float] = {}

    def isOpened(self) -> bool:  # noqa: N802
        """Return whether it was plugged in."""
        return self.there

    def set(self, key: int, value: float, /) -> bool:
        """Remember the wish."""
        self.asked[key] = value
        return True

    def grab(self) -> bool:
        """Move the clock to the next image."""
        self._clock.ns += self._step_ns
        try:
            self._image = next(self._images)
        except StopIteration:
            return False
        return True

    def retrieve(self) -> tuple[bool, Any]:
        """Return the image."""
        return self._image is not None, self._image

    def release(self) -> None:
        """Note it."""
        self.released = True


def camera(
    images: Sequence[npt.NDArray[np.uint8] | None], *, step_s: float = 0.1, fps: float = 10.0, there: bool = True
) -> tuple[Camera, list[ScriptedCapture]]:
    """Return a camera over a script, and the captures it opens, in order."""
    clock = HandClock()
    opened: list[ScriptedCapture] = []

    def open_capture(_device: int | str, _backend: int) -> ScriptedCapture:
        opened.append(ScriptedCapture(clock, images, step_s=step_s))
        opened[-1].there = there
        return opened[-1]

    source = Camera(name="front", role=Role.STUDENTS, device=97, fps=fps, clock=clock, capture=open_capture)
    return source, opened


class SoundDevice(types.ModuleType):
    """Stands for the ``sounddevice`` module: one microphone whose callback is fed from a script.

    Args:
        clock: Moves on by each block.
        blocks: For each callback the samples, shape (frames, channels), and whether some were lost before.
        rates: Sample rates it can be opened at; its own is the first.
        channels: What it has.
        name: Of the microphone.
    """

    class PortAudioError(Exception):
        """As sounddevice's."""

    class CallbackAbort(Exception):  # noqa: N818  # sounddevice's name
        """As sounddevice's."""

    def __init__(
        self,
        clock: HandClock,
        blocks: Sequence[tuple[npt.NDArray[np.float32], bool]],
        *,
        rates: Sequence[int] = (16_000,),
        channels: int = 1,
        name: str = "USB microphone",
    ) -> None:
        super().__init__("sounddevice")
        self._clock = clock
        self._blocks = blocks
        self._rates = rates
        self._channels = channels
        self._name = name
        self.default = types.SimpleNamespace(device=[-1, -1])
        self.rescans = 0
        self.opened: list[dict[str, Any]] = []
        self.closed = 0
        self.aborted = 0

    def query_devices(self, device: int | str | None = None, kind: str | None = None) -> Any:  # noqa: ANN401
        """Return the only device, or all."""
        own = {
            "name": self._name,
            "max_input_channels": self._channels,
            "default_samplerate": float(self._rates[0]),
        }
        if kind is None:
            return [own, {"name": "loudspeakers", "max_input_channels": 0, "default_samplerate": 48_000.0}]
        if device not in (None, 0, self._name):
            raise ValueError(f"No input device matching {device!r}")
        return own

    def query_hostapis(self) -> list[dict[str, int]]:
        """Return one host API whose default is the microphone."""
        return [{"default_input_device": 0}]

    def get_portaudio_version(self) -> tuple[int, str]:
        """Return a version."""
        return 1, "PortAudio V19.7.0-devel, revision 0"

    def _terminate(self) -> None:
        self.rescans += 1

    def _initialize(self) -> None:
        pass

    def InputStream(self, **wanted: Any) -> Any:  # noqa: ANN401, N802
        """Open it, or refuse what it can't do."""
        if wanted["samplerate"] not in self._rates or wanted["channels"] > self._channels:
            raise self.PortAudioError("Invalid sample rate\n[PaErrorCode -9997]")
        self.opened.append(wanted)
        return types.SimpleNamespace(
            samplerate=float(wanted["samplerate"]), active=False, start=lambda: self._feed(wanted), close=self._close
        )

    def _feed(self, wanted: dict[str, Any]) -> None:
        for samples, lost in self._blocks:
            if lost:
                self._clock.ns += 500_000_000
            self._clock.ns += len(samples) * 1_000_000_000 // wanted["samplerate"]
            shared = samples.copy()
            time = types.SimpleNamespace(inputBufferAdcTime=0.0, currentTime=0.0)
            try:
                wanted["callback"](shared, len(shared), time, types.SimpleNamespace(input_overflow=lost))
            except self.CallbackAbort:
                self.aborted += 1
                return
            shared[:] = np.nan  # PortAudio's buffer is gone after the callback

    def _close(self) -> None:
        self.closed += 1


def tone(seconds: float, *, rate: int = 16_000, channels: int = 1, start_s: float = 0.0) -> npt.NDArray[np.float32]:
    """Return a sine of 440 Hz and amplitude 0.5, shape (frames, channels)."""
    t = start_s + np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * TONE_HZ * t)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def picture(shade: int, *, width: int = 64, height: int = 48) -> npt.NDArray[np.uint8]:
    """Return a BGR image of one blue shade, so that swapped channels show."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0] = shade
    return image


def write_media(  # noqa: PLR0913
    path: Path,
    *,
    seconds: float = 2.0,
    video: str | None = "mpeg4",
    audio: str | None = "aac",
    rate: int = 16_000,
    size: tuple[int, int] = (64, 48),
    fps: int = 25,
    pause_s: float = 0.0,
    options: dict[str, str] | None = None,
    flash_s: float | None = None,
) -> Path:
    """Write a small file of noise and a tone, or of darkness and silence until a flash.

    Args:
        path: Its suffix names the container.
        seconds: Length.
        video: Encoder; ``None`` for sound only.
        audio: Encoder; ``None`` for pictures only.
        rate: Hertz of the sound.
        size: Width and height in pixels.
        fps: Frames a second.
        pause_s: Seconds by which the second half of the sound is late.
        options: For the container.
        flash_s: Second at which picture and sound go from nothing to full.
    """
    width, height = size
    rng = np.random.default_rng(0)
    with av.open(path, "w", options=options or {}) as out:
        pictures = None if video is None else out.add_stream(video, rate=fps)
        sounds = None if audio is None else out.add_stream(audio, rate=rate)
        if isinstance(pictures, av.VideoStream):
            pictures.width, pictures.height, pictures.gop_size = width, height, fps
            pictures.pix_fmt = "yuv420p" if video in {"mpeg4", "libx264", "h264"} else "bgr0"
        if isinstance(sounds, av.AudioStream):
            sounds.layout = "mono"
        wave = tone(seconds, rate=rate)[:, 0]
        wave[: round((flash_s or 0.0) * rate)] = 0.0
        at = 0
        for number in range(round(seconds * fps)):
            if isinstance(pictures, av.VideoStream):
                image = rng.integers(64, 192, (height, width, 3), dtype=np.uint8)
                if flash_s is not None:
                    image = np.full_like(image, 255 if number / fps >= flash_s else 0)
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                out.mux(pictures.encode(frame))
            if isinstance(sounds, av.AudioStream):
                end = min(len(wave), (number + 1) * rate // fps)
                for packet in _encode(sounds, wave, range(at, end, 1024), rate, late=round(pause_s * rate)):
                    out.mux(packet)
                at += len(range(at, end, 1024)) * 1024
        for stream in (pictures, sounds):
            if isinstance(stream, av.VideoStream | av.AudioStream):
                out.mux(stream.encode(None))
    return path


def _encode(
    stream: av.AudioStream, wave: npt.NDArray[np.float32], starts: range, rate: int, *, late: int
) -> "Iterator[av.Packet[av.AudioStream]]":
    for at in starts:
        samples = wave[None, at : at + 1024]
        if stream.codec_context.name == "aac":
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", "mono")
        else:
            frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = at + (late if at >= len(wave) // 2 else 0)
        yield from stream.encode(frame)


def in_thread(action: Callable[[], None]) -> None:
    """Run *action* in another thread and wait for its end."""
    thread = threading.Thread(target=action)
    thread.start()
    thread.join(10.0)
    assert not thread.is_alive()
