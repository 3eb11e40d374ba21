"""A recording from beginning to end."""

from collections.abc import Iterable, Sequence

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.analysis import Analysis, analyse
from edge.errors import MediaError, SourceMissingError
from edge.fusion.aggregator import Windows
from edge.fusion.evidence import Reliability
from edge.media import AudioBlock, Frame
from edge.observation import Emotion, FaceObservation
from edge.ports import VisionStage, VoiceStage
from edge.role import Role
from edge.summary import AlertState
from edge.testing import ScriptedSource, ScriptedVision, ScriptedVoice
from tests.builders import SECOND, block, face, frame, sound, sure

SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)
RULE = Rule(raise_at=0.5, clear_at=0.3, hold_s=4.0)
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
) -> Analysis:
    """Analyse a script."""
    return analyse(
        ScriptedSource(openings=[script], role=role),
        vision=vision,
        voice=voice,
        windows=Windows(window_s=4.0, hop_s=2.0),
        reliability=Reliability(),
        engine=AlertEngine([RULE], hop_s=2.0),
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
