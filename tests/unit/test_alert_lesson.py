"""From the first to the last second of a lesson: budget, digest, snooze, cool-down, sources, evidence."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Against, Direction, Rule, Special
from edge.alerts.wording import amount, duration
from edge.behaviour import Behaviour
from edge.metric import Metric, Standing
from edge.role import Role
from edge.summary import Alert, AlertState, Health, Severity, SourceHealth, SourceState, WindowSummary
from tests.builders import EPOCH, summary

HOP_S = 2.0
HIGH, LOW = 0.7, 0.1
RAISED, CLEARED, DIGEST = AlertState.RAISED, AlertState.CLEARED, AlertState.DIGEST
MOOD = Rule(name="mood", raise_at=0.5, clear_at=0.3, hold_s=6.0)
QUICK = replace(MOOD, name="quick", hold_s=0.0)
LOST = Rule(name="lost", metric=Special.SOURCE_LOST, hold_s=10.0, clear_hold_s=0.0, severity=Severity.CRITICAL)
BLIND = Rule(name="blind", metric=Special.NO_EVIDENCE, hold_s=6.0, clear_hold_s=2.0)


def engine(*rules: Rule, alerts_per_hour: int = 60, reads_emotions: bool = True) -> AlertEngine:
    """Return an engine whose ids count up."""
    numbers = count(1)
    return AlertEngine(
        rules,
        hop_s=HOP_S,
        alerts_per_hour=alerts_per_hour,
        reads_emotions=reads_emotions,
        make_id=lambda: f"alert-{next(numbers)}",
    )


def judge(target: AlertEngine, shares: Iterable[float | None], *, from_s: float = 0.0) -> list[Alert]:
    """Judge one summary of the students a hop, the first closing a hop after *from_s*."""
    alerts = []
    for number, share in enumerate(shares, start=1):
        alerts += target.judge(summary(from_s + number * HOP_S, share))
    return alerts


def brief(alerts: Iterable[Alert]) -> list[tuple[str, AlertState, float]]:
    """Return what happened and when."""
    return [(alert.rule, alert.state, alert.at_s) for alert in alerts]


def health(at_s: float, *states: SourceState, idle_s: float | None = 0.1, role: Role = Role.STUDENTS) -> Health:
    """Return a report with a source for each of *states*."""
    sources = tuple(
        SourceHealth(f"cam-{number}", role, state, None, 0, 0, 0.0, 0, 0.0, idle_s)
        for number, state in enumerate(states, start=1)
    )
    return Health(EPOCH + timedelta(seconds=at_s), sources, vision_ms=None, voice_ms=None, analysed_per_s=0.0, late=0)


# ---------------------------------------------------------------- against the usual, from few, below


def standing(window: WindowSummary, metric: Metric, usual: float, spread: float) -> WindowSummary:
    """Return the window with a usual value for one of its metrics."""
    value = window.value(metric)
    assert value is not None
    return replace(window, standings=(*window.standings, Standing(metric, value, usual, spread)))


def people(window: WindowSummary, effective: float) -> WindowSummary:
    """Return the window with its shares resting on so many people."""
    return replace(window, fused=replace(window.fused, effective=effective))


def test_the_reason_is_a_sentence_a_teacher_can_check() -> None:
    """What, how much, for how long, what is usual, and what it rests on."""
    target = engine(replace(MOOD, raise_at=0.4, hold_s=44.0))
    windows = [summary(2.0 * n, 0.41, people=17, speech_ratio=0.6) for n in range(1, 30)]
    alerts = [a for w in windows for a in target.judge(standing(w, Metric.NEGATIVE, 0.12, 0.06))]

    assert [a.reason for a in alerts] == [
        "negative 41 % of students for 44 s, usual 12 %, from 17 faces and 60 % speech"
    ]
    assert (alerts[0].usual, alerts[0].metric, alerts[0].severity) == (0.12, Metric.NEGATIVE, Severity.WARNING)


def test_the_teacher_is_called_so() -> None:
    """One person is not written as a crowd."""
    target = engine(replace(QUICK, role=Role.TEACHER))
    alerts = [
        a for at_s, share in ((2.0, HIGH), (4.0, LOW)) for a in target.judge(summary(at_s, share, role=Role.TEACHER))
    ]

    assert [a.reason.split(",")[0] for a in alerts] == [
        "negative 70 % of the teacher for 2 s",
        "negative 10 % of the teacher",
    ]


def test_a_rule_against_the_usual_counts_spreads() -> None:
    """The same share rings in a class where it is unusual, and not in one where it is usual or where none is known."""
    rule = replace(QUICK, against=Against.USUAL, raise_at=3.0, clear_at=1.0)
    window = summary(2.0, 0.5)

    assert engine(rule).judge(window) == []
    assert engine(rule).judge(standing(window, Metric.NEGATIVE, 0.4, 0.1)) == []
    (alert,) = engine(rule).judge(standing(window, Metric.NEGATIVE, 0.1, 0.1))
    assert (alert.value, alert.threshold, alert.usual) == (0.5, 3.0, 0.1)
    assert alert.reason.startswith("negative 50 % of students for 2 s, 4.0 spreads above the usual 10 %, from 12 faces")


def test_activity_says_what_it_is_made_of() -> None:
    """An unusual class is explained by its parts, each with its usual value."""
    rule = Rule("lively", metric=Metric.ACTIVITY, raise_at=2.0, clear_at=1.0, hold_s=0.0, message="lively: {value}")
    talking = replace(summary(2.0, LOW), behaviour=Behaviour(talk=0.6, movement=0.3))
    window = standing(standing(talking, Metric.MOVEMENT, 0.1, 0.05), Metric.TALK, 0.3, 0.1)
    (alert,) = engine(rule).judge(window)

    assert alert.value == pytest.approx(3.5)
    assert alert.reason == (
        "lively: 3.5 spreads above the usual, movement 0.30 face widths a second (usual 0.10), "
        "talk 60 % (usual 30 %), from 12 faces and 50 % speech"
    )


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        (Metric.VALENCE, -0.256, "-0.26"),
        (Metric.TURNS, 4.0, "4.0 turns a minute"),
        (Metric.LEVEL, -23.4, "-23 dBFS"),
        (Metric.TALK, 0.304, "30 %"),
        (Metric.ACTIVITY, -2.04, "2.0 spreads below the usual"),
    ],
)
def test_values_are_written_with_their_unit(metric: Metric, value: float, words: str) -> None:
    """A number without its unit says nothing."""
    assert amount(metric, value) == words


def test_long_times_are_told_in_minutes() -> None:
    """Nobody thinks in 312 seconds."""
    assert [duration(seconds) for seconds in (0.4, 119.4, 120.0, 312.0)] == ["0 s", "119 s", "2 min", "5 min"]


def test_a_rule_may_look_below() -> None:
    """Too little rings at the threshold, and clears above the other."""
    rule = Rule("still", metric=Metric.TALK, direction=Direction.BELOW, raise_at=0.1, clear_at=0.3, hold_s=0.0)
    talks = [0.3, 0.1, 0.3, 0.31]
    target = engine(rule)
    alerts = []
    for number, talk in enumerate(talks, start=1):
        alerts += target.judge(replace(summary(2.0 * number, LOW), behaviour=Behaviour(talk=talk)))

    assert brief(alerts) == [("still", RAISED, 4.0), ("still", CLEARED, 8.0)]
    assert alerts[1].reason.startswith("talk 31 % of students, back above 30 % after 6 s")


@pytest.mark.parametrize(
    ("effective", "usual", "rings"),
    [
        (3.0, None, False),
        (12.0, None, True),
        (12.0, 0.3, False),
        (60.0, 0.3, True),
        (3.0, 0.01, False),
        (0.0, None, True),
    ],
)
def test_a_few_uncertain_faces_do_not_ring(effective: float, usual: float | None, rings: bool) -> None:  # noqa: FBT001 - a column of the table
    """The whole interval must lie beyond the rule's share, and beyond the usual where that is known."""
    window = people(summary(2.0, 0.45), effective)
    if usual is not None:
        window = standing(window, Metric.NEGATIVE, usual, 0.1)

    assert bool(engine(replace(QUICK, raise_at=0.4, interval_beyond=0.15)).judge(window)) is rings


