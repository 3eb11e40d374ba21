"""Pixels and samples: the raw media that never leaves the process."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.role import Role

SAMPLE_RATE = 16_000
"""Hertz; every source delivers sound at this rate, mono."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One camera image."""

    pixels: npt.NDArray[np.uint8]
    """RGB, shape (height, width, 3), read-only."""

    captured_ns: int
    """Nanoseconds of the pipeline's clock at which it was taken."""

    sequence: int
    """Counts from 0 per source; a gap means the driver dropped frames."""

    source: str
    """Name of the source, unique in a pipeline."""

    role: Role
    """Whom the source looks at."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3:  # noqa: PLR2004
            raise ValueError(f"pixels must have shape (height, width, 3), got {self.pixels.shape}")
        if not self.pixels.size:
            raise ValueError(f"pixels must not be empty, got {self.pixels.shape}")
        if self.pixels.dtype != np.uint8:
            raise ValueError(f"pixels must be uint8, got {self.pixels.dtype}")
        self.pixels.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """A stretch of sound as a source delivers it, of any length."""

    samples: npt.NDArray[np.float32]
    """Mono at :data:`SAMPLE_RATE`, shape (length,), in [-1, 1], read-only."""

    start_ns: int
    """Nanoseconds of the pipeline's clock at the first sample."""

    source: str
    """Name of the source, unique in a pipeline."""

    role: Role
    """Whom the source listens to."""

    gap: bool = False
    """Whether sound was lost just before this block."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 1:
            raise ValueError(f"samples must have shape (length,), got {self.samples.shape}")
        if self.samples.dtype != np.float32:
            raise ValueError(f"samples must be float32, got {self.samples.dtype}")
        self.samples.setflags(write=False)

    @property
    def end_ns(self) -> int:
        """Nanoseconds just after the last sample (exclusive)."""
        return self.start_ns + len(self.samples) * 1_000_000_000 // SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class AudioWindow:
    """A fixed-length stretch of sound, the unit of voice inference."""

    samples: npt.NDArray[np.float32]
    """Mono at :data:`SAMPLE_RATE`, shape (length,), in [-1, 1], read-only."""

    start_ns: int
    """Nanoseconds of the pipeline's clock at the first sample."""

    gap: bool = False
    """Whether sound was lost inside the window."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 1:
            raise ValueError(f"samples must have shape (length,), got {self.samples.shape}")
        self.samples.setflags(write=False)

    @property
    def end_ns(self) -> int:
        """Nanoseconds just after the last sample (exclusive)."""
        return self.start_ns + len(self.samples) * 1_000_000_000 // SAMPLE_RATE
