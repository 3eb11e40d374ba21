"""Packets of one container to frames and sound, with a record of how far it was readable."""

import logging
import threading
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from edge.capture.cadence import Cadence
from edge.capture.sound import SoundStream
from edge.media import AudioBlock, Frame
from edge.role import Role

_LOG = logging.getLogger(__name__)
_SECOND_NS = 1_000_000_000
_MOST_UNTIMED_BAD = 50
"""Undecodable packets in a row, without a time, after which a file counts as damaged."""


class DamagedError(Exception):
    """Nothing can be read from a stretch of a file that is longer than tolerated.

    Args:
        readable_ns: Media time up to which it could be read.
    """

    def __init__(self, readable_ns: int) -> None:
        super().__init__(f"damaged after {readable_ns / 1e9:.1f} s")
        self.readable_ns = readable_ns


class Readable:
    """How far a stream was readable, and whether a damaged stretch is too long to step over.

    Args:
        tolerance_s: Longest damaged stretch in seconds.
    """

    def __init__(self, tolerance_s: float) -> None:
        self._tolerance_ns = round(tolerance_s * _SECOND_NS)
        self._untimed_bad = 0
        self.any_bad = False
        """Whether anything could not be decoded."""
        self.end_ns = 0
        """Media time just after the last item that could be read."""
        self.hole_ns: tuple[int, int] | None = None
        """Start and end of the first stretch longer than tolerated that holds nothing."""

    def good(self, start_ns: int, end_ns: int) -> None:
        """Note an item from *start_ns* to *end_ns*."""
        if self.hole_ns is None and start_ns - self.end_ns > self._tolerance_ns:
            self.hole_ns = (self.end_ns, start_ns)
        self._untimed_bad = 0
        self.end_ns = max(self.end_ns, end_ns)

    def bad(self, at_ns: int | None) -> None:
        """Note an item that can't be decoded.

        Raises:
            DamagedError: The stretch is too long.
        """
        self.any_bad = True
        if at_ns is None:
            self._untimed_bad += 1
            too_long = self._untimed_bad > _MOST_UNTIMED_BAD
        else:
            too_long = at_ns - self.end_ns > self._tolerance_ns
        _LOG.debug("undecodable data after %.2f s", self.end_ns / 1e9)
        if too_long:
            raise DamagedError(self.end_ns)


class Stamp(Protocol):
    """Gives an item the pipeline's time for its media time, so that files and live streams read alike."""

    def __call__(self, media_ns: int, duration_ns: int) -> int:
        """Return the clock at the start of an item that lies at *media_ns* of the container's time."""
        ...


class VideoTrack:
    """Turns decoded pictures into frames, converting only those that are due.

    Args:
        name: Name of the source.
        role: Whom it looks at.
        rate_hz: Frames a second wanted; ``None`` for all.
        nominal_fps: Frames a second of the stream, for pictures that carry no time.
    """

    def __init__(self, *, name: str, role: Role, rate_hz: float | None, nominal_fps: Fraction | None) -> None:
        self._name = name
        self._role = role
        self._cadence = Cadence(rate_hz)
        self._step_ns = int(_SECOND_NS / nominal_fps) if nominal_fps else _SECOND_NS // 25
        self._sequence = 0
        self._last_ns: int | None = None

    @property
    def step_ns(self) -> int:
        """Nominal time from frame to frame."""
        return self._step_ns

    def take(self, picture: av.VideoFrame, at_ns: int) -> Frame | None:
        """Return the frame, or ``None`` when it isn't due."""
        if self._last_ns is not None and at_ns <= self._last_ns:  # a stamp that ran back; order of time is promised
            at_ns = self._last_ns + self._step_ns
        self._last_ns = at_ns
        sequence = self._sequence
        self._sequence += 1
        if not self._cadence.due(at_ns):
            return None
        pixels = np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
        if picture.rotation:  # degrees anticlockwise, of the display matrix phones write
            pixels = np.rot90(pixels, round(picture.rotation / 90) % 4)
        return Frame(np.ascontiguousarray(pixels), at_ns, sequence, self._name, self._role)


