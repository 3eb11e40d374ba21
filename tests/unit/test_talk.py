"""Who speaks, from how loud speech is in each role's microphones."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.talk import NOTHING_HEARD, Talk, TalkMeter
from edge.observation import VoiceObservation
from edge.role import Role
from tests.builders import SECOND, sound
from tests.strategies import few

TEACHER, STUDENTS = Role.TEACHER, Role.STUDENTS

Hop = tuple[float, float | None]
QUIET: Hop = (0.0, -60.0)
LOUD: Hop = (1.0, -25.0)
SOFT: Hop = (1.0, -45.0)
"""Speech of the other role, heard from afar."""


def hop(at_s: float, what: Hop, role: Role, *, source: str = "", span_s: float = 1.0) -> VoiceObservation:
    """Return a window of sound whose newest hop begins at *at_s*."""
    ratio, level = what
    return sound(at_s + span_s, None, speech_ratio=ratio, level_dbfs=level, role=role, source=source, span_s=span_s)


def meter(*, worn: Iterable[Role] = (TEACHER,), window_s: float = 10.0, least_s: float = 1.0) -> TalkMeter:
    """Return a meter whose lesson begins at 0."""
    return TalkMeter(epoch_ns=0, worn=worn, window_ns=round(window_s * SECOND), least_s=least_s)


def heard(target: TalkMeter, role: Role, hops: Iterable[Hop | None], *, begin_s: float = 0.0) -> TalkMeter:
    """Hand in one hop a second; ``None`` is a second without sound."""
    for number, what in enumerate(hops):
        if what is not None:
            target.add(hop(begin_s + number, what, role, source=role.value))
    return target


def measure(target: TalkMeter, open_s: float, close_s: float) -> Talk:
    """Measure between two instants."""
    return target.measure(round(open_s * SECOND), round(close_s * SECOND))


def dialogue(teacher: str, students: str, *, quiet_s: int = 20) -> TalkMeter:
    """Return a meter that has heard both microphones, after some quiet.

    ``#`` is loud speech, ``+`` speech from afar, ``.`` quiet, a blank no sound at all.
    """
    kinds = {"#": LOUD, "+": SOFT, ".": QUIET, " ": None}
    target = meter()
    for role, script in ((TEACHER, teacher), (STUDENTS, students)):
        heard(target, role, [QUIET] * quiet_s + [kinds[sign] for sign in script])
    return target


def test_nothing_heard_is_none() -> None:
    """No sound is no silence."""
    assert measure(meter(), 0, 10) == NOTHING_HEARD
    assert set(NOTHING_HEARD.talk.values()) == {None}


def test_the_louder_channel_has_the_word() -> None:
    """Both microphones hear both; speech belongs to whom it is loudest with.

    ::

        teacher   ####+++...
        students  ++++###...
                  20        30
    """
    found = measure(dialogue("####+++...", "++++###..."), 20, 30)

    assert found.talk == {STUDENTS: pytest.approx(0.3), TEACHER: pytest.approx(0.4)}
    assert found.overlap == found.unattributed == 0.0
    assert found.silence == pytest.approx(0.3)
    assert found.heard_s == 10.0


def test_both_loud_is_both_at_once() -> None:
    """With less than six decibels between them nobody has the word alone, and both speak."""
    found = measure(dialogue("####......", "##++......"), 20, 30)

    assert found.talk == {STUDENTS: pytest.approx(0.2), TEACHER: pytest.approx(0.4)}
    assert found.overlap == pytest.approx(0.2)
    assert found.silence == pytest.approx(0.6)


@pytest.mark.parametrize(("louder_db", "overlap"), [(5.0, 1.0), (6.0, 0.0)])
def test_six_decibels_are_clear(louder_db: float, overlap: float) -> None:
    """Exactly six give the word, five leave it to both."""
    target = meter()
    heard(target, TEACHER, [QUIET] * 20 + [(1.0, -30.0 + louder_db)] * 4)
    heard(target, STUDENTS, [QUIET] * 20 + [(1.0, -30.0)] * 4)

    assert measure(target, 20, 24).overlap == overlap


def test_a_microphones_gain_does_not_matter() -> None:
    """Each is held against its own quiet: turned up by twenty decibels, it tells the same."""

    def told(gain_db: float) -> Talk:
        target = meter()
        heard(target, TEACHER, [QUIET] * 20 + [LOUD] * 4 + [SOFT] * 6)
        heard(target, STUDENTS, [(r, (v or 0) + gain_db) for r, v in [QUIET] * 20 + [SOFT] * 4 + [LOUD] * 6])
        return measure(target, 20, 30)

    assert told(0.0) == told(20.0) == told(-15.0)


def test_speech_that_only_one_channel_holds_is_its_roles() -> None:
    """A whisper at the back does not reach the teacher's collar."""
    found = measure(dialogue("....", "##.."), 20, 24)

    assert found.talk == {STUDENTS: pytest.approx(0.5), TEACHER: 0.0}


