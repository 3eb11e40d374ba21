"""A recording from beginning to end."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.analysis import Analysis, analyse
from edge.errors import MediaError, SourceMissingError
from edge.fusion.aggregator import Windows
from edge.fusion.evidence import Reliability
from edge.media import AudioBlock, Frame
from edge.observation import Emotion, FaceObservation, VoiceObservation
from edge.pipeline import Feed
from edge.ports import Sink, VisionStage, VoiceStage
from edge.privacy.policy import Mode, Policy, Purpose
from edge.role import Role
from edge.summary import AlertState, Lesson
from edge.testing import ListSink, ScriptedSource, ScriptedVision, ScriptedVoice
from tests.builders import EPOCH, SECOND, block, face, frame, sound, sure

SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)
RULE = Rule(raise_at=0.5, clear_at=0.3, hold_s=4.0)
EMOTION = Policy(
    Mode.EMOTION,
    jurisdiction="CH",
    purpose=Purpose.RESEARCH,
    responsible="A. Person",
    decided_on=date(2026, 2, 1),
    least_people=3,
    teacher_emotions=False,
)
Script = Sequence[Frame | AudioBlock | BaseException]


def mood(shown: Frame) -> tuple[FaceObservation, ...]:
    """See one sad face from 10 s to 30 s, and a happy one before and after."""
    at_s = shown.captured_ns / SECOND
    return (face(at_s, SAD if 10 <= at_s < 30 else HAPPY),)


SEES = ScriptedVision(mood)
HEARS = ScriptedVoice(lambda part: (sound(part.end_ns / SECOND, HAPPY, span_s=0.1),))


def run(
    script: Script,
    *,
    vision: VisionStage | None = SEES,
    voice: VoiceStage | None = HEARS,
    role: Role = Role.STUDENTS,
    times: list[float] | None = None,
    policy: Policy | None = None,
    lesson: Lesson | None = None,
    sinks: Iterable[Sink] = (),
) -> Analysis:
    """Analyse a script."""
    return several(
        [Feed(ScriptedSource(openings=[script], role=role), vision, voice)],
        times=times,
        policy=policy,
        lesson=lesson,
        sinks=sinks,
    )


def several(
    feeds: Iterable[Feed],
    *,
    times: list[float] | None = None,
    policy: Policy | None = None,
    lesson: Lesson | None = None,
    sinks: Iterable[Sink] = (),
) -> Analysis:
    """Analyse recordings of one lesson."""
    return analyse(
        feeds,
        windows=Windows(window_s=4.0, hop_s=2.0),
        reliability=Reliability(),
        engine=AlertEngine([RULE], hop_s=2.0),
        policy=policy,
        lesson=lesson,
        sinks=sinks,
        progress=(times if times is not None else []).append,
    )


def film(seconds: float, rate_hz: int = 5, *, role: Role = Role.STUDENTS) -> list[Frame]:
    """Return frames at a steady rate."""
    return [frame(n / rate_hz, sequence=n, role=role) for n in range(round(seconds * rate_hz))]


def test_a_recording_has_the_windows_of_its_whole_length() -> None:
    """Every hop to the end has closed, and the last frame lasts as long as the one before it."""
    result = run(film(9))

    assert result.duration_s == pytest.approx(9.0)
    assert [(w.opened_s, w.closed_s) for w in result.summaries] == [(0, 2), (0, 4), (2, 6), (4, 8)]
    assert result.elapsed_s > 0
    assert result.damage is None


def test_the_alert_comes_and_goes_with_the_mood() -> None:
    """Raised within a window and the hold of the change, and cleared alike, at the recording's own times."""
    raised, cleared = run(film(50)).alerts

    assert (raised.state, cleared.state) == (AlertState.RAISED, AlertState.CLEARED)
    assert 14 <= raised.at_s <= 18
    assert 34 <= cleared.at_s <= 38
    assert raised.id == cleared.id


def test_the_tally_counts_every_moment_alike() -> None:
    """Twenty of fifty seconds were sad."""
    tally = run(film(50)).tallies[Role.STUDENTS]

    assert tally.face.observations == 250
    assert tally.face.negative_share == pytest.approx(0.4)
    assert tally.voice.shares is None


def test_the_role_is_the_sources() -> None:
    """A teacher's recording fills the teacher's tally and windows, and the other role stays empty."""
    result = run(film(4, role=Role.TEACHER), role=Role.TEACHER)

    assert {w.role for w in result.summaries} == {Role.TEACHER}
    assert result.tallies[Role.TEACHER].face.observations == 20
    assert result.tallies[Role.STUDENTS].face.observations == 0


def test_sound_alone_is_a_recording() -> None:
    """Without pictures the duration is the sound's."""
    result = run([block(n / 10) for n in range(50)])

    assert result.duration_s == pytest.approx(5.0)
    assert result.summaries[-1].voice.shares == HAPPY
    assert result.summaries[-1].face.shares is None


