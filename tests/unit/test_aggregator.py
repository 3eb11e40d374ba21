"""Rolling windows."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import NOTHING_SEEN
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.coverage import Look
from edge.fusion.evidence import Reliability
from edge.observation import Emotion, EmotionDistribution, HeadPose, VoiceObservation
from edge.role import Role
from edge.summary import ModalitySummary, WindowSummary
from tests.builders import EPOCH, SECOND, look, sound, sure, to_utc
from tests.strategies import distributions, few

SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)
STUDENTS = (Role.STUDENTS,)


def aggregator(
    *, window_s: float = 10.0, hop_s: float = 2.0, least_s: float = 0.0, roles: tuple[Role, ...] = STUDENTS
) -> Aggregator:
    """Return an aggregator whose lesson begins at 0."""
    return Aggregator(
        epoch_ns=0,
        to_utc=to_utc,
        windows=Windows(window_s=window_s, hop_s=hop_s, least_s=least_s),
        reliability=Reliability(),
        roles=roles,
    )


def add(target: Aggregator, *items: Look | VoiceObservation) -> None:
    """Hand in observations of both kinds."""
    for item in items:
        if isinstance(item, Look):
            target.add_look(item)
        else:
            target.add_sound(item)


def close(target: Aggregator, seconds: float) -> list[WindowSummary]:
    """Close what ends by then."""
    return target.advance(round(seconds * SECOND))


def test_windows_close_every_hop_and_the_first_are_short() -> None:
    """Each window closes a hop after the last; none reaches back before the lesson.

    ::

        0    2    4    6
        [----)                  window of 4 s, hop of 2 s
        [---------)
             [---------)
    """
    found = close(aggregator(window_s=4), 7.9)

    assert [(w.opened_s, w.closed_s) for w in found] == [(0, 2), (0, 4), (2, 6)]
    assert [w.opened_at for w in found] == [to_utc(0), to_utc(0), to_utc(2 * SECOND)]
    assert found[-1].closed_at == to_utc(6 * SECOND)
    assert found[0].opened_at == EPOCH


def test_a_window_closes_at_its_close_and_only_once() -> None:
    """At the very nanosecond it is due, and never again."""
    target = aggregator()

    assert target.advance(2 * SECOND - 1) == []
    assert len(target.advance(2 * SECOND)) == 1
    assert target.advance(2 * SECOND) == []
    assert target.advance(0) == []


def test_a_window_opens_inclusive_and_closes_exclusive() -> None:
    """What happens at the instant two windows meet belongs to the later one alone.

    ::

        0    2    4
        [----)                  window and hop of 2 s
             [----)
             ^ a look at 2 s exactly
    """
    target = aggregator(window_s=2)
    add(target, look(2.0, SAD))
    first, second = close(target, 4.0)

    assert first.coverage.usable_faces is None
    assert second.coverage.usable_faces == 1.0


def test_a_look_counts_in_every_window_that_holds_it() -> None:
    """Windows overlap: one look is in as many as there are hops in a window.

    ::

        0    2    4    6    8
        [----)
        [---------)             x  the look, at 3 s
             [-x-------)
                  [---------)
    """
    target = aggregator(window_s=4)
    add(target, look(3.0, SAD))
    found = close(target, 8.0)

    assert [w.face.observations for w in found] == [0, 1, 1, 0]


def test_sound_counts_where_its_newest_hop_begins() -> None:
    """A window of three seconds of sound belongs to the second that no earlier one has heard.

    ::

        0    2    4
        [----)                  window and hop of 2 s
             [----)
        ====                    sound from -1 to 2 s, its newest hop from 1 to 2 s
        ======                  sound from 0 to 3 s, its newest hop from 2 to 3 s
    """
    target = aggregator(window_s=2)
    add(target, sound(2.0, SAD, span_s=1.0), sound(3.0, HAPPY, span_s=1.0))
    first, second = close(target, 4.0)

    assert (first.voice.observations, second.voice.observations) == (1, 1)


def test_the_newest_weigh_most() -> None:
    """Half a window of sad and then half of happy is mostly happy: seven eighths of the weight is recent."""
    target = aggregator()
    add(target, *(look(n / 5, SAD if n < 25 else HAPPY) for n in range(50)))
    negative = close(target, 10.0)[-1].face.negative_share

    assert negative == pytest.approx(0.125, abs=0.01)


def posed(seen: Look, pose: HeadPose | None, motion: float | None) -> Look:
    """Return a look whose every face has this pose and motion."""
    return replace(seen, faces=tuple(replace(face, pose=pose, motion=motion) for face in seen.faces))


roles = st.sampled_from(list(Role))
looks = st.builds(look, st.floats(0, 10), distributions, source=st.sampled_from(["left", "right"]), role=roles)
poses = st.builds(HeadPose, st.floats(-90, 90), st.floats(-90, 90), st.floats(-90, 90))
items = st.lists(
    st.one_of(
        st.builds(posed, looks, st.one_of(st.none(), poses), st.one_of(st.none(), st.floats(0, 5))),
        st.builds(
            sound,
            st.floats(0, 10),
            distributions,
            speech_ratio=st.floats(0.01, 1),
            level_dbfs=st.one_of(st.none(), st.floats(-90, 0)),
            source=st.sampled_from(["left", "right"]),
            role=roles,
        ),
    ),
    max_size=12,
    unique_by=lambda item: (type(item), item.role, item.source, item.at_ns if isinstance(item, Look) else item.end_ns),
)


@few
@given(drawn=items, seed=st.integers(0, 2**16))
def test_fusion_does_not_depend_on_the_order_of_arrival(drawn: list[Look | VoiceObservation], seed: int) -> None:
    """Cameras and microphones of both roles race each other; the windows are bit for bit the same, in every field."""
    shuffled = drawn.copy()
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    first, second = aggregator(roles=tuple(Role)), aggregator(roles=tuple(Role))
    add(first, *drawn)
    add(second, *shuffled)

    assert close(first, 12.0) == close(second, 12.0)


@few
@given(drawn=items)
def test_shares_are_distributions_or_none(drawn: list[Look | VoiceObservation]) -> None:
    """In every window what has evidence sums to 1 and rests on somebody, and what has none is None."""
    target = aggregator(roles=tuple(Role))
    add(target, *drawn)
    for window in close(target, 12.0):
        for said in (window.face, window.voice, window.fused):
            assert said.shares is None or math.isclose(sum(said.shares.probabilities), 1, abs_tol=1e-6)
            assert (said.effective >= 1.0) if said.shares is not None else (said.effective == 0.0)
        assert (window.fused.shares is None) == (window.face.shares is None and window.voice.shares is None)
        assert window.fused.observations == window.face.observations + window.voice.observations


def test_no_evidence_is_none() -> None:
    """A window in which nobody was seen or heard says nothing: not neutral, not even, not zero."""
    target = aggregator()
    add(target, look(0.5), look(1.0, None), sound(1.5, None, speech_ratio=0.0))
    (window,) = close(target, 2.0)

    assert window.face.shares is window.voice.shares is window.fused.shares is None
    assert window.fused.negative_share is None
    assert window.coverage.usable_faces == 0.0


def test_less_than_the_least_evidence_is_none() -> None:
    """One glimpse of one face is not a class's mood."""
    target = aggregator(least_s=1.0)
    add(target, look(1.0, SAD), *(look(2 + n / 5, SAD) for n in range(10)))
    short, long = close(target, 4.0)

    assert short.face == ModalitySummary(1, None)
    assert long.face.shares == SAD


