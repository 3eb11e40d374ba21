"""What is usual for a class, and how a window stands against it."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import Behaviour, Component, Engagement
from edge.fusion.baseline import (
    DIGEST_SIZE,
    FLOOR,
    MEASURED,
    ClassBaseline,
    LessonDigest,
    Usual,
    digest,
    separate,
    usual_of,
)
from edge.metric import ACTIVE, Metric
from edge.role import Role
from edge.summary import WindowSummary
from tests.builders import summary
from tests.strategies import few

TALK = (Role.STUDENTS, Metric.TALK)
shares = st.lists(st.integers(0, 100).map(lambda n: n / 100), min_size=1, max_size=80)


def talking(closed_s: float, talk: float | None, *, role: Role = Role.STUDENTS) -> WindowSummary:
    """Return a window in which a role talked, and of which its mood can't be told."""
    return replace(summary(closed_s, None, role=role), behaviour=Behaviour(talk=talk))


def lesson(talk: Sequence[float | None]) -> list[WindowSummary]:
    """Return one separate window for each value."""
    return [talking(10.0 * number, value) for number, value in enumerate(talk, 1)]


def of(talk: Sequence[float]) -> LessonDigest:
    """Return what a lesson with these values teaches."""
    found = digest(lesson(talk))
    assert found is not None
    return found


def z(window: WindowSummary, metric: Metric = Metric.TALK) -> float | None:
    """Return how a window stands."""
    standing = window.standing(metric)
    return None if standing is None else standing.z


def test_every_metric_but_activity_has_a_usual() -> None:
    """Activity is worked out from the standings of the others, which all must have one."""
    assert set(MEASURED) == set(FLOOR) == set(Metric) - {Metric.ACTIVITY}
    assert set(ACTIVE) <= set(MEASURED)
    assert all(floor > 0 for floor in FLOOR.values())


def test_the_usual_is_the_median_and_the_scaled_mad() -> None:
    """One wild value in five moves neither."""
    assert usual_of([1, 2, 3, 4, 1000], 0.1) == Usual(3.0, 1.4826, 5)


def test_a_constant_class_has_the_least_spread() -> None:
    """Otherwise every small change would be unusual."""
    assert usual_of([0.3] * 50, 0.05) == Usual(0.3, 0.05, 50)


def test_a_class_that_talks_now_and_then_may_do_so() -> None:
    """Silence in three windows of four must not make talk in the fourth unusual."""
    usual = usual_of([0.0] * 75 + [0.6] * 25, FLOOR[Metric.TALK])

    assert usual.value == 0.0
    assert 0.6 / usual.spread < 3


def test_one_bad_window_in_twenty_does_not_widen_the_spread() -> None:
    """The range of the middle 80 % leaves the ends out as well."""
    assert usual_of([0.1] * 95 + [1.0] * 5, 0.05).spread == 0.05