def test_half_a_hop_of_speech_is_half_a_hop() -> None:
    """Shares are of time: what is not speech in a speaker's hop is silence."""
    target = meter()
    heard(target, TEACHER, [QUIET] * 20 + [(0.5, -25.0)] * 4)
    heard(target, STUDENTS, [QUIET] * 24)
    found = measure(target, 20, 24)

    assert found.talk[TEACHER] == pytest.approx(0.5)
    assert found.silence == pytest.approx(0.5)


def test_a_cough_is_no_speech() -> None:
    """Under a fifth of a hop nobody speaks."""
    target = meter()
    heard(target, TEACHER, [QUIET] * 20 + [(0.19, -25.0)] * 4)
    heard(target, STUDENTS, [QUIET] * 24)
    found = measure(target, 20, 24)

    assert found.talk[TEACHER] == 0.0
    assert found.silence == 1.0


def test_one_microphone_of_the_room_cannot_tell_who() -> None:
    """Its speech is unattributed: nobody's talk is known, and silence is."""
    found = measure(dialogue(" " * 10, "###.......", quiet_s=0), 0, 10)

    assert set(found.talk.values()) == {None}
    assert (found.turns_per_min, found.overlap) == (None, None)
    assert found.unattributed == pytest.approx(0.3)
    assert found.silence == pytest.approx(0.7)
    assert found.heard_s == 0.0


def test_the_teachers_own_microphone_tells_of_the_teacher_alone() -> None:
    """What it hears is the teacher's; of the class it tells nothing, not even silence."""
    found = measure(heard(meter(), TEACHER, [LOUD] * 4 + [QUIET] * 6), 0, 10)

    assert found.talk == {STUDENTS: None, TEACHER: pytest.approx(0.4)}
    assert found.silence is found.unattributed is found.overlap is found.turns_per_min is None


def test_a_teachers_microphone_on_the_desk_is_one_of_the_room() -> None:
    """Where it isn't worn, it alone can't tell who speaks."""
    found = measure(heard(meter(worn=()), TEACHER, [LOUD] * 4 + [QUIET] * 6), 0, 10)

    assert found.talk[TEACHER] is None
    assert found.unattributed == pytest.approx(0.4)


def test_a_channel_that_is_not_yet_known_gives_the_word_to_nobody() -> None:
    """In the first seconds nobody knows how quiet the room can be: both hold speech, and it can't be told whose."""
    found = measure(dialogue("####..", "++++..", quiet_s=0), 0, 6)

    assert set(found.talk.values()) == {None}
    assert (found.overlap, found.heard_s) == (None, 0.0)
    assert found.unattributed == pytest.approx(2 / 3)
    assert found.silence == pytest.approx(1 / 3)


def test_a_muted_microphone_is_deaf_and_no_silence_of_its_role() -> None:
    """Speech that only the class's microphone holds isn't the class's, while the teacher's delivers zeros."""
    mute: Hop = (0.0, None)
    target = heard(heard(meter(), TEACHER, [mute] * 40), STUDENTS, [QUIET] * 20 + [LOUD] * 20)
    found = measure(target, 30, 40)

    assert set(found.talk.values()) == {None}
    assert found.unattributed == 1.0