def test_either_modality_may_vanish_and_come_back() -> None:
    """While one is gone the other carries on alone, and the fused shares never fail.

    ::

        faces   xxxxxxxx........xxxxxxxx
        voice   ........xxxxxxxxxxxxxxxx
                0       4       8       12
    """
    target = aggregator(window_s=2)
    add(target, *(look(n / 5, SAD) for n in range(60) if not 20 <= n < 40))
    add(target, *(sound(n + 1, HAPPY) for n in range(4, 12)))
    found = close(target, 12.0)

    assert [w.face.shares is not None for w in found] == [True, True, False, False, True, True]
    assert [w.voice.shares is not None for w in found] == [False, False, True, True, True, True]
    assert [w.fused.shares for w in found[:4]] == [SAD, SAD, HAPPY, HAPPY]
    for window in found[4:]:
        assert window.fused.negative_share is not None
        assert 0.1 < window.fused.negative_share < 0.9


@few
@given(first=distributions, second=distributions)
def test_weights_are_person_seconds_and_not_detections(first: EmotionDistribution, second: EmotionDistribution) -> None:
    """The same two faces looked at 5 and 10 times a second give the same shares, alone and against a voice."""

    def fused(rate_hz: int) -> tuple[float, ...]:
        target = aggregator()
        add(target, *(look(n / rate_hz, first, second, span_s=1 / rate_hz) for n in range(10 * rate_hz)))
        add(target, *(sound(n + 1.0, HAPPY) for n in range(10)))
        window = close(target, 10.0)[-1]
        assert window.fused.shares is not None
        return window.fused.shares.probabilities

    assert fused(5) == pytest.approx(fused(10), abs=0.01)


