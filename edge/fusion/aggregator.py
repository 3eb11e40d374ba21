"""Rolling windows: what each role's last seconds looked and sounded like.

::

    opened             the newest weigh most      closed
      [------------------------------------------)      window: ten seconds, open inclusive, close exclusive
                        [------------------------------------------)
                                                  ^ hop ^             the next closes one hop later

The first window closes one hop after the lesson's start and is as short as what there is.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from edge.behaviour import Behaviour
from edge.fusion.attention import Heads
from edge.fusion.clusters import Utterances
from edge.fusion.coverage import CoverageCount, Look
from edge.fusion.engagement import engagement
from edge.fusion.evidence import Evidence, Reliability, fuse, look_evidence, voice_seconds
from edge.fusion.talk import Talk, TalkMeter
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """A look, read once: windows overlap, and each would read it again."""

    look: Look
    evidence: Evidence


class Aggregator:
    """Closes one window a role every hop. Not for several threads at once.

    Within a window the newest observation weighs 1, the oldest 0, by the square of what is left of its time in the
    window: the shares follow a change within two hops, and the older seconds keep them from jumping. Poses and motions
    count in the same way. Who speaks is told from the sound of both roles, every second of the window alike.

    Args:
        epoch_ns: The lesson's start on the pipeline's clock.
        to_utc: Converts an instant of that clock to the calendar.
        windows: How time is cut.
        reliability: Of the two models.
        roles: Roles that have a source.
        worn: Roles whose microphones are worn by who speaks, such as a teacher's on the collar: where only such a one
            is heard, its speech is that role's. A microphone of the room alone can't tell who speaks.
    """

    def __init__(
        self,
        *,
        epoch_ns: int,
        to_utc: Callable[[int], datetime],
        windows: Windows,
        reliability: Reliability,
        roles: Iterable[Role] = tuple(Role),
        worn: Iterable[Role] = (Role.TEACHER,),
    ) -> None:
        self._epoch_ns = epoch_ns
        self._to_utc = to_utc
        self._windows = windows
        self._reliability = reliability
        self._window_ns, self._hop_ns = round(windows.window_s * 1e9), round(windows.hop_s * 1e9)
        self._roles = tuple(roles)
        # In order of time, so that sums of floats do not depend on the order of arrival.
        self._looks: dict[Role, list[_Seen]] = {role: [] for role in self._roles}
        self._sounds: dict[Role, list[VoiceObservation]] = {role: [] for role in self._roles}
        self._talk = TalkMeter(epoch_ns=epoch_ns, worn=worn, window_ns=self._window_ns, least_s=windows.least_s)
        self._closed_ns = epoch_ns
        self._late = 0

    @property
    def late(self) -> int:
        """Looks and windows of sound that came after a window they belonged to had closed."""
        return self._late

    def add_look(self, look: Look) -> None:
        """Count one analysed frame."""
        self._late += look.at_ns < self._closed_ns
        insort(self._looks[look.role], _Seen(look, look_evidence(look)), key=_look_order)

    def add_sound(self, sound: VoiceObservation) -> None:
        """Count one window of sound, at its newest hop."""
        self._late += _sound_at(sound) < self._closed_ns
        insort(self._sounds[sound.role], sound, key=_sound_order)
        self._talk.add(sound)

    def advance(self, now_ns: int) -> list[WindowSummary]:
        """Close every window that ends at or before *now_ns*; return them in order of time, then of role."""
        summaries = []
        while self._closed_ns + self._hop_ns <= now_ns:
            self._closed_ns += self._hop_ns
            open_ns = max(self._closed_ns - self._window_ns, self._epoch_ns)
            talk = self._talk.measure(open_ns, self._closed_ns)
            summaries += [self._close(role, open_ns, self._closed_ns, talk) for role in self._roles]
            keep_ns = self._closed_ns + self._hop_ns - self._window_ns
            for role in self._roles:
                del self._looks[role][: bisect_left(self._looks[role], keep_ns, key=_seen_at)]
                del self._sounds[role][: bisect_left(self._sounds[role], keep_ns, key=_sound_at)]
            self._talk.forget(self._closed_ns)
        return summaries

    def _close(self, role: Role, open_ns: int, close_ns: int, talk: Talk) -> WindowSummary:
        looks, sounds = self._looks[role], self._sounds[role]
        face, voice, coverage, heads, utterances = Evidence(), Evidence(), CoverageCount(), Heads(), Utterances()
        for seen in looks[bisect_left(looks, open_ns, key=_seen_at) : bisect_left(looks, close_ns, key=_seen_at)]:
            weight = self._recency(seen.look.at_ns, close_ns)
            coverage.add_look(seen.look)
            face.merge(seen.evidence, weight)
            heads.add(seen.look, weight)
        for sound in sounds[bisect_left(sounds, open_ns, key=_sound_at) : bisect_left(sounds, close_ns, key=_sound_at)]:
            coverage.add_sound(sound)
            if sound.emotion is not None:
                seconds = voice_seconds(sound)
                weight = self._recency(_sound_at(sound), close_ns)
                voice.add(sound.emotion, weight * seconds, utterances.cluster(sound, seconds))
        least_s = self._windows.least_s
        fused = fuse(face, voice, reliability=self._reliability, least_s=least_s)
        behaviour = _behaviour(role, heads, talk, least_s)
        return WindowSummary(
            opened_at=self._to_utc(open_ns),
            closed_at=self._to_utc(close_ns),
            opened_s=(open_ns - self._epoch_ns) / 1e9,
            closed_s=(close_ns - self._epoch_ns) / 1e9,
            role=role,
            face=face.summary(least_s),
            voice=voice.summary(least_s),
            fused=fused,
            coverage=coverage.coverage,
            late=self._late,
            behaviour=behaviour,
            engagement=engagement(behaviour, fused, talk) if role is Role.STUDENTS else None,
        )

    def _recency(self, at_ns: int, close_ns: int) -> float:
        return (1.0 - (close_ns - at_ns) / self._window_ns) ** 2


def _sound_at(sound: VoiceObservation) -> int:
    """Return the start of the newest hop, the part of the window that no earlier one has heard."""
    return sound.end_ns - sound.span_ns


def _sound_order(sound: VoiceObservation) -> tuple[int, int, str]:
    return _sound_at(sound), sound.end_ns, sound.source


def _seen_at(seen: _Seen) -> int:
    return seen.look.at_ns


def _look_order(seen: _Seen) -> tuple[int, str]:
    return seen.look.at_ns, seen.look.source


def _behaviour(role: Role, heads: Heads, talk: Talk, least_s: float) -> Behaviour:
    attention, attention_people = heads.attention(least_s)
    movement, movement_people = heads.movement(least_s)
    return Behaviour(
        attention=attention,
        attention_people=attention_people,
        movement=movement,
        movement_people=movement_people,
        talk=talk.talk[role],
        turns_per_min=talk.turns_per_min,
        overlap=talk.overlap,
        silence=talk.silence,
        unattributed=talk.unattributed,
    )
