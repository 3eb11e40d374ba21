"""``alert`` and ``alerts/active``: what began or ended, and what is raised now."""

from typing import Annotated, Literal, Self

from pydantic import Field
from pydantic import model_validator as check

from edge.metric import Metric
from edge.publish.wire import LONGEST_LINE, Amount, Id, Instant, Line, Payload, rounded
from edge.role import Role
from edge.summary import Alert, AlertState, Severity

MOST_ALERTS = 100
"""Raised alerts that ``alerts/active`` can hold."""


class AlertPayload(Payload):
    """``alert``: a rule's condition held for long enough, or ended; the same ``id`` and ``state`` again is a repeat."""

    schema_version: Literal[1] = 1
    id: Id
    rule: Line
    state: AlertState
    role: Role
    severity: Severity = Severity.WARNING
    metric: Metric | None = Metric.NEGATIVE
    at: Instant
    at_s: Amount
    since_s: Amount
    reason: Line
    value: float | None
    threshold: float
    usual: float | None = None

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Round."""
        return cls(
            id=alert.id,
            rule=alert.rule,
            state=alert.state,
            role=alert.role,
            severity=alert.severity,
            metric=alert.metric,
            at=alert.at,
            at_s=round(alert.at_s, 3),
            since_s=round(alert.since_s, 3),
            reason=alert.reason[:LONGEST_LINE],
            value=rounded(alert.value, 4),
            threshold=round(alert.threshold, 4),
            usual=rounded(alert.usual, 4),
        )


class ActiveAlertsPayload(Payload):
    """``alerts/active``: the alerts that are raised now, oldest first."""

    schema_version: Literal[1] = 1
    alerts: Annotated[tuple[AlertPayload, ...], Field(max_length=MOST_ALERTS)]

    @check(mode="after")
    def _all_are_raised(self) -> Self:
        if any(alert.state is not AlertState.RAISED for alert in self.alerts):
            raise ValueError("only raised alerts are active")
        return self
