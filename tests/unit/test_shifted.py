"""Sources that began earlier or later than their lesson."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.shifted import Shifted
from edge.media import SAMPLE_RATE, AudioBlock, Frame
from edge.role import Role
from edge.testing import ScriptedSource
from tests.builders import SECOND, frame


def block(start_s: float, seconds: float = 0.1) -> AudioBlock:
    """Return a block whose samples count up from its start."""
    first = round(start_s * SAMPLE_RATE)
    samples = np.arange(first, first + round(seconds * SAMPLE_RATE), dtype=np.float32)
    return AudioBlock(samples, round(start_s * SECOND), "mic", Role.TEACHER)


def shifted(offset_s: float, *items: Frame | AudioBlock) -> list[Frame | AudioBlock]:
    """Return what comes out."""
    source = ScriptedSource(openings=[items], role=Role.TEACHER)
    moved = Shifted(source, name="desk", offset_s=offset_s)
    assert (moved.name, moved.role, moved.live) == ("desk", Role.TEACHER, False)
    return list(moved.items())


def test_a_later_start_moves_everything_back() -> None:
    """Each item has the lesson's time and the new name."""
    first, second = shifted(2.5, frame(1.0), block(0.5))

    assert isinstance(first, Frame)
    assert isinstance(second, AudioBlock)
    assert (first.captured_ns, first.source) == (3.5 * SECOND, "desk")
    assert (second.start_ns, second.source) == (3.0 * SECOND, "desk")


def test_what_was_before_the_lesson_is_left_out() -> None:
    """Frames go, and sound is cut at the sample."""
    items = shifted(-1.05, frame(1.0), frame(1.1), block(0.9), block(1.0))

    assert [type(item) for item in items] == [Frame, AudioBlock]
    sound = items[1]
    assert isinstance(sound, AudioBlock)
    assert sound.samples[0] == pytest.approx(1.05 * SAMPLE_RATE)
    assert sound.start_ns == 0


@given(st.floats(-3, 3))
def test_a_sample_keeps_its_moment(offset_s: float) -> None:
    """Whatever the offset, the first sample that is left lies where it was, moved by the offset, within a sample."""
    for item in shifted(offset_s, *(block(n / 10) for n in range(20))):
        assert isinstance(item, AudioBlock)
        assert item.start_ns >= 0
        assert item.start_ns / SECOND == pytest.approx(item.samples[0] / SAMPLE_RATE + offset_s, abs=2 / SAMPLE_RATE)


def test_closing_closes_the_source() -> None:
    """The one that delivers is ended."""
    source = ScriptedSource(openings=[])
    moved = Shifted(source, name="x", offset_s=1.0)
    moved.close()

    assert list(moved.items()) == []