def test_below_the_whole_interval_must_lie_lower() -> None:
    """Attention of three heads says little of a class; of thirty it says enough."""
    rule = Rule(
        "away",
        metric=Metric.ATTENTION,
        direction=Direction.BELOW,
        raise_at=0.3,
        clear_at=0.5,
        hold_s=0.0,
        interval_beyond=0.55,
    )
    few, many = (
        replace(summary(2.0, LOW), behaviour=Behaviour(attention=0.2, attention_people=n)) for n in (3.0, 30.0)
    )

    assert engine(rule).judge(few) == []
    assert brief(engine(rule).judge(many)) == [("away", RAISED, 2.0)]


# ---------------------------------------------------------------- cool-down, snooze, feedback


def test_nothing_is_raised_while_a_rule_cools_down() -> None:
    """What is met again during the cool-down is raised at its end, since when it was met.

    ::

        0    2    4    6    8    10   12
        [high[low [high[high[high[high|   cleared at 4 s, cool-down of 8 s, raised at 12 s
    """
    alerts = judge(engine(replace(QUICK, cool_down_s=8.0)), [HIGH, LOW] + [HIGH] * 6)

    assert brief(alerts) == [("quick", RAISED, 2.0), ("quick", CLEARED, 4.0), ("quick", RAISED, 12.0)]
    assert alerts[-1].since_s == 4.0