def test_a_fast_camera_does_not_outvote_a_slow_one() -> None:
    """A sad face seen by a camera at 10 Hz and a happy one seen at 2 Hz are half and half."""
    target = aggregator()
    add(target, *(look(n / 10, SAD, span_s=0.1, source="fast") for n in range(100)))
    add(target, *(look(n / 2, HAPPY, span_s=0.5, source="slow") for n in range(20)))
    window = close(target, 10.0)[-1]

    assert window.face.negative_share == pytest.approx(0.5, abs=0.03)


def test_what_comes_late_is_counted_and_not_lost() -> None:
    """Too late for its first window, an observation is still in the next ones.

    ::

        0    2    4
        [----)                  closed when the look of 1 s arrives
        [---------)             holds it
    """
    target = aggregator()
    (first,) = close(target, 2.0)
    add(target, look(1.0, SAD), sound(1.5, HAPPY), look(2.0, SAD))
    (second,) = close(target, 4.0)

    assert (first.late, second.late, target.late) == (0, 2, 2)
    assert first.fused.shares is None
    assert (second.face.observations, second.voice.observations) == (2, 1)


def test_what_is_too_old_for_any_window_is_only_counted() -> None:
    """An observation from a minute ago changes no window."""
    target = aggregator()
    close(target, 60.0)
    add(target, look(1.0, SAD))
    (window,) = close(target, 62.0)

    assert window.late == 1
    assert window.face.observations == 0


def test_each_role_has_its_own_windows() -> None:
    """Students and teacher never mix, and come out together in the order of time and then of role."""
    target = aggregator(roles=tuple(Role))
    add(target, look(1.0, SAD, role=Role.STUDENTS), look(1.0, HAPPY, role=Role.TEACHER))
    found = close(target, 4.0)

    assert [(w.closed_s, w.role) for w in found] == [(t, role) for t in (2, 4) for role in Role]
    assert [w.face.shares for w in found] == [SAD, HAPPY] * 2


def test_a_lesson_may_begin_at_any_instant() -> None:
    """Seconds count from the lesson's start, whatever the clock shows then."""
    begun = 12_345_678_901
    target = Aggregator(epoch_ns=begun, to_utc=to_utc, windows=Windows(), reliability=Reliability(), roles=STUDENTS)
    target.add_look(look((begun + SECOND) / SECOND, SAD, span_s=2.0))
    (window,) = target.advance(begun + 2 * SECOND)

    assert (window.opened_s, window.closed_s) == (0.0, 2.0)
    assert window.opened_at == to_utc(begun)
    assert window.face.observations == 1


def test_memory_does_not_grow_with_the_lesson() -> None:
    """What no later window can hold is forgotten."""
    target = aggregator()
    for step in range(1000):
        add(target, look(step / 5, SAD), sound(step / 5, SAD, span_s=0.2))
        close(target, step / 5)
    held = [item for kept in (target._looks, target._sounds) for queue in kept.values() for item in queue]  # noqa: SLF001
    heard = [item for queue in target._talk._sounds.values() for item in queue]  # noqa: SLF001

    assert len(held) <= 2 * 10 * 5 + 2
    assert len(heard) <= (60 + 2) * 5 + 1


@pytest.mark.parametrize(("window_s", "hop_s", "least_s"), [(10, 0, 1), (10, -1, 1), (2, 3, 1), (10, 2, -1), (0, 0, 0)])
def test_windows_that_leave_gaps_are_refused(window_s: float, hop_s: float, least_s: float) -> None:
    """A hop is positive and not longer than the window."""
    with pytest.raises(ValueError, match=r"hop_s must be in|least_s must not be negative"):
        Windows(window_s=window_s, hop_s=hop_s, least_s=least_s)


FRONT, AWAY = HeadPose(0.0, 0.0, 0.0), HeadPose(80.0, 0.0, 0.0)


def test_people_and_utterances_stand_behind_the_shares() -> None:
    """Three faces looked at fifty times and nine seconds of speech are three people and few utterances."""
    target = aggregator()
    add(target, *(look(n / 5, SAD, SAD, HAPPY) for n in range(50)), *(sound(n + 1.0, SAD) for n in range(1, 10)))
    window = close(target, 10.0)[-1]

    assert window.face.effective == pytest.approx(3.0)
    assert 1.0 < window.voice.effective < 3.0
    assert 3.0 < window.fused.effective < 6.0
    assert window.coverage.face_s == pytest.approx(30.0)
    assert window.coverage.voice_s == pytest.approx(9.0)


