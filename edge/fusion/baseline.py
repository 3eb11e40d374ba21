"""What is usual for a class: its own recent lessons and the first minutes of this one.

::

    lessons of the same class and type ─► LessonDigest each ─┐
                                                             ├► median and spread, per role and metric ─► standings
    this lesson's first minutes ─────────────────────────────┘

Windows overlap, so only those that share no second are counted. After the first minutes the usual stands still: a
lesson that goes wrong must not become its own normal. ``docs/adr/0007-class-baseline.md`` says why it is so.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge.metric import Metric, Standing
from edge.role import Role
from edge.summary import WindowSummary

Key = tuple[Role, Metric]
"""Whose metric."""

MEASURED = tuple(metric for metric in Metric if metric is not Metric.ACTIVITY)
"""Metrics that have a usual value; activity is itself worked out from how the others stand."""

DIGEST_SIZE = 64
"""Most values that are kept of one lesson, role and metric: evenly spaced quantiles."""

FLOOR: Mapping[Metric, float] = {
    Metric.NEGATIVE: 0.05,
    Metric.POSITIVE: 0.05,
    Metric.VALENCE: 0.05,
    Metric.AROUSAL: 0.05,
    Metric.ATTENTION: 0.05,
    Metric.MOVEMENT: 0.02,
    Metric.TALK: 0.05,
    Metric.TURNS: 3.0,
    Metric.OVERLAP: 0.05,
    Metric.SILENCE: 0.05,
    Metric.LEVEL: 2.0,
    Metric.ENGAGEMENT: 0.05,
}
"""Least spread of each metric, in its unit: about what one window can't tell apart (half a turn in ten seconds)."""

_MAD_TO_SD = 1.4826
_DECILES_TO_SD = 2.5631
_TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True)
class Usual:
    """What one metric of one role usually is."""

    value: float
    """Median, in the metric's unit."""

    spread: float
    """As a standard deviation, in the metric's unit; more than 0."""

    windows: int
    """Values it rests on."""


@dataclass(frozen=True, slots=True)
class LessonDigest:
    """One lesson's windows, short enough for twenty lessons to be loaded at once."""

    window_s: float
    """Length of the windows, seconds; longer ones vary less, so lengths are not mixed."""

    values: Mapping[Key, tuple[float, ...]]
    """Each metric's values in rising order, at most :data:`DIGEST_SIZE`, not empty."""

    def __post_init__(self) -> None:
        if not self.window_s > 0:
            raise ValueError(f"window_s must be more than 0, got {self.window_s}")
        for (role, metric), values in self.values.items():
            if not 0 < len(values) <= DIGEST_SIZE or not all(map(math.isfinite, values)):
                raise ValueError(
                    f"need 1 to {DIGEST_SIZE} finite values of {role.value} {metric.value}, got {len(values)}: {values}"
                )


def digest(summaries: Iterable[WindowSummary]) -> LessonDigest | None:
    """Return what a lesson teaches about its class, whatever the order of its *summaries*.

    A metric with more than :data:`DIGEST_SIZE` separate windows is kept as that many quantiles, so every lesson that
    lasted as long weighs the same; a shorter one weighs less.

    Returns:
        ``None`` when nothing in it could be told.
    """
    windows = list(summaries)
    window_s = max((window.closed_s - window.opened_s for window in windows), default=0.0)
    found: dict[Key, list[float]] = defaultdict(list)
    for role in Role:
        mine = sorted((window for window in windows if window.role is role), key=lambda window: window.closed_s)
        for window in separate(mine, window_s):
            for metric, value in _measured(window):
                found[role, metric].append(value)
    if not found:
        return None
    return LessonDigest(window_s, {key: _shortened(values) for key, values in found.items()})


def separate(summaries: Iterable[WindowSummary], window_s: float) -> Iterator[WindowSummary]:
    """Yield those of one role's *summaries*, in order of time, that are *window_s* long and share no second."""
    free_s = -math.inf
    for summary in summaries:
        whole = summary.closed_s - summary.opened_s >= window_s - _TOLERANCE_S
        if whole and summary.opened_s >= free_s - _TOLERANCE_S:
            free_s = summary.closed_s
            yield summary


