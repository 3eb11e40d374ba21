"""The state machine that raises and clears."""

from collections.abc import Iterable
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.role import Role
from edge.summary import Alert, AlertState
from tests.builders import summary

HOP_S = 2.0
RULE = Rule(name="mood", raise_at=0.5, clear_at=0.3, hold_s=6.0)
HIGH, MIDDLE, LOW = 0.7, 0.4, 0.1
RAISED, CLEARED = AlertState.RAISED, AlertState.CLEARED


def engine(*rules: Rule) -> AlertEngine:
    """Return an engine whose ids count up."""
    numbers = count(1)
    return AlertEngine(rules or (RULE,), hop_s=HOP_S, alerts_per_hour=60, make_id=lambda: f"alert-{next(numbers)}")


def judge(target: AlertEngine, shares: Iterable[float | None], *, from_hop: int = 1) -> list[Alert]:
    """Judge one summary a hop."""
    closes = ((from_hop + number) * HOP_S for number in range(10**6))
    return [alert for share, at_s in zip(shares, closes, strict=False) for alert in target.judge(summary(at_s, share))]


def brief(alerts: Iterable[Alert]) -> list[tuple[AlertState, float]]:
    """Return what happened and when."""
    return [(alert.state, alert.at_s) for alert in alerts]


def test_a_share_that_stays_high_for_the_hold_raises() -> None:
    """A hold of six seconds is three summaries of two, counted from the start of the first.

    ::

        0    2    4    6
        [high[high[high|  raised at 6 s
    """
    assert brief(judge(engine(), [HIGH] * 3)) == [(RAISED, 6.0)]
    assert judge(engine(), [HIGH] * 2) == []


def test_a_dip_starts_the_hold_over() -> None:
    """Two high, one lower and two high are not three in a row."""
    assert judge(engine(), [HIGH, HIGH, MIDDLE, HIGH, HIGH]) == []
    assert brief(judge(engine(), [HIGH, HIGH, MIDDLE, HIGH, HIGH, HIGH])) == [(RAISED, 12.0)]


def test_a_share_between_the_thresholds_changes_nothing() -> None:
    """Hysteresis: neither raises when quiet nor clears when raised, however long."""
    assert judge(engine(), [MIDDLE] * 50) == []
    assert brief(judge(engine(), [HIGH] * 3 + [MIDDLE] * 50)) == [(RAISED, 6.0)]


def test_a_share_that_stays_low_for_the_hold_clears() -> None:
    """The end needs its hold too, and a rise in between starts it over."""
    shares = [HIGH] * 3 + [LOW, LOW, MIDDLE, LOW, LOW, LOW]

    assert brief(judge(engine(), shares)) == [(RAISED, 6.0), (CLEARED, 18.0)]


def test_the_thresholds_themselves_count_as_above() -> None:
    """At raise_at it raises; at clear_at it does not yet clear."""
    assert brief(judge(engine(), [RULE.raise_at] * 3)) == [(RAISED, 6.0)]
    assert brief(judge(engine(), [HIGH] * 3 + [RULE.clear_at] * 9)) == [(RAISED, 6.0)]


def test_windows_without_evidence_move_nothing() -> None:
    """Silence neither raises nor clears, however long."""
    assert judge(engine(), [None] * 50) == []
    assert brief(judge(engine(), [HIGH] * 3 + [None] * 50)) == [(RAISED, 6.0)]


def test_a_short_hole_in_the_evidence_is_skipped() -> None:
    """Two missing windows do not undo a hold, nor count towards it; a third starts it over.

    ::

        0    2    4    6    8    10
        [high[high[none[none[high|  raised at 10 s
    """
    assert brief(judge(engine(), [HIGH, HIGH, None, None, HIGH])) == [(RAISED, 10.0)]
    assert judge(engine(), [HIGH, HIGH, None, None, None, HIGH, HIGH]) == []
    assert brief(judge(engine(), [HIGH] * 3 + [LOW, LOW, None, LOW])) == [(RAISED, 6.0), (CLEARED, 14.0)]


def test_windows_that_never_came_are_a_hole_as_well() -> None:
    """A pause in the summaries is no evidence that the share stayed high meanwhile."""
    target = engine()

    assert [alert for at_s in (2.0, 4.0, 12.0, 14.0) for alert in target.judge(summary(at_s, HIGH))] == []
    assert [a.since_s for a in target.judge(summary(16.0, HIGH))] == [10.0]


def test_the_same_window_twice_counts_once() -> None:
    """A repeat stands for no time of its own."""
    target = engine()

    assert [a for at_s in (2.0, 2.0, 4.0, 4.0) for a in target.judge(summary(at_s, HIGH))] == []


def test_without_a_hold_the_first_window_decides() -> None:
    """A hold of nothing raises and clears at once."""
    rule = Rule(raise_at=0.5, clear_at=0.3, hold_s=0.0)

    assert brief(judge(engine(rule), [HIGH, LOW, HIGH])) == [(RAISED, 2.0), (CLEARED, 4.0), (RAISED, 6.0)]


