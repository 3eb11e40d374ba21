"""The script of a simulated lesson: what its truth says and what its reader refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.lesson import LessonScript, Phase, read_lesson, shipped_lessons
from edge.errors import SettingsError
from edge.observation import NEGATIVE, Emotion, EmotionDistribution
from edge.role import Role

GOOD = """
seconds = 20
[[phase]]
at_s = 0
students = { neutral = 0.6, happiness = 0.4 }
class_voice = { emotion = "sadness", phrase_s = 2.0, pause_s = 1.0 }
[[phase]]
at_s = 10
students = { sadness = 1.0 }
"""


def read(folder: Path, text: str) -> LessonScript:
    """Read a lesson from a file that holds *text*."""
    path = folder / "lesson.toml"
    path.write_text(text, encoding="utf-8")
    return read_lesson(path)


def test_the_standard_lesson_turns_at_its_promised_moments() -> None:
    """Negative share rises at 00:30, falls at 01:00, and no pupil speaks from 01:10 on."""
    lesson = read_lesson("standard")
    assert lesson.truth(29.9).negative_share == 0
    assert lesson.truth(30 + lesson.fade_s).negative_share == pytest.approx(0.75)
    assert lesson.truth(60).negative_share == pytest.approx(0.75)
    assert lesson.truth(60 + lesson.fade_s).negative_share == pytest.approx(0)
    assert any(lesson.truth(at / 10).class_speaking for at in range(600, 700))
    assert not any(lesson.truth(at / 10).class_speaking for at in range(700, 1201))


def test_the_demo_lesson_raises_and_clears_within_its_minute() -> None:
    """Twenty seconds of mostly negative faces start early enough for an alert to come and go by 0:55."""
    lesson = read_lesson("demo")
    negative = [at for at in range(60) if lesson.truth(at).negative_share >= 0.45]
    assert negative[0] == 13
    assert negative[-1] == 32
    assert all(lesson.truth(at).negative_share < 0.1 for at in (*range(12), *range(34, 60)))


@pytest.mark.parametrize("name", shipped_lessons())
def test_every_shipped_lesson_reads(name: str) -> None:
    """What is shipped obeys its own rules."""
    lesson = read_lesson(name)
    assert lesson.phases[0].at_s == 0
    assert lesson.title


def test_the_mood_changes_evenly_over_the_fade(tmp_path: Path) -> None:
    """Half way through the fade the truth lies half way between two phases."""
    lesson = read(tmp_path, "fade_s = 2\n" + GOOD)
    assert lesson.truth(11).students.shares()[Emotion.SADNESS] == pytest.approx(0.5)
    assert lesson.truth(11).students.shares()[Emotion.NEUTRAL] == pytest.approx(0.3)


def test_phrases_alternate_with_pauses(tmp_path: Path) -> None:
    """A pupil speaks for the phrase's seconds, then nobody for the pause's, counted from the phase's start."""
    lesson = read(tmp_path, GOOD)
    spoken = [lesson.truth(at).class_speaking for at in (0, 1.9, 2.1, 2.9, 3.1, 9.5, 10.5)]
    assert spoken == [True, True, False, False, True, True, False]


def test_prosody_follows_the_emotion_unless_scripted(tmp_path: Path) -> None:
    """Anger is louder, higher and faster than sadness, and a scripted number wins over both."""
    angry = read(tmp_path, GOOD.replace('"sadness"', '"anger"')).phases[0].voice(Role.STUDENTS)
    sad = read(tmp_path, GOOD).phases[0].voice(Role.STUDENTS)
    set_by_hand = read(tmp_path, GOOD.replace("phrase_s", "pitch_hz = 300, phrase_s")).phases[0].voice(Role.STUDENTS)
    assert angry is not None
    assert sad is not None
    assert set_by_hand is not None
    assert angry.level_dbfs > sad.level_dbfs
    assert angry.pitch_hz > sad.pitch_hz
    assert angry.syllables_per_s > sad.syllables_per_s
    assert set_by_hand.pitch_hz == 300