def test_without_stages_there_is_a_duration_and_no_evidence() -> None:
    """Media that nobody reads is still that long."""
    result = run([*film(4), *[block(n / 10) for n in range(60)]], vision=None, voice=None)

    assert result.duration_s == pytest.approx(6.0)
    assert [w.fused.shares for w in result.summaries] == [None] * 3


def test_frames_that_were_not_due_are_no_looks() -> None:
    """Only what vision looked at is counted."""
    result = run(film(4), vision=ScriptedVision(lambda shown: None if shown.sequence % 2 else mood(shown)))

    assert result.tallies[Role.STUDENTS].counted.looks == 10


def interleaved(late_s: float) -> Iterable[Frame | AudioBlock]:
    """Return ten seconds of a container whose sound comes *late_s* after the pictures of the same time."""
    parts: list[Frame | AudioBlock] = [*film(10), *[block(n / 10) for n in range(100)]]
    return sorted(parts, key=lambda p: p.captured_ns if isinstance(p, Frame) else p.start_ns + late_s * SECOND)


def test_a_container_whose_sound_comes_later_gives_the_same_windows() -> None:
    """Up to a second out of step nothing is late, and no number differs."""
    even, late = run(list(interleaved(0.0))), run(list(interleaved(0.8)))

    assert [w.fused for w in late.summaries] == [w.fused for w in even.summaries]
    assert late.summaries[-1].late == 0


def test_a_picture_that_stands_still_for_long_does_not_close_windows_early() -> None:
    """A screen recording writes frames only when something moves: its pauses are neither late nor make it longer."""
    result = run([*film(1), *[frame(9 + n / 5, sequence=n) for n in range(15)]])

    assert result.duration_s == pytest.approx(12.0)
    assert result.summaries[-1].closed_s == 12.0
    assert result.summaries[-1].late == 0
    assert result.summaries[-1].face.observations > 0


def test_damage_further_on_keeps_what_came_before() -> None:
    """The windows before it stand, and the one line says what happened."""
    result = run([*film(5), MediaError("a.mp4: damaged after 5.0 s")])

    assert result.damage == "a.mp4: damaged after 5.0 s"
    assert [w.closed_s for w in result.summaries] == [2, 4]


@pytest.mark.parametrize("error", [MediaError("a.mp4: not media"), SourceMissingError("a.mp4: no such file")])
def test_a_recording_of_which_nothing_can_be_read_is_an_error(error: Exception) -> None:
    """No result is made up for a file that is not there or holds nothing."""
    with pytest.raises(type(error), match=str(error)):
        run([error])


def test_progress_is_told_in_seconds_of_media() -> None:
    """It grows to the end and never goes back, although sound and pictures alternate."""
    times: list[float] = []
    run(list(interleaved(0.4)), times=times)

    assert times == sorted(times)
    assert times[-1] == pytest.approx(10.0)


def people(number: int, *, until_s: float = 1e6) -> ScriptedVision:
    """Return a stage that sees so many sad people, and one less from *until_s* on."""

    def observe(shown: Frame) -> tuple[FaceObservation, ...]:
        at_s = shown.captured_ns / SECOND
        there = number if at_s < until_s else number - 1
        return tuple(face(at_s, SAD, role=shown.role, source=shown.source, track_id=n) for n in range(there))

    return ScriptedVision(observe)


def camera(name: str, script: Script, *, role: Role = Role.STUDENTS, vision: VisionStage = SEES) -> Feed:
    """Return a feed without a microphone."""
    return Feed(ScriptedSource(openings=[script], name=name, role=role), vision, None)


def microphone(name: str, seconds: int, *, role: Role, speaks: Iterable[int]) -> Feed:
    """Return a feed of one-second blocks, in some of which there is loud speech."""
    spoken = set(speaks)

    def hear(part: AudioBlock) -> tuple[VoiceObservation, ...]:
        number = part.start_ns // SECOND
        ratio, level = (1.0, -20.0) if number in spoken else (0.0, -60.0)
        return (sound(number + 1, None, speech_ratio=ratio, level_dbfs=level, source=part.source, role=part.role),)

    script = [block(n, seconds=1.0, source=name, role=role) for n in range(seconds)]
    return Feed(ScriptedSource(openings=[script], name=name, role=role), None, ScriptedVoice(hear))


def test_cameras_of_both_roles_are_one_lesson() -> None:
    """Each role has its own windows and its own tally, on one time; the longest recording says how long it was."""
    result = several(
        [camera("class", film(8)), camera("desk", film(6, role=Role.TEACHER), role=Role.TEACHER, vision=people(1))]
    )
    students, teacher = result.tallies[Role.STUDENTS], result.tallies[Role.TEACHER]

    assert result.duration_s == pytest.approx(8.0)
    assert [(w.closed_s, w.role) for w in result.summaries] == [(n, role) for n in (2, 4, 6, 8) for role in Role]
    assert (students.counted.looks, teacher.counted.looks) == (40, 30)
    assert (students.face.shares, teacher.face.shares) == (HAPPY, SAD)


