"""How much was seen and heard, and the one rule that joins both.

Everything is counted in person-seconds, not in detections: a face looked at ten times in a second says as much as one
looked at five times. How sure the shares are is another matter: that is counted in independent cases (``clusters.py``).
"""

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge.fusion.clusters import Clusters, effective
from edge.fusion.coverage import Look
from edge.observation import Emotion, EmotionDistribution, FaceObservation, VoiceObservation
from edge.summary import ModalitySummary

_LOG_LABELS = math.log(len(Emotion))
_LEAST_CERTAINTY = 1e-3  # So that a modality of even readings is still evidence.


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

    clusters: Clusters = field(default_factory=Clusters)
    """The same person-seconds, by whose they are."""

    def add(self, reading: EmotionDistribution, seconds: float, cluster: Hashable | None = None) -> None:
        """Count one reading that stands for *seconds* of one person.

        Args:
            reading: What the model said.
            seconds: Weighted person-seconds.
            cluster: Whose reading it is, see :class:`Clusters`; ``None`` stands alone.
        """
        self.observations += 1
        if seconds <= 0:
            return
        self.person_s += seconds
        self.certain_s += seconds * certainty(reading.probabilities)
        self.sums += seconds * np.array(reading.probabilities)
        if cluster is None:
            self.clusters.add_alone(seconds)
        else:
            self.clusters.add(cluster, seconds)

    def merge(self, other: "Evidence", factor: float = 1.0) -> None:
        """Count everything in *other*, its seconds times *factor*, in [0, 1]."""
        self.observations += other.observations
        self.person_s += factor * other.person_s
        self.certain_s += factor * other.certain_s
        self.sums += factor * other.sums
        self.clusters.merge(other.clusters, factor)

    def summary(self, least_s: float) -> ModalitySummary:
        """Return the shares, or none where there are fewer than *least_s* person-seconds."""
        if self.person_s < least_s or self.sums.sum() <= 0:
            return ModalitySummary(self.observations, None)
        return ModalitySummary(self.observations, EmotionDistribution.of(self.sums), self.clusters.effective)


def look_evidence(look: Look) -> Evidence:
    """Return what one analysed frame says; each face is a person of its own."""
    evidence = Evidence()
    read = 0
    for face in look.faces:
        if face.emotion is not None:
            read += 1
            evidence.add(face.emotion, face_seconds(face), (face.source, face.track_id))
    evidence.clusters.saw(look.source, read)
    return evidence


def certainty(probabilities: Iterable[float]) -> float:
    """Return 1 minus the normalised entropy: 1 for a sure reading, 0 for an even one."""
    entropy = -sum(p * math.log(p) for p in probabilities if p > 0)
    return min(max(1 - entropy / _LOG_LABELS, 0.0), 1.0)


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
    count, total, squares = 0, 0.0, 0.0
    for evidence, trust in ((face, reliability.face), (voice, reliability.voice)):
        count += evidence.observations
        if evidence.person_s >= least_s and evidence.person_s > 0:
            # sums already holds the person-seconds; certain_s / person_s is the mean certainty.
            factor = trust * max(evidence.certain_s / evidence.person_s, _LEAST_CERTAINTY)
            weights += factor * evidence.sums
            total += factor * evidence.clusters.total
            squares += factor**2 * evidence.clusters.squares
    if weights.sum() <= 0:
        return ModalitySummary(count, None)
    return ModalitySummary(count, EmotionDistribution.of(weights), effective(total, squares))
