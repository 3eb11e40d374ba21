"""The default rules over simulated lessons: what they find, how late, and how often they ring for nothing."""

from dataclasses import dataclass, field
from statistics import median

import pytest

from edge.alerts.replay import replay
from edge.rulebook import default_rules
from edge.summary import AlertState
from tests.alert_lessons import HOP_S, LENGTH_S, simulate

LESSONS = 28
HOLD_S = {rule.name: rule.hold_s for rule in default_rules()}


@dataclass(slots=True)
class Score:
    """What came of some lessons."""

    events: int = 0
    found: int = 0
    false: list[str] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    """Beyond the hold."""


@pytest.fixture(scope="module")
def score() -> Score:
    """Half of the lessons have events, the other half has none: 21 hours."""
    score = Score()
    for seed in range(1000, 1000 + LESSONS):
        lesson = simulate(seed, eventful=seed % 2 == 0)
        alerts = replay(lesson.summaries, default_rules(), health=lesson.health)
        begun = [alert for alert in alerts if alert.state is AlertState.RAISED]
        for event in lesson.events:
            score.events += 1
            hits = [a for a in begun if a.rule == event.rule and event.start_s <= a.at_s <= event.end_s + 2 * HOP_S]
            score.found += bool(hits)
            score.delays_s += [hit.at_s - event.start_s - HOLD_S[event.rule] for hit in hits[:1]]
            begun = [alert for alert in begun if alert not in hits]
        score.false += [alert.reason for alert in begun]
    return score


def test_the_default_rules_find_what_happens(score: Score) -> None:
    """At least 95 % of the scripted events, the middle one within two hops beyond its hold."""
    assert score.events >= 40
    assert score.found >= 0.95 * score.events
    assert 0 <= median(score.delays_s) <= 2 * HOP_S


def test_the_default_rules_seldom_ring_for_nothing(score: Score) -> None:
    """At most one false alert in ten hours."""
    assert len(score.false) <= LESSONS * LENGTH_S / 3600 / 10, score.false
