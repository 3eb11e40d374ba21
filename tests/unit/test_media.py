"""Frames and stretches of sound."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.media import SAMPLE_RATE, AudioBlock, AudioWindow, Frame
from edge.role import Role


def test_the_pixels_of_a_frame_cannot_be_changed() -> None:
    """Threads share frames without copying, so nobody may write to one."""
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 0, 0, "cam", Role.STUDENTS)

    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0, 0] = 1


def test_the_fields_of_a_frame_cannot_be_changed() -> None:
    """A value that flows stays what it was."""
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 0, 0, "cam", Role.STUDENTS)

    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.sequence = 1  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 4), (1, 4, 6, 3)])
def test_a_frame_refuses_other_shapes_and_says_which(shape: tuple[int, ...]) -> None:
    """A wrong shape is named where it enters, not three stages later."""
    with pytest.raises(ValueError, match=r"\(height, width, 3\), got \(" + str(shape[0])):
        Frame(np.zeros(shape, np.uint8), 0, 0, "cam", Role.STUDENTS)


def test_a_frame_refuses_pixels_that_are_not_bytes() -> None:
    """Floats in [0, 1] would look black to every stage."""
    with pytest.raises(ValueError, match="uint8, got float32"):
        Frame(np.zeros((4, 6, 3), np.float32), 0, 0, "cam", Role.STUDENTS)


@given(length=st.integers(0, 200_000), start_ns=st.integers(0, 10**15))
def test_sound_ends_just_after_its_last_sample(length: int, start_ns: int) -> None:
    """The end is exclusive, less than a nanosecond from the true one, for blocks and windows alike."""
    samples = np.zeros(length, np.float32)
    block, window = AudioBlock(samples, start_ns, "mic", Role.TEACHER), AudioWindow(samples, start_ns)

    assert 0 <= length * 1e9 / SAMPLE_RATE - (block.end_ns - start_ns) < 1
    assert block.end_ns == window.end_ns


def test_the_samples_of_sound_cannot_be_changed() -> None:
    """Threads share sound without copying, so nobody may write to it."""
    samples = np.zeros(16, np.float32)
    block, window = AudioBlock(samples, 0, "mic", Role.TEACHER), AudioWindow(np.zeros(16, np.float32), 0)

    assert not block.samples.flags.writeable
    assert not window.samples.flags.writeable


def test_sound_is_mono() -> None:
    """Two channels are refused by shape, in a block and in a window."""
    stereo = np.zeros((16, 2), np.float32)

    with pytest.raises(ValueError, match=r"\(length,\), got \(16, 2\)"):
        AudioBlock(stereo, 0, "mic", Role.TEACHER)
    with pytest.raises(ValueError, match=r"\(length,\), got \(16, 2\)"):
        AudioWindow(stereo, 0)


def test_a_block_refuses_samples_that_are_not_float32() -> None:
    """Sixteen-bit integers would be 32768 times too loud."""
    with pytest.raises(ValueError, match="float32, got int16"):
        AudioBlock(np.zeros(16, np.int16), 0, "mic", Role.TEACHER)
