"""Who speaks, from how loud speech is in each role's microphones; words are not understood and voices not recognised.

::

    teacher   ▁▇▇▇▇▁▁▃▃▃▁▇▇      a microphone hears everybody, its own role loudest
    students  ▁▃▃▃▃▁▁▆▆▆▁▆▆
    told      -TTTT--SSS-OO      T teacher, S students, O both at once, - silence

Microphones are compared on one grid of slots. Where both roles' hold speech, the role whose channel stands out of its
own quiet by :data:`CLEARLY_DB` more than the other's has it; else both speak. A microphone of the room alone can't tell
who speaks, and neither can two while one of their quiets isn't known; one that its speaker wears can, for that role.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.fusion.quiet import QuietLevel
from edge.observation import VoiceObservation
from edge.role import Role

LEAST_SPEECH = 0.2
"""Share of a hop under which its speech is a cough or a chair."""

CLEARLY_DB = 6.0
"""How much further a channel must stand out of its quiet: twice the sound pressure."""

LOOK_BACK_S = 60.0
"""Seconds over which changes of speaker are counted; in ten seconds, one more or less would be six a minute."""

LEAST_TURNS_S = 30.0
"""Seconds of sound of both roles under which no rate of turns is told."""

_SLOT_NS = 500_000_000
_HOLE = 3_000_000_000 // _SLOT_NS
_UNHEARD, _SILENT, _TEACHER, _STUDENTS, _BOTH, _SOMEBODY = range(6)
_OF_ROLE: Mapping[Role, int] = {Role.TEACHER: _TEACHER, Role.STUDENTS: _STUDENTS}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Talk:
    """What the microphones of both roles say together about one window; ``None`` without evidence."""

    talk: Mapping[Role, float | None]
    """Share of the time in which each role speaks, in [0, 1]."""

    heard_s: float = 0.0
    """Seconds in which it could be told for both roles."""

    turns_per_min: float | None = None
    """Changes of speaker, over :data:`LOOK_BACK_S`."""

    overlap: float | None = None
    """Share of the time in which both speak, in [0, 1]."""

    silence: float | None = None
    """Share of the time in which nobody speaks, in [0, 1]."""

    unattributed: float | None = None
    """Share of the time in which somebody speaks and it can't be told who, in [0, 1]."""

    noise_db: float | None = None
    """How far the room stands out of its own quiet while no single one speaks: mean, dB, not negative."""

    noise_s: float = 0.0
    """Seconds behind it."""


NOTHING_HEARD = Talk(dict.fromkeys(Role))
"""No sound."""