class Decoder:
    """Reads some streams of one open container.

    Args:
        container: Open; the caller closes it.
        streams: One or more of its streams.
        name: Name of the source.
        role: Whom it looks at and listens to.
        video_rate_hz: Frames a second wanted; ``None`` for all.
        tolerance_s: Longest damaged stretch in seconds that is stepped over.
        sound: Stamps and resamples the sound.
    """

    def __init__(
        self,
        container: InputContainer,
        streams: tuple[VideoStream | AudioStream, ...],
        *,
        name: str,
        role: Role,
        video_rate_hz: float | None,
        tolerance_s: float,
        sound: SoundStream,
    ) -> None:
        self._container = container
        self._streams = streams
        self._start = Fraction(container.start_time or 0, av.time_base)
        self._readable = {stream.index: Readable(tolerance_s) for stream in streams}
        self._sound = sound
        rate = next((s.average_rate for s in streams if isinstance(s, VideoStream)), None)
        self._video = VideoTrack(name=name, role=role, rate_hz=video_rate_hz, nominal_fps=rate)

    @property
    def readable_ns(self) -> int:
        """Media time just after the last item that could be read, of any stream."""
        return max(readable.end_ns for readable in self._readable.values())

    @property
    def damaged(self) -> bool:
        """Whether anything could not be decoded."""
        return any(readable.any_bad for readable in self._readable.values())

    @property
    def hole_ns(self) -> tuple[int, int] | None:
        """Start and end of the first stretch longer than tolerated that held nothing; ``None`` when there is none."""
        return min((r.hole_ns for r in self._readable.values() if r.hole_ns is not None), default=None)

    def items(self, stamp: Stamp, stop: threading.Event) -> Generator[Frame | AudioBlock, None, None]:
        """Yield what the streams hold, in the order it is stored, until the end or *stop*.

        Raises:
            DamagedError: A stretch that can't be read is longer than tolerated.
            av.FFmpegError: The container can't be read on.
        """
        for packet in self._container.demux(*self._streams):
            if stop.is_set():
                return
            readable = self._readable[packet.stream.index]
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                readable.bad(self._media_ns(packet.pts, packet.time_base))
                continue
            for item in decoded:
                if isinstance(item, av.VideoFrame):
                    yield from self._picture(item, readable, stamp)
                elif isinstance(item, av.AudioFrame):
                    yield from self._samples(item, readable, stamp)
        yield from self._sound.flush()

    def _picture(self, picture: av.VideoFrame, readable: Readable, stamp: Stamp) -> Iterator[Frame]:
        media_ns = self._media_ns(picture.pts, picture.time_base)
        if picture.is_corrupt:  # smeared over: what a model would say of it is no evidence
            readable.bad(media_ns)
            return
        if media_ns is None:
            media_ns = readable.end_ns
        length_ns = self._length_ns(picture.duration, picture.time_base) or self._video.step_ns
        readable.good(media_ns, media_ns + length_ns)
        frame = self._video.take(picture, stamp(media_ns, 0))
        if frame is not None:
            yield frame

    def _samples(self, piece: av.AudioFrame, readable: Readable, stamp: Stamp) -> Iterator[AudioBlock]:
        media_ns = self._media_ns(piece.pts, piece.time_base)
        if media_ns is None:
            media_ns = readable.end_ns
        length_ns = piece.samples * _SECOND_NS // piece.sample_rate
        readable.good(media_ns, media_ns + length_ns)
        yield from self._sound.push(piece, stamp(media_ns, length_ns))

    def _media_ns(self, pts: int | None, time_base: Fraction | None) -> int | None:
        if pts is None or time_base is None:
            return None
        return max(0, int((pts * time_base - self._start) * _SECOND_NS))

    @staticmethod
    def _length_ns(duration: int | None, time_base: Fraction | None) -> int:
        return int(duration * time_base * _SECOND_NS) if duration and time_base else 0
