"""A lesson in one number, with its parts and its limits."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import Behaviour, Component, Engagement
from edge.fusion.lesson_index import CANNOT_KNOW, NAMES, IndexComponent, LessonIndex, lesson_index
from edge.observation import EmotionDistribution
from edge.role import Role
from edge.summary import ModalitySummary, WindowSummary
from tests.builders import summary
from tests.strategies import few

HOP_S = 2.0


def window(
    number: int,
    *,
    role: Role = Role.STUDENTS,
    engaged: dict[str, float] | None = None,
    negative: float | None = 0.2,
    positive: float = 0.3,
    talk: float | None = None,
    turns_per_min: float | None = None,
) -> WindowSummary:
    """Return the window that closes so many hops after the lesson's start."""
    made = summary(HOP_S * number, negative, role=role)
    if negative is not None:
        mood = EmotionDistribution((negative, 0.0, 0.0, positive, 0.0, 0.0, 1 - negative - positive))
        made = replace(made, fused=ModalitySummary(60, mood))
    parts = {} if engaged is None else engaged
    engagement = Engagement(tuple(Component(name, value, 10.0, "people") for name, value in parts.items()))
    behaviour = Behaviour(talk=talk, turns_per_min=turns_per_min)
    return replace(made, engagement=engagement, behaviour=behaviour)


def lesson(values: Sequence[float], name: str = "attention") -> list[WindowSummary]:
    """Return a window for each value of one of the engagement's components."""
    return [window(number, engaged={name: value}) for number, value in enumerate(values, 1)]


def part(index: LessonIndex, name: str) -> IndexComponent:
    """Return a component."""
    return next(component for component in index.components if component.name == name)


FULL = {"attention": 0.8, "participation": 0.4, "positive": 0.5, "calm": 0.9}
STUDENTS = [window(n, engaged=FULL, talk=0.2, turns_per_min=2.0) for n in range(1, 601)]
TEACHER = [window(n, role=Role.TEACHER, negative=0.1, positive=0.5, talk=0.6, turns_per_min=2.0) for n in range(1, 601)]


def test_the_index_is_the_mean_of_its_components() -> None:
    """Each can be worked out by hand, and so can the mean."""
    index = lesson_index(STUDENTS, TEACHER)

    assert [component.name for component in index.components] == list(NAMES)
    assert part(index, "attention").value == pytest.approx(0.8)
    assert part(index, "participation").value == pytest.approx(0.4)
    assert part(index, "climate").value == pytest.approx(((1 + 0.3 - 0.2) / 2 + (1 + 0.5 - 0.1) / 2) / 2)
    assert part(index, "calm").value == pytest.approx(0.9)
    assert part(index, "responsiveness").value == pytest.approx(0.5)
    assert index.value == pytest.approx((0.8 + 0.4 + 0.625 + 0.9 + 0.5) / 5)
    assert index.coverage == IndexComponent("coverage", 1.0, 1.0, 1.0, 1200.0)


def test_every_part_has_an_interval_and_what_it_rests_on() -> None:
    """No value stands without how sure it is."""
    index = lesson_index(STUDENTS, TEACHER)

    for component in index.components:
        assert 0 <= component.low < component.value < component.high <= 1
        assert component.evidence == pytest.approx(1200.0)
        assert component.unit == "seconds"
    assert index.low is not None
    assert index.high is not None
    assert index.value is not None
    assert index.low < index.value < index.high


def test_constant_windows_are_not_certain() -> None:
    """A class that looks attentive in each window is still one lesson of so many minutes."""
    index = lesson_index(lesson([1.0] * 600), [])

    assert part(index, "attention").high == 1.0
    assert 0.9 < part(index, "attention").low < 0.99


def test_slow_swings_make_the_interval_wider() -> None:
    """The same values in another order: ten minutes each say less than turn and turn about."""
    quick, slow = [0.2, 0.8] * 300, [0.2] * 300 + [0.8] * 300
    wide, narrow = (part(lesson_index(lesson(values), []), "attention") for values in (slow, quick))

    assert wide.value == pytest.approx(narrow.value)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_short_lesson_has_wider_intervals() -> None:
    """Ten minutes say less than fifty."""
    short, long = (part(lesson_index(lesson([0.5] * count), []), "attention") for count in (300, 1500))

    assert short.high - short.low > 1.5 * (long.high - long.low)


def test_overlap_is_no_more_evidence() -> None:
    """Five windows of ten seconds in every ten seconds rest on ten seconds."""
    assert part(lesson_index(lesson([0.5] * 300), []), "attention").evidence == pytest.approx(600.0)


