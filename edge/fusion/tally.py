"""A whole recording in one set of shares, by the same rule as a window."""

from dataclasses import dataclass, field

from edge.fusion.coverage import CoverageCount, Look
from edge.fusion.evidence import Evidence, Reliability, face_seconds, fuse, voice_seconds
from edge.observation import VoiceObservation
from edge.summary import ModalitySummary


@dataclass(slots=True, eq=False)
class Tally:
    """Everything one role showed and said, every moment weighing the same; as small at the end as at the start."""

    face_evidence: Evidence = field(default_factory=Evidence)
    voice_evidence: Evidence = field(default_factory=Evidence)
    counted: CoverageCount = field(default_factory=CoverageCount)

    def add_look(self, look: Look) -> None:
        """Count one analysed frame."""
        self.counted.add_look(look)
        for face in look.faces:
            if face.emotion is not None:
                self.face_evidence.add(face.emotion, face_seconds(face))

    def add_sound(self, sound: VoiceObservation) -> None:
        """Count one window of sound."""
        self.counted.add_sound(sound)
        if sound.emotion is not None:
            self.voice_evidence.add(sound.emotion, voice_seconds(sound))

    @property
    def face(self) -> ModalitySummary:
        """What was seen; shares wherever anything was."""
        return self.face_evidence.summary(0.0)

    @property
    def voice(self) -> ModalitySummary:
        """What was heard; shares wherever anything was."""
        return self.voice_evidence.summary(0.0)

    def fused(self, reliability: Reliability) -> ModalitySummary:
        """Both together."""
        return fuse(self.face_evidence, self.voice_evidence, reliability=reliability, least_s=0.0)