def test_the_clear_hold_may_be_another() -> None:
    """Quick to ring and slow to clear, or the other way round."""
    assert brief(judge(engine(replace(QUICK, clear_hold_s=6.0)), [HIGH, LOW, LOW, LOW])) == [
        ("quick", RAISED, 2.0),
        ("quick", CLEARED, 8.0),
    ]


def test_a_snoozed_rule_rings_afterwards_if_it_still_has_to() -> None:
    """A snooze counts from the last window judged, and holds back only what it names."""
    target = engine(QUICK, replace(QUICK, name="other"))
    judge(target, [LOW])
    target.snooze("quick", 4.0)

    assert brief(judge(target, [HIGH, HIGH], from_s=2.0)) == [("other", RAISED, 4.0), ("quick", RAISED, 6.0)]


def test_a_snooze_of_all_leaves_what_is_raised() -> None:
    """What was raised before is cleared when it is over."""
    target = engine(QUICK, replace(QUICK, name="high", raise_at=0.9, clear_at=0.8))
    judge(target, [HIGH])
    target.snooze(None, 3600.0)

    assert brief(judge(target, [1.0, LOW, 1.0], from_s=2.0)) == [("quick", CLEARED, 6.0)]


def test_a_snooze_can_be_ended() -> None:
    """Zero seconds undo it."""
    target = engine(QUICK)
    target.snooze(None, 60.0)
    target.snooze("quick", 0.0)

    assert brief(judge(target, [HIGH])) == [("quick", RAISED, 2.0)]


@pytest.mark.parametrize(
    ("rule", "seconds", "message"),
    [
        ("mod", 5.0, "no rule is named 'mod'; there are mood, quick"),
        (None, -1.0, "0 or more"),
        (None, float("nan"), "nan"),
    ],
)
def test_a_snooze_that_cannot_be_is_refused(rule: str | None, seconds: float, message: str) -> None:
    """The rule's name and the time come from a tablet, so they are checked."""
    with pytest.raises(ValueError, match=message):
        engine(MOOD, QUICK).snooze(rule, seconds)


def test_a_wrong_alert_asks_more_of_its_rule_for_this_lesson() -> None:
    """Twice the hold, four times at most, once an alert, and as before in the next lesson."""
    target = engine(replace(MOOD, hold_s=4.0, clear_hold_s=4.0))
    found, at_s = [], 0.0
    for _ in range(4):
        alerts = judge(target, [LOW] * 2 + [HIGH] * 8 + [LOW] * 2, from_s=at_s)
        at_s += 24.0
        found.append(alerts[0].at_s - alerts[0].since_s)
        assert target.was_wrong(alerts[0].id)
        assert not target.was_wrong(alerts[0].id)

    assert found == [4.0, 8.0, 16.0, 16.0]
    assert not target.was_wrong("never heard of")
    target.begin_lesson(EPOCH)
    assert judge(target, [HIGH] * 2)[0].at_s == 4.0


# ---------------------------------------------------------------- budget and digest


