"""What may leave the box: aggregates, alerts and health, never media and never a single person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge.observation import EmotionDistribution
from edge.role import Role


@dataclass(frozen=True, slots=True)
class ModalitySummary:
    """What one modality, or both fused, said in one window."""

    observations: int
    """Faces read, or windows of sound that held speech."""

    shares: EmotionDistribution | None
    """``None`` when there was no evidence, or when it was suppressed."""

    @property
    def negative_share(self) -> float | None:
        """Anger, disgust, fear and sadness together, in [0, 1]; ``None`` without evidence."""
        return None if self.shares is None else self.shares.negative_share


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what could have been known was."""

    people: int
    """Most faces in one analysed frame (the middle value over the window's frames)."""

    usable_faces: float | None
    """Faces that could be read over faces seen, in [0, 1]; ``None`` when none was seen."""

    speech_ratio: float | None
    """Share of the window's sound that was speech; ``None`` without a microphone."""

    level_dbfs: float | None
    """Loudness: energy mean of the windows of sound; ``None`` without sound."""

    gaps: int
    """Windows of sound in which samples were lost."""


@dataclass(frozen=True, slots=True)
class WindowSummary:
    """The fused state of one role over one window of time."""

    opened_at: datetime
    """UTC, inclusive."""

    closed_at: datetime
    """UTC, exclusive."""

    opened_s: float
    """Seconds since the lesson began, inclusive."""

    closed_s: float
    """Seconds since the lesson began, exclusive."""

    role: Role
    face: ModalitySummary
    voice: ModalitySummary
    fused: ModalitySummary
    coverage: Coverage

    late: int = 0
    """Observations that came after their window had closed, counted since the start."""

    suppressed: bool = False
    """Whether shares were withheld because too few people were in view."""

    def __post_init__(self) -> None:
        if self.opened_at.tzinfo is None or self.closed_at.tzinfo is None:
            raise ValueError("times must be timezone-aware")
        if self.closed_at <= self.opened_at:
            raise ValueError("closed_at must be after opened_at")


class AlertState(StrEnum):
    """Whether an alert began or ended."""

    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule's condition held for long enough, or ended."""

    id: str
    """Unique; the same for an alert's beginning and its end."""

    rule: str
    state: AlertState
    role: Role

    at: datetime
    """UTC of the window's close that decided it."""

    at_s: float
    """Seconds since the lesson began."""

    since_s: float
    """Seconds since the lesson began at which the condition was first met."""

    reason: str
    """One sentence with its numbers, for the teacher."""

    value: float | None
    """The metric at the decision, ``None`` when it had no evidence."""

    threshold: float
    """What it was compared with."""


class SourceState(StrEnum):
    """Where a source is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source and its rings."""

    name: str
    role: Role
    state: SourceState

    error: str | None
    """The last error in one line, ``None`` while all is well."""

    reconnects: int
    """How often it was opened again."""

    frames: int
    """Frames delivered since the start."""

    frames_per_s: float
    """Delivery rate over the last seconds."""

    dropped_frames: int
    """Frames overwritten before vision could look: normal, and counted."""

    lost_audio_s: float
    """Seconds of sound lost: a fault."""

    idle_s: float | None
    """Seconds since the last item, ``None`` before the first."""


@dataclass(frozen=True, slots=True)
class Health:
    """The box's own state."""

    at: datetime
    """UTC."""

    sources: tuple[SourceHealth, ...]

    vision_ms: float | None
    """Milliseconds an analysed frame took, middle value of the last ones."""

    voice_ms: float | None
    """Milliseconds a window of sound took, middle value of the last ones."""

    analysed_per_s: float
    """Frames analysed a second over the last seconds."""

    late: int
    """Observations that came after their window had closed."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A stretch of time that belongs together."""

    id: str
    title: str

    started_at: datetime
    """UTC."""

    ended_at: datetime | None
    """UTC; ``None`` while it runs."""