def test_a_window_tells_where_heads_point_and_how_they_move() -> None:
    """By person-time, newest first, and without any emotion being read."""
    target = aggregator(window_s=2)
    add(target, *(posed(look(n / 5, None, None), FRONT if n < 10 else AWAY, 0.25) for n in range(20)))
    first, second = close(target, 4.0)

    assert (first.behaviour.attention, second.behaviour.attention) == (1.0, 0.0)
    assert first.behaviour.attention_people == pytest.approx(2)
    assert first.behaviour.movement_people == pytest.approx(2)
    assert first.behaviour.movement == pytest.approx(0.25)
    assert first.fused.shares is None


def test_attention_follows_the_newest_looks() -> None:
    """Heads that turn away half-way through a window have mostly turned away."""
    target = aggregator()
    add(target, *(posed(look(n / 5, None), FRONT if n < 25 else AWAY, None) for n in range(50)))

    assert close(target, 10.0)[-1].behaviour.attention == pytest.approx(0.125, abs=0.01)


def talking(target: Aggregator, *, seconds: int = 40, students: float = 0.5) -> None:
    """Hand in microphones of both roles: after ten quiet seconds each speaks in turn, the class for that share."""
    for second in range(seconds):
        quiet, ours = second < 10, second % 10 < students * 10
        teacher, pupils = ("quiet", "quiet") if quiet else ("soft", "loud") if ours else ("loud", "soft")
        for role, kind in ((Role.TEACHER, teacher), (Role.STUDENTS, pupils)):
            level = {"quiet": -60.0, "soft": -45.0, "loud": -20.0}[kind]
            ratio = 0.0 if quiet else 1.0
            add(target, sound(second + 1.0, None, role=role, source=role.value, level_dbfs=level, speech_ratio=ratio))


def test_both_roles_are_heard_when_either_is_told() -> None:
    """Each role has its own talk; turns, overlap and silence are of both, and alike."""
    target = aggregator(roles=tuple(Role))
    talking(target, students=0.3)
    students, teacher = close(target, 40.0)[-2:]

    assert students.behaviour.talk == pytest.approx(0.3)
    assert teacher.behaviour.talk == pytest.approx(0.7)
    assert students.behaviour.turns_per_min == teacher.behaviour.turns_per_min == pytest.approx(5 * 60 / 40)
    assert students.behaviour.overlap == teacher.behaviour.overlap == 0.0
    assert students.behaviour.silence == teacher.behaviour.silence == 0.0


def test_a_role_that_is_only_seen_knows_the_silence_of_the_room() -> None:
    """A teacher without a microphone has no talk, and the class's microphone hears that nobody speaks."""
    target = aggregator(roles=tuple(Role))
    add(target, *(sound(n + 1.0, None, speech_ratio=0.0) for n in range(10)))
    students, teacher = close(target, 10.0)[-2:]

    assert students.behaviour.talk is teacher.behaviour.talk is None
    assert students.behaviour.silence == teacher.behaviour.silence == 1.0


def test_a_role_without_source_has_no_say() -> None:
    """One camera of the class makes no windows of the teacher, and nothing is known of talk."""
    target = aggregator()
    add(target, *(look(n / 5, SAD) for n in range(10)))
    (window,) = close(target, 2.0)

    assert window.behaviour == NOTHING_SEEN


def test_only_students_have_an_engagement() -> None:
    """With what it rests on; the teacher's windows have none."""
    target = aggregator(roles=tuple(Role))
    talking(target)
    add(target, *(posed(look(n / 5, HAPPY, HAPPY), FRONT, 0.5) for n in range(150, 200)))
    add(target, *(posed(look(n / 5, HAPPY, role=Role.TEACHER), FRONT, 0.5) for n in range(150, 200)))
    students, teacher = close(target, 40.0)[-2:]

    assert students.engagement is not None
    assert [c.name for c in students.engagement.components] == ["attention", "participation", "positive", "calm"]
    assert teacher.engagement is None


def test_engagement_without_evidence_is_none() -> None:
    """A window in which nobody was seen or heard has no engagement, not an engagement of nothing."""
    (window,) = close(aggregator(), 2.0)

    assert window.engagement is None
    assert window.behaviour == NOTHING_SEEN
