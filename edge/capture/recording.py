"""Recorded files, and RTSP and HTTP streams, with video and sound in step."""

import contextlib
import heapq
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from edge.capture.container import is_network, open_media, shown, streams_of
from edge.capture.decoding import DamagedError, Decoder
from edge.capture.sound import SoundStream
from edge.clock import Clock
from edge.errors import DeviceLostError, MediaError
from edge.media import AudioBlock, Frame
from edge.role import Role

_SECOND_NS = 1_000_000_000
_TOLERANCE_S = 1.0
"""Longest stretch of a file that may be unreadable, or missing at its end, before it counts as damaged."""

_STORED = (_TOLERANCE_S, 0.05, 0.0)
_LIVE = (30.0, 0.2, 0.02)
"""Seconds of damage stepped over; seconds a sound stamp may be off; share of it taken back at each block.

A live stream may have to wait this long for its first key frame, and its stamps jitter with the network.
"""

_EXACT_DURATION = ("mov", "matroska", "avi")
"""Containers whose header states how long they are; others are guessed from the bit rate."""


class Recording:
    """A file, or a network stream.

    A file is read as fast as it is consumed, stamped ``epoch_ns`` + media time, its first instant being 0; with a
    *clock* it is paced in real time from the clock's now. A network stream with a *clock* is live: stamped as it
    arrives, and lost with :class:`DeviceLostError` when it ends or stalls. After :meth:`close` it stays closed.

    Args:
        name: Unique in a pipeline.
        role: Whom it looks at and listens to.
        url: Path, or ``rtsp://`` or ``http(s)://`` address.
        clock: Paces it, or stamps a live stream.
        epoch_ns: Nanoseconds added to media time where there is no clock.
        video_rate_hz: Frames a second wanted; the rest is decoded but not converted to RGB, which costs most. ``None``
            for all. ``Frame.sequence`` counts every decoded frame.
        timeout_s: Seconds that opening, and each read, of a network stream may take; also how long :meth:`close` may
            take to end a stalled one.
    """

    def __init__(
        self,
        *,
        name: str,
        role: Role,
        url: str,
        clock: Clock | None = None,
        epoch_ns: int = 0,
        video_rate_hz: float | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        self._name = name
        self._role = role
        self._url = url
        self._clock = clock
        self._epoch_ns = epoch_ns
        self._video_rate_hz = video_rate_hz
        self._timeout_s = timeout_s
        self._stop = threading.Event()

    @property
    def name(self) -> str:
        """Unique in a pipeline."""
        return self._name

    @property
    def role(self) -> Role:
        """Whom it looks at and listens to."""
        return self._role

    @property
    def live(self) -> bool:
        """Whether it is a network stream watched as it happens."""
        return self._clock is not None and is_network(self._url)

    def items(self) -> Iterator[Frame | AudioBlock]:
        """Open it and yield its frames and sound, merged by time.

        Raises:
            SourceMissingError: It isn't there, or can't be reached.
            DeviceLostError: A live stream ended or stalled.
            MediaError: It holds no media, or is damaged; what could be read was yielded before.
        """
        if self._clock is None:
            yield from self._stored(self._epoch_ns)
        elif is_network(self._url):
            yield from self._arriving(self._clock)
        else:
            yield from self._paced(self._clock)

    def close(self) -> None:
        """Make :meth:`items` end soon, for good; callable from any thread, any number of times."""
        self._stop.set()

    def _paced(self, clock: Clock) -> Iterator[Frame | AudioBlock]:
        for item in self._stored(clock.now_ns()):
            ahead_ns = _time(item) - clock.now_ns()
            if ahead_ns > 0 and clock.wait(ahead_ns / 1e9, self._stop):
                return
            yield item

    def _stored(self, epoch_ns: int) -> Iterator[Frame | AudioBlock]:
        def stamp(media_ns: int, duration_ns: int) -> int:  # noqa: ARG001  # media time says it all
            return epoch_ns + media_ns

        with contextlib.ExitStack() as opened:
            decoders = self._decoders(opened)
            readers = [opened.enter_context(contextlib.closing(d.items(stamp, self._stop))) for d, _ in decoders]
            try:
                yield from heapq.merge(*readers, key=_time)
            except DamagedError as exc:
                raise self._damaged(exc.readable_ns) from exc
            except av.FFmpegError as exc:
                raise self._damaged(max(d.readable_ns for d, _ in decoders)) from exc
            if not self._stop.is_set():
                self._check_complete(decoders)

    def _decoders(self, opened: contextlib.ExitStack) -> list[tuple[Decoder, InputContainer]]:
        """Open a file once a stream, so that memory stays flat however they are interleaved; anything else once."""
        container = opened.enter_context(open_media(self._url, timeout_s=self._timeout_s))
        streams = [s for s in streams_of(container, self._url) if s is not None]
        if is_network(self._url) or not Path(self._url).is_file():
            return [(self._decoder(container, streams), container)]
        decoders = []
        for number, stream in enumerate(streams):
            own = container if number == 0 else opened.enter_context(open_media(self._url, timeout_s=self._timeout_s))
            same = [s for s in own.streams if s.index == stream.index and isinstance(s, VideoStream | AudioStream)]
            for each in same:
                each.codec_context.thread_type = "AUTO"
            decoders.append((self._decoder(own, same), own))
        return decoders

    def _decoder(self, container: InputContainer, streams: Sequence[VideoStream | AudioStream]) -> Decoder:
        tolerance_s, sound_tolerance_s, pull = _LIVE if self.live else _STORED
        return Decoder(
            container,
            tuple(streams),
            name=self._name,
            role=self._role,
            video_rate_hz=self._video_rate_hz,
            tolerance_s=tolerance_s,
            sound=SoundStream(name=self._name, role=self._role, tolerance_s=sound_tolerance_s, pull=pull),
        )

    def _check_complete(self, decoders: list[tuple[Decoder, InputContainer]]) -> None:
        readable_ns = max(decoder.readable_ns for decoder, _ in decoders)
        container = decoders[0][1]
        if readable_ns == 0:
            raise self._damaged(0)
        holes = [decoder.hole_ns for decoder, _ in decoders if decoder.hole_ns is not None]
        # A screen may stand still and a microphone be muted; both at once, or beside undecodable data, is damage.
        both = len(holes) == len(decoders) > 1
        if holes and (both or any(decoder.damaged for decoder, _ in decoders)):
            start_ns, end_ns = min(holes)
            raise MediaError(
                f"{shown(self._url)}: damaged after {start_ns / 1e9:.1f} s, readable again from {end_ns / 1e9:.1f} s; "
                "all that was readable was analysed"
            )
        if container.duration is None or not container.format.name.startswith(_EXACT_DURATION):
            return
        if container.duration * 1000 - readable_ns > _TOLERANCE_S * _SECOND_NS:
            raise self._damaged(readable_ns)

    def _damaged(self, readable_ns: int) -> MediaError:
        if readable_ns == 0:
            return MediaError(f"{shown(self._url)}: damaged from its start, nothing in it can be read; copy it again")
        return MediaError(f"{shown(self._url)}: damaged after {readable_ns / 1e9:.1f} s; what came before was analysed")

    def _arriving(self, clock: Clock) -> Iterator[Frame | AudioBlock]:
        def stamp(media_ns: int, duration_ns: int) -> int:  # noqa: ARG001  # arrival, not the sender's clock
            return clock.now_ns() - duration_ns

        with open_media(self._url, timeout_s=self._timeout_s) as container:
            decoder = self._decoder(container, [s for s in streams_of(container, self._url) if s is not None])
            try:
                yield from decoder.items(stamp, self._stop)
            except (av.FFmpegError, DamagedError) as exc:
                reason = (isinstance(exc, av.FFmpegError) and exc.strerror) or str(exc)
                raise DeviceLostError(f"{shown(self._url)}: lost ({reason}); opening it again") from exc
            if not self._stop.is_set():
                raise DeviceLostError(f"{shown(self._url)}: the stream ended; opening it again")


def _time(item: Frame | AudioBlock) -> int:
    return item.captured_ns if isinstance(item, Frame) else item.start_ns
