"""Teacher and students side by side over a lesson: do their moods move together, who moves first, who speaks.

A correlation is not a cause: both may follow a third thing, such as a bell.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.fusion.serial import (
    LEAST_WINDOWS,
    Correlation,
    Floats,
    autocorrelations,
    clearly_stronger,
    correlate,
    errors_for,
)
from edge.metric import Metric
from edge.role import Role
from edge.summary import WindowSummary

COMPARED = (Metric.VALENCE, Metric.NEGATIVE, Metric.POSITIVE)
"""Metrics that are set side by side."""

_LEAST_LAG_S = 4.0  # Faces and voices are smoothed and windowed unlike each other; that alone may make a shorter lead.
_LEAST_TALK = 0.2
_CLEARLY = 2.0
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class LagPoint:
    """The correlation with one series shifted."""

    lag_s: float
    """Seconds by which the students come after the teacher; negative where they come before."""

    r: float
    """Pearson's, in [-1, 1]."""

    low: float
    """Lower end of its interval: 95 % for all lags together (Bonferroni, over as many as are independent)."""

    high: float
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class Coupling:
    """One metric of both roles, side by side."""

    metric: Metric

    students: tuple[float | None, ...]
    """A value for each of :attr:`Comparison.at_s`; ``None`` without evidence."""

    teacher: tuple[float | None, ...]
    """The same of the teacher."""

    correlation: Correlation | None
    """At the same time; ``None`` with too few common windows or a series that never moves."""

    lags: tuple[LagPoint, ...]
    """In rising order of lag; empty without :attr:`correlation`."""

    peak: LagPoint | None
    """The strongest of the lags, whatever its sign."""

    leader: Role | None
    """Who moves first; ``None`` where that can't be told, which includes both moving at once."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """Who spoke, and how the word went back and forth."""

    observed_s: float
    """Seconds in which the speech of both roles could be told."""

    teacher_talk: float
    """Share of that time in which the teacher spoke, in [0, 1]."""

    students_talk: float
    """Share of that time in which students spoke, in [0, 1]."""

    turns: float | None
    """Changes of speaker, added up from the windows' rates; ``None`` where none was measured."""

    turns_s: float
    """Seconds in which they were measured."""

    teacher_to_students: int
    """Times the word went to the class for long: windows in which the teacher clearly spoke more, then the class."""

    students_to_teacher: int
    """Times it came back."""

    @property
    def turns_per_min(self) -> float | None:
        """Changes of speaker a minute."""
        return None if self.turns is None else self.turns / self.turns_s * 60


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both roles over one lesson."""

    hop_s: float
    """Seconds from one window's close to the next."""

    at_s: tuple[float, ...]
    """Windows' closes on one grid, seconds since the lesson began; holes are filled with ``None`` in the series."""

    couplings: tuple[Coupling, ...]
    """One for each of :data:`COMPARED`, in its order."""

    interaction: Interaction | None
    """``None`` with too few windows in which the speech of both roles could be told."""

    def coupling(self, metric: Metric) -> Coupling | None:
        """Return one metric's; ``None`` for a metric that is not compared."""
        return next((coupling for coupling in self.couplings if coupling.metric is metric), None)


def compare(
    students: Iterable[WindowSummary], teacher: Iterable[WindowSummary], *, most_lag_s: float = 60.0
) -> Comparison:
    """Set both roles of a lesson side by side.

    Args:
        students: Their windows, in any order; what is suppressed counts as no evidence.
        teacher: The teacher's windows, cut at the same times.
        most_lag_s: Lags up to this far are looked at, both ways, seconds.
    """
    if not most_lag_s >= 0:
        raise ValueError(f"most_lag_s must not be negative, got {most_lag_s}")
    roles = {Role.STUDENTS: list(students), Role.TEACHER: list(teacher)}
    hop_s, at_s = _grid([window.closed_s for windows in roles.values() for window in windows])

    def series(role: Role, metric: Metric) -> Floats:
        values = np.full(len(at_s), np.nan)
        for window in roles[role]:
            value = window.value(metric)
            values[round((round(window.closed_s, 3) - at_s[0]) / hop_s)] = np.nan if value is None else value
        return values

    most = math.floor((most_lag_s + _ROUNDING_S) / hop_s)
    couplings = [_couple(m, series(Role.STUDENTS, m), series(Role.TEACHER, m), hop_s, most) for m in COMPARED]
    talk = {role: series(role, Metric.TALK) for role in Role}
    # Both roles carry the same rate of turns.
    turns = series(Role.TEACHER, Metric.TURNS)
    return Comparison(hop_s, tuple(at_s), tuple(couplings), _interaction(talk, turns, hop_s))


