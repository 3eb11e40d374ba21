"""What holds of the alerts of any lesson under any rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule, Special
from edge.role import Role
from edge.summary import Alert, AlertState, Health, SourceHealth, SourceState, WindowSummary
from tests.builders import EPOCH, summary

HOP_S = 120.0
"""Long, so that few windows make several hours."""
HIGH, MIDDLE, LOW = 0.7, 0.4, 0.1
PER_HOUR = 3
RAISED, CLEARED = AlertState.RAISED, AlertState.CLEARED

times = st.sampled_from([0.0, 120.0, 240.0, 600.0])
share = st.sampled_from([HIGH, HIGH, MIDDLE, LOW, LOW, None])
both_roles = st.lists(st.tuples(share, share), max_size=80)


@st.composite
def rulebooks(draw: st.DrawFn) -> tuple[Rule, ...]:
    """Some rules of both roles, one for evidence and one for sources."""
    rules = [
        Rule(
            name=f"rule-{number}",
            role=draw(st.sampled_from(Role)),
            metric=metric,
            raise_at=0.5,
            clear_at=0.3,
            hold_s=draw(times),
            clear_hold_s=draw(st.none() | times),
            cool_down_s=draw(times),
        )
        for number, metric in enumerate(
            [*draw(st.lists(st.just(Rule().metric), max_size=3)), Special.NO_EVIDENCE, Special.SOURCE_LOST]
        )
    ]
    return tuple(rules)


def windows(number: int, shares: tuple[float | None, float | None]) -> list[WindowSummary]:
    """Return the two windows that close together."""
    return [summary(number * HOP_S, value, role=role, window_s=HOP_S) for role, value in zip(Role, shares, strict=True)]


def report(number: int, shares: tuple[float | None, float | None]) -> Health:
    """Return a report a second later, whose sources are lost where there was no evidence."""
    sources = tuple(
        SourceHealth(
            role.value, role, SourceState.LOST if v is None else SourceState.RUNNING, None, 0, 0, 0.0, 0, 0.0, 0.1
        )
        for role, v in zip(Role, shares, strict=True)
    )
    at = EPOCH + timedelta(seconds=number * HOP_S + 1)
    return Health(at, sources, vision_ms=None, voice_ms=None, analysed_per_s=0.0, late=0)


def play(
    rules: Sequence[Rule],
    lesson: Sequence[tuple[float | None, float | None]],
    *,
    alerts_per_hour: int = 60,
    teacher_first: bool = False,
) -> list[Alert]:
    """Judge a whole lesson to its end."""
    numbers = count(1)
    engine = AlertEngine(rules, hop_s=HOP_S, alerts_per_hour=alerts_per_hour, make_id=lambda: f"alert-{next(numbers)}")
    alerts = engine.begin_lesson(EPOCH)
    for number, shares in enumerate(lesson, start=1):
        for window in sorted(windows(number, shares), key=lambda w: w.role is Role.TEACHER, reverse=teacher_first):
            alerts += engine.judge(window)
        alerts += engine.judge_health(report(number, shares))
    end_s = len(lesson) * HOP_S + 2
    return alerts + engine.end_lesson(EPOCH + timedelta(seconds=end_s), end_s)


@given(rules=rulebooks(), lesson=both_roles, alerts_per_hour=st.integers(1, 8))
def test_each_rule_raises_and_clears_in_turn(
    rules: tuple[Rule, ...], lesson: list[tuple[float | None, float | None]], alerts_per_hour: int
) -> None:
    """Every beginning has its end, with the same id, before the rule's next beginning."""
    alerts = play(rules, lesson, alerts_per_hour=alerts_per_hour)

    for rule in rules:
        mine = [alert for alert in alerts if alert.rule == rule.name]
        assert [alert.state for alert in mine] == [RAISED, CLEARED] * (len(mine) // 2)
        assert [a.id for a in mine[::2]] == [a.id for a in mine[1::2]]
        assert len({a.id for a in mine}) == len(mine) / 2


@given(rules=rulebooks(), lesson=both_roles)
def test_no_rule_is_raised_while_it_cools_down(
    rules: tuple[Rule, ...], lesson: list[tuple[float | None, float | None]]
) -> None:
    """From an end to the next beginning passes the cool-down at least."""
    alerts = play(rules, lesson)

    for rule in rules:
        mine = [alert for alert in alerts if alert.rule == rule.name]
        for ended, begun in pairwise(mine):
            if begun.state is RAISED:
                assert begun.at_s - ended.at_s >= rule.cool_down_s


@given(rules=rulebooks(), lesson=both_roles, alerts_per_hour=st.integers(1, 4))
def test_no_hour_has_more_than_its_budget(
    rules: tuple[Rule, ...], lesson: list[tuple[float | None, float | None]], alerts_per_hour: int
) -> None:
    """In any 3600 s, not only in those of the clock; and what is missing is told, once an hour and once at the end."""
    alerts = play(rules, lesson, alerts_per_hour=alerts_per_hour)
    unlimited = play(rules, lesson, alerts_per_hour=10_000)
    begun = [alert.at_s for alert in alerts if alert.state is RAISED]
    digests = [alert for alert in alerts if alert.state is AlertState.DIGEST]

    for first, beyond in zip(begun, begun[alerts_per_hour:], strict=False):
        assert beyond - first >= 3600.0
    told = sum(alert.value or 0 for alert in digests)
    assert len(begun) + told == sum(alert.state is RAISED for alert in unlimited)
    for earlier, later in pairwise(digests[:-1]):
        assert earlier.at_s // 3600 < later.at_s // 3600


@given(rules=rulebooks(), lesson=both_roles)
def test_the_order_of_the_roles_does_not_matter(
    rules: tuple[Rule, ...], lesson: list[tuple[float | None, float | None]]
) -> None:
    """The teacher's window before the students' gives the same alerts, apart from their ids."""

    def told(*, teacher_first: bool) -> list[tuple[float, str, str, str]]:
        alerts = play(rules, lesson, teacher_first=teacher_first)
        return sorted((alert.at_s, alert.rule, alert.state, alert.reason) for alert in alerts)

    assert told(teacher_first=True) == told(teacher_first=False)


@given(rules=rulebooks(), lesson=both_roles)
def test_no_alert_without_its_hold(rules: tuple[Rule, ...], lesson: list[tuple[float | None, float | None]]) -> None:
    """Before each beginning the condition was met for the hold, and nothing judged in between said otherwise."""
    shares = {role: [pair[i] for pair in lesson] for i, role in enumerate(Role)}

    for alert in play(rules, lesson):
        if alert.state is not RAISED:
            continue
        rule = next(rule for rule in rules if rule.name == alert.rule)
        first, last = round(alert.since_s // HOP_S), round(alert.at_s // HOP_S)
        if rule.metric is Special.SOURCE_LOST:
            seen = shares[rule.role][first - 1 : last]
            assert all(value is None for value in seen)
            assert (len(seen) - 1) * HOP_S >= rule.hold_s
        elif rule.metric is Special.NO_EVIDENCE:
            seen = shares[rule.role][first:last]
            assert all(value is None for value in seen)
            assert len(seen) * HOP_S >= rule.hold_s
        else:
            known = [value for value in shares[rule.role][first:last] if value is not None]
            assert all(value >= rule.raise_at for value in known)
            assert len(known) * HOP_S >= rule.hold_s


@given(rules=rulebooks(), lesson=both_roles, raised_by=st.sampled_from([1.0, 2.0]))
def test_a_longer_hold_never_rings_sooner(
    rules: tuple[Rule, ...], lesson: list[tuple[float | None, float | None]], raised_by: float
) -> None:
    """The first alert of a rule comes no earlier when more is asked of it."""

    def first(book: Sequence[Rule], name: str) -> float:
        return min((a.at_s for a in play(book, lesson) if a.rule == name and a.state is RAISED), default=float("inf"))

    patient = [replace(rule, hold_s=rule.hold_s * raised_by + 120.0) for rule in rules]
    for rule in rules:
        assert first(patient, rule.name) >= first(rules, rule.name)
