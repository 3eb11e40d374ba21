"""A whole recording in one set of shares, by the same rule as a window."""

from dataclasses import dataclass, field

from edge.fusion.clusters import Utterances
from edge.fusion.coverage import CoverageCount, Look
from edge.fusion.evidence import Evidence, Reliability, fuse, look_evidence, voice_seconds
from edge.observation import VoiceObservation
from edge.summary import ModalitySummary

_OVER_NS = 10_000_000_000
"""Nanoseconds after which an unseen face is over: many times what a tracker waits for it."""


@dataclass(slots=True, eq=False)
class Tally:
    """Everything one role showed and said, every moment weighing the same; as small at the end as at the start.

    Of a face that is over, only the square of its person-seconds is kept, in a sum with all others.
    """

    face_evidence: Evidence = field(default_factory=Evidence)
    voice_evidence: Evidence = field(default_factory=Evidence)
    counted: CoverageCount = field(default_factory=CoverageCount)
    _seen_ns: dict[tuple[str, int], int] = field(default_factory=dict, init=False, repr=False)
    """A face of late: when it was last seen."""

    _utterances: Utterances = field(default_factory=Utterances, init=False, repr=False)

    def add_look(self, look: Look) -> None:
        """Count one analysed frame."""
        self.counted.add_look(look)
        self.face_evidence.merge(look_evidence(look))
        self._seen_ns.update({(face.source, face.track_id): look.at_ns for face in look.faces})
        for track in [track for track, seen_ns in self._seen_ns.items() if seen_ns < look.at_ns - _OVER_NS]:
            self.face_evidence.clusters.retire(track)
            del self._seen_ns[track]

    def add_sound(self, sound: VoiceObservation) -> None:
        """Count one window of sound."""
        self.counted.add_sound(sound)
        if sound.emotion is None:
            return
        seconds = voice_seconds(sound)
        source, number = self._utterances.cluster(sound, seconds)
        self.voice_evidence.add(sound.emotion, seconds, (source, number))
        self.voice_evidence.clusters.retire((source, number - 1))

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