def test_more_than_the_budget_is_counted_and_told_at_the_end() -> None:
    """The rest of an hour's alerts is one line; ends of what was held back are not told either."""
    target = engine(QUICK, alerts_per_hour=2)
    alerts = judge(target, [HIGH, LOW] * 5)

    assert [state for _, state, _ in brief(alerts)] == [RAISED, CLEARED, RAISED, CLEARED]
    (digest,) = target.end_lesson(EPOCH + timedelta(seconds=30), 30.0)
    assert (digest.rule, digest.state, digest.since_s, digest.value, digest.threshold) == (
        "digest",
        DIGEST,
        10.0,
        3.0,
        2.0,
    )
    assert digest.metric is None
    assert digest.reason == "held back 3 alerts in 20 s, because 2 an hour are the most: quick 3"
    assert target.end_lesson(EPOCH + timedelta(seconds=30), 30.0) == []


def test_a_digest_comes_once_an_hour() -> None:
    """At the first window after each full hour in which something was held back."""
    target = engine(QUICK, alerts_per_hour=1)
    alerts = judge(target, [HIGH, LOW] * 2) + judge(target, [LOW, HIGH, LOW], from_s=3598.0)
    later = judge(target, [LOW], from_s=7200.0)

    assert brief(alerts) == [
        ("quick", RAISED, 2.0),
        ("quick", CLEARED, 4.0),
        ("digest", DIGEST, 3600.0),
        ("quick", RAISED, 3602.0),
        ("quick", CLEARED, 3604.0),
    ]
    assert later == []


def test_a_second_digest_waits_for_its_hour() -> None:
    """What is held back after one digest is told with the next full hour, not at once."""
    target = engine(QUICK, alerts_per_hour=1)
    alerts = judge(target, [LOW, HIGH, LOW] + [HIGH, LOW] * 20, from_s=3598.0) + judge(target, [LOW], from_s=7198.0)

    assert [at_s for _, state, at_s in brief(alerts) if state is DIGEST] == [7200.0]


def test_a_digest_names_the_worst_and_the_most_frequent() -> None:
    """Severity is the worst held back, and the teacher's only where all of it is the teacher's."""
    mild = replace(QUICK, name="mild", severity=Severity.INFO)
    target = engine(QUICK, mild, replace(QUICK, name="bad", severity=Severity.CRITICAL, hold_s=4.0), alerts_per_hour=1)
    judge(target, [HIGH, LOW, HIGH, HIGH, LOW])
    (digest,) = (a for a in target.end_lesson(EPOCH, 10.0) if a.state is DIGEST)

    assert (digest.severity, digest.role) == (Severity.CRITICAL, Role.STUDENTS)
    assert digest.reason.endswith(": mild 2, bad 1, quick 1")

    alone = engine(replace(QUICK, role=Role.TEACHER), alerts_per_hour=1)
    for at_s, share in ((2.0, HIGH), (4.0, LOW), (6.0, HIGH)):
        alone.judge(summary(at_s, share, role=Role.TEACHER))
    assert [a.role for a in alone.end_lesson(EPOCH, 8.0)] == [Role.TEACHER]


def test_a_budget_of_none_is_refused() -> None:
    """A box that may never ring should have no rules instead."""
    with pytest.raises(ValueError, match="alerts_per_hour must be at least 1, got 0"):
        engine(QUICK, alerts_per_hour=0)


# ---------------------------------------------------------------- a lesson's ends


def test_the_end_of_a_lesson_clears_what_is_raised() -> None:
    """Nothing stays active for ever, and the next lesson starts from nothing."""
    target = engine(replace(QUICK, cool_down_s=600.0))
    (raised,) = judge(target, [HIGH])
    (cleared,) = target.end_lesson(EPOCH + timedelta(seconds=60), 60.0)

    assert (cleared.id, cleared.state, cleared.at_s, cleared.value) == (raised.id, CLEARED, 60.0, None)
    assert cleared.reason == "the lesson ended, after 60 s"
    assert brief(judge(target, [HIGH])) == [("quick", RAISED, 2.0)]


def test_a_lesson_that_begins_ends_the_one_before() -> None:
    """A box that never heard the bell still clears."""
    target = engine(QUICK)
    judge(target, [HIGH])
    alerts = target.begin_lesson(EPOCH + timedelta(seconds=3000))

    assert brief(alerts) == [("quick", CLEARED, 3000.0)]
    assert target.begin_lesson(EPOCH + timedelta(seconds=3001)) == []


# ---------------------------------------------------------------- sources and evidence


