"""The state machine that raises and clears: hysteresis, hold, and reasons in words.

::

             share >= raise_at for hold_s
     quiet ─────────────────────────────► raised
       ▲                                    │
       └────────────────────────────────────┘
             share < clear_below for hold_s

A window without evidence moves nothing: silence is neither good nor bad news, so what was being held starts over.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.alerts.rules import Rule
from edge.summary import Alert, AlertState, WindowSummary


@dataclass(slots=True)
class _Watch:
    """One rule and where it stands."""

    rule: Rule
    alert_id: str | None = None
    """Set while raised."""
    turning_since_s: float | None = None
    """Since when the share has been on the other side."""
    raised_since_s: float = 0.0


class AlertEngine:
    """Judges each role's summaries, in order of time, by every rule for that role.

    A summary's verdict stands for its newest hop, the part that no earlier summary has seen: a hold of six seconds is
    three summaries of two.

    Args:
        rules: Names must be unique.
        hop_s: Seconds between two summaries of a role.
        make_id: Makes each alert's unique id.
    """

    def __init__(
        self, rules: Iterable[Rule], *, hop_s: float, make_id: Callable[[], str] = lambda: uuid.uuid4().hex
    ) -> None:
        self._watches = [_Watch(rule) for rule in rules]
        names = [watch.rule.name for watch in self._watches]
        if len(set(names)) != len(names):
            raise ValueError(f"rule names must be unique, got {names}")
        self._hop_s = hop_s
        self._make_id = make_id

    def judge(self, summary: WindowSummary) -> list[Alert]:
        """Return the alerts that this summary raises or clears."""
        steps = (self._step(watch, summary) for watch in self._watches if watch.rule.role is summary.role)
        return [alert for alert in steps if alert is not None]

    def _step(self, watch: _Watch, summary: WindowSummary) -> Alert | None:
        rule, share = watch.rule, summary.fused.negative_share
        raised = watch.alert_id is not None
        if share is None:
            watch.turning_since_s = None
            return None
        turning = share < rule.clear_below if raised else share >= rule.raise_at
        if not turning:
            watch.turning_since_s = None
            return None
        if watch.turning_since_s is None:
            watch.turning_since_s = max(summary.closed_s - self._hop_s, 0.0)
        if summary.closed_s - watch.turning_since_s < rule.hold_s - 1e-9:
            return None
        since_s, watch.turning_since_s = watch.turning_since_s, None
        if watch.alert_id is None:
            watch.alert_id, watch.raised_since_s = self._make_id(), since_s
            return self._alert(watch, watch.alert_id, AlertState.RAISED, summary, share)
        alert = self._alert(watch, watch.alert_id, AlertState.CLEARED, summary, share)
        watch.alert_id = None
        return alert

    def _alert(self, watch: _Watch, alert_id: str, state: AlertState, summary: WindowSummary, share: float) -> Alert:
        rule = watch.rule
        lasted_s = summary.closed_s - watch.raised_since_s
        if state is AlertState.RAISED:
            reason = f"negative {share:.0%} of {rule.role}, at or above {rule.raise_at:.0%} for {lasted_s:.0f} s"
        else:
            reason = f"negative {share:.0%} of {rule.role}, back below {rule.clear_below:.0%} after {lasted_s:.0f} s"
        return Alert(
            id=alert_id,
            rule=rule.name,
            state=state,
            role=rule.role,
            at=summary.closed_at,
            at_s=summary.closed_s,
            since_s=watch.raised_since_s,
            reason=f"{reason}, {_evidence(summary)}",
            value=share,
            threshold=rule.raise_at if state is AlertState.RAISED else rule.clear_below,
        )


def _evidence(summary: WindowSummary) -> str:
    coverage = summary.coverage
    people = "face" if coverage.people == 1 else "faces"
    text = f"from {coverage.people} {people}"
    if coverage.speech_ratio is not None:
        text += f" and {coverage.speech_ratio:.0%} speech"
    return text
