"""What a lesson's summaries say together."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.report.lesson import lesson_json
from edge.report.statistics import alert_spans, role_statistics
from edge.role import Role
from edge.summary import AlertState, Lesson, WindowSummary
from tests.builders import EPOCH, summary
from tests.outgoing import alert

LESSON = Lesson("l1", "8b Maths", EPOCH, None)


def test_windows_weigh_by_their_newest_part() -> None:
    """Overlapping windows count once: ten seconds at 0 and two at 1 are a sixth.

    ::

        0         10 12
        [----0----)
          [---1-----)      two new seconds
    """
    statistics = role_statistics(Role.STUDENTS, [summary(10.0, 0.0), summary(12.0, 1.0)])

    assert statistics.negative_share == pytest.approx(2 / 12)
    assert statistics.covered_s == statistics.evidence_s == 12.0


def test_hole_in_the_summaries_is_not_covered() -> None:
    """After an hour without summaries a window stands for its own length, not for the hour."""
    statistics = role_statistics(Role.STUDENTS, [summary(10.0, 0.0), summary(3600.0, 1.0)])

    assert statistics.covered_s == 20.0
    assert statistics.negative_share == pytest.approx(0.5)


def test_no_evidence_is_neither_calm_nor_withheld() -> None:
    """Time without evidence and time withheld are counted apart and change no share."""
    hidden = replace(summary(14.0, 1.0), suppressed=True)
    statistics = role_statistics(Role.STUDENTS, [summary(10.0, 0.5), summary(12.0, None), hidden])

    assert (statistics.covered_s, statistics.evidence_s, statistics.withheld_s) == (14.0, 10.0, 2.0)
    assert statistics.negative_share == pytest.approx(0.5)
    assert [part.withheld for part in statistics.slices[-2:]] == [False, True]


def test_role_without_summaries_is_unknown() -> None:
    """With nothing of a role there is no share and no slice."""
    statistics = role_statistics(Role.TEACHER, [summary(10.0, 0.5)])

    assert (statistics.shares, statistics.negative_share) == (None, None)
    assert (statistics.covered_s, statistics.slices) == (0.0, ())


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=40), st.integers(1, 50), st.randoms())
def test_slices_tile_the_lesson(shares: list[float | None], most: int, order: random.Random) -> None:
    """Slices have no holes, are no more than asked for, don't depend on order, and weigh up to the lesson's share."""
    summaries: list[WindowSummary] = [summary(2.0 * n, share) for n, share in enumerate(shares, 1)]
    statistics = role_statistics(Role.STUDENTS, summaries, most_slices=most)
    order.shuffle(summaries)

    assert 1 <= len(statistics.slices) <= most
    assert [a.to_s for a in statistics.slices[:-1]] == [b.from_s for b in statistics.slices[1:]]
    assert (statistics.slices[0].from_s, statistics.slices[-1].to_s) == (0.0, 2.0 * len(shares))
    assert statistics == role_statistics(Role.STUDENTS, summaries, most_slices=most)
    known = [share for share in shares if share is not None]
    if not known:
        assert statistics.negative_share is None
    else:
        assert statistics.negative_share == pytest.approx(sum(known) / len(known), abs=1e-6)


def test_alerts_join_their_ends() -> None:
    """A beginning and an end with one id are one span; without an end it stays open, without a beginning it is none."""
    events = [
        alert("b", at_s=70.0),
        alert("a", at_s=46.0),
        alert("a", AlertState.CLEARED, at_s=60.0),
        alert("c", AlertState.CLEARED, at_s=90.0),
    ]

    assert [(span.raised_s, span.cleared_s) for span in alert_spans(events)] == [(46.0, 60.0), (70.0, None)]


def test_lesson_as_json() -> None:
    """A program reads shares, times and alerts, with null where there was no evidence."""
    said = lesson_json(LESSON, [summary(10.0, 0.25), summary(12.0, None)], [alert()])
    read = json.loads(json.dumps(said, allow_nan=False))

    assert read["lesson"] == {"id": "l1", "title": "8b Maths", "started_at": "2026-03-02T08:00:00Z", "ended_at": None}
    assert read["roles"]["students"]["negative_share"] == 0.25
    assert read["roles"]["students"]["evidence_s"] == 10.0
    assert read["roles"]["teacher"]["shares"] is None
    assert read["roles"]["students"]["timeline"][-1]["negative_share"] is None
    assert read["alerts"][0]["raised_s"] == 46.0
