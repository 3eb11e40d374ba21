"""A Raspberry Pi's ribbon-cable camera, through picamera2 where the system has it."""

import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from edge.clock import Clock
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import Frame
from edge.role import Role


def picamera2() -> ModuleType:
    """Return the ``picamera2`` module.

    Raises:
        SourceMissingError: It isn't installed. The system's package manager brings it, because it needs the system's
            own libcamera; a virtual environment must be made with ``--system-site-packages``.
    """
    try:
        import picamera2  # noqa: PLC0415  # only on a Raspberry Pi
    except ImportError as exc:
        raise SourceMissingError(
            "picamera2 missing; apt install python3-picamera2, in a venv made with --system-site-packages"
        ) from exc
    return picamera2  # type: ignore[no-any-return]


class CsiCamera:
    """A camera on the CSI connector. After :meth:`close` it stays closed.

    Args:
        name: Unique in a pipeline.
        role: Whom it looks at.
        device: Number of the camera, 0 for the first.
        width: Pixels.
        height: Pixels.
        fps: Frames a second; the sensor itself runs at this rate.
        clock: Stamps the frames.
    """

    live = True
    """A lost camera is worth opening again."""

    timeout_s = 2.0
    """Seconds without a frame after which the camera counts as lost."""

    def __init__(
        self,
        *,
        name: str,
        role: Role,
        device: int = 0,
        width: int = 1280,
        height: int = 720,
        fps: float = 10.0,
        clock: Clock,
    ) -> None:
        if width < 1 or height < 1 or fps <= 0.0:
            raise ValueError(f"width, height and fps must be positive, got {width}, {height}, {fps}")
        self._name = name
        self._role = role
        self._device = device
        self._size = (width, height)
        self._fps = fps
        self._clock = clock
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
            SourceMissingError: picamera2 or the camera isn't there.
            DeviceLostError: It stopped delivering.
        """
        if self._stop.is_set():
            return
        camera = self._open(picamera2())
        try:
            yield from self._frames(camera)
        finally:
            camera.close()  # stops it as well

    def close(self) -> None:
        """Make :meth:`items` end within a frame or :attr:`timeout_s`, for good; callable from any thread."""
        self._stop.set()

    def _open(self, module: ModuleType) -> Any:  # noqa: ANN401  # picamera2 has no types
        try:
            camera = module.Picamera2(self._device)
        except (IndexError, RuntimeError) as exc:
            raise SourceMissingError(
                f"CSI camera {self._device} not there or in use ({exc}); "
                "check the ribbon cable with 'rpicam-hello --list'"
            ) from exc
        try:
            # libcamera names the bytes from the right: BGR888 is R, G, B in memory.
            camera.configure(
                camera.create_video_configuration(
                    main={"size": self._size, "format": "BGR888"}, controls={"FrameRate": self._fps}, queue=False
                )
            )
            camera.start()
        except RuntimeError as exc:
            camera.close()
            raise SourceMissingError(f"CSI camera {self._device} can't be started ({exc}); try another size") from exc
        return camera

    def _frames(self, camera: Any) -> Iterator[Frame]:  # noqa: ANN401
        sequence = 0
        while not self._stop.is_set():
            try:
                pixels = camera.wait(camera.capture_array("main", wait=False), timeout=self.timeout_s)
            except (RuntimeError, TimeoutError) as exc:
                raise DeviceLostError(
                    f"CSI camera {self._device}: no frame for {self.timeout_s:.0f} s; check the ribbon cable"
                ) from exc
            at_ns = self._clock.now_ns()
            yield Frame(np.array(pixels[:, :, :3], dtype=np.uint8), at_ns, sequence, self._name, self._role)
            sequence += 1
