"""Windows of sound."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.media import AudioBlock, AudioWindow
from edge.role import Role
from edge.voice.windowing import LARGEST_JUMP_NS, SAMPLE_NS, Windower

ORIGIN_NS = 5_000_000_123
LENGTH, HOP = 480, 160
"""Samples of a window and a hop in these tests: 30 and 10 ms."""


def block(samples: npt.NDArray[np.float32], at: int, *, gap: bool = False, late_ns: int = 0) -> AudioBlock:
    """Return *samples* as a block that starts *at* samples after the origin."""
    return AudioBlock(samples, ORIGIN_NS + at * SAMPLE_NS + late_ns, "mic", Role.TEACHER, gap)


def ramp(length: int, first: int = 0) -> npt.NDArray[np.float32]:
    """Return samples that number themselves."""
    return np.arange(first, first + length, dtype=np.float32)


def small() -> Windower:
    """Return a windower with short windows."""
    return Windower(window_s=0.03, hop_s=0.01)


def facts(windows: list[AudioWindow]) -> list[tuple[int, bool, bytes]]:
    """Return what can be compared of windows."""
    return [(w.start_ns, w.gap, w.samples.tobytes()) for w in windows]


cuts = st.lists(st.integers(0, 3000), max_size=10).map(sorted)


@given(cuts=cuts, lost=st.integers(0, 3000))
def test_the_windows_are_the_same_whatever_the_blocks(cuts: list[int], lost: int) -> None:
    """Only the sound and where it was lost decide on the windows, not how it was delivered."""
    sound, plain, cut = ramp(3000), small(), small()

    expected = [w for part in (block(sound[:lost], 0), block(sound[lost:], lost, gap=True)) for w in plain.push(part)]
    ends = sorted({0, *cuts, lost, 3000})
    parts = [block(sound[a:b], a, gap=a == lost) for a, b in pairwise(ends)]
    if lost == 3000:
        parts.append(block(sound[:0], 3000, gap=True))
    found = [w for part in parts for w in cut.push(part)]

    assert facts(found) == facts(expected)


@given(cuts=cuts)
def test_the_first_hops_of_the_windows_joined_are_the_sound(cuts: list[int]) -> None:
    """No sample is lost, doubled or out of order, and each window starts a hop after the last."""
    windower, sound = small(), ramp(3000)

    windows = [w for a, b in pairwise([0, *cuts, 3000]) for w in windower.push(block(sound[a:b], a))]

    joined = np.concatenate([w.samples[:HOP] for w in windows])
    assert np.array_equal(joined, sound[: len(joined)])
    assert len(windows) == (3000 - LENGTH) // HOP + 1
    assert [w.start_ns for w in windows] == [ORIGIN_NS + k * HOP * SAMPLE_NS for k in range(len(windows))]
    assert not any(w.gap for w in windows)


def test_a_window_that_holds_a_loss_is_marked() -> None:
    """Exactly the windows that hold the first sample after a loss have a gap."""
    windower, sound = small(), ramp(3000)

    windows = windower.push(block(sound[:1000], 0)) + windower.push(block(sound[1000:], 1000, gap=True))

    marked = [k for k, w in enumerate(windows) if w.gap]
    assert marked == [k for k in range(len(windows)) if k * HOP <= 1000 < k * HOP + LENGTH]


def test_a_loss_reported_by_an_empty_block_is_not_forgotten() -> None:
    """A driver may report lost sound before it delivers any; the next windows still say so."""
    windower, sound = small(), ramp(1000)
    windower.push(block(sound[:200], 0))
    windower.push(block(sound[:0], 200, gap=True))

    windows = windower.push(block(sound[200:], 200))

    assert [w.gap for w in windows[:3]] == [True, True, False]


@pytest.mark.parametrize("jump_ns", [LARGEST_JUMP_NS + 1, -LARGEST_JUMP_NS - 1, 3_600_000_000_000])
def test_no_window_spans_a_jump_in_time(jump_ns: int) -> None:
    """After a jump the windows start afresh at the block, and the first ones are marked."""
    windower, sound = small(), ramp(2000)
    before = windower.push(block(sound[:600], 0))

    after = windower.push(block(sound[600:], 600, late_ns=jump_ns))

    assert all(w.samples.max() < 600 for w in before)
    assert after[0].start_ns == ORIGIN_NS + 600 * SAMPLE_NS + jump_ns
    assert np.array_equal(after[0].samples, sound[600 : 600 + LENGTH])
    assert [w.gap for w in after[:2]] == [True, False]


@given(jitter=st.lists(st.integers(-24_000_000, 24_000_000), min_size=1, max_size=30))
def test_jitter_of_the_blocks_times_loses_nothing(jitter: list[int]) -> None:
    """Blocks that are a little early or late are joined, and the windows stay near the truth."""
    windower = small()
    windows = [w for k, late in enumerate(jitter) for w in windower.push(block(ramp(500), k * 500, late_ns=late))]

    assert len(windows) == max(0, (500 * len(jitter) - LENGTH) // HOP + 1)
    for k, window in enumerate(windows):
        assert not window.gap
        assert abs(window.start_ns - (ORIGIN_NS + k * HOP * SAMPLE_NS)) < LARGEST_JUMP_NS


def test_a_drifting_sound_card_is_followed_without_a_gap() -> None:
    """A clock that runs 0.1 % slow for five minutes never adds up to a loss."""
    windower = Windower()
    windows = [
        w for k in range(600) for w in windower.push(block(np.zeros(8000, np.float32), k * 8000, late_ns=k * 500_000))
    ]

    assert not any(w.gap for w in windows)
    truth = ORIGIN_NS + (len(windows) - 1) * 1_001_000_000
    assert abs(windows[-1].start_ns - truth) < 20_000_000


def test_a_window_does_not_change_when_more_sound_comes() -> None:
    """Windows own their samples and cannot be written."""
    windower = small()
    (window,) = windower.push(block(ramp(LENGTH), 0))
    windower.push(block(ramp(LENGTH, 5000), LENGTH))

    assert np.array_equal(window.samples, ramp(LENGTH))
    assert not window.samples.flags.writeable


@pytest.mark.parametrize(("window_s", "hop_s"), [(1.0, 2.0), (1.0, 0.0), (0.0, 0.0)])
def test_windows_that_would_leave_sound_out_are_refused(window_s: float, hop_s: float) -> None:
    """A hop is at least a sample and at most a window."""
    with pytest.raises(ValueError, match="hop_s"):
        Windower(window_s=window_s, hop_s=hop_s)
