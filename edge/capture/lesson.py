"""A simulated lesson as data: who shows what and who speaks when, and so the truth that tests compare with.

A lesson is a TOML file::

    title = "Ten calm seconds, then ten sad ones"
    seconds = 20
    loop = false              # optional: start again at the end
    fade_s = 1.5              # optional: seconds over which the class's mood changes

    [[phase]]
    at_s = 0                  # seconds from the lesson's start; the first is 0
    students = { neutral = 0.6, happiness = 0.4 }      # shares of the pupils; they add up to 1
    teacher = "neutral"       # optional
    class_voice = { emotion = "happiness", level_dbfs = -26, phrase_s = 2.0, pause_s = 1.0 }

    [[phase]]
    at_s = 10
    students = { sadness = 1.0 }
    # without class_voice and teacher_voice nobody speaks

A phase tells everything about its stretch: nothing is inherited from the one before. A voice needs only its emotion,
whose usual prosody then fills in ``pitch_hz``, ``level_dbfs`` and ``syllables_per_s``.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import SettingsError
from edge.observation import Emotion, EmotionDistribution
from edge.role import Role

LESSONS = Path(__file__).with_name("lessons")
"""Where the shipped lessons lie."""

PROSODY: Mapping[Emotion, tuple[float, float, float]] = {
    Emotion.ANGER: (1.30, 6.0, 5.0),
    Emotion.DISGUST: (0.95, 0.0, 3.4),
    Emotion.FEAR: (1.35, -1.0, 5.2),
    Emotion.HAPPINESS: (1.25, 3.0, 4.8),
    Emotion.SADNESS: (0.85, -6.0, 2.8),
    Emotion.SURPRISE: (1.35, 2.0, 4.2),
    Emotion.NEUTRAL: (1.00, 0.0, 4.0),
}
"""Pitch as a factor of the calm voice's, level in dB over it, and syllables a second (after Scherer, 2003, table 2)."""

CALM_PITCH_HZ = {Role.STUDENTS: 240.0, Role.TEACHER: 165.0}
"""Pitch of a calm child and of a calm adult, hertz."""

CALM_LEVEL_DBFS = -26.0
"""Level of calm speech while it lasts; 0 is full scale."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How somebody speaks during a phase: phrases of one length with pauses of one length between them."""

    emotion: Emotion

    pitch_hz: float
    """Middle of the pitch contour, hertz."""

    level_dbfs: float
    """Root-mean-square level of a phrase; 0 is full scale."""

    syllables_per_s: float

    phrase_s: float
    """Seconds of speech between pauses."""

    pause_s: float
    """Seconds of silence between phrases; 0 speaks on and on."""

    def speaking(self, into_s: float) -> bool:
        """Return whether a phrase is under way *into_s* seconds after the phase began."""
        return into_s % (self.phrase_s + self.pause_s) < self.phrase_s


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the lesson in which nothing scripted changes."""

    at_s: float
    """Seconds from the lesson's start."""

    students: EmotionDistribution
    """Shares of the pupils who show each emotion."""

    teacher: Emotion
    """What the teacher's face shows."""

    class_voice: Voice | None
    """``None`` where no pupil speaks."""

    teacher_voice: Voice | None
    """``None`` where the teacher is silent."""

    def voice(self, role: Role) -> Voice | None:
        """Return the voice that a source of this role hears."""
        return self.class_voice if role is Role.STUDENTS else self.teacher_voice


@dataclass(frozen=True, slots=True)
class LessonTruth:
    """What really goes on at one instant of a simulated lesson."""

    at_s: float
    """Seconds from the lesson's start."""

    students: EmotionDistribution
    """Shares of the pupils who show each emotion, between two phases' while the mood changes."""

    teacher: Emotion
    """What the teacher's face shows."""

    class_speaking: bool
    """Whether a pupil is in the middle of a phrase."""

    teacher_speaking: bool
    """Whether the teacher is in the middle of a phrase."""

    @property
    def negative_share(self) -> float:
        """Share of the pupils who show a negative emotion, in [0, 1]."""
        return self.students.negative_share