def test_a_lesson_that_loops_has_no_end(tmp_path: Path) -> None:
    """After its end a looping lesson is where it was at its start; another one has no truth there."""
    looping, ending = read(tmp_path, "loop = true\n" + GOOD), read(tmp_path, GOOD)
    assert looping.truth(33).students == ending.truth(13).students
    assert looping.truth(45).students == ending.truth(5).students
    with pytest.raises(ValueError, match="at_s"):
        ending.truth(33)


@given(
    weights=st.lists(st.lists(st.integers(0, 9), min_size=7, max_size=7).filter(any), min_size=1, max_size=5),
    people=st.integers(1, 18),
    seed=st.integers(0, 99),
)
def test_pupils_stand_for_the_shares(weights: list[list[int]], people: int, seed: int) -> None:
    """In every phase the pupils' counts are the shares to less than one pupil, whoever is who."""
    phases = tuple(
        Phase(float(index), EmotionDistribution.of(weight), Emotion.NEUTRAL, None, None)
        for index, weight in enumerate(weights)
    )
    plans = LessonScript("any", 99.0, loop=False, fade_s=1.0, phases=phases).pupils(people, seed=seed)
    for phase, plan in zip(phases, plans, strict=True):
        assert len(plan) == people
        for emotion, share in phase.students.shares().items():
            assert abs(plan.count(emotion) - share * people) < 1


def test_only_as_many_pupils_change_as_must() -> None:
    """Whoever may keep an emotion keeps it: at 0:12 of the demo no pupil who stays neutral is swapped with another."""
    lesson = read_lesson("demo")
    calm, hard = lesson.pupils(12)[:2]
    stayed = sum(a == b for a, b in zip(calm, hard, strict=True))
    assert stayed == min(calm.count(Emotion.NEUTRAL), hard.count(Emotion.NEUTRAL))
    assert sum(e in NEGATIVE for e in hard) in (9, 10)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace("seconds = 20", ""), "seconds: missing"),
        (GOOD.replace("seconds = 20", "seconds = 'x'"), "seconds: must be a number"),
        (GOOD.replace("0.6", "0.5"), "phase[0].students: shares must add up to 1, got 0.9"),
        (GOOD.replace("neutral = 0.6", "bored = 0.6"), "phase[0].students.bored: unknown key"),
        (GOOD.replace("neutral = 0.6", "neutral = -0.6"), "phase[0].students.neutral: must be a number in [0, 1]"),
        (GOOD.replace("at_s = 10", "at_s = 0"), "phase[1].at_s: must be later than 0"),
        (GOOD.replace("at_s = 0", "at_s = 1"), "phase[0].at_s: the first phase must start at 0"),
        (GOOD.replace("at_s = 10", "at_s = 30"), "phase[1].at_s: must be before the end"),
        (GOOD.replace('"sadness"', '"sad"'), "phase[0].class_voice.emotion: must be one of anger"),
        (GOOD.replace("phrase_s = 2.0", "phrase_s = true"), "phase[0].class_voice.phrase_s: must be a number"),
        (GOOD.replace("phrase_s", "phrases"), "phase[0].class_voice.phrases: unknown key"),
        (GOOD.replace("students = { sadness = 1.0 }", "students = 3"), "phase[1].students: must be a table"),
        ("loop = 1\n" + GOOD, "loop: must be true or false"),
        ("title = 1\n" + GOOD, "title: must be text"),
        ("colour = 1\n" + GOOD, "colour: unknown key"),
        ("seconds = 3\nphase = [1]", "phase[0]: must be a table"),
        ("seconds = 3", "phase: a lesson needs at least one"),
        ("seconds = = 3", "lesson: "),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    """Every broken rule is told in one line that names the key, what would be right, and the file."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(complaint)
    assert "lesson.toml" in message
    assert "\n" not in message


def test_an_unknown_lesson_is_refused_with_the_known_ones() -> None:
    """A wrong name gets the list of shipped lessons."""
    with pytest.raises(SettingsError, match=r"no such lesson: nap; name a shipped one \(demo, standard\)"):
        read_lesson("nap")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give a settings error and not a traceback."""
    path = tmp_path / "lesson.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_lesson(path)