@given(values=shares, scale=st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_the_usual_does_not_depend_on_the_unit(values: list[float], scale: float) -> None:
    """Values and floor in another unit give the same in that unit, exactly for powers of two."""
    one, other = usual_of(values, 0.05), usual_of([scale * value for value in values], scale * 0.05)

    assert other == Usual(scale * one.value, scale * one.spread, one.windows)


def test_windows_that_share_a_second_count_once() -> None:
    """The first full window, and then each that opens when the last one counted has closed."""
    hops = [summary(2.0 * number, 0.1) for number in range(1, 16)]

    assert [window.closed_s for window in separate(hops, 10.0)] == [10.0, 20.0, 30.0]


def test_a_long_lesson_is_kept_as_quantiles() -> None:
    """As many as fit, in rising order, with the median of all."""
    values = np.random.default_rng(0).permutation(301) / 300
    kept = of([float(value) for value in values]).values[TALK]

    assert len(kept) == DIGEST_SIZE
    assert list(kept) == sorted(kept)
    assert np.median(kept) == pytest.approx(0.5, abs=1e-3)


def test_a_lesson_without_evidence_teaches_nothing() -> None:
    """No windows, no values, or only suppressed ones: no digest."""
    hidden = [replace(window, suppressed=True) for window in lesson([0.5] * 40)]

    assert digest([]) is None
    assert digest([replace(w, coverage=replace(w.coverage, level_dbfs=None)) for w in lesson([None] * 40)]) is None
    assert digest(hidden) is None


@pytest.mark.parametrize("values", [(), (0.1,) * (DIGEST_SIZE + 1), (float("nan"),)])
def test_a_digest_refuses_what_is_no_digest(values: tuple[float, ...]) -> None:
    """Empty, too long, or not a number: such a row in the store would spoil every lesson after it."""
    with pytest.raises(ValueError, match="students talk"):
        LessonDigest(10.0, {TALK: values})
    with pytest.raises(ValueError, match="window_s"):
        LessonDigest(0.0, {})


@few
@given(lessons=st.lists(shares, max_size=5), order=st.randoms(use_true_random=False))
def test_the_order_of_lessons_and_windows_does_not_matter(lessons: list[list[float]], order: Random) -> None:
    """A store may hand them over as it likes."""
    windows = [lesson(talk) for talk in lessons]
    history = [found for w in windows if (found := digest(w)) is not None]
    order.shuffle(windows)
    for shuffled in windows:
        order.shuffle(shuffled)
    again = [found for w in windows if (found := digest(w)) is not None]

    assert ClassBaseline(history, window_s=10).usual(*TALK) == ClassBaseline(again, window_s=10).usual(*TALK)


def test_nothing_is_usual_before_enough_is_known() -> None:
    """Three minutes of separate windows: the nineteenth is the first with a standing."""
    baseline = ClassBaseline(window_s=10, least_s=180)
    standing = [z(baseline.apply(window)) for window in lesson([0.3] * 20)]

    assert standing == [None] * 18 + [0.0, 0.0]
    assert baseline.usual(*TALK) == Usual(0.3, 0.05, 20)
    assert baseline.usual(Role.TEACHER, Metric.TALK) is None


def test_overlapping_windows_are_no_more_evidence() -> None:
    """A hop of two seconds does not make three minutes out of one, but each window has its standing."""
    baseline = ClassBaseline(window_s=10, least_s=180)
    standing = [z(baseline.apply(talking(2.0 * number, 0.3))) for number in range(1, 100)]

    assert standing.index(0.0) == 90
    assert None not in standing[90:]


def test_a_lesson_that_goes_wrong_does_not_become_usual() -> None:
    """After the first five minutes the usual stands still, however long it lasts."""
    baseline = ClassBaseline(window_s=10, first_s=300)
    last = [baseline.apply(window) for window in lesson([0.2] * 30 + [0.9] * 1000)][-1]

    assert z(last) == pytest.approx(0.7 / 0.05)
    assert baseline.usual(*TALK) == Usual(0.2, 0.05, 30)


def test_a_class_that_is_always_lively_is_usual() -> None:
    """Its own lessons are the measure, not other classes'."""
    rng = np.random.default_rng(1)
    history = [of([float(v) for v in rng.uniform(0.7, 0.9, 200)]) for _ in range(5)]
    baseline = ClassBaseline(history, window_s=10)
    lively, quiet = baseline.apply(talking(10, 0.8)), baseline.apply(talking(20, 0.2))

    assert z(lively) == pytest.approx(0, abs=0.3)
    assert lively.activity == pytest.approx(0, abs=0.3)
    assert (z(quiet) or 0) < -5


def test_bad_first_minutes_are_outweighed_by_the_history() -> None:
    """Lessons before this one say what is usual; its own first minutes only add to them."""
    baseline = ClassBaseline([of([0.2] * 100) for _ in range(5)], window_s=10)
    last = [baseline.apply(window) for window in lesson([0.9] * 40)][-1]

    assert baseline.lessons == 5
    assert (z(last) or 0) > 5


def test_each_role_and_metric_has_its_own_usual() -> None:
    """A talking teacher says nothing of the class."""
    baseline = ClassBaseline(window_s=10)
    for window in lesson([0.1] * 20):
        baseline.apply(window)
        baseline.apply(replace(window, role=Role.TEACHER, behaviour=Behaviour(talk=0.8, turns_per_min=6.0)))

    assert baseline.usual(*TALK) == Usual(0.1, 0.05, 20)
    assert baseline.usual(Role.TEACHER, Metric.TALK) == Usual(0.8, 0.05, 20)
    assert baseline.usual(Role.TEACHER, Metric.TURNS) == Usual(6.0, 3.0, 20)
    assert baseline.usual(Role.STUDENTS, Metric.TURNS) is None


def test_all_that_can_be_told_stands_against_the_usual() -> None:
    """Shares, behaviour, loudness and engagement alike; activity comes out of them."""
    engagement = Engagement((Component("calm", 0.5, 10, "windows"), Component("attention", 0.7, 10, "people")))
    behaviour = Behaviour(0.8, 9, 0.1, 9, 0.2, 3, 0.1, 0.3)
    baseline = ClassBaseline(window_s=10)
    windows = [
        replace(summary(10.0 * n, 0.2), behaviour=behaviour, engagement=engagement, standings=()) for n in range(1, 20)
    ]
    last = [baseline.apply(window) for window in windows][-1]

    assert {standing.metric for standing in last.standings} == set(MEASURED)
    assert last.activity == 0.0
    assert baseline.usual(Role.STUDENTS, Metric.ACTIVITY) is None


@given(talk=st.lists(st.none() | st.floats(0, 1), max_size=60))
def test_windows_without_a_value_are_passed_over(talk: list[float | None]) -> None:
    """What is missing is neither zero nor a standing, and the first minutes wait for it."""
    baseline = ClassBaseline(window_s=10, least_s=10, first_s=300)
    standing = [z(baseline.apply(window)) for window in lesson(talk)]
    told = [value for value in talk if value is not None]
    usual = baseline.usual(*TALK)

    assert all(found is None for found, value in zip(standing, talk, strict=True) if value is None)
    assert (usual.windows if usual else 0) == min(len(told), 30)
    assert usual == (usual_of(told[:30], 0.05) if told else None)


def test_suppressed_windows_teach_nothing_and_have_no_standing() -> None:
    """What too few people did is not kept in any form."""
    baseline = ClassBaseline([of([0.2] * 64)], window_s=10)
    shown = [baseline.apply(replace(window, suppressed=True)) for window in lesson([0.9] * 30)]

    assert all(window.standings == () for window in shown)
    assert baseline.usual(*TALK) == Usual(0.2, 0.05, 64)


def test_lessons_cut_otherwise_do_not_count() -> None:
    """Longer windows vary less; mixing them would make usual windows unusual."""
    baseline = ClassBaseline([replace(of([0.2] * 64), window_s=30.0)], window_s=10)

    assert baseline.lessons == 0
    assert baseline.usual(*TALK) is None


@pytest.mark.parametrize(
    ("window_s", "least_s", "first_s"), [(0, 180, 300), (10, 5, 300), (10, 180, 100), (float("nan"), 180, 300)]
)
def test_times_at_which_nothing_would_ever_be_usual_are_refused(
    window_s: float, least_s: float, first_s: float
) -> None:
    """The error says which order they need."""
    with pytest.raises(ValueError, match="window_s <= least_s <= first_s"):
        ClassBaseline(window_s=window_s, least_s=least_s, first_s=first_s)


def test_it_does_not_grow_with_the_lesson() -> None:
    """A box that forgets to end a lesson for a day keeps no more than the first minutes."""
    baseline = ClassBaseline(window_s=10)
    for window in lesson([0.1] * 3000):
        baseline.apply(window)

    usual = baseline.usual(*TALK)
    assert usual is not None
    assert usual.windows == 30