@dataclass(frozen=True, slots=True)
class LessonScript:
    """The timeline of one lesson."""

    title: str

    seconds: float
    """Length of the lesson."""

    loop: bool
    """Whether it starts again at its end."""

    fade_s: float
    """Seconds over which the class's mood changes at the start of a phase."""

    phases: tuple[Phase, ...]
    """In order of time; the first starts at 0."""

    def index_at(self, at_s: float) -> int:
        """Return which phase is under way; a time before 0 or past the end belongs to the nearest phase."""
        return max(0, sum(phase.at_s <= at_s for phase in self.phases) - 1)

    def end_of(self, index: int) -> float:
        """Return the second at which a phase ends."""
        return self.phases[index + 1].at_s if index + 1 < len(self.phases) else self.seconds

    def truth(self, at_s: float) -> LessonTruth:
        """Return what goes on at *at_s* seconds of media time; a lesson that loops wraps around.

        Raises:
            ValueError: The time is negative or, unless the lesson loops, past its end.
        """
        if at_s < 0 or (at_s > self.seconds and not self.loop):
            raise ValueError(f"at_s must be in [0, {self.seconds:g}], got {at_s:g}")
        if self.loop:
            at_s %= self.seconds
        index = self.index_at(at_s)
        phase = self.phases[index]
        before = self.phases[max(index - 1, 0)]
        into = at_s - phase.at_s
        done = 1.0 if self.fade_s == 0 else min(1.0, into / self.fade_s)
        mixed = done * np.array(phase.students.probabilities) + (1 - done) * np.array(before.students.probabilities)
        return LessonTruth(
            at_s=at_s,
            students=EmotionDistribution.of(mixed),
            teacher=phase.teacher,
            class_speaking=phase.class_voice is not None and phase.class_voice.speaking(into),
            teacher_speaking=phase.teacher_voice is not None and phase.teacher_voice.speaking(into),
        )

    def pupils(self, people: int, *, seed: int = 0) -> tuple[tuple[Emotion, ...], ...]:
        """Give every pupil an emotion in every phase, changing as few of them as the shares allow.

        Args:
            people: Pupils in the class, at least 1.
            seed: Who is who; the numbers of pupils do not depend on it.

        Returns:
            One tuple a phase with one emotion a pupil. The counts are the shares, rounded by largest remainder.
        """
        order = np.random.default_rng(seed)
        plans: list[tuple[Emotion, ...]] = []
        for phase in self.phases:
            left = _seats(phase.students, people)
            plan: list[Emotion | None] = [None] * people
            if plans:
                for pupil in order.permutation(people):
                    kept = plans[-1][pupil]
                    if left[kept] > 0:
                        plan[pupil], left[kept] = kept, left[kept] - 1
            waiting = [emotion for emotion, count in left.items() for _ in range(count)]
            free = [int(pupil) for pupil in order.permutation(people) if plan[pupil] is None]
            for pupil, emotion in zip(free, waiting, strict=True):
                plan[pupil] = emotion
            plans.append(tuple(emotion for emotion in plan if emotion is not None))
        return tuple(plans)


def _seats(shares: EmotionDistribution, people: int) -> dict[Emotion, int]:
    """Round shares to whole pupils by largest remainder."""
    exact = {emotion: share * people for emotion, share in shares.shares().items()}
    seats = {emotion: math.floor(value + 1e-9) for emotion, value in exact.items()}
    by_remainder = sorted(exact, key=lambda emotion: seats[emotion] - exact[emotion])
    for emotion in by_remainder[: people - sum(seats.values())]:
        seats[emotion] += 1
    return seats


def shipped_lessons() -> tuple[str, ...]:
    """Return the names of the lessons that come with the package."""
    return tuple(sorted(path.stem for path in LESSONS.glob("*.toml")))


def read_lesson(path_or_name: str | Path) -> LessonScript:
    """Read a lesson: the name of a shipped one, or the path of a ``.toml`` file.

    Raises:
        SettingsError: There is no such lesson, or its file breaks a rule; one line says which.
    """
    path = Path(path_or_name)
    if path.suffix != ".toml":
        path = LESSONS / f"{path_or_name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        known = ", ".join(shipped_lessons())
        raise SettingsError(
            f"no such lesson: {path_or_name}; name a shipped one ({known}) or the path of a .toml file", key="lesson"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); give a UTF-8 text file", key="lesson") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML ({error})", key="lesson") from error
    return _Reader(path).lesson(table)