def test_a_lost_source_rings_after_its_hold_and_clears() -> None:
    """From the first report that says so; the sources are named."""
    target = engine(LOST)
    target.begin_lesson(EPOCH)
    running, lost = SourceState.RUNNING, SourceState.LOST
    reports = [health(5.0, running), health(10.0, lost, running), health(15.0, lost, running), health(20.0, lost, lost)]
    alerts = [a for report in [*reports, health(25.0, running, running)] for a in target.judge_health(report)]

    assert brief(alerts) == [("lost", RAISED, 20.0), ("lost", CLEARED, 25.0)]
    assert [a.reason for a in alerts] == [
        "nothing from cam-1 and cam-2 for 10 s",
        "the sources of students deliver again after 15 s",
    ]
    assert (alerts[0].value, alerts[0].metric, alerts[0].severity) == (None, None, Severity.CRITICAL)
    assert (alerts[0].threshold, alerts[0].since_s) == (10.0, 10.0)


def test_a_source_that_runs_and_delivers_nothing_is_lost() -> None:
    """A driver that hangs does not say so; a file that ended is not missed, nor another role's camera."""
    rule, running = replace(LOST, hold_s=0.0), SourceState.RUNNING

    def rings(report: Health) -> bool:
        target = engine(rule)
        target.begin_lesson(EPOCH)
        return bool(target.judge_health(report))

    assert rings(health(5.0, running, idle_s=10.0))
    assert not rings(health(5.0, running, idle_s=9.0))
    assert not rings(health(5.0, SourceState.ENDED, idle_s=60.0))
    assert not rings(health(5.0, SourceState.LOST, role=Role.TEACHER))


def test_health_shares_the_summaries_clock() -> None:
    """Without a lesson nothing is judged; with a window or a beginning, seconds count from the same start."""
    target = engine(replace(LOST, hold_s=0.0))
    assert target.judge_health(health(5.0, SourceState.LOST)) == []

    target.judge(summary(6.0, LOW))
    assert [a.at_s for a in target.judge_health(health(7.5, SourceState.LOST))] == [7.5]


def test_missing_evidence_rings_after_its_hold_and_clears() -> None:
    """Nothing told of the class for long is told once, and ends when there is something again."""
    alerts = judge(engine(BLIND), [LOW, None, None, None, LOW])

    assert brief(alerts) == [("blind", RAISED, 8.0), ("blind", CLEARED, 10.0)]
    assert [a.reason for a in alerts] == [
        "not enough evidence of students for 6 s",
        "enough evidence of students again after 8 s",
    ]


def test_a_withheld_class_rings_exactly_as_an_empty_one() -> None:
    """What is said of two pupils in the room is, to the letter, what is said of none."""

    def said(*, suppressed: bool, faces: int) -> list[Alert]:
        target = engine(BLIND, QUICK, replace(QUICK, name="level", metric=Metric.LEVEL, raise_at=-40.0, clear_at=-50.0))
        windows = [summary(2.0 * n, None, people=faces) for n in range(1, 9)]
        windows = [replace(w, suppressed=suppressed, coverage=replace(w.coverage, level_dbfs=None)) for w in windows]
        return [a for w in windows for a in target.judge(w)]

    assert said(suppressed=True, faces=2) == said(suppressed=False, faces=0)
    assert [a.rule for a in said(suppressed=True, faces=2)] == ["blind"]


def test_nothing_withheld_is_judged() -> None:
    """A suppressed window has no metric, whatever still stands in it."""
    window = replace(standing(summary(2.0, HIGH), Metric.NEGATIVE, 0.1, 0.1), suppressed=True)
    against = replace(QUICK, name="against", against=Against.USUAL, raise_at=3.0, clear_at=1.0)

    assert engine(QUICK, against).judge(window) == []


def test_without_emotions_evidence_is_what_was_observed() -> None:
    """A box that reads no emotion is not blind while it sees heads or hears talk."""
    seen = [replace(summary(2.0 * n, None), behaviour=Behaviour(attention=0.5)) for n in range(1, 9)]
    unseen = [summary(2.0 * n, None) for n in range(1, 9)]

    def rings(windows: list[WindowSummary], *, reads_emotions: bool) -> bool:
        target = engine(BLIND, reads_emotions=reads_emotions)
        return bool([a for w in windows for a in target.judge(w)])

    assert not rings(seen, reads_emotions=False)
    assert rings(unseen, reads_emotions=False)
    assert rings(seen, reads_emotions=True)
