"""Judges a lesson's windows and health by all rules, and keeps what rings within the teacher's budget."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from edge.alerts import wording
from edge.alerts.budget import Budget
from edge.alerts.reading import Reading, read_health, read_summary
from edge.alerts.rules import DIGEST, Rule, Special
from edge.alerts.watch import Sign, Watch
from edge.metric import Metric
from edge.summary import Alert, AlertState, Health, WindowSummary

ALERTS_PER_HOUR = 6
"""Most alerts raised an hour, unless told otherwise."""

_GRACE_HOPS = 2
_REMEMBERED = 100
"""Alerts that can still be said to be wrong."""


class AlertEngine:
    """Judges each role's summaries and the box's health, in order of time. Not for several threads at once.

    A summary's verdict stands for its newest hop, the part that no earlier summary has seen: a hold of six seconds is
    three summaries of two. Seconds since the lesson began are the summaries'; health is put on the same clock by its
    UTC time.

    Args:
        rules: Names must be unique.
        hop_s: Seconds between two summaries of a role.
        alerts_per_hour: Most alerts raised in any hour of a lesson; the rest is told in a digest an hour.
        reads_emotions: Whether there are shares of emotion at all; without, evidence is what was observed.
        make_id: Makes each alert's unique id.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        hop_s: float,
        alerts_per_hour: int = ALERTS_PER_HOUR,
        reads_emotions: bool = True,
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._rules = tuple(rules)
        names = [rule.name for rule in self._rules]
        if len(set(names)) != len(names):
            raise ValueError(f"rule names must be unique, got {names}")
        if not hop_s > 0:
            raise ValueError(f"hop_s must be more than 0, got {hop_s}")
        self._hop_s, self._per_hour = hop_s, alerts_per_hour
        self._reads_emotions, self._make_id = reads_emotions, make_id
        self._watches: list[Watch]
        self._budget: Budget
        self._told: dict[str, Watch]
        self._started_at: datetime | None
        self._now_s: float
        self._reset()

    def begin_lesson(self, started_at: datetime) -> list[Alert]:
        """Start anew at 0 s; return what ends an earlier lesson that was not ended."""
        alerts = self.end_lesson(started_at, self._seconds(started_at))
        self._started_at = started_at
        return alerts

    def judge(self, summary: WindowSummary) -> list[Alert]:
        """Return the alerts that this summary raises or clears, and the digest if one is due."""
        if self._started_at is None:
            self._started_at = summary.closed_at - timedelta(seconds=summary.closed_s)
        alerts = self._digest_if_due(summary.closed_at, summary.closed_s)
        for watch in self._watches:
            if watch.rule.role is summary.role and watch.rule.metric is not Special.SOURCE_LOST:
                reading = read_summary(watch.rule, summary, reads_emotions=self._reads_emotions)
                alerts += self._step(watch, reading, self._hop_s)
        return alerts

    def judge_health(self, health: Health) -> list[Alert]:
        """Return the alerts that this report raises or clears, and the digest if one is due.

        Until a lesson has begun or a summary was judged, there is no lesson to put it in and nothing is judged.
        """
        if self._started_at is None:
            return []
        at_s = self._seconds(health.at)
        alerts = self._digest_if_due(health.at, at_s)
        for watch in self._watches:
            if watch.rule.metric is Special.SOURCE_LOST:
                alerts += self._step(watch, read_health(watch.rule, health, at_s), None)
        return alerts

    def end_lesson(self, at: datetime, at_s: float) -> list[Alert]:
        """Clear what is raised, tell what was held back, and forget this lesson, its snoozes and its budget."""
        alerts = [
            self._alert(
                watch,
                watch.alert_id,
                AlertState.CLEARED,
                Reading(at, at_s, Sign.UNKNOWN),
                wording.ended(max(at_s - watch.raised_since_s, 0.0)),
            )
            for watch in self._watches
            if watch.alert_id is not None
        ]
        if self._budget.held_back:
            alerts.append(self._digest(at, at_s))
        self._reset()
        return alerts

    def snooze(self, rule: str | None, seconds: float) -> None:
        """Raise nothing by a rule, or by any for ``None``, for *seconds* from the last moment that was judged.

        What is raised stays until it is over. What is still met when the snooze ends is raised then. 0 ends a snooze,
        and so does the lesson's end.

        Raises:
            ValueError: There is no such rule, or the time is negative or not finite.
        """
        if not 0.0 <= seconds < float("inf"):
            raise ValueError(f"a snooze takes seconds, 0 or more, got {seconds}")
        watches = [watch for watch in self._watches if rule is None or watch.rule.name == rule]
        if not watches:
            raise ValueError(f"no rule is named {rule!r}; there are {', '.join(r.name for r in self._rules)}")
        for watch in watches:
            watch.snoozed_until_s = self._now_s + seconds

    def was_wrong(self, alert_id: str) -> bool:
        """Ask more of the rule behind an alert for the rest of the lesson: twice its hold, four times at most.

        Returns:
            Whether the alert is one of this lesson's, and nobody had said so before.
        """
        watch = self._told.pop(alert_id, None)
        if watch is not None:
            watch.was_wrong()
        return watch is not None

    def _reset(self) -> None:
        self._watches = [Watch(rule, grace_s=_GRACE_HOPS * self._hop_s) for rule in self._rules]
        self._budget = Budget(self._per_hour)
        self._told = {}
        self._started_at = None
        self._now_s = 0.0

    def _seconds(self, at: datetime) -> float:
        return 0.0 if self._started_at is None else max((at - self._started_at).total_seconds(), 0.0)

    def _step(self, watch: Watch, reading: Reading, step_s: float | None) -> list[Alert]:
        state = watch.step(reading.sign, reading.at_s, step_s)
        if state is None:
            return []
        lasted_s = reading.at_s - watch.raised_since_s
        if state is AlertState.RAISED:
            if not self._budget.take(watch.rule, reading.at_s):
                return []
            watch.alert_id = self._make_id()
            self._told[watch.alert_id] = watch
            if len(self._told) > _REMEMBERED:
                del self._told[next(iter(self._told))]
            reason = wording.raised(watch.rule, reading, lasted_s)
            return [self._alert(watch, watch.alert_id, state, reading, reason)]
        if watch.alert_id is None:
            # Its beginning was held back, so nobody waits for its end.
            return []
        alert_id, watch.alert_id = watch.alert_id, None
        return [self._alert(watch, alert_id, state, reading, wording.cleared(watch.rule, reading, lasted_s))]

    @staticmethod
    def _alert(watch: Watch, alert_id: str, state: AlertState, reading: Reading, reason: str) -> Alert:
        rule = watch.rule
        threshold = rule.raise_at if state is AlertState.RAISED else rule.clear_at
        return Alert(
            id=alert_id,
            rule=rule.name,
            state=state,
            role=rule.role,
            at=reading.at,
            at_s=reading.at_s,
            since_s=watch.raised_since_s,
            reason=reason,
            value=reading.value,
            threshold=rule.hold_s if isinstance(rule.metric, Special) else threshold,
            severity=rule.severity,
            metric=rule.metric if isinstance(rule.metric, Metric) else None,
            usual=None if reading.standing is None else reading.standing.usual,
        )

    def _digest_if_due(self, at: datetime, at_s: float) -> list[Alert]:
        self._now_s = max(self._now_s, at_s)
        return [self._digest(at, at_s)] if self._budget.digest_is_due(at_s) else []

    def _digest(self, at: datetime, at_s: float) -> Alert:
        budget = self._budget
        alert = Alert(
            id=self._make_id(),
            rule=DIGEST,
            state=AlertState.DIGEST,
            role=budget.role,
            at=at,
            at_s=at_s,
            since_s=budget.since_s,
            reason=wording.digest(budget.held_back, lasted_s=at_s - budget.since_s, per_hour=budget.per_hour),
            value=float(budget.held_back.total()),
            threshold=float(budget.per_hour),
            severity=budget.severity,
            metric=None,
        )
        budget.forget()
        return alert