def _grid(closed_s: Sequence[float]) -> tuple[float, list[float]]:
    times = np.unique(np.round(np.array(closed_s, np.float64), 3))
    if not len(times):
        return 1.0, []
    hop_s = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return hop_s, [float(times[0] + hop_s * i) for i in range(round((times[-1] - times[0]) / hop_s) + 1)]


def _couple(metric: Metric, students: Floats, teacher: Floats, hop_s: float, most: int) -> Coupling:
    ours, theirs = autocorrelations(students), autocorrelations(teacher)
    steps = min(len(ours), len(theirs))
    product = ours[:steps] * theirs[:steps]
    at_once = correlate(students, teacher, product)
    if at_once is None:
        return Coupling(metric, _told(students), _told(teacher), None, (), None, None)
    # Neighbouring lags are nearly the same one, so fewer are independent than are looked at.
    errors = errors_for((2 * most + 1) * at_once.effective / at_once.windows)
    points: list[LagPoint] = []
    far = min(most, len(students) - LEAST_WINDOWS)
    for lag in range(-far, far + 1):
        late, early = (students[lag:], teacher[: len(teacher) - lag]) if lag >= 0 else (students[:lag], teacher[-lag:])
        found = correlate(late, early, product, errors=errors)
        if found is not None:
            points.append(LagPoint(lag * hop_s, found.r, found.low, found.high))
    peak = max(points, key=lambda point: (abs(point.r), -abs(point.lag_s)))
    leader = None
    # The last lag is no peak: it may still rise beyond.
    inside = peak not in {points[0], points[-1]}
    if inside and abs(peak.lag_s) >= _LEAST_LAG_S and not peak.low <= 0 <= peak.high:
        step = abs(round(peak.lag_s / hop_s))
        alike = float(min(ours[step - 1], theirs[step - 1])) if step <= steps else 0.0
        if clearly_stronger(peak.r, at_once, alike=alike, errors=errors):
            leader = Role.TEACHER if peak.lag_s > 0 else Role.STUDENTS
    return Coupling(metric, _told(students), _told(teacher), at_once, tuple(points), peak, leader)


def _told(series: Floats) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else float(value) for value in series)


def _interaction(talk: dict[Role, Floats], turns: Floats, hop_s: float) -> Interaction | None:
    teacher, students = talk[Role.TEACHER], talk[Role.STUDENTS]
    both = np.isfinite(teacher) & np.isfinite(students)
    if both.sum() < LEAST_WINDOWS:
        return None
    changes = {Role.TEACHER: 0, Role.STUDENTS: 0}
    holder: Role | None = None
    for known, ours, theirs in zip(both, students, teacher, strict=True):
        if not known:
            holder = None  # What happened in a hole can't be told.
            continue
        speaker = _speaker(float(ours), float(theirs))
        if speaker is not None:
            if holder is not None and speaker is not holder:
                changes[holder] += 1
            holder = speaker
    counted = np.isfinite(turns) & both
    return Interaction(
        observed_s=float(both.sum() * hop_s),
        teacher_talk=float(teacher[both].mean()),
        students_talk=float(students[both].mean()),
        turns=float(turns[counted].sum() * hop_s / 60) if counted.any() else None,
        turns_s=float(counted.sum() * hop_s),
        teacher_to_students=changes[Role.TEACHER],
        students_to_teacher=changes[Role.STUDENTS],
    )


def _speaker(students: float, teacher: float) -> Role | None:
    if max(students, teacher) < _LEAST_TALK:
        return None
    if teacher >= _CLEARLY * students:
        return Role.TEACHER
    return Role.STUDENTS if students >= _CLEARLY * teacher else None