class _Reader:
    """Checks a lesson's tables; every complaint names the file and the key."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _error(self, key: str, message: str) -> SettingsError:
        return SettingsError(f"{message} (in {self._path})", key=key)

    def _known(self, table: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> None:
        for name in table:
            if name not in allowed:
                where = f"{key}.{name}" if key else name
                raise self._error(where, f"unknown key; allowed are {', '.join(allowed)}")

    def _number(self, table: Mapping[str, Any], key: str, default: float | None, low: float, high: float) -> float:
        name = key.rsplit(".", 1)[-1]
        value = table.get(name, default)
        if value is None:
            raise self._error(key, f"missing; give a number in [{low:g}, {high:g}]")
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self._error(key, f"must be a number in [{low:g}, {high:g}], got {value!r}")
        return float(value)

    def _table(self, value: object, key: str, shape: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._error(key, f"must be a table such as {shape}, got {value!r}")
        return value

    def _emotion(self, value: object, key: str) -> Emotion:
        if value not in tuple(Emotion):
            raise self._error(key, f"must be one of {', '.join(Emotion)}, got {value!r}")
        return Emotion(str(value))

    def lesson(self, table: Mapping[str, Any]) -> LessonScript:
        self._known(table, "", ("title", "seconds", "loop", "fade_s", "phase"))
        title, loop = table.get("title", self._path.stem), table.get("loop", False)
        if not isinstance(title, str):
            raise self._error("title", f"must be text, got {title!r}")
        if not isinstance(loop, bool):
            raise self._error("loop", f"must be true or false, got {loop!r}")
        seconds = self._number(table, "seconds", None, 1, 86_400)
        phases = table.get("phase")
        if not isinstance(phases, list) or not phases:
            raise self._error("phase", "a lesson needs at least one [[phase]]")
        read = tuple(self._phase(phase, f"phase[{index}]") for index, phase in enumerate(phases))
        if read[0].at_s != 0:
            raise self._error("phase[0].at_s", f"the first phase must start at 0, got {read[0].at_s:g}")
        for index, (before, after) in enumerate(pairwise(read), start=1):
            if after.at_s <= before.at_s:
                raise self._error(f"phase[{index}].at_s", f"must be later than {before.at_s:g}, got {after.at_s:g}")
        if read[-1].at_s >= seconds:
            raise self._error(f"phase[{len(read) - 1}].at_s", f"must be before the end ({seconds:g} s)")
        return LessonScript(title, seconds, loop, self._number(table, "fade_s", 1.5, 0, 30), read)

    def _phase(self, value: object, key: str) -> Phase:
        table = self._table(value, key, "[[phase]]")
        self._known(table, key, ("at_s", "students", "teacher", "class_voice", "teacher_voice"))
        return Phase(
            at_s=self._number(table, f"{key}.at_s", None, 0, 86_400),
            students=self._shares(table.get("students"), f"{key}.students"),
            teacher=self._emotion(table.get("teacher", "neutral"), f"{key}.teacher"),
            class_voice=self._voice(table.get("class_voice"), f"{key}.class_voice", Role.STUDENTS),
            teacher_voice=self._voice(table.get("teacher_voice"), f"{key}.teacher_voice", Role.TEACHER),
        )

    def _shares(self, value: object, key: str) -> EmotionDistribution:
        table = self._table(value, key, "{ neutral = 0.6, happiness = 0.4 }")
        self._known(table, key, tuple(Emotion))
        shares = [self._number(table, f"{key}.{emotion}", 0.0, 0, 1) for emotion in Emotion]
        if not math.isclose(sum(shares), 1.0, abs_tol=1e-3):
            raise self._error(key, f"shares must add up to 1, got {sum(shares):g}")
        return EmotionDistribution.of(shares)

    def _voice(self, value: object, key: str, role: Role) -> Voice | None:
        if value is None:
            return None
        table = self._table(value, key, '{ emotion = "neutral", phrase_s = 2.0, pause_s = 1.0 }')
        self._known(table, key, ("emotion", "pitch_hz", "level_dbfs", "syllables_per_s", "phrase_s", "pause_s"))
        emotion = self._emotion(table.get("emotion"), f"{key}.emotion")
        pitch, louder, rate = PROSODY[emotion]
        return Voice(
            emotion=emotion,
            pitch_hz=self._number(table, f"{key}.pitch_hz", CALM_PITCH_HZ[role] * pitch, 60, 500),
            level_dbfs=self._number(table, f"{key}.level_dbfs", CALM_LEVEL_DBFS + louder, -60, -10),
            syllables_per_s=self._number(table, f"{key}.syllables_per_s", rate, 1, 8),
            phrase_s=self._number(table, f"{key}.phrase_s", 2.0, 0.5, 20),
            pause_s=self._number(table, f"{key}.pause_s", 0.8, 0, 600),
        )
