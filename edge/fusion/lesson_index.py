"""A lesson in one number, with the parts it is the mean of, how sure they are, and what they can't say.

It describes one lesson to the people who were in it. It is no measure of a teacher, and two lessons' indexes are not to
be ranked: ``docs/lesson-index.md`` has each formula and says why.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from edge.fusion.comparison import Comparison, Interaction, compare
from edge.fusion.serial import autocorrelations, effective_size
from edge.metric import Metric, interval95
from edge.summary import EvidenceState, WindowSummary

LEAST_S = 300.0
"""Seconds of windows under which a component isn't told."""

LEAST_COVERAGE = 0.5
"""Share of the lesson with evidence of the class, under which no index is told."""

LEAST_COMPONENTS = 3
"""Components under which no index is told."""

HALF_TURNS_PER_MIN = 2.0
"""Changes of speaker a minute that count as half of what turn taking can give."""

NAMES = ("attention", "participation", "climate", "calm", "responsiveness")
"""What the index is the mean of."""

CANNOT_KNOW = (
    "what anybody learned: nothing here tests knowledge",
    "what was taught, and whether it was right, clear or fit for this class: words are not understood",
    "what anybody felt: faces and voices show feelings unreliably",
    "why: a quiet class may think or be bored, a lively one may work or be out of hand",
    "whose doing it was: the teacher, the class, the subject, the hour and the room all have their part",
    "whether another lesson or another teacher is better: the intervals hold for this lesson only",
)
"""What no number of this kind can know, whatever the evidence."""


@dataclass(frozen=True, slots=True)
class IndexComponent:
    """One part of the index."""

    name: str
    """One of :data:`NAMES`, or coverage."""

    value: float
    """In [0, 1]."""

    low: float
    """Lower end of its 95 % interval."""

    high: float
    """Upper end of it."""

    evidence: float
    """What it rests on, in *unit*."""

    unit: str = "seconds"


@dataclass(frozen=True, slots=True)
class LessonIndex:
    """The index and everything it is made of."""

    components: tuple[IndexComponent, ...]
    """Those with evidence, in the order of :data:`NAMES`."""

    coverage: IndexComponent | None
    """Share of the lesson in which the class could be told; decides on the index and is no part of it."""

    value: float | None
    """Mean of the components, in [0, 1]; ``None`` with too little evidence."""

    low: float | None
    """Mean of their lower ends: they are of the same minutes, so their errors may all lean one way."""

    high: float | None
    """Mean of their upper ends."""

    cannot_know: tuple[str, ...]
    """What it can't know, each half a sentence; what is missing in this lesson first."""


def lesson_index(
    students: Iterable[WindowSummary], teacher: Iterable[WindowSummary], *, comparison: Comparison | None = None
) -> LessonIndex:
    """Describe a lesson.

    Args:
        students: Their windows, in any order; what is suppressed counts as no evidence.
        teacher: The teacher's windows; may be empty.
        comparison: Of the two, if it is at hand; otherwise it is made.
    """
    ours = sorted(students, key=lambda window: window.closed_s)
    theirs = sorted(teacher, key=lambda window: window.closed_s)
    comparison = comparison or compare(ours, theirs)
    parts = (
        _mean("attention", ours, _engagement("attention")),
        _mean("participation", ours, _engagement("participation")),
        _joined("climate", [_mean("climate", windows, _climate) for windows in (ours, theirs)]),
        _mean("calm", ours, _engagement("calm")),
        _joined("responsiveness", [_together(comparison), _turn_taking(comparison.interaction)]),
    )
    components = tuple(part for part in parts if part is not None)
    coverage = _coverage(ours)
    found = {part.name for part in components}
    missing = [f"{name}: too little evidence in this lesson" for name in NAMES if name not in found]
    if coverage is None:
        missing.insert(0, "anything of the class: there is no window of it")
    elif coverage.value < 1:
        missing.insert(0, f"how the class was in {1 - coverage.value:.0%} of the lesson: there is no evidence of it")
    enough = len(components) >= LEAST_COMPONENTS and coverage is not None and coverage.value >= LEAST_COVERAGE
    return LessonIndex(
        components=components,
        coverage=coverage,
        value=fmean(part.value for part in components) if enough else None,
        low=fmean(part.low for part in components) if enough else None,
        high=fmean(part.high for part in components) if enough else None,
        cannot_know=(*missing, *CANNOT_KNOW),
    )