def test_either_microphone_may_vanish_and_come_back() -> None:
    """While the class's is gone, the teacher's own tells of the teacher; then both are known again."""
    target = dialogue("#" * 30, "+" * 10 + " " * 10 + "+" * 10)
    with_both, alone, again = (measure(target, 20 + at, 30 + at) for at in (0, 10, 20))

    assert with_both.talk == again.talk == {STUDENTS: 0.0, TEACHER: 1.0}
    assert alone.talk == {STUDENTS: None, TEACHER: 1.0}
    assert alone.silence is None


def test_less_than_the_least_sound_is_none() -> None:
    """Half a second of sound in ten is not the window's."""
    target = meter(least_s=1.0)
    target.add(hop(0.0, LOUD, STUDENTS, span_s=0.5))

    assert measure(target, 0, 10).unattributed is None


@pytest.mark.parametrize(
    ("teacher", "students", "changes"),
    [
        ("####++++" * 5, "++++####" * 5, 9),
        ("####....++++...." * 3, "++++....####...." * 3, 4),
        ("####" * 10, "++++" * 10, 0),
        ("####" * 10, "####" * 10, 0),
        ("##" + "####" * 9 + "++", "++" + "####" * 9 + "##", 1),
        ("." * 40, "." * 40, 0),
    ],
)
def test_turns_are_changes_of_speaker(teacher: str, students: str, changes: int) -> None:
    """Silence and overlap leave the word where it is; a change is counted once, wherever the silence lies."""
    found = measure(dialogue(teacher, students, quiet_s=20), 50, 60)
    rate = changes * 60 / min(20 + len(teacher), 60)

    assert found.turns_per_min == pytest.approx(rate)


def test_turns_look_back_further_than_the_window() -> None:
    """A change of speaker half a minute ago still counts; one more than a minute ago does not."""
    target = dialogue("#" * 20 + "+" * 80, "+" * 20 + "#" * 80)

    assert measure(target, 70, 80).turns_per_min == pytest.approx(1.0)
    assert measure(target, 95, 105).turns_per_min == 0.0


def test_no_turn_across_a_hole() -> None:
    """Nobody knows who spoke while there was no sound."""
    found = measure(dialogue("#" * 15 + " " * 5 + "+" * 15, "+" * 15 + " " * 5 + "#" * 15), 45, 55)

    assert found.turns_per_min == 0.0


def test_turns_need_half_a_minute() -> None:
    """One change in the first seconds is not twenty a minute."""
    target = dialogue("####++++" * 5, "++++####" * 5)

    assert measure(target, 19, 29).turns_per_min is None
    assert measure(target, 20, 30).turns_per_min is not None


def test_noise_is_what_stands_out_while_nobody_has_the_word() -> None:
    """Chairs at thirty decibels above the quiet are noise; the teacher's lecture and an answer are not."""
    bang = (0.0, -30.0)
    target = meter()
    heard(target, TEACHER, [QUIET] * 20 + [LOUD] * 4 + [SOFT] * 2 + [QUIET] * 4)
    heard(target, STUDENTS, [QUIET] * 20 + [SOFT] * 4 + [LOUD] * 2 + [bang] * 2 + [QUIET] * 2)
    found = measure(target, 20, 30)

    assert found.noise_db == pytest.approx(15.0, abs=0.5)
    assert found.noise_s == 4.0


def test_noise_is_not_told_from_the_teachers_own_microphone() -> None:
    """It hears the teacher's collar and not the room."""
    assert measure(heard(meter(), TEACHER, [QUIET] * 20), 10, 20).noise_db is None


def test_digital_silence_is_quiet_and_no_level() -> None:
    """A muted microphone does not pull its quiet down, and there is no noise in it."""
    mute: Hop = (0.0, None)
    target = heard(meter(), STUDENTS, [QUIET, mute] * 20)
    found = measure(target, 30, 40)

    assert (found.noise_db, found.noise_s) == (0.0, 10.0)
    assert found.silence == 1.0


def test_several_microphones_of_a_role_are_one_ear() -> None:
    """Who speaks near either of the class's two microphones is a student."""
    target = dialogue("....", "....")
    for number in range(24):
        target.add(hop(number, LOUD if number >= 20 else QUIET, STUDENTS, source="back"))

    assert measure(target, 20, 24).talk[STUDENTS] == 1.0


