"""Log-mel spectrograms."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.media import SAMPLE_RATE
from edge.voice.logmel import BANDS, HIGH_HZ, LOW_HZ, LogMel, hertz_to_mel, log_mel, mel_to_hertz, normalise

Array = npt.NDArray[np.float32]


def noise(length: int, seed: int = 0) -> Array:
    """Return white noise at a tenth of full scale."""
    return (np.random.default_rng(seed).standard_normal(length) * 0.1).astype(np.float32)


@given(cuts=st.lists(st.integers(0, 8000), max_size=12), seed=st.integers(0, 100))
def test_a_stream_in_pieces_gives_bit_for_bit_the_frames_of_the_whole(cuts: list[int], seed: int) -> None:
    """However a clip is cut, its frames are the same numbers."""
    clip = noise(8000, seed)
    stream = LogMel()

    pieces = [stream.push(piece) for piece in np.split(clip, sorted(cuts))]

    assert np.array_equal(log_mel(clip), np.concatenate(pieces))


@given(length=st.integers(0, 5000))
def test_a_frame_comes_with_its_last_sample_and_not_before(length: int) -> None:
    """A clip has one frame of 400 samples and one more for every 160 after it."""
    expected = 0 if length < 400 else 1 + (length - 400) // 160

    assert log_mel(noise(length)).shape == (expected, BANDS)


def test_three_seconds_are_298_frames() -> None:
    """The window that the model reads has the model's number of frames."""
    assert log_mel(noise(3 * SAMPLE_RATE)).shape == (298, 64)


@pytest.mark.parametrize("hertz", [100.0, 440.0, 1000.0, 2500.0, 6000.0])
def test_a_tone_is_loudest_in_the_band_around_it(hertz: float) -> None:
    """Each band answers to its own frequencies."""
    tone = np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    low, high = hertz_to_mel([LOW_HZ, HIGH_HZ])
    centres = mel_to_hertz(np.linspace(low, high, BANDS + 2))[1:-1]

    loudest = int(log_mel(tone).mean(axis=0).argmax())

    # A bin of the transform is 31 Hz wide.
    assert abs(centres[loudest] - hertz) < max(32, 0.05 * hertz)


def test_the_bands_agree_with_their_definition() -> None:
    """The running sums equal a plain product with triangles drawn from the definition."""
    clip = noise(400)
    low, high = hertz_to_mel([LOW_HZ, HIGH_HZ])
    edges = mel_to_hertz(np.linspace(low, high, BANDS + 2))
    hertz = np.arange(257) * SAMPLE_RATE / 512
    up = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(up, down), 0, None)
    hann = np.sin(np.pi * np.arange(400) / 400) ** 2
    power = np.abs(np.fft.rfft(clip * hann, 512)) ** 2 / 400

    np.testing.assert_allclose(log_mel(clip)[0], 10 * np.log10(power @ triangles + 1e-10), atol=1e-3)


def test_digital_silence_is_minus_100_db_and_normalises_to_the_floor() -> None:
    """Nothing heard has finite features, all at the floor."""
    silent = log_mel(np.zeros(48_000, np.float32))

    assert np.allclose(silent, -100)
    assert (normalise(silent) == -1).all()


@given(mel=st.floats(0, 60))
def test_the_mel_scale_and_its_inverse_undo_each_other(mel: float) -> None:
    """Both directions of the scale agree, on either side of its bend."""
    assert float(hertz_to_mel(mel_to_hertz(mel))) == pytest.approx(mel, abs=1e-9)


@given(gain_db=st.floats(-20, 20))
def test_loudness_does_not_change_what_the_network_reads(gain_db: float) -> None:
    """The same sound through a microphone with another gain has the same features."""
    clip = noise(48_000) * np.hanning(48_000).astype(np.float32) ** 4

    quiet = normalise(log_mel(clip))
    loud = normalise(log_mel(clip * np.float32(10 ** (gain_db / 20))))

    np.testing.assert_allclose(quiet, loud, atol=0.02)


def test_features_fill_but_never_leave_their_range() -> None:
    """Whatever the sound, features are in [-1, 1]."""
    clip = noise(48_000)
    clip[:24_000] = 0
    clip[30_000] = 1

    features = normalise(log_mel(clip))

    assert features.dtype == np.float32
    assert features.min() == -1
    assert features.max() <= 1


def test_windows_are_normalised_one_by_one() -> None:
    """Normalising a batch is normalising each window of it."""
    windows = np.stack([log_mel(noise(16_000, seed) * (seed + 1)) for seed in range(3)])

    assert np.array_equal(normalise(windows), np.stack([normalise(window) for window in windows]))
