"""What can be observed of a class's taking part, part by part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import NOTHING_SEEN, Behaviour, Component, Engagement
from edge.fusion.engagement import engagement
from edge.fusion.talk import NOTHING_HEARD, Talk
from edge.observation import Emotion, EmotionDistribution
from edge.role import Role
from edge.summary import ModalitySummary
from tests.builders import sure
from tests.strategies import distributions

NO_SHARES = ModalitySummary(0, None)


def talk(
    students: float | None,
    teacher: float | None,
    *,
    turns: float | None = None,
    noise_db: float | None = None,
    heard_s: float = 10.0,
) -> Talk:
    """Return what the microphones say."""
    noise_s = 0.0 if noise_db is None else 6.0
    shares = {Role.STUDENTS: students, Role.TEACHER: teacher}
    return Talk(shares, heard_s=heard_s, turns_per_min=turns, noise_db=noise_db, noise_s=noise_s)


def part(name: str, found: Engagement | None) -> Component | None:
    """Return one part."""
    return next((c for c in (() if found is None else found.components) if c.name == name), None)


def of_sound(sound: Talk, name: str) -> Component | None:
    """Return one part of what was only heard."""
    return part(name, engagement(NOTHING_SEEN, NO_SHARES, sound))


def test_no_evidence_is_no_engagement() -> None:
    """None, and not zero."""
    assert engagement(NOTHING_SEEN, NO_SHARES, NOTHING_HEARD) is None


def test_the_parts_stand_in_a_fixed_order() -> None:
    """Attention, participation, positive, calm; each with what it rests on."""
    seen = Behaviour(attention=0.8, attention_people=11.0, movement=0.5, movement_people=9.0)
    found = engagement(
        seen, ModalitySummary(60, sure(Emotion.HAPPINESS), effective=10.0), talk(0.2, 0.4, turns=2.0, noise_db=5.0)
    )

    assert found is not None
    assert [c.name for c in found.components] == ["attention", "participation", "positive", "calm"]
    assert [c.value for c in found.components] == pytest.approx([0.8, (2 / 3 + 1 / 2) / 2, 1.0, (0.5 + 0.75) / 2])
    assert [(c.evidence, c.unit) for c in found.components] == [
        (11.0, "people"),
        (10.0, "seconds of sound"),
        (10.0, "people"),
        (9.0, "people"),
    ]
    assert found.score == pytest.approx(sum(c.value for c in found.components) / 4)


@pytest.mark.parametrize(
    ("students", "teacher", "value"), [(0.0, 0.6, 0.0), (0.2, 0.6, 0.5), (0.3, 0.3, 1.0), (0.9, 0.0, 1.0)]
)
def test_half_of_all_talk_is_full_participation(students: float, teacher: float, value: float) -> None:
    """The students' share of what is said counts, whatever the silence."""
    found = of_sound(talk(students, teacher), "participation")

    assert found is not None
    assert found.value == pytest.approx(value)


def test_silent_work_is_no_lack_of_participation() -> None:
    """Under a second of speech nothing is told of it."""
    assert of_sound(talk(0.0, 0.0, turns=0.0), "participation") is None
    assert of_sound(talk(0.0, 0.09), "participation") is None
    assert of_sound(talk(0.0, 0.1), "participation") is not None


@pytest.mark.parametrize(("students", "teacher"), [(None, 0.5), (0.5, None), (None, None)])
def test_participation_needs_both_roles(students: float | None, teacher: float | None) -> None:
    """Of one side of a talk alone nothing is told."""
    assert of_sound(talk(students, teacher), "participation") is None


def test_turns_raise_participation() -> None:
    """The word that comes and goes counts half of it, two changes a minute half of that."""
    values = [of_sound(talk(0.3, 0.3, turns=turns), "participation") for turns in (0.0, 2.0, 6.0)]

    assert [v.value for v in values if v is not None] == pytest.approx([0.5, 0.75, 0.875])


def test_positive_is_the_positive_share() -> None:
    """Of everybody together, resting on independent people."""
    shares = EmotionDistribution.of([0, 0, 0, 3, 0, 0, 7])
    found = part("positive", engagement(NOTHING_SEEN, ModalitySummary(9, shares, effective=4.0), NOTHING_HEARD))

    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert (found.evidence, found.unit) == (4.0, "people")


@pytest.mark.parametrize(
    ("movement", "noise_db", "value"),
    [(0.0, 0.0, 1.0), (0.0, 20.0, 0.5), (0.5, None, 0.5), (None, 10.0, 0.5), (None, 40.0, 0.0), (0.5, 20.0, 0.25)],
)
def test_calm_is_the_mean_of_still_and_quiet(movement: float | None, noise_db: float | None, value: float) -> None:
    """Half a face width a second is half still; twenty decibels above the quiet are not quiet; one alone will do."""
    seen = Behaviour(movement=movement, movement_people=0.0 if movement is None else 5.0)
    found = part("calm", engagement(seen, NO_SHARES, talk(None, None, noise_db=noise_db)))
    expected = (6.0, "seconds of sound") if movement is None else (5.0, "people")

    assert found is not None
    assert found.value == pytest.approx(value)
    assert (found.evidence, found.unit) == expected


unit = st.one_of(st.none(), st.floats(0, 1))


@given(
    attention=unit,
    movement=st.one_of(st.none(), st.floats(0, 50)),
    shares=st.one_of(st.none(), distributions),
    students=unit,
    teacher=unit,
    turns=st.one_of(st.none(), st.floats(0, 60)),
    noise_db=st.one_of(st.none(), st.floats(0, 90)),
)
def test_every_part_is_a_share_with_evidence(
    attention: float | None,
    movement: float | None,
    shares: EmotionDistribution | None,
    students: float | None,
    teacher: float | None,
    turns: float | None,
    noise_db: float | None,
) -> None:
    """Whatever was seen and heard, parts are in [0, 1] and rest on something."""
    seen = Behaviour(attention=attention, attention_people=3.0, movement=movement, movement_people=3.0)
    said = ModalitySummary(0 if shares is None else 5, shares, 0.0 if shares is None else 2.0)
    found = engagement(seen, said, talk(students, teacher, turns=turns, noise_db=noise_db))
    components = () if found is None else found.components

    assert all(0.0 <= c.value <= 1.0 and c.evidence > 0 for c in components)
    assert [c.name for c in components] == [
        name for name in ("attention", "participation", "positive", "calm") if name in {c.name for c in components}
    ]