def _engagement(name: str) -> Callable[[WindowSummary], float | None]:
    def value(window: WindowSummary) -> float | None:
        found = () if window.engagement is None else window.engagement.components
        return next((component.value for component in found if component.name == name), None)

    return value


def _climate(window: WindowSummary) -> float | None:
    positive, negative = window.value(Metric.POSITIVE), window.value(Metric.NEGATIVE)
    return None if positive is None or negative is None else (1 + positive - negative) / 2


def _mean(
    name: str, windows: Sequence[WindowSummary], value_of: Callable[[WindowSummary], float | None]
) -> IndexComponent | None:
    """Return the mean over time, with the score interval of a share seen in as many cases as its error is worth.

    Those are ``p (1 - p) / error²``, and never more than windows that share no second (Korn & Graubard, 1998).
    """
    told = [None if window.suppressed else value_of(window) for window in windows]
    series = np.array([math.nan if value is None else value for value in told], np.float64)
    known = series[np.isfinite(series)]
    seconds = sum(new_s for new_s, value in zip(_new_s(windows), told, strict=True) if value is not None)
    if seconds < LEAST_S or not len(known):
        return None
    middle = float(np.clip(known.mean(), 0.0, 1.0))
    error_squared = float(known.var()) / effective_size(len(known), autocorrelations(series))
    cases = seconds / max(window.closed_s - window.opened_s for window in windows)
    if cases * error_squared > middle * (1 - middle) > 0:
        cases = middle * (1 - middle) / error_squared
    low, high = interval95(middle, cases)
    return IndexComponent(name, middle, low, high, seconds)


def _together(comparison: Comparison) -> IndexComponent | None:
    """Return how far the moods move together, at once, or with the lag where one clearly leads."""
    coupling = comparison.coupling(Metric.VALENCE)
    if coupling is None or coupling.correlation is None:
        return None
    seconds = coupling.correlation.windows * comparison.hop_s
    if seconds < LEAST_S:
        return None
    found = coupling.correlation if coupling.leader is None or coupling.peak is None else coupling.peak
    return IndexComponent("together", max(found.r, 0.0), max(found.low, 0.0), max(found.high, 0.0), seconds)


def _turn_taking(interaction: Interaction | None) -> IndexComponent | None:
    """Return how often the word changes, with the interval of a count (Freeman & Tukey, 1950)."""
    if interaction is None or interaction.turns is None or interaction.turns_s < LEAST_S:
        return None
    minutes = interaction.turns_s / 60

    def saturated(turns: float) -> float:
        return turns / (turns + HALF_TURNS_PER_MIN * minutes)

    low = max(0.0, math.sqrt(interaction.turns) - 0.98) ** 2
    high = (math.sqrt(interaction.turns + 1) + 0.98) ** 2
    return IndexComponent(
        "turn taking", saturated(interaction.turns), saturated(low), saturated(high), interaction.turns_s
    )


def _joined(name: str, halves: Iterable[IndexComponent | None]) -> IndexComponent | None:
    """Return the mean of what is there of two halves, resting on the weaker one's evidence."""
    found = [half for half in halves if half is not None]
    if not found:
        return None
    return IndexComponent(
        name,
        fmean(half.value for half in found),
        fmean(half.low for half in found),
        fmean(half.high for half in found),
        min(half.evidence for half in found),
    )


def _coverage(windows: Sequence[WindowSummary]) -> IndexComponent | None:
    if not windows:
        return None
    total_s = windows[-1].closed_s
    told_s = sum(new_s for new_s, window in zip(_new_s(windows), windows, strict=True) if _told(window))
    share = min(1.0, told_s / total_s)
    # It is counted and not estimated, so its interval has no width.
    return IndexComponent("coverage", share, share, share, total_s)


def _told(window: WindowSummary) -> bool:
    if window.suppressed:
        return False
    engaged = window.engagement is not None and len(window.engagement.components) > 0
    return engaged or window.evidence is EvidenceState.ENOUGH


def _new_s(windows: Sequence[WindowSummary]) -> list[float]:
    """Return for each window, in order of time, the seconds that no earlier one has told of."""
    found, before_s = [], 0.0
    for window in windows:
        found.append(max(0.0, window.closed_s - max(window.opened_s, before_s)))
        before_s = max(before_s, window.closed_s)
    return found
