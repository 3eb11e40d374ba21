"""Sound of any rate comes out as seamless 16 kHz mono with stamps that count samples."""

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.capture.sound import SoundStream
from edge.media import AudioBlock
from edge.role import Role
from tests.capture_fakes import tone

SECOND = 1_000_000_000


def stream(*, pull: float = 0.0) -> SoundStream:
    """Return a stream with the tolerance of files."""
    return SoundStream(name="desk", role=Role.TEACHER, tolerance_s=0.05, pull=pull)


def frame(samples: npt.NDArray[np.float32], rate: int) -> av.AudioFrame:
    """Return samples of shape (frames, channels) as a driver delivers them."""
    layout = {1: "mono", 2: "stereo"}[samples.shape[1]]
    piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "flt", layout)
    piece.sample_rate = rate
    return piece


def joined(blocks: list[AudioBlock]) -> npt.NDArray[np.float32]:
    """Return all samples one after another."""
    return np.concatenate([block.samples for block in blocks])


@settings(deadline=None, max_examples=20)
@given(
    rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
    channels=st.sampled_from([1, 2]),
    cuts=st.lists(st.integers(50, 4000), min_size=3, max_size=12),
)
def test_pieces_of_any_size_give_what_the_whole_gives(rate: int, channels: int, cuts: list[int]) -> None:
    """Block borders leave no trace: no click, no lost and no added sample."""
    wave = tone(sum(cuts) / rate, rate=rate, channels=channels)
    pieces, whole = stream(), stream()
    apart = [b for part in np.split(wave, np.cumsum(cuts)[:-1]) for b in pieces.push(frame(part, rate), None)]
    apart += pieces.flush()
    once = [*whole.push(frame(wave, rate), None), *whole.flush()]

    np.testing.assert_allclose(joined(apart), joined(once), atol=1e-6)
    assert abs(len(joined(apart)) - len(wave) * 16_000 / rate) <= 2


@pytest.mark.parametrize("channels", [1, 2])
def test_a_down_mix_keeps_the_level(channels: int) -> None:
    """Equal stereo is as loud in mono as one of its sides, and nothing leaves [-1, 1]."""
    sound = stream()
    loud = tone(1.0, rate=48_000, channels=channels) * 2.0
    mono = joined([*sound.push(frame(loud, 48_000), 0), *sound.flush()])

    assert np.abs(mono).max() <= 1.0
    assert np.sqrt(np.mean(mono**2)) == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_blocks_follow_one_another_though_stamps_jitter() -> None:
    """Stamps off by less than the tolerance move no block."""
    sound, rng = stream(), np.random.default_rng(0)
    blocks: list[AudioBlock] = []
    for n in range(50):
        jitter = int(rng.integers(-20_000_000, 20_000_000))
        blocks += sound.push(frame(tone(0.1), 16_000), n * SECOND // 10 + (jitter if n else 0))

    assert [b.start_ns for b in blocks[1:]] == [b.end_ns for b in blocks[:-1]]
    assert not any(b.gap for b in blocks)


def test_a_stamp_that_jumps_ahead_marks_a_gap_and_moves_the_count() -> None:
    """Lost sound is neither closed up nor filled: the next block starts late and says so."""
    sound = stream()
    blocks = [*sound.push(frame(tone(0.5), 16_000), 0), *sound.push(frame(tone(0.5), 16_000), 2 * SECOND)]

    assert [(b.start_ns, b.gap) for b in blocks] == [(0, False), (2 * SECOND, True)]


def test_a_stamp_that_runs_back_never_turns_time_back() -> None:
    """Two takes joined into one file play on, with one mark at the seam."""
    sound = stream()
    starts = [5.0, 5.5, 0.0, 0.5, 1.0]
    blocks = [b for at in starts for b in sound.push(frame(tone(0.5), 16_000), round(at * SECOND))]

    assert [b.start_ns / SECOND for b in blocks] == [5.0, 5.5, 6.0, 6.5, 7.0]
    assert [b.gap for b in blocks] == [False, False, True, False, False]


def test_a_live_count_follows_a_crystal_that_runs_slow() -> None:
    """After an hour at 100 ppm the stamps are still within a tenth of a second, without a gap."""
    sound = stream(pull=0.02)
    blocks: list[AudioBlock] = []
    for n in range(0, 36_000, 10):
        blocks = [*sound.push(frame(tone(1.0), 16_000), round(n / 10 * SECOND * 1.0001))]
        assert not blocks[-1].gap

    assert blocks[0].start_ns == pytest.approx(3599 * SECOND * 1.0001, abs=0.1 * SECOND)


def test_a_change_of_rate_goes_on_without_a_gap() -> None:
    """A stream that switches from 48 kHz stereo to 16 kHz mono stays one stream."""
    sound = stream()
    blocks = [*sound.push(frame(tone(0.5, rate=48_000, channels=2), 48_000), 0)]
    blocks += [*sound.push(frame(tone(0.5), 16_000), SECOND // 2), *sound.flush()]

    assert [b.start_ns for b in blocks[1:]] == [b.end_ns for b in blocks[:-1]]
    assert len(joined(blocks)) == pytest.approx(16_000, abs=2)
    assert not any(b.gap for b in blocks)
