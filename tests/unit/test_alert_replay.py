"""What would have rung: a stored lesson, judged again."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.replay import replay
from edge.alerts.rules import Rule
from edge.rulebook import default_rules
from edge.summary import Alert, AlertState, Health, WindowSummary
from tests.alert_lessons import HOP_S, LENGTH_S, SimulatedLesson, simulate
from tests.builders import EPOCH, summary

RULE = Rule(raise_at=0.5, clear_at=0.3, hold_s=6.0)


@pytest.fixture(scope="module")
def lesson() -> SimulatedLesson:
    """A lesson with three events."""
    return simulate(4)


def live(lesson: SimulatedLesson) -> Iterator[Alert]:
    """Yield what the default rules told during the lesson."""
    numbers = count(1)
    engine = AlertEngine(default_rules(), hop_s=HOP_S, make_id=lambda: f"replay-{next(numbers)}")
    yield from engine.begin_lesson(EPOCH)
    items: list[WindowSummary | Health] = [*lesson.summaries, *lesson.health]
    for item in sorted(items, key=lambda i: i.at if isinstance(i, Health) else i.closed_at):
        yield from engine.judge_health(item) if isinstance(item, Health) else engine.judge(item)
    yield from engine.end_lesson(lesson.summaries[-1].closed_at, LENGTH_S)


def test_a_replay_tells_what_was_told_live(lesson: SimulatedLesson) -> None:
    """The same rules over what was stored, in whatever order, give the same alerts to the last word."""
    told = list(live(lesson))

    assert len(told) >= 6
    assert replay(lesson.summaries[::-1], default_rules(), health=lesson.health[::-1]) == told


def test_other_rules_tell_something_else(lesson: SimulatedLesson) -> None:
    """A lower threshold without a hold rings more often, up to the budget."""
    eager = Rule("eager", raise_at=0.2, clear_at=0.1, hold_s=0.0)
    few = replay(lesson.summaries, [eager], alerts_per_hour=2)
    many = replay(lesson.summaries, [eager], alerts_per_hour=1000)

    assert sum(a.state is AlertState.RAISED for a in few) == 2
    assert sum(a.state is AlertState.RAISED for a in many) > 10
    assert few[-1].state is AlertState.DIGEST


def test_the_hop_is_the_windows_own() -> None:
    """Windows of another hop stand for as long as they do; one that is told wins."""
    windows = [summary(4.0 * number, 0.7) for number in range(1, 3)]

    assert [a.at_s for a in replay(windows, [RULE]) if a.state is AlertState.RAISED] == [8.0]
    assert replay(windows, [RULE], hop_s=2.0) == []


def test_what_is_still_raised_ends_with_the_lesson() -> None:
    """The last window's close is the lesson's end."""
    windows = [summary(2.0 * number, 0.7) for number in range(1, 9)]

    assert [(a.state, a.at_s) for a in replay(windows, [RULE])] == [
        (AlertState.RAISED, 6.0),
        (AlertState.CLEARED, 16.0),
    ]


def test_a_lesson_without_windows_rings_nothing() -> None:
    """An empty lesson is a lesson; one window is as well."""
    assert replay([], [RULE]) == []
    assert replay([summary(2.0, 0.7)], [replace(RULE, hold_s=0.0)])[0].at_s == 2.0
