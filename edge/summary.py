"""What may leave the box: aggregates, alerts and health, never media and never a single person."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from edge.behaviour import NOTHING_SEEN, Behaviour, Engagement
from edge.metric import ACTIVE, Metric, Standing, interval95
from edge.observation import EmotionDistribution
from edge.role import Role


class EvidenceState(StrEnum):
    """Whether a window's shares can be told."""

    ENOUGH = "enough"
    NOT_ENOUGH = "not_enough"
    WITHHELD = "withheld"
    """Known, but of too few people to be told."""


@dataclass(frozen=True, slots=True)
class ModalitySummary:
    """What one modality, or both fused, said in one window."""

    observations: int
    """Faces read, or windows of sound that held speech."""

    shares: EmotionDistribution | None
    """``None`` when there was no evidence, or when it was suppressed."""

    effective: float = 0.0
    """Independent people or utterances behind the shares (Kish, 1965); 0 without shares."""

    def interval(self, share: float) -> tuple[float, float] | None:
        """Return the 95 % interval of one of the shares, or of a sum of them; ``None`` without evidence."""
        return None if self.shares is None or self.effective <= 0 else interval95(share, self.effective)

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

    face_s: float = 0.0
    """Person-seconds of faces read."""

    voice_s: float = 0.0
    """Seconds of speech read."""


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
    """Whether everything about the students was withheld because too few people were in view."""

    behaviour: Behaviour = NOTHING_SEEN
    engagement: Engagement | None = None

    standings: tuple[Standing, ...] = ()
    """Metrics of which the class's usual is known."""

    def __post_init__(self) -> None:
        if self.opened_at.tzinfo is None or self.closed_at.tzinfo is None:
            raise ValueError("times must be timezone-aware")
        if self.closed_at <= self.opened_at:
            raise ValueError("closed_at must be after opened_at")

    @property
    def evidence(self) -> EvidenceState:
        """Whether the fused shares can be told."""
        if self.suppressed:
            return EvidenceState.WITHHELD
        return EvidenceState.NOT_ENOUGH if self.fused.shares is None else EvidenceState.ENOUGH

    def standing(self, metric: Metric) -> Standing | None:
        """Return a metric against the usual; ``None`` while no usual is known."""
        return next((standing for standing in self.standings if standing.metric is metric), None)

    @property
    def activity(self) -> float | None:
        """Mean z-score over :data:`ACTIVE`; ``None`` while none of them has a usual."""
        scores = [standing.z for standing in self.standings if standing.metric in ACTIVE]
        return sum(scores) / len(scores) if scores else None

    def value(self, metric: Metric) -> float | None:
        """Return a metric's value; ``None`` without evidence, or when it was withheld."""
        if self.suppressed:
            return None
        if metric in _OF_SHARES:
            return None if self.fused.shares is None else _OF_SHARES[metric](self.fused.shares)
        if metric in _OF_BEHAVIOUR:
            return _OF_BEHAVIOUR[metric](self.behaviour)
        if metric is Metric.LEVEL:
            return self.coverage.level_dbfs
        if metric is Metric.ACTIVITY:
            return self.activity
        return None if self.engagement is None else self.engagement.score


_OF_SHARES: Mapping[Metric, Callable[[EmotionDistribution], float]] = {
    Metric.NEGATIVE: attrgetter("negative_share"),
    Metric.POSITIVE: attrgetter("positive_share"),
    Metric.VALENCE: attrgetter("valence"),
    Metric.AROUSAL: attrgetter("arousal"),
}
_OF_BEHAVIOUR: Mapping[Metric, Callable[[Behaviour], float | None]] = {
    Metric.ATTENTION: attrgetter("attention"),
    Metric.MOVEMENT: attrgetter("movement"),
    Metric.TALK: attrgetter("talk"),
    Metric.TURNS: attrgetter("turns_per_min"),
    Metric.OVERLAP: attrgetter("overlap"),
    Metric.SILENCE: attrgetter("silence"),
}


class AlertState(StrEnum):
    """Whether an alert began or ended."""

    RAISED = "raised"
    CLEARED = "cleared"

    DIGEST = "digest"
    """Tells in one line of alerts that were held back, because the lesson's budget was spent."""


class Severity(StrEnum):
    """How urgent an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


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
    """What it was compared with; spreads above the usual where the rule watches those."""

    severity: Severity = Severity.WARNING

    metric: Metric | None = Metric.NEGATIVE
    """What the rule watches; ``None`` for a lost source, missing evidence and digests."""

    usual: float | None = None
    """What is usual for this class, where that is known."""


class Verdict(StrEnum):
    """What a teacher said of an alert."""

    SEEN = "seen"
    SNOOZED = "snoozed"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A teacher's answer to an alert, kept for tuning the rules."""

    alert_id: str
    verdict: Verdict

    at: datetime
    """UTC."""


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

    slowed: int = 0
    """Steps by which less is looked at and read than could be, because the board can't keep up; 0 is all of it."""


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

    faults: tuple[str, ...] = ()
    """What is wrong with the box itself, each in one line: a full disk, a broker out of reach."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A stretch of time that belongs together."""

    id: str
    title: str

    started_at: datetime
    """UTC."""

    ended_at: datetime | None
    """UTC; ``None`` while it runs."""

    group: str = ""
    """The class, as the timetable names it; its usual values are its own."""

    kind: str = ""
    """Type of lesson, such as a lecture or group work; each has usual values of its own."""


def new_lesson(at: datetime, *, title: str = "", group: str = "", kind: str = "") -> Lesson:
    """Return a lesson that begins, with an id of its own; its title is its time where none is given."""
    return Lesson(uuid.uuid4().hex, title or f"{at:%Y-%m-%d %H:%M}", at, None, group, kind)


Outgoing = WindowSummary | Alert | Feedback | Health | Lesson
"""Everything that sinks are handed; a lesson as it begins, and again with its end."""