def usual_of(values: Sequence[float] | npt.NDArray[np.float64], floor: float) -> Usual:
    """Return the median and the spread of *values*.

    The spread is 1.4826 times the median absolute deviation (Hampel, 1974). Where more than half of the values are all
    but equal that says nothing of the rest (Rousseeuw & Croux, 1993, on its implosion), as with a class that is silent
    in most windows and talks in some; then the range of the middle 80 % takes its place, scaled in the same way.

    Args:
        values: In the metric's unit, at least one, in any order.
        floor: Least spread, in the same unit, more than 0.
    """
    array = np.asarray(values, np.float64)
    middle = float(np.median(array))
    spread = _MAD_TO_SD * float(np.median(np.abs(array - middle)))
    if spread < floor:
        low, high = np.quantile(array, (0.1, 0.9))
        spread = max(floor, float(high - low) / _DECILES_TO_SD)
    return Usual(middle, spread, len(array))


class ClassBaseline:
    """Says of each window how it stands against what is usual for the class. Not for several threads at once.

    One for each lesson. What it holds does not grow: :data:`DIGEST_SIZE` values a lesson of the history, and the first
    minutes.

    Args:
        history: Recent lessons of this class and this type, in any order; those cut into windows of another length are
            left out. Empty for a class that isn't known.
        window_s: Length of the windows, seconds.
        first_s: How much of the present lesson joins the usual, seconds: the first in which the metric could be told.
        least_s: How much has to be known before anything is usual, seconds.
    """

    def __init__(
        self,
        history: Iterable[LessonDigest] = (),
        *,
        window_s: float,
        first_s: float = 300.0,
        least_s: float = 180.0,
    ) -> None:
        if not 0 < window_s <= least_s <= first_s:
            raise ValueError(
                "need 0 < window_s <= least_s <= first_s, or nothing would ever be usual; "
                f"got {window_s}, {least_s}, {first_s}"
            )
        self._window_s = window_s
        self._least = math.ceil(least_s / window_s - _TOLERANCE_S)
        self._first = math.ceil(first_s / window_s - _TOLERANCE_S)
        self._values: dict[Key, list[float]] = defaultdict(list)
        self._usual: dict[Key, Usual] = {}
        self._learnt: dict[Key, int] = defaultdict(int)
        self._free_s: dict[Role, float] = defaultdict(lambda: -math.inf)
        self._lessons = 0
        for lesson in history:
            if abs(lesson.window_s - window_s) <= _TOLERANCE_S:
                self._lessons += 1
                for key, values in lesson.values.items():
                    self._values[key] += values

    @property
    def lessons(self) -> int:
        """Lessons of the history that count."""
        return self._lessons

    def usual(self, role: Role, metric: Metric) -> Usual | None:
        """Return what is usual by now; ``None`` while too little is known, and always for activity."""
        key = role, metric
        if metric not in FLOOR or len(self._values.get(key, ())) < self._least:
            return None
        if key not in self._usual:
            self._usual[key] = usual_of(self._values[key], FLOOR[metric])
        return self._usual[key]

    def apply(self, summary: WindowSummary) -> WindowSummary:
        """Return *summary* with its standings, then learn from it if it is one of the first.

        A window is judged by what was usual before it. One that is suppressed has no standings and teaches nothing.
        """
        found = tuple(_measured(summary))
        standings = [
            Standing(metric, value, usual.value, usual.spread)
            for metric, value in found
            if (usual := self.usual(summary.role, metric)) is not None
        ]
        for window in separate((summary,), self._window_s):
            if window.opened_s >= self._free_s[window.role] - _TOLERANCE_S:
                self._free_s[window.role] = window.closed_s
                self._learn(window.role, found)
        return replace(summary, standings=tuple(standings))

    def _learn(self, role: Role, found: Iterable[tuple[Metric, float]]) -> None:
        for metric, value in found:
            key = role, metric
            if self._learnt[key] < self._first:
                self._learnt[key] += 1
                self._values[key].append(value)
                self._usual.pop(key, None)


def _measured(summary: WindowSummary) -> Iterator[tuple[Metric, float]]:
    for metric in MEASURED:
        value = summary.value(metric)
        if value is not None:
            yield metric, value


def _shortened(values: Sequence[float]) -> tuple[float, ...]:
    if len(values) <= DIGEST_SIZE:
        return tuple(sorted(values))
    middles = (np.arange(DIGEST_SIZE) + 0.5) / DIGEST_SIZE
    return tuple(float(value) for value in np.quantile(np.asarray(values, np.float64), middles))
