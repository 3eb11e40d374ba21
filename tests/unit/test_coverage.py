"""How much of what could have been known was."""

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.coverage import CoverageCount
from edge.observation import Emotion
from edge.summary import Coverage
from tests.builders import look, sound, sure
from tests.strategies import few

SAD = sure(Emotion.SADNESS)


def counted(*people: int, source: str = "cam") -> CoverageCount:
    """Return a count of looks that saw so many people."""
    count = CoverageCount()
    for number, seen in enumerate(people):
        count.add_look(look(number / 5, *[SAD] * seen, source=source))
    return count


def test_nothing_seen_and_heard_is_nothing_known() -> None:
    """No look and no sound give None where a share would be, never 0."""
    assert CoverageCount().coverage == Coverage(people=0, usable_faces=None, speech_ratio=None, level_dbfs=None, gaps=0)


@pytest.mark.parametrize(
    ("people", "expected"),
    [((12,), 12), ((12, 12, 0), 12), ((0, 0, 12), 0), ((3, 4), 3), ((1, 9, 5), 5), ((0, 0, 0), 0)],
)
def test_the_people_are_the_middle_look(people: tuple[int, ...], expected: int) -> None:
    """One look that misses or doubles everybody changes nothing; of two middle ones the lower counts."""
    assert counted(*people).coverage.people == expected


@few
@given(people=st.lists(st.integers(0, 40), min_size=1, max_size=50))
def test_the_people_are_the_lower_median(people: list[int]) -> None:
    """The histogram gives what sorting all looks would give."""
    found = counted(*people).coverage.people

    assert found == sorted(people)[(len(people) - 1) // 2]


def test_cameras_see_different_people() -> None:
    """Two cameras of one role add up, each by its own middle look."""
    count = counted(4, 4, 5, source="left")
    for at, seen in enumerate((7, 6, 7, 7)):
        count.add_look(look(at, *[SAD] * seen, source="right"))

    assert count.coverage.people == 11
    assert count.looks == 7


def test_usable_faces_are_those_that_could_be_read() -> None:
    """A face too small to read is seen and not usable."""
    count = CoverageCount()
    count.add_look(look(0.0, SAD, None, None))
    count.add_look(look(0.2, SAD))

    assert count.coverage.usable_faces == 0.5


def test_the_speech_ratio_is_weighted_by_time() -> None:
    """A long window of silence outweighs a short one of speech."""
    count = CoverageCount()
    count.add_sound(sound(3, SAD, speech_ratio=1.0, span_s=1))
    count.add_sound(sound(6, None, speech_ratio=0.0, span_s=3))

    assert count.coverage.speech_ratio == pytest.approx(0.25)


def test_loudness_is_the_mean_of_energy() -> None:
    """Two windows, one of them silent, are 3 dB softer than the loud one; silence is not full scale."""
    count = CoverageCount()
    count.add_sound(sound(3, None, level_dbfs=-20.0))
    count.add_sound(sound(4, None, level_dbfs=None))

    assert count.coverage.level_dbfs == pytest.approx(-20 - 10 * math.log10(2))


def test_digital_silence_has_no_level() -> None:
    """Sound that is all zeros was heard, and has no loudness."""
    count = CoverageCount()
    count.add_sound(sound(3, None, level_dbfs=None, speech_ratio=0.0))

    assert count.coverage.level_dbfs is None
    assert count.coverage.speech_ratio == 0.0


def test_gaps_are_counted() -> None:
    """Every window in which sound was lost shows."""
    count = CoverageCount()
    for gap in (True, False, True):
        count.add_sound(sound(3, None, gap=gap))

    assert count.coverage.gaps == 2


def test_a_count_does_not_grow_with_the_lesson() -> None:
    """After an hour of looks a count is as large as after a minute."""

    def size(looks: int) -> int:
        count = counted(*(number % 13 for number in range(looks)))
        for number in range(looks // 5):
            count.add_sound(sound(number, SAD))
        return len(pickle.dumps(count))

    assert size(6000) - size(300) < 64


def test_seconds_read_are_those_with_a_reading() -> None:
    """Person-seconds of the faces and seconds of the speech that a model could read; the rest is only covered."""
    count = CoverageCount()
    count.add_look(look(0.0, SAD, SAD, None, span_s=0.5))
    count.add_sound(sound(3, SAD, speech_ratio=0.4, span_s=1.0))
    count.add_sound(sound(4, None, speech_ratio=0.2, span_s=1.0))

    assert count.coverage.face_s == pytest.approx(1.0)
    assert count.coverage.voice_s == pytest.approx(0.4)
