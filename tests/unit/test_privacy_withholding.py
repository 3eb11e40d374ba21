"""What of a students' window is told."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import NOTHING_SEEN, Behaviour, Component, Engagement
from edge.fusion.talk import LOOK_BACK_S
from edge.media import SAMPLE_RATE
from edge.metric import Metric, Standing
from edge.observation import Emotion
from edge.privacy.memory import TURNS_S, VOICE_S, PolicyMemory
from edge.privacy.policy import Mode, Policy, Purpose
from edge.privacy.withholding import NOTHING
from edge.role import Role
from edge.summary import Coverage, EvidenceState, ModalitySummary, WindowSummary
from edge.voice.windowing import Windower
from tests.builders import block, summary, sure

EMOTION = Policy(
    Mode.EMOTION, jurisdiction="CH", purpose=Purpose.RESEARCH, responsible="A. Person", decided_on=date(2026, 2, 1)
)
OBSERVABLE = Policy(Mode.OBSERVABLE)
FACE = ModalitySummary(61, sure(Emotion.SADNESS, 0.713), 9.0)
VOICE = ModalitySummary(7, sure(Emotion.HAPPINESS, 0.377), 3.0)
FUSED = ModalitySummary(68, sure(Emotion.FEAR, 0.591), 9.0)
BEHAVIOUR = Behaviour(
    attention=0.83,
    attention_people=8.0,
    movement=0.29,
    movement_people=8.0,
    talk=0.31,
    turns_per_min=3.7,
    overlap=0.043,
    silence=0.47,
    unattributed=0.019,
)
ENGAGEMENT = Engagement(
    (
        Component("attention", 0.83, 8.0, "people"),
        Component("participation", 0.57, 9.0, "seconds of sound"),
        Component("positive", 0.377, 9.0, "people"),
        Component("calm", 0.67, 8.0, "people"),
    )
)


def whole(people: int = 12, role: Role = Role.STUDENTS, closed_s: float = 10.0) -> WindowSummary:
    """Return a window in which everything is known, from enough people."""
    return replace(
        summary(closed_s, None, role=role),
        face=FACE,
        voice=VOICE,
        fused=FUSED,
        coverage=Coverage(people, 0.9, 0.31, -23.7, 1, face_s=41.0, voice_s=3.1),
        behaviour=BEHAVIOUR,
        engagement=ENGAGEMENT,
        standings=tuple(Standing(metric, 0.5, 0.4, 0.1) for metric in Metric if metric is not Metric.ACTIVITY),
    )


def names(found: WindowSummary) -> list[str]:
    """Return the engagement's components."""
    return [] if found.engagement is None else [part.name for part in found.engagement.components]


def metrics(found: WindowSummary) -> set[Metric]:
    """Return the metrics whose standing is told."""
    return {standing.metric for standing in found.standings}


@given(people=st.integers(0, 40), least=st.integers(3, 9))
def test_students_are_told_from_the_least_group_on_and_never_below(people: int, least: int) -> None:
    """All passes or nothing does."""
    found = replace(EMOTION, least_people=least).apply(whole(people))

    assert found.suppressed == (people < least)
    if least <= 8:
        assert (found == whole(people)) == (people >= least)


@pytest.mark.parametrize("people", range(5))
@pytest.mark.parametrize("policy", [EMOTION, OBSERVABLE])
def test_nothing_about_people_is_left_in_a_suppressed_window(policy: Policy, people: int) -> None:
    """Neither shares, behaviour, standings, voices nor how many there were: all suppressed windows look the same."""
    found = policy.apply(whole(people))

    assert found == replace(
        whole(),
        face=NOTHING,
        voice=NOTHING,
        fused=NOTHING,
        coverage=Coverage(0, None, None, None, 1),
        suppressed=True,
        behaviour=NOTHING_SEEN,
        engagement=None,
        standings=(),
    )
    assert found.evidence is EvidenceState.WITHHELD
    assert all(found.value(metric) is None for metric in Metric)