def test_a_hold_that_no_hop_divides_waits_for_the_next_window() -> None:
    """Five seconds of hold at two seconds a hop are three windows."""
    rule = Rule(raise_at=0.5, clear_at=0.3, hold_s=5.0)

    assert brief(judge(engine(rule), [HIGH] * 3)) == [(RAISED, 6.0)]


shares = st.lists(st.one_of(st.none(), st.floats(0, 1), st.sampled_from([LOW, HIGH])), max_size=60)


def by_counting(values: list[float | None], needed: int) -> list[tuple[AlertState, float]]:
    """Return what the plainest state machine says: count windows in a row, skip two missing ones, turn at *needed*."""
    raised, row, missing, events = False, 0, 0, []
    for number, share in enumerate(values, start=1):
        if share is None:
            missing += 1
            row = row if missing <= 2 else 0
            continue
        missing = 0
        turning = share < RULE.clear_at if raised else share >= RULE.raise_at
        row = row + 1 if turning else 0
        if row == needed:
            raised, row = not raised, 0
            events.append((RAISED if raised else CLEARED, number * HOP_S))
    return events


@given(values=shares)
def test_any_lesson_gives_what_counting_windows_gives(values: list[float | None]) -> None:
    """Against the plainest model, for any sequence of shares."""
    assert brief(judge(engine(), values)) == by_counting(values, needed=3)


@given(values=shares)
def test_beginnings_and_ends_alternate_and_pairs_share_their_id(values: list[float | None]) -> None:
    """An alert begins before it ends, ends before another begins, and its two halves are one alert."""
    alerts = judge(engine(), values)

    assert [alert.state for alert in alerts] == [RAISED, CLEARED] * (len(alerts) // 2) + [RAISED] * (len(alerts) % 2)
    assert [alert.id for alert in alerts] == [f"alert-{number // 2 + 1}" for number in range(len(alerts))]
    for first, second in pairwise(alerts):
        assert first.at_s < second.at_s
        assert second.since_s == first.since_s or second.state is RAISED
    for alert in alerts:
        assert 0 <= alert.since_s < alert.at_s


def test_an_alert_carries_its_numbers_and_says_them() -> None:
    """When, since when, what was measured, against what, and a sentence with all of it."""
    raised, cleared = judge(engine(), [LOW, HIGH, HIGH, HIGH, LOW, LOW, LOW])

    assert (raised.rule, raised.role, raised.value, raised.threshold) == ("mood", Role.STUDENTS, HIGH, 0.5)
    assert (raised.at_s, raised.since_s) == (8.0, 2.0)
    assert raised.at == summary(8.0, HIGH).closed_at
    assert raised.reason == "negative 70 % of students for 6 s, from 12 faces and 50 % speech"
    assert (cleared.value, cleared.threshold, cleared.since_s) == (LOW, 0.3, 2.0)
    assert cleared.reason == "negative 10 % of students, back below 30 % after 12 s, from 12 faces and 50 % speech"


@pytest.mark.parametrize(
    ("people", "speech", "expected"),
    [(1, None, "from 1 face"), (0, 0.25, "from 0 faces and 25 % speech"), (2, 0.0, "from 2 faces and 0 % speech")],
)
def test_a_reason_names_only_evidence_there_was(people: int, speech: float | None, expected: str) -> None:
    """Without a microphone the sentence does not speak of speech."""
    target = engine(Rule(hold_s=0.0))
    (alert,) = target.judge(summary(2.0, HIGH, people=people, speech_ratio=speech))

    assert alert.reason.endswith(f", {expected}")


def test_each_rule_stands_alone() -> None:
    """One rule's alert neither waits for another's nor shares its id."""
    target = engine(RULE, Rule(name="quick", raise_at=0.6, clear_at=0.2, hold_s=2.0))
    alerts = judge(target, [HIGH] * 3)

    assert [(a.rule, a.at_s, a.id) for a in alerts] == [("quick", 2.0, "alert-1"), ("mood", 6.0, "alert-2")]


def test_a_rule_judges_its_own_role() -> None:
    """A teacher's bad mood does not ring the students' alert."""
    target = engine(RULE, Rule(name="teacher", role=Role.TEACHER, raise_at=0.5, clear_at=0.3, hold_s=0.0))

    assert [a.rule for a in target.judge(summary(2.0, HIGH, role=Role.TEACHER))] == ["teacher"]
    assert target.judge(summary(2.0, HIGH)) == []


def test_ids_are_unique_unless_told() -> None:
    """Two alerts of any two engines differ."""
    made = [AlertEngine([Rule(hold_s=0)], hop_s=HOP_S).judge(summary(2.0, HIGH))[0].id for _ in range(2)]

    assert made[0] != made[1]
    assert all(made)


def test_rules_have_different_names() -> None:
    """Two rules of one name could not be told apart on the wire."""
    with pytest.raises(ValueError, match="unique, got"):
        engine(RULE, RULE)
