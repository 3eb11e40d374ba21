"""The main job with a known truth: the simulated lesson from drawn faces to an alert."""

from pathlib import Path

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.analysis import Analysis, analyse
from edge.capture.lesson import LessonScript, read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.fusion.aggregator import Windows
from edge.fusion.evidence import Reliability
from edge.pipeline import Feed
from edge.role import Role
from edge.service import StageOptions, make_vision, make_voice
from edge.summary import AlertState

HOLD_S = 6.0
RISES_S, FALLS_S, SILENT_S = 30.0, 60.0, 70.0
"""Where lessons/standard.toml says so; the truth test below holds it to that."""


@pytest.fixture(scope="module")
def script() -> LessonScript:
    """The standard lesson."""
    return read_lesson("standard")


@pytest.fixture(scope="module")
def lesson(script: LessonScript) -> Analysis:
    """The standard lesson through the real models, once for all tests."""
    source = SimulatedClassroom(lesson=script, fps=5.0)
    vision = make_vision(StageOptions(threads=2))
    voice = make_voice(StageOptions(), source=source.name, role=Role.STUDENTS)
    return analyse(
        [Feed(source, vision, voice)],
        windows=Windows(),
        reliability=Reliability(),
        engine=AlertEngine([Rule(hold_s=HOLD_S)], hop_s=Windows().hop_s),
    )


def test_the_script_says_when_the_mood_turns(script: LessonScript) -> None:
    """The timeline is data: negative share is low, rises at 00:30 and falls at 01:00."""
    before, during, after = (script.truth(at).negative_share for at in (29.0, 32.0, 62.0))

    assert before < 0.1
    assert during > 0.7
    assert after < 0.1


def test_the_alert_rings_within_a_hold_and_two_hops_and_clears(lesson: Analysis) -> None:
    """One alert: raised soon after the scripted rise, cleared after the scripted fall, and no other."""
    assert [alert.state for alert in lesson.alerts] == [AlertState.RAISED, AlertState.CLEARED]
    raised, cleared = lesson.alerts
    assert RISES_S < raised.at_s <= RISES_S + HOLD_S + 2 * Windows().hop_s
    assert FALLS_S < cleared.at_s <= FALLS_S + Windows().window_s + HOLD_S
    assert raised.id == cleared.id
    assert "%" in raised.reason


def test_nearly_all_pupils_are_seen(lesson: Analysis) -> None:
    """Of twelve pupils, in most looks at least ten are found, and hardly anything else."""
    people = lesson.tallies[Role.STUDENTS].counted.coverage.people

    assert 10 <= people <= 13


def test_shares_follow_the_script(lesson: Analysis, script: LessonScript) -> None:
    """Windows that lie wholly inside a phase read its negative share more or less as it was meant."""
    errors = []
    for summary in lesson.summaries:
        inside = script.truth(summary.opened_s).students == script.truth(summary.closed_s - 0.1).students
        if inside and summary.closed_s >= Windows().window_s and summary.face.negative_share is not None:
            errors.append(abs(summary.face.negative_share - script.truth(summary.opened_s).negative_share))

    assert len(errors) > 10
    assert sum(errors) / len(errors) < 0.25


def test_silence_is_no_evidence(lesson: Analysis) -> None:
    """Once the class has fallen silent nothing is heard, and nothing is made up: no shares from voices."""
    silent = [s for s in lesson.summaries if s.opened_s >= SILENT_S + 4]

    assert silent
    assert all(summary.voice.shares is None for summary in silent)
    assert all((summary.coverage.speech_ratio or 0.0) < 0.1 for summary in silent)


def test_the_lesson_is_data(tmp_path: Path) -> None:
    """A lesson of one's own is read from a file."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "Short"\nseconds = 10\n[[phase]]\nat_s = 0\nstudents = { fear = 1.0 }\nteacher = "neutral"\n'
    )

    assert read_lesson(path).truth(5.0).negative_share == pytest.approx(1.0)