def test_faces_of_too_few_are_not_told_though_many_are_in_view() -> None:
    """One readable face of twelve in view is one child: what the faces say, and what follows from it, goes."""
    few = replace(whole(), face=replace(FACE, effective=1.0))

    found = EMOTION.apply(few)

    assert found.face == NOTHING
    assert found.fused == found.voice == VOICE
    assert not found.suppressed
    assert metrics(found) == metrics(whole()) - {
        Metric.NEGATIVE,
        Metric.POSITIVE,
        Metric.VALENCE,
        Metric.AROUSAL,
        Metric.ENGAGEMENT,
    }
    assert names(found) == ["attention", "participation", "calm"]
    assert "0.591" not in repr(found)


def test_faces_of_too_few_without_a_voice_are_no_evidence() -> None:
    """There is nothing else that the shares could come from."""
    few = replace(whole(), face=replace(FACE, effective=4.9), voice=NOTHING, fused=replace(FACE, effective=4.9))

    assert EMOTION.apply(few).evidence is EvidenceState.NOT_ENOUGH


def test_five_equal_people_are_five_whatever_floats_say() -> None:
    """A sum that comes out a hair short does not withhold."""
    assert EMOTION.apply(replace(whole(), face=replace(FACE, effective=5 - 1e-9))).face.shares is not None


@pytest.mark.parametrize(
    ("field", "metric", "part"),
    [("attention", Metric.ATTENTION, "attention"), ("movement", Metric.MOVEMENT, "calm")],
)
def test_behaviour_of_too_few_is_not_told(field: str, metric: Metric, part: str) -> None:
    """Attention and movement need as many people as anything else, with their standing and their part of engagement."""
    behaviour = replace(BEHAVIOUR, **{f"{field}_people": 4.0})

    found = EMOTION.apply(replace(whole(), behaviour=behaviour))

    assert getattr(found.behaviour, field) is None
    assert getattr(found.behaviour, f"{field}_people") == 0
    assert metric not in metrics(found)
    assert Metric.ENGAGEMENT not in metrics(found)
    assert names(found) == [name for name in names(whole()) if name != part]


def test_a_part_of_the_engagement_from_too_few_people_goes() -> None:
    """Each part carries its own evidence."""
    parts = (Component("attention", 0.8, 4.0, "people"), Component("participation", 0.5, 4.0, "seconds of sound"))

    assert names(EMOTION.apply(replace(whole(), engagement=Engagement(parts)))) == ["participation"]


@pytest.mark.parametrize("role", list(Role))
def test_observing_tells_no_emotion_of_anybody(role: Role) -> None:
    """Even if a stage had read some."""
    found = OBSERVABLE.apply(whole(role=role))

    assert (found.face, found.voice, found.fused) == (NOTHING, NOTHING, NOTHING)
    assert names(found) == ["attention", "participation", "calm"]
    assert found.behaviour == BEHAVIOUR
    assert not {Metric.NEGATIVE, Metric.POSITIVE, Metric.VALENCE, Metric.AROUSAL, Metric.ENGAGEMENT} & metrics(found)


def test_the_teacher_is_no_group() -> None:
    """One adult whose feedback it is: told with one face, or none."""
    for people in (0, 1):
        assert EMOTION.apply(whole(people, Role.TEACHER)) == whole(people, Role.TEACHER)


def test_the_teachers_emotions_can_be_left_out() -> None:
    """The class's are read all the same."""
    policy = replace(EMOTION, teacher_emotions=False)

    assert policy.apply(whole(1, Role.TEACHER)).fused == NOTHING
    assert policy.apply(whole(1, Role.TEACHER)).behaviour == BEHAVIOUR
    assert policy.apply(whole()) == whole()


EFFECTIVE = st.floats(0, 12)


@given(
    people=st.integers(0, 8),
    face=EFFECTIVE,
    attention=EFFECTIVE,
    movement=EFFECTIVE,
    policy=st.sampled_from([EMOTION, OBSERVABLE, replace(EMOTION, least_people=3)]),
    role=st.sampled_from(Role),
)
def test_applying_twice_changes_nothing(
    people: int, face: float, attention: float, movement: float, policy: Policy, role: Role
) -> None:
    """What was told is told again as it is."""
    behaviour = replace(BEHAVIOUR, attention_people=attention, movement_people=movement)
    once = policy.apply(replace(whole(people, role), face=replace(FACE, effective=face), behaviour=behaviour))

    assert policy.apply(once) == once
    assert PolicyMemory(policy).apply(once) == once


