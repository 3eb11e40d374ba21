"""Teacher and students side by side."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import Behaviour
from edge.fusion.comparison import COMPARED, Comparison, Coupling, compare
from edge.fusion.serial import Floats
from edge.metric import Metric
from edge.role import Role
from edge.summary import WindowSummary
from tests.builders import summary
from tests.strategies import few

HOP_S = 2.0


def drifting(rng: np.random.Generator, count: int, keep: float = 0.9) -> Floats:
    """Return a mood: it keeps a share of itself from window to window, with variance 1."""
    values = np.zeros(count + 200)
    for step, shock in enumerate(rng.standard_normal(count + 199), 1):
        values[step] = keep * values[step - 1] + math.sqrt(1 - keep**2) * shock
    return values[200:]


def lesson(mood: Sequence[float] | Floats, role: Role) -> list[WindowSummary]:
    """Return a window every hop whose negative share rises and falls with *mood*, none where that is NaN."""
    shares = [None if math.isnan(value) else float(1 / (1 + math.exp(1.5 - value))) for value in mood]
    return [summary(HOP_S * number, share, role=role) for number, share in enumerate(shares, 1)]


def moods(students: Sequence[float] | Floats, teacher: Sequence[float] | Floats) -> Comparison:
    """Compare two moods."""
    return compare(lesson(students, Role.STUDENTS), lesson(teacher, Role.TEACHER))


def negative(comparison: Comparison) -> Coupling:
    """Return how the negative shares go together."""
    found = comparison.coupling(Metric.NEGATIVE)
    assert found is not None
    return found


def speech(
    students: Sequence[float | None], teacher: Sequence[float | None], turns_per_min: float | None = None
) -> Comparison:
    """Compare two roles of which only speech can be told."""
    said = {Role.STUDENTS: students, Role.TEACHER: teacher}
    windows = {
        role: [
            replace(
                summary(HOP_S * number, None, role=role),
                behaviour=Behaviour(talk=talk, turns_per_min=turns_per_min),
            )
            for number, talk in enumerate(values, 1)
        ]
        for role, values in said.items()
    }
    return compare(windows[Role.STUDENTS], windows[Role.TEACHER])


def test_moods_that_move_together_correlate() -> None:
    """The interval of a shared mood excludes 0, and neither leads."""
    rng = np.random.default_rng(0)
    shared = drifting(rng, 600)
    found = negative(moods(shared + 0.5 * drifting(rng, 600), shared + 0.5 * drifting(rng, 600)))

    assert found.correlation is not None
    assert found.correlation.low > 0.3
    assert found.correlation.windows == 600
    assert found.correlation.effective < 150
    assert found.leader is None


@pytest.mark.parametrize(("hops", "leader"), [(10, Role.TEACHER), (-10, Role.STUDENTS)])
def test_who_comes_first_leads(hops: int, leader: Role) -> None:
    """A class that follows its teacher by 20 s, and the other way round."""
    rng = np.random.default_rng(1)
    shared = drifting(rng, 700)
    early, late = shared[20:620], shared[20 - hops : 620 - hops]
    found = negative(moods(late + 0.3 * drifting(rng, 600), early + 0.3 * drifting(rng, 600)))

    assert found.leader is leader
    assert found.peak is not None
    assert found.peak.lag_s == pytest.approx(hops * HOP_S, abs=2 * HOP_S)
    assert found.peak.low > 0


def test_opposite_moods_have_a_leader_too() -> None:
    """The peak is the strongest of the lags, whatever its sign."""
    rng = np.random.default_rng(2)
    shared = drifting(rng, 700)
    found = negative(moods(-shared[:600], shared[10:610] + 0.3 * drifting(rng, 600)))

    assert found.leader is Role.TEACHER
    assert found.peak is not None
    assert found.peak.r < 0


def test_strangers_hardly_ever_have_a_leader() -> None:
    """At most one in twenty pairs of moods that have nothing to do with each other."""
    rng = np.random.default_rng(3)
    leaders = [negative(moods(drifting(rng, 400), drifting(rng, 400))).leader for _ in range(40)]

    assert sum(leader is not None for leader in leaders) <= 2


def test_a_mood_that_swings_does_not_lead_itself_by_half_a_swing() -> None:
    """Against itself it is as strong there as along with itself at once."""
    swing = [float((number // 10) % 2) for number in range(600)]
    found = negative(moods(swing, swing))

    assert found.correlation is not None
    assert found.correlation.r == pytest.approx(1.0)
    assert found.leader is None


def test_a_lead_of_one_window_is_not_told() -> None:
    """Faces and voices are read with unlike delays; a lead of 2 s may be nothing else."""
    rng = np.random.default_rng(4)
    shared = drifting(rng, 700, keep=0.5)
    found = negative(moods(shared[:600], shared[1:601]))

    assert found.peak is not None
    assert found.peak.lag_s == HOP_S
    assert found.leader is None


def test_a_correlation_that_still_rises_at_the_last_lag_has_no_peak() -> None:
    """A lead of more than the lags looked at is not guessed from where they end."""
    rng = np.random.default_rng(5)
    shared = drifting(rng, 800, keep=0.97)
    found = negative(moods(shared[:700], shared[31:731]))

    assert found.peak is not None
    assert found.peak.lag_s == 60.0
    assert found.leader is None


@few
@given(seed=st.integers(0, 1000), lost=st.floats(0, 0.6), count=st.integers(0, 90))
def test_swapping_the_roles_turns_everything_round(seed: int, lost: float, count: int) -> None:
    """Lags change their sign and the leader its role; holes and short lessons included."""
    rng = np.random.default_rng(seed)
    one, other = (np.where(rng.random(count) < lost, np.nan, drifting(rng, count)) for _ in range(2))
    forth, back = negative(moods(one, other)), negative(moods(other, one))

    assert (forth.correlation is None) == (back.correlation is None)
    assert [-point.lag_s for point in reversed(back.lags)] == [point.lag_s for point in forth.lags]
    assert [point.r for point in reversed(back.lags)] == pytest.approx([point.r for point in forth.lags])
    assert (forth.leader is None) == (back.leader is None)
    assert forth.students == back.teacher


def test_the_order_of_windows_does_not_matter() -> None:
    """A store may hand them over as it likes."""
    rng = np.random.default_rng(6)
    students, teacher = (lesson(drifting(rng, 100), role) for role in Role)

    assert compare(students[::-1], teacher) == compare(students, teacher[::-1])


def test_series_lie_on_one_grid() -> None:
    """A hole of one role, and a role that comes later, are None and not zero."""
    students, teacher = lesson([0, 1, math.nan, 1], Role.STUDENTS), lesson([0, 0, 0, 0, 0], Role.TEACHER)
    found = compare(students, teacher[1:])
    series = negative(found)

    assert found.at_s == (2.0, 4.0, 6.0, 8.0, 10.0)
    assert found.hop_s == HOP_S
    assert [value is None for value in series.students] == [False, False, True, False, True]
    assert [value is None for value in series.teacher] == [True, False, False, False, False]
    assert [coupling.metric for coupling in found.couplings] == list(COMPARED)
    assert found.coupling(Metric.LEVEL) is None


def test_too_little_says_nothing() -> None:
    """No windows, one role only, or under thirty common ones: None, and never 0."""
    rng = np.random.default_rng(7)
    for found in (moods([], []), moods(drifting(rng, 200), []), moods(drifting(rng, 200), drifting(rng, 29))):
        assert all(coupling.correlation is None for coupling in found.couplings)
        assert all(coupling.lags == () and coupling.leader is None for coupling in found.couplings)
        assert found.interaction is None


def test_lags_end_where_too_few_windows_overlap() -> None:
    """A short lesson has short lags, however far they are asked for."""
    rng = np.random.default_rng(9)
    students, teacher = (lesson(drifting(rng, 50, keep=0.5), role) for role in (Role.STUDENTS, Role.TEACHER))
    found = negative(compare(students, teacher, most_lag_s=600))

    assert (found.lags[0].lag_s, found.lags[-1].lag_s) == (-40.0, 40.0)


def test_what_is_suppressed_is_not_compared() -> None:
    """Nor is speech: the students' windows are as if they were not there."""
    rng = np.random.default_rng(8)
    students = [replace(window, suppressed=True) for window in lesson(drifting(rng, 100), Role.STUDENTS)]
    found = negative(compare(students, lesson(drifting(rng, 100), Role.TEACHER)))

    assert found.correlation is None
    assert set(found.students) == {None}


