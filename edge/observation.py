"""What one model says about one face or one stretch of voice."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from edge.role import Role


class Emotion(StrEnum):
    """The closed set of labels, in the order of every model's output tensor."""

    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"


NEGATIVE = (Emotion.ANGER, Emotion.DISGUST, Emotion.FEAR, Emotion.SADNESS)
"""The emotions whose shares add up to the negative share."""

POSITIVE = (Emotion.HAPPINESS,)
"""The emotions whose shares add up to the positive share; surprise may be either, so it is neither."""

CIRCUMPLEX: Mapping[Emotion, tuple[float, float]] = {
    Emotion.ANGER: (-0.51, 0.59),
    Emotion.DISGUST: (-0.60, 0.35),
    Emotion.FEAR: (-0.64, 0.60),
    Emotion.HAPPINESS: (0.81, 0.51),
    Emotion.SADNESS: (-0.63, -0.27),
    Emotion.SURPRISE: (0.40, 0.67),
    Emotion.NEUTRAL: (0.0, 0.0),
}
"""Valence and arousal, each in [-1, 1] (Russell & Mehrabian, 1977, table 4: pleasure and arousal)."""


@dataclass(frozen=True, slots=True)
class EmotionDistribution:
    """Probabilities or shares over :class:`Emotion`, in its order."""

    probabilities: tuple[float, ...]
    """Each in [0, 1]; they sum to 1 within 1e-3."""

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(Emotion):
            raise ValueError(f"need {len(Emotion)} probabilities, got {len(self.probabilities)}")
        if not all(0.0 <= p <= 1.0 for p in self.probabilities):
            raise ValueError(f"probabilities must be in [0, 1], got {self.probabilities}")
        if not math.isclose(sum(self.probabilities), 1.0, abs_tol=1e-3):
            raise ValueError(f"probabilities must sum to 1, got {sum(self.probabilities)}")

    @classmethod
    def of(cls, weights: npt.ArrayLike) -> Self:
        """Scale non-negative weights, shape (7,), to a distribution.

        Raises:
            ValueError: A weight is negative or not finite, or all are zero.
        """
        array = np.asarray(weights, np.float64)
        total = float(array.sum())
        if not math.isfinite(total) or total <= 0 or (array < 0).any():
            raise ValueError(f"weights must be non-negative, finite and not all zero, got {array}")
        return cls(tuple(float(v) for v in np.minimum(array / total, 1.0)))

    @property
    def top(self) -> Emotion:
        """The most probable label; the first in order on a tie."""
        return max(zip(self.probabilities, Emotion, strict=True), key=lambda pair: pair[0])[1]

    @property
    def negative_share(self) -> float:
        """Sum over :data:`NEGATIVE`, in [0, 1]."""
        return min(1.0, sum(self.shares()[emotion] for emotion in NEGATIVE))

    @property
    def positive_share(self) -> float:
        """Sum over :data:`POSITIVE`, in [0, 1]."""
        return min(1.0, sum(self.shares()[emotion] for emotion in POSITIVE))

    @property
    def valence(self) -> float:
        """Mean pleasantness over :data:`CIRCUMPLEX`, in [-1, 1]."""
        return sum(p * CIRCUMPLEX[emotion][0] for emotion, p in self.shares().items())

    @property
    def arousal(self) -> float:
        """Mean excitement over :data:`CIRCUMPLEX`, in [-1, 1]."""
        return sum(p * CIRCUMPLEX[emotion][1] for emotion, p in self.shares().items())

    def shares(self) -> dict[Emotion, float]:
        """Return each label with its probability."""
        return dict(zip(Emotion, self.probabilities, strict=True))


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where a head points, degrees; all 0 looks straight into the camera."""

    yaw_deg: float
    """Positive: turned towards the picture's right."""

    pitch_deg: float
    """Positive: looking up."""

    roll_deg: float
    """Positive: tilted clockwise in the picture."""


@dataclass(frozen=True, slots=True)
class FaceSequence:
    """What a face did over its last seconds, from its key points; ``docs/models.md`` has the formulas."""

    seconds: float
    """How long a stretch it is."""

    smile: float
    """Median rise of the mouth's corners over its middle, in distances between the eyes; above 0 turned up."""

    brow: float
    """Median height of the brows over the eyes, in distances between the eyes."""

    brow_motion: float
    """Standard deviation of that height."""

    mouth_motion: float
    """Standard deviation of the mouth's opening: speaking, chewing, yawning."""

    eyes_closed: float
    """Share of the time with closed eyes, in [0, 1]."""

    nods_per_min: float
    """Downward and upward swings of the head by 4 degrees and more, a minute."""

    head_down: float
    """Share of the time with the head lowered by more than 20 degrees, in [0, 1]."""

    front: float
    """Share of the time with the head to the front, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """One face in one frame."""

    captured_ns: int
    """Nanoseconds of the pipeline's clock at which the frame was taken."""

    source: str
    """Name of the source that saw it."""

    role: Role
    """Whom that source looks at."""

    box_xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom, as fractions of width and height in [0, 1]."""

    confidence: float
    """Face detector's score in [0, 1]."""

    track_id: int
    """Counts up per source; lives in memory only and is never published or stored."""

    span_ns: int
    """Nanoseconds of lesson this observation stands for (the time between two analysed frames)."""

    emotion: EmotionDistribution | None
    """``None`` when the face is too small or too poor to read, which is not the same as neutral."""

    pose: HeadPose | None = None
    """``None`` when the face is too small to tell, or no pose is read."""

    motion: float | None = None
    """Widths of the face that its centre moved a second since the last look; ``None`` at first sight."""

    sequence: FaceSequence | None = None
    """``None`` while the face was followed too shortly, or its key points can't be told."""


@dataclass(frozen=True, slots=True)
class VoiceObservation:
    """One window of sound."""

    start_ns: int
    """Nanoseconds of the pipeline's clock at the window's first sample."""

    end_ns: int
    """Nanoseconds just after its last sample."""

    source: str
    """Name of the source that heard it."""

    role: Role
    """Whom that source listens to."""

    speech_ratio: float
    """Share of the window's 30 ms pieces that hold speech, in [0, 1]."""

    hop_speech_ratio: float
    """The same of its newest hop alone, the part that no earlier window has heard."""

    level_dbfs: float | None
    """Root-mean-square level; 0 is full scale; ``None`` for digital silence."""

    hop_level_dbfs: float | None
    """The same of its newest hop alone."""

    span_ns: int
    """Nanoseconds of lesson this observation stands for (the windows' hop)."""

    gap: bool
    """Whether sound was lost inside the window."""

    emotion: EmotionDistribution | None
    """``None`` when there is not enough speech to read, which is not the same as neutral."""