def test_hops_need_not_begin_with_the_slots() -> None:
    """Two microphones whose hops begin at odd instants are compared all the same."""
    target = meter()
    for number in range(30):
        speaks = number >= 20
        target.add(hop(number + 0.13, LOUD if speaks else QUIET, TEACHER))
        target.add(hop(number + 0.71, SOFT if speaks else QUIET, STUDENTS))
    found = measure(target, 22, 30)

    assert found.talk == {STUDENTS: 0.0, TEACHER: 1.0}
    assert found.heard_s == 8.0


def test_what_comes_early_waits() -> None:
    """A hop that begins after the window's close changes nothing in it, its level included."""
    early, plain = dialogue("####", "++++"), dialogue("####", "++++")
    heard(early, STUDENTS, [(1.0, -90.0)] * 30, begin_s=24)

    assert measure(early, 20, 24) == measure(plain, 20, 24)


def test_memory_does_not_grow_with_the_lesson() -> None:
    """The hops of the look-back stay, and one histogram a source."""
    target = meter()
    for number in range(1000):
        for role in Role:
            target.add(hop(number, QUIET, role, source=role.value))
        target.forget((number + 1) * SECOND)

    assert all(len(sounds) <= 61 for sounds in target._sounds.values())  # noqa: SLF001


def test_what_is_forgotten_still_teaches_the_quiet() -> None:
    """An hour of talk does not make talk the quiet: its silence ten minutes ago is remembered."""
    target = meter()
    heard(target, TEACHER, [QUIET] * 200 + [LOUD] * 100 + [SOFT] * 10)
    heard(target, STUDENTS, [QUIET] * 200 + [SOFT] * 100 + [LOUD] * 10)
    for at in range(0, 300, 2):
        target.forget(at * SECOND)

    assert measure(target, 290, 300).talk == {STUDENTS: 0.0, TEACHER: 1.0}
    assert measure(target, 300, 310).talk == {STUDENTS: 1.0, TEACHER: 0.0}


hops = st.lists(
    st.tuples(st.sampled_from([0.0, 0.3, 1.0]), st.one_of(st.none(), st.floats(-80, -5))), min_size=1, max_size=40
)


@few
@given(teacher=hops, students=hops, seed=st.integers(0, 2**16), worn=st.sets(st.sampled_from(list(Role))))
def test_shares_are_shares_whatever_the_order_of_arrival(
    teacher: list[Hop], students: list[Hop], seed: int, worn: set[Role]
) -> None:
    """Every share is in [0, 1]; where all can be told they make up the whole time; and the order does not matter."""
    given_hops = [
        hop(number, what, role, source=role.value)
        for role, script in ((TEACHER, teacher), (STUDENTS, students))
        for number, what in enumerate(script)
    ]
    shuffled = given_hops.copy()
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    first, second = meter(worn=worn), meter(worn=worn)
    for one, other in zip(given_hops, shuffled, strict=True):
        first.add(one)
        second.add(other)
    for close_s in (4, 20, 40):
        found = measure(first, max(close_s - 10, 0), close_s)

        assert found == measure(second, max(close_s - 10, 0), close_s)
        teachers, pupils = found.talk[TEACHER], found.talk[STUDENTS]
        for share in (teachers, pupils, found.overlap, found.silence, found.unattributed):
            assert share is None or 0.0 <= share <= 1.0
        assert found.turns_per_min is None or 0.0 <= found.turns_per_min <= 120.0
        assert found.noise_db is None or found.noise_db >= 0.0
        if found.heard_s == 10.0:
            assert teachers is not None
            assert pupils is not None
            assert found.overlap is not None
            assert found.silence is not None
            assert found.unattributed is not None
            assert teachers + pupils - found.overlap + found.silence == pytest.approx(1.0)
            assert found.unattributed == 0.0


def test_hops_of_another_length_are_laid_on_the_same_slots() -> None:
    """Two seconds of one microphone and one of the other are compared second by second."""
    target = meter()
    for number in range(0, 24, 2):
        target.add(hop(number, LOUD if number >= 20 else QUIET, TEACHER, span_s=2.0))
    heard(target, STUDENTS, [QUIET] * 20 + [SOFT] * 4)

    assert measure(target, 20, 24).talk == {STUDENTS: 0.0, TEACHER: 1.0}
    assert replace(measure(target, 20, 24), noise_s=0.0).noise_db is None
