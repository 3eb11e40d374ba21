"""The state machine of one rule: hysteresis, hold, grace, cool-down and snooze.

::

               met for hold_s, not cooling down, not snoozed
        quiet ───────────────────────────────────────────────► raised
          ▲                                                       │
          │                  over for clear_hold_s                │
          └───────────────────────────────────────────────────────┘
              then cool_down_s in which nothing is raised

A reading that says neither starts the hold over. Without evidence nothing moves: a hole of at most the grace is
skipped, so that one missing window does not undo a hold, and its seconds do not count; a longer one starts it over.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from edge.alerts.rules import Rule
from edge.summary import AlertState

_ROUNDING_S = 1e-6
_LONGEST_FACTOR = 4.0


class Sign(Enum):
    """What one reading says of a rule's condition."""

    MET = auto()
    BETWEEN = auto()
    """Neither met nor over."""
    OVER = auto()
    UNKNOWN = auto()
    """No evidence."""


@dataclass(slots=True)
class Watch:
    """One rule and where it stands in this lesson."""

    rule: Rule

    grace_s: float
    """Longest hole in the evidence that a hold survives, seconds."""

    raised: bool = False
    alert_id: str | None = None
    """Set while it is raised and was told."""
    raised_since_s: float = 0.0

    quiet_until_s: float = 0.0
    """End of the cool-down, seconds since the lesson began."""
    snoozed_until_s: float = 0.0

    hold_factor: float = 1.0
    """Times the rule's hold that it takes to raise; see :meth:`was_wrong`."""

    _since_s: float | None = field(default=None, init=False)
    _held_s: float = field(default=0.0, init=False)
    _missing_s: float = field(default=0.0, init=False)
    _last_s: float | None = field(default=None, init=False)

    def step(self, sign: Sign, at_s: float, step_s: float | None) -> AlertState | None:
        """Take one reading, in order of time; return what it turns the rule to.

        Args:
            sign: What it says.
            at_s: Seconds since the lesson began.
            step_s: Seconds that it stands for; ``None``: an instant, which together with the one before it vouches for
                the time between.
        """
        elapsed_s = at_s if self._last_s is None else at_s - self._last_s
        first, self._last_s = self._last_s is None, at_s
        if step_s is None:
            step_s = 0.0 if self._since_s is None else elapsed_s
        step_s = max(min(step_s, elapsed_s), 0.0)
        # What lies between two windows that do not touch was never judged.
        self._missing_s += 0.0 if first else elapsed_s - step_s
        if sign is Sign.UNKNOWN:
            self._missing_s += step_s
        if self._missing_s > self.grace_s + _ROUNDING_S or elapsed_s < 0:
            self._start_over()
        if sign is Sign.UNKNOWN:
            return None
        self._missing_s = 0.0
        if sign is not (Sign.OVER if self.raised else Sign.MET):
            self._start_over()
            return None
        if self._since_s is None:
            self._since_s = at_s - step_s
        self._held_s += step_s
        return self._turn(at_s)

    def was_wrong(self) -> None:
        """Ask for a hold twice as long from now on, at most four times the rule's, until the lesson ends."""
        self.hold_factor = min(2 * self.hold_factor, _LONGEST_FACTOR)

    def _turn(self, at_s: float) -> AlertState | None:
        rule = self.rule
        if self.raised:
            need_s = rule.hold_s if rule.clear_hold_s is None else rule.clear_hold_s
        else:
            need_s = rule.hold_s * self.hold_factor
            if at_s < max(self.quiet_until_s, self.snoozed_until_s) - _ROUNDING_S:
                return None
        if self._since_s is None or self._held_s < need_s - _ROUNDING_S:
            return None
        self.raised = not self.raised
        if self.raised:
            self.raised_since_s = self._since_s
        else:
            self.quiet_until_s = at_s + rule.cool_down_s
        self._start_over()
        return AlertState.RAISED if self.raised else AlertState.CLEARED

    def _start_over(self) -> None:
        self._since_s, self._held_s = None, 0.0