def test_below_the_least_evidence_there_is_no_component() -> None:
    """Under five minutes nothing is told, and what is missing is named."""
    index = lesson_index(lesson([0.5] * 149), [])

    assert "attention" not in {component.name for component in index.components}
    assert "attention: too little evidence in this lesson" in index.cannot_know


def test_below_three_components_there_is_no_index() -> None:
    """Attention and climate alone are no lesson."""
    index = lesson_index(lesson([0.5] * 600), [])

    assert len(index.components) == 2
    assert (index.value, index.low, index.high) == (None, None, None)


def test_below_half_of_the_lesson_there_is_no_index() -> None:
    """The class could be told in the first two fifths only; its components stay."""
    gone = [window(n, negative=None) for n in range(241, 601)]
    index = lesson_index(STUDENTS[:240] + gone, TEACHER)

    assert index.coverage is not None
    assert index.coverage.value == pytest.approx(0.4)
    assert len(index.components) == len(NAMES)
    assert index.value is None
    assert index.cannot_know[0] == "how the class was in 60% of the lesson: there is no evidence of it"


def test_what_is_suppressed_is_no_evidence() -> None:
    """Whatever such a window holds, nothing of it comes out."""
    hidden = [replace(made, suppressed=True) for made in STUDENTS]
    index = lesson_index(hidden, TEACHER)

    assert [component.name for component in index.components] == ["climate"]
    assert part(index, "climate").value == pytest.approx(0.7)
    assert index.coverage is not None
    assert index.coverage.value == 0.0
    assert index.value is None


def test_without_emotions_the_rest_is_told() -> None:
    """Where moods aren't read: attention, participation, calm and turn taking."""
    students, teacher = (
        [replace(made, fused=ModalitySummary(0, None)) for made in windows] for windows in (STUDENTS, TEACHER)
    )
    index = lesson_index(students, teacher)

    assert [component.name for component in index.components] == [name for name in NAMES if name != "climate"]
    assert index.value is not None


def test_no_windows_make_no_index() -> None:
    """None for everything, and the reasons."""
    index = lesson_index([], [])

    assert index.components == ()
    assert index.coverage is None
    assert index.value is None
    assert index.cannot_know[0] == "anything of the class: there is no window of it"


def test_it_always_says_what_it_cannot_know() -> None:
    """At its best as well."""
    assert lesson_index(STUDENTS, TEACHER).cannot_know == CANNOT_KNOW


def test_moods_that_go_together_make_a_responsive_class() -> None:
    """The correlation counts half, the turns the other half; moods that go apart count as 0 and not less."""
    wave = [0.1 + 0.3 * ((number // 15) % 2) for number in range(1, 601)]
    teacher = [window(n, role=Role.TEACHER, negative=value, talk=0.6) for n, value in enumerate(wave, 1)]
    along = [window(n, negative=value, talk=0.2) for n, value in enumerate(wave, 1)]
    apart = [window(n, negative=0.5 - value, talk=0.2) for n, value in enumerate(wave, 1)]

    assert part(lesson_index(along, teacher), "responsiveness").value == pytest.approx(1.0)
    assert part(lesson_index(apart, teacher), "responsiveness").value == 0.0


def test_lessons_have_no_order() -> None:
    """Two indexes can't be compared by mistake."""
    one, other = lesson_index(STUDENTS, TEACHER), lesson_index(STUDENTS[:300], TEACHER[:300])

    with pytest.raises(TypeError):
        sorted([one, other])  # type: ignore[type-var]


@few
@given(
    values=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=8),
    turns_per_min=st.floats(0, 60),
)
def test_everything_stays_in_its_range(values: list[tuple[float, float, float]], turns_per_min: float) -> None:
    """Each value lies in its interval and both in [0, 1], whatever the lesson."""
    rows = list(enumerate((values * 200)[:200], 1))
    students = [
        window(n, engaged={"attention": a, "calm": a**2}, negative=b, positive=c, talk=a) for n, (a, b, c) in rows
    ]
    teacher = [
        window(n, role=Role.TEACHER, negative=c, positive=b, talk=0.5, turns_per_min=turns_per_min)
        for n, (_, b, c) in rows
    ]
    index = lesson_index(students, teacher)

    for component in index.components:
        assert 0 <= component.low <= component.value <= component.high <= 1
    assert index.value is not None
    assert 0 <= (index.low or 0) <= index.value <= (index.high or 0) <= 1
