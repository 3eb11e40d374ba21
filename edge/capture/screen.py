"""The screen, with the sound of its loudspeakers: an online lesson as the teacher sees it."""

import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from edge.capture.cadence import Cadence
from edge.capture.microphone import Microphone
from edge.clock import Clock
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import AudioBlock, Frame
from edge.role import Role

_BLOCK_S = 0.05
"""Seconds of sound at a time; between two blocks is the time for a picture."""


def mss_module() -> ModuleType:
    """Return the ``mss`` module.

    Raises:
        SourceMissingError: The extra isn't installed, or there is no display.
    """
    try:
        import mss  # noqa: PLC0415  # the extra [screen]
    except ImportError as exc:
        raise SourceMissingError("mss missing; pip install 'classroom-edge[screen]'") from exc
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        raise SourceMissingError("no X display (DISPLAY is not set); run it inside the desktop session to be watched")
    return mss


class Screen:
    """One monitor, and if wanted a sound device. After :meth:`close` it stays closed.

    Args:
        name: Unique in a pipeline.
        role: Whom it shows.
        monitor: Number of the monitor from 1; 0 for all together.
        fps: Frames a second, at most 10.
        sound: Device to record beside it, usually :func:`edge.capture.portaudio.loopback_device`; ``None`` for frames
            only. Without that device nothing is delivered: half a lesson should not pass for a whole one.
        clock: Stamps frames and sound.
    """

    live = True
    """A lost screen is worth opening again."""

    def __init__(
        self,
        *,
        name: str,
        role: Role,
        monitor: int = 1,
        fps: float = 3.0,
        sound: int | str | None = None,
        clock: Clock,
    ) -> None:
        if not 0.0 < fps <= 10.0:  # noqa: PLR2004  # two blocks of sound
            raise ValueError(f"fps must be above 0 and at most 10, got {fps}")
        self._name = name
        self._role = role
        self._monitor = monitor
        self._fps = fps
        self._clock = clock
        self._stop = threading.Event()
        self._microphone = (
            None if sound is None else Microphone(name=name, role=role, device=sound, clock=clock, block_s=_BLOCK_S)
        )

    @property
    def name(self) -> str:
        """Unique in a pipeline."""
        return self._name

    @property
    def role(self) -> Role:
        """Whom it shows."""
        return self._role

    def items(self) -> Iterator[Frame | AudioBlock]:
        """Open screen and sound and yield both until :meth:`close`.

        Raises:
            SourceMissingError: mss, the display, the monitor or the sound device isn't there.
            DeviceLostError: The display or the sound device went away.
        """
        if self._stop.is_set():
            return
        mss = mss_module()
        try:
            # mss 10.2 renamed its factory and warns about the old name.
            grabber = mss.MSS() if hasattr(mss, "MSS") else mss.mss()
        except mss.ScreenShotError as exc:
            raise SourceMissingError(
                f"display {os.environ.get('DISPLAY')} can't be opened ({exc}); check DISPLAY"
            ) from exc
        with grabber:
            if not 0 <= self._monitor < len(grabber.monitors):
                raise SourceMissingError(
                    f"monitor {self._monitor} not there; choose one from 0 (all) to {len(grabber.monitors) - 1}"
                )
            try:
                yield from self._frames(grabber) if self._microphone is None else self._both(grabber, self._microphone)
            except mss.ScreenShotError as exc:
                raise DeviceLostError(f"monitor {self._monitor}: lost ({exc}); opening it again") from exc

    def close(self) -> None:
        """Make :meth:`items` end soon, for good; callable from any thread, any number of times."""
        self._stop.set()
        if self._microphone is not None:
            self._microphone.close()

    def _frames(self, grabber: Any) -> Iterator[Frame]:  # noqa: ANN401  # mss back-ends share no public type
        cadence = Cadence(self._fps)
        sequence = 0
        while not self._clock.wait(cadence.wait_s(self._clock.now_ns()), self._stop):
            if cadence.due(self._clock.now_ns()):
                yield self._grab(grabber, sequence)
                sequence += 1

    def _both(self, grabber: Any, microphone: Microphone) -> Iterator[Frame | AudioBlock]:  # noqa: ANN401
        cadence = Cadence(self._fps)
        sequence = 0
        for block in microphone.items():  # sound sets the pace: its thread is PortAudio's, so none is needed here
            yield block
            if cadence.due(self._clock.now_ns()):
                yield self._grab(grabber, sequence)
                sequence += 1

    def _grab(self, grabber: Any, sequence: int) -> Frame:  # noqa: ANN401
        at_ns = self._clock.now_ns()
        bgra = np.asarray(grabber.grab(grabber.monitors[self._monitor]))
        return Frame(np.ascontiguousarray(bgra[:, :, 2::-1], dtype=np.uint8), at_ns, sequence, self._name, self._role)