def test_the_word_going_back_and_forth_is_counted_by_direction() -> None:
    """Three stretches each: two ways there, three back; what neither clearly holds changes nothing."""
    students = ([0.9] * 10 + [0.1] * 8 + [0.4] * 2) * 3
    teacher = ([0.1] * 10 + [0.9] * 8 + [0.4] * 2) * 3
    found = speech(students, teacher, turns_per_min=3.0).interaction

    assert found is not None
    assert (found.teacher_to_students, found.students_to_teacher) == (2, 3)
    assert found.observed_s == 120.0
    assert found.teacher_talk == pytest.approx(0.45)
    assert found.students_talk == pytest.approx(0.53)
    assert found.turns == pytest.approx(6.0)
    assert found.turns_per_min == pytest.approx(3.0)


def test_what_happened_in_a_hole_is_not_counted() -> None:
    """The teacher before a loss of sound and the class after it are no change that anybody saw."""
    found = speech([0.0] * 30 + [None] + [0.9] * 30, [0.9] * 30 + [None] + [0.0] * 30).interaction

    assert found is not None
    assert (found.teacher_to_students, found.students_to_teacher) == (0, 0)
    assert found.turns is None
    assert found.turns_per_min is None


def test_a_silent_room_has_no_speaker() -> None:
    """Ratios of next to nothing say nothing."""
    found = speech([0.0, 0.15] * 20, [0.1, 0.0] * 20).interaction

    assert found is not None
    assert (found.teacher_to_students, found.students_to_teacher) == (0, 0)


def test_a_lag_to_the_past_only_is_refused() -> None:
    """Lags are looked at both ways."""
    with pytest.raises(ValueError, match="most_lag_s"):
        compare([], [], most_lag_s=-1)
