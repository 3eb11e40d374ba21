"""What rings: rules as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from edge.metric import Metric
from edge.role import Role
from edge.summary import Severity


class Special(StrEnum):
    """What a rule may watch besides a metric."""

    SOURCE_LOST = "source_lost"
    """A source of the role is lost, or runs and delivers nothing."""
    NO_EVIDENCE = "no_evidence"
    """Nothing can be told of the role, for whatever reason."""


class Direction(StrEnum):
    """On which side of its threshold a metric rings."""

    ABOVE = "above"
    BELOW = "below"


class Against(StrEnum):
    """What a metric is compared with."""

    VALUE = "value"
    """A fixed value, in the metric's unit."""
    USUAL = "usual"
    """What is usual for this class; the thresholds count spreads above it."""


DIGEST = "digest"
"""Name under which held-back alerts are told; no rule may have it."""

BOUNDED = (Metric.NEGATIVE, Metric.POSITIVE, Metric.ATTENTION)
"""Shares of people, which have an interval that a rule may ask for."""

_SHARE = (0.0, 1.0)
_LIMITS: Mapping[Metric, tuple[float, float]] = {
    Metric.VALENCE: (-1.0, 1.0),
    Metric.AROUSAL: (-1.0, 1.0),
    Metric.MOVEMENT: (0.0, 100.0),
    Metric.TURNS: (0.0, 1000.0),
    Metric.LEVEL: (-200.0, 0.0),
}
"""Where a metric's values lie, in its unit; all others are shares."""
_SPREADS = 100.0
_LONGEST_S = 86_400.0

_FIELDS: Mapping[Metric | Special, tuple[str, ...]] = {
    Special.SOURCE_LOST: ("sources", "role", "seconds"),
    Special.NO_EVIDENCE: ("role", "seconds"),
}
_METRIC_FIELDS = ("value", "limit", "role", "seconds")


@dataclass(frozen=True, slots=True)
class Rule:
    """Rings while a metric stays on one side of a threshold, falls silent when it stays well on the other.

    ``docs/alerts.md`` draws it. For a :class:`Special` rule only name, role, times, severity and message count.

    Raises:
        ValueError: A number is not finite, or the rule could never ring, never clear, or always ring.
    """

    name: str = "negative_mood"
    """Unique; it names the alert on the wire."""

    role: Role = Role.STUDENTS
    metric: Metric | Special = Metric.NEGATIVE
    direction: Direction = Direction.ABOVE
    against: Against = Against.VALUE

    raise_at: float = 0.40
    """Value from which the condition is met, in the metric's unit, or in spreads above the usual."""

    clear_at: float = 0.28
    """Value beyond which it is over, on the other side of *raise_at*: a value between them changes nothing."""

    hold_s: float = 10.0
    """Seconds for which the condition must last before the alert is raised."""

    clear_hold_s: float | None = None
    """Seconds for which it must be over before the alert is cleared; ``None``: as *hold_s*."""

    cool_down_s: float = 0.0
    """Seconds after an end in which it can't be raised again; what lasts longer is raised then."""

    interval_beyond: float | None = None
    """Share that the whole 95 % interval must lie beyond as well, and beyond the usual where that is known, so that
    three uncertain faces do not ring; ``None``: the value alone decides. For shares of people only."""

    severity: Severity = Severity.WARNING

    message: str = ""
    """What the alert says, with ``{value}``, ``{limit}``, ``{role}`` and ``{seconds}`` (``{sources}`` for a lost one);
    usual value and evidence are added. Empty: the metric's name and value."""

    def __post_init__(self) -> None:
        if not self.name or self.name == DIGEST:
            raise ValueError(f"a rule needs a name other than {DIGEST!r}, got {self.name!r}")
        for name in ("hold_s", "clear_hold_s", "cool_down_s"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= _LONGEST_S:
                raise ValueError(f"{name} must be in [0, {_LONGEST_S:g}] seconds, got {value}")
        self._check_message()
        if isinstance(self.metric, Special):
            if self.against is not Against.VALUE or self.interval_beyond is not None:
                raise ValueError(f"{self.metric.value} is compared with nothing; leave out against and interval_beyond")
            return
        if self.against is Against.USUAL and self.metric is Metric.ACTIVITY:
            raise ValueError("activity is measured in spreads above the usual already; leave out against")
        self._check_thresholds()
        self._check_interval()

    @property
    def in_spreads(self) -> bool:
        """Whether the thresholds count spreads above the usual."""
        return self.against is Against.USUAL or self.metric is Metric.ACTIVITY

    def meets(self, value: float) -> bool:
        """Return whether *value* is on the side that rings."""
        return value >= self.raise_at if self.direction is Direction.ABOVE else value <= self.raise_at

    def ends(self, value: float) -> bool:
        """Return whether *value* is beyond the clear threshold."""
        return value < self.clear_at if self.direction is Direction.ABOVE else value > self.clear_at

    def _check_thresholds(self) -> None:
        above = self.direction is Direction.ABOVE
        if self.in_spreads:
            # An unusual value is at least on the right side of the usual.
            low, high = (0.0, _SPREADS) if above else (-_SPREADS, 0.0)
            clear_low, clear_high = (-_SPREADS, self.raise_at) if above else (self.raise_at, _SPREADS)
        else:
            low, high = _LIMITS.get(self.metric, _SHARE) if isinstance(self.metric, Metric) else _SHARE
            clear_low, clear_high = (low, self.raise_at) if above else (self.raise_at, high)
        inside = low < self.raise_at <= high if above else low <= self.raise_at < high
        if not inside:
            span = f"({low:g}, {high:g}]" if above else f"[{low:g}, {high:g})"
            raise ValueError(f"raise_at must be in {span} for {self._watched}, got {self.raise_at}")
        if not clear_low < self.clear_at < clear_high:
            raise ValueError(
                f"clear_at must be in ({clear_low:g}, {clear_high:g}) for {self._watched} with raise_at "
                f"{self.raise_at:g}, got {self.clear_at}"
            )

    def _check_interval(self) -> None:
        if self.interval_beyond is None:
            return
        if self.metric not in BOUNDED:
            raise ValueError(f"interval_beyond is for {', '.join(BOUNDED)}, not for {self.metric.value}")
        if not 0.0 <= self.interval_beyond <= 1.0:
            raise ValueError(f"interval_beyond must be in [0, 1], got {self.interval_beyond}")
        if self.against is Against.VALUE and self.meets(self.interval_beyond):
            raise ValueError(
                f"interval_beyond must be on the quiet side of raise_at ({self.raise_at:g}), got {self.interval_beyond}"
            )

    def _check_message(self) -> None:
        known = _FIELDS.get(self.metric, _METRIC_FIELDS)
        try:
            parts = list(Formatter().parse(self.message))
        except ValueError as error:
            raise ValueError(f"message can't be filled in ({error}), got {self.message!r}") from None
        for _, name, form, conversion in parts:
            if name is not None and (name not in known or form or conversion):
                raise ValueError(f"message may name {', '.join(f'{{{k}}}' for k in known)}, got {self.message!r}")

    @property
    def _watched(self) -> str:
        spreads = " in spreads above the usual" if self.in_spreads else ""
        return f"{self.metric.value} {self.direction.value}{spreads}"
