"""A microphone, through PortAudio."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from edge.capture.portaudio import close_stream, open_stream, portaudio
from edge.capture.sound import SoundStream
from edge.clock import Clock
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import SAMPLE_RATE, AudioBlock
from edge.ring import RingClosedError, RingQueue
from edge.role import Role

_KEPT_S = 5.0
"""Seconds of sound kept for a reader that is late; more is lost, and marked."""
_SILENT_S = 2.0
"""Seconds without a callback after which the device counts as lost."""
_STALEST_S = 1.0
"""Longest believable time from the converter to the callback; some drivers report nonsense."""


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """What one callback brought."""

    samples: npt.NDArray[np.float32]
    """Shape (frames, channels), owned by us."""

    number: int
    """Counts callbacks from 0."""

    start_ns: int
    """Clock at the first sample."""

    overflowed: bool
    """Whether PortAudio threw sound away before it."""


class Microphone:
    """A microphone: 16 kHz mono, by resampling where the device can't. After :meth:`close` it stays closed.

    Args:
        name: Unique in a pipeline.
        role: Whom it listens to.
        device: PortAudio's number, or words of the device's name; ``None`` for the system's default.
        clock: Stamps the sound.
        block_s: Seconds of sound delivered at a time.
    """

    live = True
    """A lost microphone is worth opening again."""

    def __init__(
        self, *, name: str, role: Role, device: int | str | None = None, clock: Clock, block_s: float = 0.1
    ) -> None:
        if block_s <= 0.0:
            raise ValueError(f"block_s must be positive seconds, got {block_s}")
        self._name = name
        self._role = role
        self._device = device
        self._clock = clock
        self._block_s = block_s
        self._stop = threading.Event()
        self._ring: RingQueue[_Chunk] | None = None
        self._rescan = False  # the list of devices is fresh at first, and may not be when we come back

    @property
    def name(self) -> str:
        """Unique in a pipeline."""
        return self._name

    @property
    def role(self) -> Role:
        """Whom it listens to."""
        return self._role

    def items(self) -> Iterator[AudioBlock]:
        """Open the device and yield its sound until :meth:`close`.

        Raises:
            SourceMissingError: PortAudio or the device isn't there, or the device can't be opened.
            DeviceLostError: It stopped delivering.
        """
        ring: RingQueue[_Chunk] = RingQueue(max(2, round(_KEPT_S / self._block_s)))
        self._ring = ring  # before the check, so that a close() from here on is seen either way
        if self._stop.is_set():
            return
        sd = portaudio()
        rescan, self._rescan = self._rescan, True
        stream = open_stream(lambda sd: self._open(sd, ring), rescan=rescan)
        try:
            stream.start()
            yield from self._blocks(ring, stream, rate=round(stream.samplerate))
        except sd.PortAudioError as exc:
            raise DeviceLostError(f"microphone {self._label}: lost ({_one_line(exc)}); opening it again") from exc
        finally:
            close_stream(stream)

    def close(self) -> None:
        """Make :meth:`items` end soon, for good; callable from any thread, any number of times."""
        self._stop.set()
        ring = self._ring
        if ring is not None:
            ring.close()

    @property
    def _label(self) -> str:
        return "(default)" if self._device is None else repr(self._device)

    def _open(self, sd: ModuleType, ring: RingQueue[_Chunk]) -> Any:  # noqa: ANN401  # sounddevice has no types
        try:
            known = sd.query_devices(self._device, "input")
        except (ValueError, sd.PortAudioError) as exc:
            raise SourceMissingError(
                f"microphone {self._label} not there, or not the only one of that name; "
                "list devices with 'edge devices'"
            ) from exc
        own_rate = round(known["default_samplerate"])
        own_channels = max(1, min(int(known["max_input_channels"]), 2))
        reason = ""
        # First what we want, so that the driver resamples in its own way; else what the device has.
        for rate, channels in ((SAMPLE_RATE, 1), (own_rate, 1), (own_rate, own_channels)):
            try:
                return sd.InputStream(
                    samplerate=rate,
                    channels=channels,
                    blocksize=round(rate * self._block_s),
                    device=self._device,
                    dtype="float32",
                    callback=_callback(sd, ring, self._clock, rate=rate),
                )
            except sd.PortAudioError as exc:
                reason = _one_line(exc)
        raise SourceMissingError(
            f"microphone {self._label} can't be opened ({reason}); close other programs that record, "
            "and see 'edge doctor'"
        )

    def _blocks(self, ring: RingQueue[_Chunk], stream: Any, *, rate: int) -> Iterator[AudioBlock]:  # noqa: ANN401
        sound = SoundStream(name=self._name, role=self._role, tolerance_s=0.2, pull=0.02)
        following = 0
        while not self._stop.is_set():
            try:
                chunk = ring.get(timeout_s=_SILENT_S)
            except RingClosedError:
                return
            except TimeoutError as exc:
                state = "silent" if stream.active else "stopped"
                raise DeviceLostError(
                    f"microphone {self._label}: {state} for {_SILENT_S:.0f} s; check its plug, opening it again"
                ) from exc
            lost = chunk.overflowed or chunk.number != following
            following = chunk.number + 1
            frames, channels = chunk.samples.shape
            piece = av.AudioFrame.from_ndarray(
                chunk.samples.reshape(1, frames * channels), format="flt", layout="mono" if channels == 1 else "stereo"
            )
            piece.sample_rate = rate
            yield from sound.push(piece, chunk.start_ns, lost=lost)


def _callback(sd: ModuleType, ring: RingQueue[_Chunk], clock: Clock, *, rate: int) -> Callable[..., None]:
    """Return the function PortAudio's thread calls: it stamps, copies and leaves, and never waits."""
    numbers = itertools.count()

    def callback(indata: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:  # noqa: ANN401
        age_s = time.currentTime - time.inputBufferAdcTime
        if time.inputBufferAdcTime <= 0.0 or not 0.0 < age_s < _STALEST_S:  # a driver that doesn't say
            age_s = frames / rate
        chunk = _Chunk(indata.copy(), next(numbers), clock.now_ns() - round(age_s * 1e9), bool(status.input_overflow))
        try:
            ring.put(chunk)
        except RingClosedError:
            raise sd.CallbackAbort from None

    return callback


def _one_line(exc: Exception) -> str:
    return " ".join(str(exc).split())
