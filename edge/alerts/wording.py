"""Reasons in words, with their numbers."""

from collections.abc import Mapping

from edge.alerts.reading import Reading
from edge.alerts.rules import Against, Direction, Rule, Special
from edge.metric import ACTIVE, Metric
from edge.role import Role
from edge.summary import Coverage

_UNITS: Mapping[Metric, tuple[str, str]] = {
    Metric.VALENCE: ("{:+.2f}", ""),
    Metric.AROUSAL: ("{:+.2f}", ""),
    Metric.MOVEMENT: ("{:.2f}", " face widths a second"),
    Metric.TURNS: ("{:.1f}", " turns a minute"),
    Metric.LEVEL: ("{:.0f}", " dBFS"),
}
"""How a value is written, and its unit; all others are shares, written in per cent."""
_ROLES: Mapping[Role, str] = {Role.STUDENTS: "students", Role.TEACHER: "the teacher"}
_MESSAGES: Mapping[Metric | Special, str] = {
    Special.SOURCE_LOST: "nothing from {sources} for {seconds}",
    Special.NO_EVIDENCE: "not enough evidence of {role} for {seconds}",
    Metric.ACTIVITY: "activity of {role} {value} for {seconds}",
}
_LONG_S = 120.0


def amount(metric: Metric, value: float) -> str:
    """Return a metric's value with its unit."""
    if metric is Metric.ACTIVITY:
        return spreads(value)
    return bare(metric, value) + _UNITS.get(metric, ("", ""))[1]


def bare(metric: Metric, value: float) -> str:
    """Return a metric's value beside another whose unit was said."""
    return _UNITS[metric][0].format(value) if metric in _UNITS else f"{100 * value:.0f} %"


def spreads(z: float) -> str:
    """Return how far something is from the usual."""
    return f"{abs(z):.1f} spreads {'below' if z < 0 else 'above'} the usual"


def duration(seconds: float) -> str:
    """Return a length of time: seconds up to two minutes, then minutes."""
    return f"{seconds:.0f} s" if seconds < _LONG_S else f"{seconds / 60:.0f} min"


def raised(rule: Rule, reading: Reading, lasted_s: float) -> str:
    """Say why an alert begins: what, how much, for how long, what is usual, and what that rests on."""
    words = {"role": _ROLES[rule.role], "seconds": duration(lasted_s), "sources": " and ".join(reading.sources)}
    message = rule.message or _MESSAGES.get(rule.metric, f"{rule.metric.value} {{value}} of {{role}} for {{seconds}}")
    if isinstance(rule.metric, Metric) and reading.value is not None:
        words["value"] = amount(rule.metric, reading.value)
        words["limit"] = _limit(rule, rule.raise_at)
    return ", ".join([message.format_map(words), *_usual(rule, reading), *_evidence(reading.coverage)])


def cleared(rule: Rule, reading: Reading, lasted_s: float) -> str:
    """Say why an alert ends."""
    after = f"after {duration(lasted_s)}"
    if rule.metric is Special.SOURCE_LOST:
        return f"the sources of {_ROLES[rule.role]} deliver again {after}"
    if isinstance(rule.metric, Special) or reading.value is None:
        return f"enough evidence of {_ROLES[rule.role]} again {after}"
    side = "below" if rule.direction is Direction.ABOVE else "above"
    now = f"{rule.metric.value} {amount(rule.metric, reading.value)} of {_ROLES[rule.role]}"
    if rule.metric is Metric.ACTIVITY:
        now = f"activity of {_ROLES[rule.role]} {amount(rule.metric, reading.value)}"
    return ", ".join(
        [
            now,
            f"back {side} {_limit(rule, rule.clear_at)} {after}",
            *_usual(rule, reading),
            *_evidence(reading.coverage),
        ]
    )


def ended(lasted_s: float) -> str:
    """Say that an alert ends because its lesson does."""
    return f"the lesson ended, after {duration(lasted_s)}"


def digest(names: Mapping[str, int], *, lasted_s: float, per_hour: int) -> str:
    """Say which alerts were held back, most frequent first."""
    count = sum(names.values())
    listed = ", ".join(f"{name} {n}" for name, n in sorted(names.items(), key=lambda pair: (-pair[1], pair[0])))
    alerts = "alert" if count == 1 else "alerts"
    return f"held back {count} {alerts} in {duration(lasted_s)}, because {per_hour} an hour are the most: {listed}"


def _limit(rule: Rule, limit: float) -> str:
    if rule.in_spreads or not isinstance(rule.metric, Metric):
        return spreads(limit)
    return amount(rule.metric, limit)


def _usual(rule: Rule, reading: Reading) -> list[str]:
    if rule.metric is Metric.ACTIVITY:
        parts = [standing for standing in reading.active if standing.metric in ACTIVE]
        return [f"{p.metric.value} {amount(p.metric, p.value)} (usual {bare(p.metric, p.usual)})" for p in parts]
    standing = reading.standing
    if standing is None:
        return []
    usual = amount(standing.metric, standing.usual)
    return [f"{spreads(standing.z)} {usual}" if rule.against is Against.USUAL else f"usual {usual}"]


def _evidence(coverage: Coverage | None) -> list[str]:
    if coverage is None:
        return []
    faces = f"from {coverage.people} {'face' if coverage.people == 1 else 'faces'}"
    speech = coverage.speech_ratio
    return [faces if speech is None else f"{faces} and {100 * speech:.0f} % speech"]
