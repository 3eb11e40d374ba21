"""The shapes of the outside world and of the stages, as the pipeline sees them."""

from collections.abc import Iterator
from typing import Protocol

from edge.media import AudioBlock, Frame
from edge.observation import FaceObservation, VoiceObservation
from edge.role import Role
from edge.summary import Outgoing


class MediaSource(Protocol):
    """A camera, a microphone, a file, a screen or a script: anything that delivers media."""

    @property
    def name(self) -> str:
        """Unique in a pipeline; stamped on everything it delivers."""
        ...

    @property
    def role(self) -> Role:
        """Whom it looks at or listens to."""
        ...

    @property
    def live(self) -> bool:
        """Whether a lost device should be opened again (a file that ended should not)."""
        ...

    def items(self) -> Iterator[Frame | AudioBlock]:
        """Open it and yield what it delivers, each kind in order of time, until :meth:`close` or the end.

        May be called again after it ended or raised.

        Raises:
            SourceMissingError: It isn't there.
            DeviceLostError: It went away.
            MediaError: What it holds can't be read.
        """
        ...

    def close(self) -> None:
        """Make :meth:`items` end soon; callable from another thread, any number of times."""
        ...


class VisionStage(Protocol):
    """Finds faces in one source's frames and reads their emotions."""

    @property
    def slowed(self) -> int:
        """Steps by which less is done than could be, because looks take too long; 0 is all of it."""
        ...

    def observe(self, frame: Frame) -> tuple[FaceObservation, ...] | None:
        """Return one observation a face, best first; ``None`` when the frame was not due for a look."""
        ...


class VoiceStage(Protocol):
    """Cuts one source's sound into windows and reads them."""

    def observe(self, block: AudioBlock) -> tuple[VoiceObservation, ...]:
        """Return what the windows that this block completes hold; usually none or one."""
        ...


class Sink(Protocol):
    """Somewhere summaries, alerts, health and lessons go."""

    def accept(self, item: Outgoing) -> None:
        """Take one item without blocking the pipeline."""
        ...