def test_who_speaks_is_told_across_recordings() -> None:
    """With a microphone for each role, turns and talk are of both together."""
    talks = [n for n in range(40) if n % 10 < 5]
    answers = [n for n in range(40) if n % 10 in {6, 7}]
    result = several(
        [
            microphone("collar", 40, role=Role.TEACHER, speaks=talks),
            microphone("room", 40, role=Role.STUDENTS, speaks=answers),
        ]
    )
    last = {w.role: w.behaviour for w in result.summaries[-2:]}

    assert last[Role.TEACHER].turns_per_min == pytest.approx(10.5, abs=2)
    assert last[Role.STUDENTS].talk is not None
    assert last[Role.TEACHER].talk is not None


def test_a_recording_that_starts_later_lies_where_it_belongs() -> None:
    """Media stamped from 10 s on is in the windows from there, and in none before."""
    later = [frame(10 + n / 5, sequence=n, role=Role.TEACHER) for n in range(30)]
    result = several([camera("class", film(20)), camera("desk", later, role=Role.TEACHER, vision=people(1))])
    seen = {w.closed_s: w.face.observations for w in result.summaries if w.role is Role.TEACHER}

    assert [closed_s for closed_s, observations in seen.items() if observations] == [12, 14, 16, 18]


def test_damage_in_one_file_does_not_end_the_others() -> None:
    """What was read of it counts, the line names it and says until when, and the rest is analysed to its end."""
    broken = MediaError("desk.mp4: damaged after 3.0 s")
    result = several(
        [
            camera("class", film(8)),
            camera("desk.mp4", [*film(3, role=Role.TEACHER), broken], role=Role.TEACHER, vision=people(1)),
            camera("side", [MediaError("side.mp4: not media")]),
        ]
    )

    assert result.duration_s == pytest.approx(8.0)
    assert result.tallies[Role.TEACHER].counted.looks == 15
    assert result.damages == {"desk.mp4": "desk.mp4: damaged after 3.0 s", "side": "side.mp4: not media"}
    assert result.damage == "desk.mp4: damaged after 3.0 s; side.mp4: not media"


def test_a_missing_file_among_several_is_an_error() -> None:
    """A wrong name is told at once, and not found out from what is missing in the result."""
    with pytest.raises(SourceMissingError, match="not there"):
        several([camera("class", film(8)), camera("desk", [SourceMissingError("desk.mp4: not there")])])


def test_the_policy_holds_for_windows_alerts_and_tallies() -> None:
    """Of two people where three are asked for, nothing is told anywhere; of the teacher no emotion."""
    result = several(
        [
            camera("class", film(20), vision=people(2)),
            camera("desk", film(20, role=Role.TEACHER), role=Role.TEACHER, vision=people(1)),
        ],
        policy=EMOTION,
    )
    students, teacher = result.tallies[Role.STUDENTS], result.tallies[Role.TEACHER]

    assert all(w.suppressed for w in result.summaries if w.role is Role.STUDENTS)
    assert result.withheld == {Role.STUDENTS: 10, Role.TEACHER: 0}
    assert result.alerts == []
    assert (students.counted.looks, students.face.shares) == (0, None)
    assert teacher.counted.looks == 100
    assert teacher.face.shares is None


def test_a_tally_holds_only_seconds_whose_windows_were_told() -> None:
    """From when one leaves and too few are left, no second goes into the tally."""
    result = run(film(20), vision=people(3, until_s=10), policy=EMOTION)
    tally = result.tallies[Role.STUDENTS]
    told = [w.closed_s for w in result.summaries if not w.suppressed]

    assert told == [2, 4, 6, 8, 10]
    assert tally.counted.looks == 10 * 5
    assert result.withheld[Role.STUDENTS] == 5


def test_the_lesson_is_what_it_is_said_to_be() -> None:
    """Its beginning is the calendar's time of media time 0, and sinks get it with its end as they would live."""
    lesson, sink = Lesson(id="1", title="Maths", started_at=EPOCH, ended_at=None), ListSink()
    result = run(film(9), lesson=lesson, sinks=[sink])

    assert sink.items[0] == lesson
    assert sink.summaries == result.summaries
    assert sink.summaries[0].closed_at == EPOCH + timedelta(seconds=2)
    assert [item.ended_at for item in sink.items if isinstance(item, Lesson)] == [None, EPOCH + timedelta(seconds=9)]


def test_a_failure_in_a_stage_comes_out() -> None:
    """A bug is not taken for the end of a recording."""

    def fail(_: Frame) -> tuple[()]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(film(9), vision=ScriptedVision(fail))
