"""Files and network streams: opening them, and what they hold."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from edge.errors import MediaError, SourceMissingError

_NETWORK = ("rtsp", "rtsps", "http", "https")
_TEXT_ART = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Demuxers that would draw a text file as a picture."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file or stream says about itself."""

    duration_s: float | None
    """Seconds; ``None`` for a live stream."""

    has_video: bool
    has_audio: bool

    width: int | None
    """Pixels as stored, before rotation; ``None`` without video."""

    height: int | None
    """Pixels as stored, before rotation; ``None`` without video."""

    fps: float | None
    """Mean frames a second; ``None`` without video or where unknown."""


def is_network(url: str) -> bool:
    """Return whether *url* names an RTSP or HTTP stream, not a file."""
    return url.partition("://")[0].lower() in _NETWORK and "://" in url


def shown(url: str) -> str:
    """Return *url* as it may be shown and logged: without user name and password."""
    if not is_network(url):
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def open_media(url: str, *, timeout_s: float) -> InputContainer:
    """Open a file or stream for reading.

    Args:
        url: Path, or ``rtsp://`` or ``http(s)://`` address.
        timeout_s: Seconds that opening, and later each read, of a network stream may take.

    Raises:
        SourceMissingError: It isn't there, can't be reached, or may not be read.
        MediaError: It is there, but isn't media or is cut off before anything can be read.
    """
    network = is_network(url)
    if not network:
        _check_file(url)
    try:
        container = av.open(
            url if network else f"file:{url}",  # the prefix keeps a colon in a file's name from reading as a protocol
            mode="r",
            options={"rtsp_transport": "tcp"} if url.lower().startswith("rtsp") else {},
            metadata_errors="replace",
            timeout=timeout_s if network else None,
        )
    except av.error.InvalidDataError as exc:
        raise MediaError(
            f"{shown(url)}: no media in it that can be read, or its recording was cut off before the end; "
            "play it in a video player to check, or record it again"
        ) from exc
    except av.FFmpegError as exc:
        reason = exc.strerror or type(exc).__name__
        remedy = "check the address, and that the camera is on" if network else "check that you may read it"
        raise SourceMissingError(f"{shown(url)}: can't be opened ({reason}); {remedy}") from exc
    if container.format.name in _TEXT_ART:
        container.close()
        raise MediaError(f"{shown(url)}: a text file, not a recording; give a video or sound file")
    return container


def streams_of(container: InputContainer, url: str) -> tuple[VideoStream | None, AudioStream | None]:
    """Return the video and the audio stream to read, either ``None`` where there is none.

    Raises:
        MediaError: There is neither, or no decoder for them.
    """
    video = container.streams.best("video")
    audio = container.streams.best("audio")
    if not isinstance(video, VideoStream) or video.disposition & av.stream.Disposition.attached_pic:  # a cover picture
        video = None
    if not isinstance(audio, AudioStream):
        audio = None
    if video is None and audio is None:
        raise MediaError(
            f"{shown(url)}: holds neither pictures nor sound that can be decoded; give a video or sound file"
        )
    return video, audio


def probe(url: str, *, timeout_s: float = 5.0) -> MediaInfo:
    """Read the headers of a file or stream.

    Args:
        url: Path, or ``rtsp://`` or ``http(s)://`` address.
        timeout_s: Seconds that opening a network stream may take.

    Raises:
        SourceMissingError: It isn't there, can't be reached, or may not be read.
        MediaError: It holds no media that can be read.
    """
    with open_media(url, timeout_s=timeout_s) as container:
        video, audio = streams_of(container, url)
        rate = None if video is None else video.average_rate
        return MediaInfo(
            duration_s=None if container.duration is None else container.duration / av.time_base,
            has_video=video is not None,
            has_audio=audio is not None,
            width=None if video is None else video.width,
            height=None if video is None else video.height,
            fps=float(rate) if rate else None,
        )


def _check_file(path: str) -> None:
    file = Path(path)
    if file.is_dir():
        raise SourceMissingError(f"{path}: a folder, not a file; name the recordings in it")
    if not file.exists():
        raise SourceMissingError(f"{path}: not there; check the path")
    if file.is_file() and file.stat().st_size == 0:
        raise MediaError(f"{path}: empty (0 bytes); copy or record it again")
