"""Rolling windows: what each role's last seconds looked and sounded like.

::

    opened             the newest weigh most      closed
      [------------------------------------------)      window: ten seconds, open inclusive, close exclusive
                        [------------------------------------------)
                                                  ^ hop ^             the next closes one hop later

The first window closes one hop after the lesson's start and is as short as what there is.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from edge.fusion.coverage import CoverageCount, Look
from edge.fusion.evidence import Evidence, Reliability, face_seconds, fuse, voice_seconds
from edge.observation import VoiceObservation
from edge.role import Role
from edge.summary import WindowSummary


@dataclass(frozen=True, slots=True)
class Windows:
    """How time is cut."""

    window_s: float = 10.0
    """Length, seconds."""

    hop_s: float = 2.0
    """Time from one close to the next, seconds; no more than the length, or there would be gaps."""

    least_s: float = 1.0
    """Person-seconds under which a modality is "not enough evidence"."""

    def __post_init__(self) -> None:
        if not 0 < self.hop_s <= self.window_s:
            raise ValueError(f"hop_s must be in (0, window_s], got {self.hop_s} of {self.window_s}")
        if self.least_s < 0:
            raise ValueError(f"least_s must not be negative, got {self.least_s}")


class Aggregator:
    """Closes one window a role every hop. Not for several threads at once.

    Within a window the newest observation weighs 1, the oldest 0, by the square of what is left of its time in the
    window: the shares follow a change within two hops, and the older seconds keep them from jumping.

    Args:
        epoch_ns: The lesson's start on the pipeline's clock.
        to_utc: Converts an instant of that clock to the calendar.
        windows: How time is cut.
        reliability: Of the two models.
        roles: Roles that have a source.
    """

    def __init__(
        self,
        *,
        epoch_ns: int,
        to_utc: Callable[[int], datetime],
        windows: Windows,
        reliability: Reliability,
        roles: Iterable[Role] = tuple(Role),
    ) -> None:
        self._epoch_ns = epoch_ns
        self._to_utc = to_utc
        self._windows = windows
        self._reliability = reliability
        self._window_ns, self._hop_ns = round(windows.window_s * 1e9), round(windows.hop_s * 1e9)
        self._roles = tuple(roles)
        self._looks: dict[Role, deque[Look]] = {role: deque() for role in self._roles}
        self._sounds: dict[Role, deque[VoiceObservation]] = {role: deque() for role in self._roles}
        self._closed_ns = epoch_ns
        self._late = 0

    @property
    def late(self) -> int:
        """Looks and windows of sound that came after a window they belonged to had closed."""
        return self._late

    def add_look(self, look: Look) -> None:
        """Count one analysed frame."""
        self._late += look.at_ns < self._closed_ns
        self._looks[look.role].append(look)

    def add_sound(self, sound: VoiceObservation) -> None:
        """Count one window of sound, at its newest hop."""
        self._late += _sound_at(sound) < self._closed_ns
        self._sounds[sound.role].append(sound)

    def advance(self, now_ns: int) -> list[WindowSummary]:
        """Close every window that ends at or before *now_ns*; return them in order of time, then of role."""
        summaries = []
        while self._closed_ns + self._hop_ns <= now_ns:
            self._closed_ns += self._hop_ns
            summaries += [self._close(role, self._closed_ns) for role in self._roles]
            keep_ns = self._closed_ns + self._hop_ns - self._window_ns
            for role in self._roles:
                self._looks[role] = deque(look for look in self._looks[role] if look.at_ns >= keep_ns)
                self._sounds[role] = deque(s for s in self._sounds[role] if _sound_at(s) >= keep_ns)
        return summaries

    def _close(self, role: Role, close_ns: int) -> WindowSummary:
        open_ns = max(close_ns - self._window_ns, self._epoch_ns)
        # Sorted, so that sums of floats do not depend on the order of arrival.
        looks = sorted(
            (look for look in self._looks[role] if open_ns <= look.at_ns < close_ns),
            key=lambda look: (look.at_ns, look.source),
        )
        sounds = sorted(
            (s for s in self._sounds[role] if open_ns <= _sound_at(s) < close_ns),
            key=lambda s: (s.end_ns, s.source),
        )
        face, voice, coverage = Evidence(), Evidence(), CoverageCount()
        for look in looks:
            coverage.add_look(look)
            weight = self._recency(look.at_ns, close_ns)
            for seen in look.faces:
                if seen.emotion is not None:
                    face.add(seen.emotion, weight * face_seconds(seen))
        for sound in sounds:
            coverage.add_sound(sound)
            if sound.emotion is not None:
                voice.add(sound.emotion, self._recency(_sound_at(sound), close_ns) * voice_seconds(sound))
        least_s = self._windows.least_s
        return WindowSummary(
            opened_at=self._to_utc(open_ns),
            closed_at=self._to_utc(close_ns),
            opened_s=(open_ns - self._epoch_ns) / 1e9,
            closed_s=(close_ns - self._epoch_ns) / 1e9,
            role=role,
            face=face.summary(least_s),
            voice=voice.summary(least_s),
            fused=fuse(face, voice, reliability=self._reliability, least_s=least_s),
            coverage=coverage.coverage,
            late=self._late,
        )

    def _recency(self, at_ns: int, close_ns: int) -> float:
        return (1.0 - (close_ns - at_ns) / self._window_ns) ** 2


def _sound_at(sound: VoiceObservation) -> int:
    """Return the start of the newest hop, the part of the window that no earlier one has heard."""
    return sound.end_ns - sound.span_ns
