"""How much was seen and heard, and the one rule that joins both.

Everything is counted in person-seconds, not in detections: a face looked at ten times in a second says as much as one
looked at five times.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.observation import Emotion, EmotionDistribution, FaceObservation, VoiceObservation
from edge.summary import ModalitySummary

_LOG_LABELS = float(np.log(len(Emotion)))


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far each modality's readings can be trusted, from the models' own figures."""

    face: float = 0.78
    """Mean recall or accuracy of the face model on faces it was not trained on, in [0, 1]."""

    voice: float = 0.55
    """The same for the voice model, on speakers it was not trained on."""


@dataclass(slots=True, eq=False)
class Evidence:
    """Readings of one modality added up over a stretch of time."""

    observations: int = 0
    """Readings that named an emotion."""

    person_s: float = 0.0
    """Person-seconds they stand for, weighted by how recent they are."""

    certain_s: float = 0.0
    """The same, times each reading's certainty."""

    sums: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(Emotion)))
    """Person-seconds an emotion, shape (7,)."""

    def add(self, reading: EmotionDistribution, seconds: float) -> None:
        """Count one reading that stands for *seconds* of one person."""
        probabilities = np.array(reading.probabilities)
        self.observations += 1
        if seconds <= 0:
            return
        self.person_s += seconds
        self.certain_s += seconds * certainty(probabilities)
        self.sums += seconds * probabilities

    def summary(self, least_s: float) -> ModalitySummary:
        """Return the shares, or none where there are fewer than *least_s* person-seconds."""
        enough = self.person_s >= least_s and self.sums.sum() > 0
        return ModalitySummary(self.observations, EmotionDistribution.of(self.sums) if enough else None)


def certainty(probabilities: npt.NDArray[np.float64]) -> float:
    """Return 1 minus the normalised entropy: 1 for a sure reading, 0 for an even one."""
    positive = probabilities[probabilities > 0]
    return float(np.clip(1 + (positive * np.log(positive)).sum() / _LOG_LABELS, 0.0, 1.0))


def face_seconds(observation: FaceObservation) -> float:
    """Return the person-seconds a look at one face stands for."""
    return observation.span_ns / 1e9


def voice_seconds(observation: VoiceObservation) -> float:
    """Return the person-seconds of speech a window stands for: its hop times its share of speech."""
    return observation.span_ns / 1e9 * observation.speech_ratio


def fuse(face: Evidence, voice: Evidence, *, reliability: Reliability, least_s: float) -> ModalitySummary:
    """Join both modalities' shares (late fusion).

    Each counts by the person-seconds it saw, times the mean certainty of its readings, times its model's reliability;
    a modality without enough evidence has no say. So twelve faces outweigh one speaker, a teacher's voice equals the
    teacher's face, and either may vanish.

    Args:
        face: What was seen.
        voice: What was heard.
        reliability: Of the two models.
        least_s: Person-seconds under which a modality has no say.
    """
    weights = np.zeros(len(Emotion))
    count = 0
    for evidence, trust in ((face, reliability.face), (voice, reliability.voice)):
        count += evidence.observations
        if evidence.person_s >= least_s and evidence.person_s > 0:
            # sums already holds the person-seconds; certain_s / person_s is the mean certainty.
            weights += trust * max(evidence.certain_s / evidence.person_s, 1e-3) * evidence.sums
    return ModalitySummary(count, EmotionDistribution.of(weights) if weights.sum() > 0 else None)
