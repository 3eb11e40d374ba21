"""A camera that V4L2 knows: USB, built in, or a capture card."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from edge.capture.cadence import Cadence
from edge.clock import Clock
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import Frame
from edge.role import Role

_GREY = 2
"""Dimensions of an image without a colour axis."""


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool:  # noqa: N802  # OpenCV's name
        """Return whether the device delivers."""
        ...

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803  # OpenCV's name
        """Ask the driver for something; return whether it agreed."""
        ...

    def grab(self) -> bool:
        """Wait for the next image; return whether there is one."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """Decode the grabbed image to BGR."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


_VIDEO_CAPTURE: Callable[..., Capture] = cv2.VideoCapture


class Camera:
    """A V4L2 camera through OpenCV. After :meth:`close` it stays closed.

    Args:
        name: Unique in a pipeline.
        role: Whom it looks at.
        device: Index or path, such as ``0`` or ``/dev/video0``.
        width: Pixels asked for; the driver may choose others.
        height: Pixels asked for; the driver may choose others.
        fps: Frames a second delivered at most; a faster camera is thinned before its images are decoded.
        clock: Stamps the frames.
        capture: Opens a device, given it and the back-end's number.
    """

    live = True
    """A lost camera is worth opening again."""

    timeout_s = 2.0
    """Seconds without a usable image after which the camera counts as lost."""

    def __init__(
        self,
        *,
        name: str,
        role: Role,
        device: int | str,
        width: int = 1280,
        height: int = 720,
        fps: float = 10.0,
        clock: Clock,
        capture: Callable[[int | str, int], Capture] = _VIDEO_CAPTURE,
    ) -> None:
        if width < 1 or height < 1 or fps <= 0.0:
            raise ValueError(f"width, height and fps must be positive, got {width}, {height}, {fps}")
        self._name = name
        self._role = role
        self._device = device
        self._width = width
        self._height = height
        self._fps = fps
        self._clock = clock
        self._capture = capture
        self._stop = threading.Event()

    @property
    def name(self) -> str:
        """Unique in a pipeline."""
        return self._name

    @property
    def role(self) -> Role:
        """Whom it looks at."""
        return self._role

    def items(self) -> Iterator[Frame]:
        """Open the camera and yield its frames until :meth:`close`.

        Raises:
            SourceMissingError: It isn't there or can't be opened.
            DeviceLostError: It stopped delivering.
        """
        if self._stop.is_set():
            return
        capture = self._open()
        try:
            yield from self._frames(capture)
        except cv2.error as exc:
            raise DeviceLostError(f"{self._path}: lost ({exc.err}); check its cable, opening it again") from exc
        finally:
            capture.release()

    def close(self) -> None:
        """Make :meth:`items` end within a frame, or a stalled driver's timeout, for good; callable from any thread."""
        self._stop.set()

    @property
    def _path(self) -> str:
        return f"/dev/video{self._device}" if isinstance(self._device, int) else self._device

    def _open(self) -> Capture:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our one line says it better
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", f"{self.timeout_s:.0f}")  # else 10 s of no answer
        capture = self._capture(self._device, cv2.CAP_V4L2)
        if not capture.isOpened():
            capture.release()
            raise SourceMissingError(self._why_not())
        # Compressed, because 720p uncompressed is 5 to 10 fps over USB 2; one buffer, because an old frame is no use.
        for key, value in (
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
            (cv2.CAP_PROP_FRAME_WIDTH, self._width),
            (cv2.CAP_PROP_FRAME_HEIGHT, self._height),
            (cv2.CAP_PROP_FPS, self._fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        ):
            capture.set(key, value)  # a driver that declines keeps its own choice, which we take as it comes
        return capture

    def _why_not(self) -> str:
        path = Path(self._path)
        if not path.exists():
            return f"{path} not there; plug the camera in, or list devices with 'edge devices'"
        if not os.access(path, os.R_OK | os.W_OK):
            return (
                f"{path}: no permission; add your user to the group video (sudo usermod -aG video $USER), log in again"
            )
        return f"{path} can't be opened; close other programs that use it, or try another number ('edge devices')"

    def _frames(self, capture: Capture) -> Iterator[Frame]:
        cadence = Cadence(self._fps)
        sequence = 0
        seen_ns = self._clock.now_ns()
        while not self._stop.is_set():
            if not capture.grab():
                raise DeviceLostError(f"{self._path}: no more images; check its cable, opening it again")
            at_ns = self._clock.now_ns()
            if not cadence.due(at_ns):
                continue  # not decoded, which is most of the cost
            decoded, image = capture.retrieve()
            if decoded and image is not None and image.size:
                seen_ns = at_ns
                code = cv2.COLOR_GRAY2RGB if image.ndim == _GREY else cv2.COLOR_BGR2RGB
                pixels = np.asarray(cv2.cvtColor(image, code), dtype=np.uint8)
                yield Frame(pixels, at_ns, sequence, self._name, self._role)
                sequence += 1
            elif at_ns - seen_ns > self.timeout_s * 1e9:
                raise DeviceLostError(
                    f"{self._path}: no usable image for {self.timeout_s:.0f} s; check its cable, opening it again"
                )