class TalkMeter:
    """Listens to the microphones of both roles. Not for several threads at once.

    What it holds does not grow: the hops of the look-back, and a histogram of levels a source.

    Args:
        epoch_ns: The lesson's start on the pipeline's clock.
        worn: Roles whose microphones are worn by who speaks, and hear others too softly to count alone.
        window_ns: Length of the windows, nanoseconds.
        least_s: Seconds of sound under which a share isn't told.
    """

    def __init__(self, *, epoch_ns: int, worn: Iterable[Role], window_ns: int, least_s: float) -> None:
        self._epoch_ns = epoch_ns
        self._worn = frozenset(worn)
        self._back_ns = max(window_ns, round(LOOK_BACK_S * 1e9))
        self._least = max(least_s * 1e9 / _SLOT_NS, 1.0)
        self._sounds: dict[tuple[Role, str], list[VoiceObservation]] = {}
        self._quiet: dict[tuple[Role, str], QuietLevel] = {}

    def add(self, sound: VoiceObservation) -> None:
        """Count one window of sound, at its newest hop."""
        channel = sound.role, sound.source
        insort(self._sounds.setdefault(channel, []), sound, key=_begins)
        self._quiet.setdefault(channel, QuietLevel())

    def measure(self, open_ns: int, close_ns: int) -> Talk:
        """Return what was said from *open_ns* to *close_ns*, by what has come so far; what came early waits."""
        if not self._sounds:
            return NOTHING_HEARD
        grid = _Grid(self._epoch_ns, max(close_ns - self._back_ns, self._epoch_ns), close_ns)
        speech = {role: np.full(grid.slots, np.nan) for role in Role}
        above = {role: np.full(grid.slots, np.nan) for role in Role}
        for (role, source), sounds in sorted(self._sounds.items()):
            ratio, level = grid.lay(sounds)
            quiet = self._quiet[role, source].level(sounds[: bisect_left(sounds, close_ns, key=_begins)])
            # Several microphones of a role: the one that stands out most; fmax passes over what wasn't heard.
            speech[role] = np.fmax(speech[role], ratio)
            if quiet is not None:
                # Digital silence is as quiet as can be.
                excess = np.where(np.isnan(level), 0.0, np.maximum(level - quiet, 0.0))
                above[role] = np.fmax(above[role], np.where(np.isnan(ratio), np.nan, excess))
        told = self._attribute(speech, above)
        return self._add_up(told, speech, above, recent=min(grid.after(open_ns), grid.slots))

    def forget(self, close_ns: int) -> None:
        """Let go of what no window that closes after *close_ns* looks back to; its levels are remembered."""
        for channel, sounds in self._sounds.items():
            # Hops of a source are as long as each other and in order, so their ends are too.
            gone = bisect_right(sounds, close_ns - self._back_ns, key=lambda sound: sound.end_ns)
            self._quiet[channel].learn(sounds[:gone])
            del sounds[:gone]

    def _attribute(self, speech: Mapping[Role, Floats], above: Mapping[Role, Floats]) -> npt.NDArray[np.int64]:
        """Return who has each slot."""
        ours, theirs = Role.TEACHER, Role.STUDENTS
        heard = {role: np.isfinite(speech[role]) for role in Role}
        speaks = {role: heard[role] & (speech[role] >= LEAST_SPEECH) for role in Role}
        told = np.full(len(speech[ours]), _UNHEARD)
        both = heard[ours] & heard[theirs]
        told[both] = _SILENT
        for role, other in ((ours, theirs), (theirs, ours)):
            told[both & speaks[role] & ~speaks[other]] = _OF_ROLE[role]
            alone = heard[role] & ~heard[other]
            told[alone & speaks[role]] = _OF_ROLE[role] if role in self._worn else _SOMEBODY
            if role not in self._worn:
                told[alone & ~speaks[role]] = _SILENT
        double = both & speaks[ours] & speaks[theirs]
        lead = above[ours] - above[theirs]
        told[double] = _BOTH
        told[double & (lead >= CLEARLY_DB)] = _TEACHER
        told[double & (lead <= -CLEARLY_DB)] = _STUDENTS
        # A channel whose quiet isn't known may be deaf: all speech is then somebody's.
        told[both & np.isnan(lead) & (speaks[ours] | speaks[theirs])] = _SOMEBODY
        return told

    def _add_up(
        self,
        told: npt.NDArray[np.int64],
        speech: Mapping[Role, Floats],
        above: Mapping[Role, Floats],
        *,
        recent: int,
    ) -> Talk:
        heard = {role: np.isfinite(speech[role]) for role in Role}
        both = heard[Role.TEACHER] & heard[Role.STUDENTS]
        known = both & np.isfinite(above[Role.TEACHER] - above[Role.STUDENTS])
        turns = _turns_per_min(told, known)
        # From here on the window alone.
        now = slice(recent, None)
        told, both, known = told[now], both[now], known[now]
        most = np.fmax(speech[Role.TEACHER][now], speech[Role.STUDENTS][now])
        room = both.copy()
        noise = np.full(len(told), np.nan)
        for role in Role:
            if role not in self._worn:
                room |= heard[role][now]
                noise = np.fmax(noise, above[role][now])
        talk: dict[Role, float | None] = {}
        for role in Role:
            spoken = np.where(told == _OF_ROLE[role], most, np.where(told == _BOTH, speech[role][now], 0.0))
            alone = heard[role][now] & ~both if role in self._worn else np.zeros(len(told), np.bool_)
            talk[role] = self._share(spoken, known | alone)
        least = np.minimum(speech[Role.TEACHER][now], speech[Role.STUDENTS][now])
        nobody = np.where(told == _SILENT, 1.0, 1.0 - most)
        calm = np.isfinite(noise) & np.isin(told, (_SILENT, _BOTH))
        return Talk(
            talk=talk,
            heard_s=float(known.sum()) * _SLOT_NS / 1e9,
            turns_per_min=turns,
            overlap=self._share(np.where(told == _BOTH, least, 0.0), known),
            silence=self._share(nobody, room),
            unattributed=self._share(np.where(told == _SOMEBODY, most, 0.0), room),
            noise_db=float(noise[calm].mean()) if calm.sum() >= self._least else None,
            noise_s=float(calm.sum()) * _SLOT_NS / 1e9,
        )

    def _share(self, values: Floats, known: npt.NDArray[np.bool_]) -> float | None:
        return float(np.clip(values[known].mean(), 0.0, 1.0)) if known.sum() >= self._least else None


@dataclass(frozen=True, slots=True)
class _Grid:
    """Slots between two instants, the same whatever is laid on them."""

    epoch_ns: int
    open_ns: int
    close_ns: int

    @property
    def slots(self) -> int:
        """Whole slots that lie inside."""
        return max((self.close_ns - self.epoch_ns) // _SLOT_NS - self._first, 0)

    @property
    def _first(self) -> int:
        return -((self.epoch_ns - self.open_ns) // _SLOT_NS)

    def after(self, at_ns: int) -> int:
        """Return the first slot that begins at *at_ns* or later."""
        return -((self.epoch_ns - at_ns) // _SLOT_NS) - self._first

    def lay(self, sounds: Iterable[VoiceObservation]) -> tuple[Floats, Floats]:
        """Return the speech ratio and the level of the hop that holds the middle of each slot, NaN where none does."""
        ratio, level = np.full(self.slots, np.nan), np.full(self.slots, np.nan)
        begin_ns = self.epoch_ns + self._first * _SLOT_NS + _SLOT_NS // 2
        for sound in sounds:
            first = max(-((begin_ns - _begins(sound)) // _SLOT_NS), 0)
            last = max(-((begin_ns - sound.end_ns) // _SLOT_NS), 0)
            ratio[first:last] = sound.hop_speech_ratio
            level[first:last] = np.nan if sound.hop_level_dbfs is None else sound.hop_level_dbfs
        return ratio, level


def _begins(sound: VoiceObservation) -> int:
    return sound.end_ns - sound.span_ns


def _turns_per_min(told: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> float | None:
    """Return how often the word changes hands; silence, overlap and what can't be told leave it where it is."""
    seconds = float(known.sum()) * _SLOT_NS / 1e9
    if seconds < LEAST_TURNS_S:
        return None
    holds = np.flatnonzero(known & ((told == _TEACHER) | (told == _STUDENTS)))
    unheard = np.cumsum(~known)[holds]
    # Across a hole longer than that it can't be told who spoke in between.
    changed = (np.diff(told[holds]) != 0) & (np.diff(unheard) < _HOLE)
    return float(changed.sum()) * 60 / seconds
