"""What one rule reads from one window, or from one report of the box's health."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from edge.alerts.rules import Against, Direction, Rule, Special
from edge.alerts.watch import Sign
from edge.metric import Metric, Standing, interval95
from edge.summary import Coverage, EvidenceState, Health, SourceHealth, SourceState, WindowSummary

_STALLED_S = 10.0
"""Seconds without an item after which a running source counts as lost."""
_OBSERVABLE = (Metric.ATTENTION, Metric.MOVEMENT, Metric.TALK)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule sees at one moment."""

    at: datetime
    """UTC."""

    at_s: float
    """Seconds since the lesson began."""

    sign: Sign

    value: float | None = None
    """The metric; ``None`` for special rules and without evidence."""

    standing: Standing | None = None
    """The metric against the usual, where that is known."""

    active: tuple[Standing, ...] = ()
    """For activity: what it is made of."""

    coverage: Coverage | None = None
    """What the value rests on; ``None`` where nothing may be told of it."""

    sources: tuple[str, ...] = ()
    """Lost ones, by name."""


def read_summary(rule: Rule, summary: WindowSummary, *, reads_emotions: bool) -> Reading:
    """Read a window by a rule for its role."""
    at, at_s = summary.closed_at, summary.closed_s
    if isinstance(rule.metric, Special):
        # Withheld and missing read alike, so that an alert does not tell a small group from an empty room.
        return Reading(at, at_s, Sign.OVER if _told(summary, reads_emotions=reads_emotions) else Sign.MET)
    value = summary.value(rule.metric)
    if value is None:
        return Reading(at, at_s, Sign.UNKNOWN)
    standing = summary.standing(rule.metric)
    active = summary.standings if rule.metric is Metric.ACTIVITY else ()
    sign = _sign(rule, value, standing, summary)
    return Reading(at, at_s, sign, value, standing, active, summary.coverage)


def read_health(rule: Rule, health: Health, at_s: float) -> Reading:
    """Read a report of the box's health by a rule for lost sources."""
    mine = [source for source in health.sources if source.role is rule.role and source.state is not SourceState.ENDED]
    lost = tuple(source.name for source in mine if _is_lost(source))
    sign = Sign.MET if lost else Sign.OVER
    return Reading(health.at, at_s, sign, sources=lost)


def _sign(rule: Rule, value: float, standing: Standing | None, summary: WindowSummary) -> Sign:
    compared = value
    if rule.against is Against.USUAL:
        if standing is None:
            return Sign.UNKNOWN
        compared = standing.z
    if rule.meets(compared):
        return Sign.MET if _sure(rule, value, standing, summary) else Sign.BETWEEN
    return Sign.OVER if rule.ends(compared) else Sign.BETWEEN


def _sure(rule: Rule, value: float, standing: Standing | None, summary: WindowSummary) -> bool:
    """Return whether the whole interval lies beyond what the rule names, and beyond the usual."""
    if rule.interval_beyond is None or not isinstance(rule.metric, Metric):
        return True
    people = _PEOPLE[rule.metric](summary)
    if people <= 0:
        # Not counted (a summary of an older box): the value alone decides, as without an interval.
        return True
    low, high = interval95(value, people)
    bounds = [rule.interval_beyond] if standing is None else [rule.interval_beyond, standing.usual]
    return low > max(bounds) if rule.direction is Direction.ABOVE else high < min(bounds)


def _told(summary: WindowSummary, *, reads_emotions: bool) -> bool:
    if reads_emotions:
        return summary.evidence is EvidenceState.ENOUGH
    return any(summary.value(metric) is not None for metric in _OBSERVABLE)


def _is_lost(source: SourceHealth) -> bool:
    stalled = source.state is SourceState.RUNNING and source.idle_s is not None and source.idle_s >= _STALLED_S
    return stalled or source.state is SourceState.LOST


_PEOPLE: Mapping[Metric, "attrgetter[float]"] = {
    Metric.NEGATIVE: attrgetter("fused.effective"),
    Metric.POSITIVE: attrgetter("fused.effective"),
    Metric.ATTENTION: attrgetter("behaviour.attention_people"),
}