def windows(counts: list[int], *, window_s: float, hop_s: float, role: Role = Role.STUDENTS) -> list[WindowSummary]:
    """Return consecutive windows with these numbers of people in view."""
    closes = [(index + 1) * hop_s for index in range(len(counts))]
    return [
        replace(whole(people, role, close_s), opened_s=max(close_s - window_s, 0.0))
        for people, close_s in zip(counts, closes, strict=True)
    ]


def test_a_window_is_told_once_it_shares_no_second_with_one_of_too_few() -> None:
    """The drawing in edge/privacy/memory.py."""
    memory = PolicyMemory(EMOTION)
    counts = [8, 8, 4, 4, 6, 7, 7, 8, 8, 8, 8, 8]

    told = [not memory.apply(window).suppressed for window in windows(counts, window_s=10, hop_s=2)]

    assert told == [True] * 2 + [False] * 8 + [True] * 2


@given(
    counts=st.lists(st.integers(3, 7), min_size=1, max_size=40),
    hop_s=st.floats(0.1, 5),
    hops=st.floats(1, 8),
    least=st.integers(3, 7),
)
def test_no_told_window_shares_a_second_with_an_earlier_one_of_too_few(
    counts: list[int], hop_s: float, hops: float, least: int
) -> None:
    """So that nobody's leaving or coming is unmasked by the difference between a withheld window and the next."""
    memory = PolicyMemory(replace(EMOTION, least_people=least))
    untold = windows(counts, window_s=hops * hop_s, hop_s=hop_s)

    found = [memory.apply(window) for window in untold]

    short_until_s = float("-inf")
    for before, after in zip(untold, found, strict=True):
        if before.coverage.people < least:
            short_until_s = before.closed_s
            assert after.suppressed
        elif not after.suppressed:
            assert after.opened_s >= short_until_s + VOICE_S - 1e-6
        else:
            assert before.opened_s < short_until_s + VOICE_S


@pytest.mark.parametrize("role", list(Role))
def test_turns_reach_back_a_minute_and_are_told_after_one(role: Role) -> None:
    """Until then they count what few students said; the part of the engagement that goes by them waits as well."""
    memory = PolicyMemory(EMOTION)
    memory.apply(whole(4, closed_s=10.0))
    early, late = (replace(whole(12, role, 10 + TURNS_S + after), opened_s=60.0 + after) for after in (-2, 0))
    memory.apply(replace(whole(12, closed_s=68.0), opened_s=58.0))

    found = memory.apply(early)

    assert found.behaviour == replace(BEHAVIOUR, turns_per_min=None)
    assert Metric.TURNS not in metrics(found)
    assert names(found) == ["attention", "positive", "calm"]
    assert memory.apply(late) == late


def test_few_students_are_not_heard_in_the_teachers_window() -> None:
    """Turns, overlap and silence are of both: they go while the students are withheld, the teacher's own stay."""
    memory = PolicyMemory(EMOTION)
    memory.apply(whole(4))

    found = memory.apply(whole(1, Role.TEACHER))

    assert found.behaviour == replace(BEHAVIOUR, turns_per_min=None, overlap=None, silence=None, unattributed=None)
    assert found.face == FACE
    assert found.engagement is None
    assert not {Metric.TURNS, Metric.OVERLAP, Metric.SILENCE} & metrics(found)
    assert {Metric.TALK, Metric.NEGATIVE} <= metrics(found)


def test_many_students_are_heard_in_the_teachers_window() -> None:
    """With the students told, the teacher's window is whole."""
    memory = PolicyMemory(EMOTION)
    memory.apply(whole(12))

    assert memory.apply(whole(1, Role.TEACHER)) == whole(1, Role.TEACHER)


def test_what_is_waited_for_is_what_the_stages_look_back() -> None:
    """The floors forbid the policy to import them, so the two are held together here."""
    assert TURNS_S == LOOK_BACK_S
    (heard, *_) = Windower().push(block(0.0, seconds=VOICE_S))
    assert len(heard.samples) / SAMPLE_RATE == VOICE_S
