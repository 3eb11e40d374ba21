"""How much of what could have been known was."""

import math
from collections import Counter
from dataclasses import dataclass, field

from edge.observation import FaceObservation, VoiceObservation
from edge.role import Role
from edge.summary import Coverage


@dataclass(frozen=True, slots=True)
class Look:
    """One analysed frame: its faces, none included."""

    at_ns: int
    """Nanoseconds of the pipeline's clock at which it was taken."""

    source: str
    role: Role
    faces: tuple[FaceObservation, ...]


@dataclass(slots=True, eq=False)
class CoverageCount:
    """Counts looks and windows of sound; its size does not grow with their number.

    Several cameras of one role are taken to see different people: their counts add up.
    """

    faces_per_look: dict[str, Counter[int]] = field(default_factory=dict)
    """A source: how many looks found so many faces."""

    seen: int = 0
    usable: int = 0
    sounds: int = 0
    sound_ns: int = 0
    speech_ns: float = 0.0
    power: float = 0.0
    """Sum of the windows' mean squares, full scale is 1."""

    gaps: int = 0
    face_ns: int = 0
    """Person-time of the faces that were read."""

    voice_ns: float = 0.0
    """Speech in the windows that were read."""

    def add_look(self, look: Look) -> None:
        """Count one analysed frame."""
        self.faces_per_look.setdefault(look.source, Counter())[len(look.faces)] += 1
        self.seen += len(look.faces)
        read_ns = [face.span_ns for face in look.faces if face.emotion is not None]
        self.usable += len(read_ns)
        self.face_ns += sum(read_ns)

    def add_sound(self, sound: VoiceObservation) -> None:
        """Count one window of sound."""
        self.sounds += 1
        self.sound_ns += sound.span_ns
        self.speech_ns += sound.speech_ratio * sound.span_ns
        self.power += 10 ** (sound.level_dbfs / 10) if sound.level_dbfs is not None else 0.0
        self.gaps += sound.gap
        self.voice_ns += 0.0 if sound.emotion is None else sound.speech_ratio * sound.span_ns

    @property
    def looks(self) -> int:
        """Analysed frames."""
        return sum(counts.total() for counts in self.faces_per_look.values())

    @property
    def coverage(self) -> Coverage:
        """What the counts say."""
        return Coverage(
            people=sum(_middle(counts) for counts in self.faces_per_look.values()),
            usable_faces=self.usable / self.seen if self.seen else None,
            speech_ratio=min(1.0, self.speech_ns / self.sound_ns) if self.sound_ns else None,
            level_dbfs=10 * math.log10(self.power / self.sounds) if self.power > 0 else None,
            gaps=self.gaps,
            face_s=self.face_ns / 1e9,
            voice_s=self.voice_ns / 1e9,
        )


def _middle(counts: Counter[int]) -> int:
    """Return the lower median of a histogram."""
    below, half = 0, (counts.total() + 1) // 2
    for value in sorted(counts):
        below += counts[value]
        if below >= half:
            return value
    return 0
