"""Speech detection and level."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.voice.speech import PIECE, SpeechDetector, level_dbfs, share_of


def vowel(seconds: float, pitch_hz: float = 140.0) -> npt.NDArray[np.float32]:
    """Return a buzz through three formants, loudness swelling four times a second as syllables do."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    sound = np.zeros_like(t)
    for harmonic in range(1, 40):
        hertz = harmonic * pitch_hz
        gain = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in (600, 1200, 2500))
        sound += gain * np.sin(2 * np.pi * hertz * t)
    sound *= 0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)
    samples: npt.NDArray[np.float32] = (0.3 * sound / np.abs(sound).max()).astype(np.float32)
    return samples


def test_a_voice_is_speech_and_silence_is_not() -> None:
    """The ratio tells a voice-like sound from nothing."""
    detector = SpeechDetector()

    assert share_of(detector.pieces(vowel(3))) > 0.7
    assert share_of(detector.pieces(np.zeros(48_000, np.float32))) == 0


def test_half_a_window_of_speech_is_about_half() -> None:
    """Only the pieces with a voice count."""
    window = np.concatenate([vowel(1.5), np.zeros(24_000, np.float32)])

    assert 0.35 < share_of(SpeechDetector().pieces(window)) < 0.65


def test_speech_hangs_over_by_so_many_pieces() -> None:
    """The pieces after the last one with speech count as long as the hang-over says."""
    window = np.concatenate([vowel(1.5), np.zeros(24_000, np.float32)])

    without, with_four = (sum(SpeechDetector(hang_over=n).pieces(window)) for n in (0, 4))

    assert without + 4 <= with_four


def test_the_answer_depends_on_nothing_heard_before() -> None:
    """The same sound is judged the same after loud noise as at first."""
    detector = SpeechDetector()
    first = detector.pieces(vowel(1))
    detector.pieces(np.random.default_rng(0).standard_normal(48_000).astype(np.float32))

    assert detector.pieces(vowel(1)) == first


@given(length=st.integers(0, 5 * PIECE))
def test_only_whole_pieces_are_judged(length: int) -> None:
    """What does not fill 30 ms is left out, and nothing at all is a ratio of 0."""
    sound = np.zeros(length, np.float32)

    assert len(SpeechDetector().pieces(sound)) == length // PIECE
    assert share_of(SpeechDetector().pieces(sound)) == 0


def test_samples_beyond_full_scale_are_clipped_not_wrapped() -> None:
    """A louder copy of a sound that is clipped already sounds the same."""
    clipped = np.sign(vowel(1))

    assert SpeechDetector().pieces(clipped * np.float32(1.3)) == SpeechDetector().pieces(clipped)


@pytest.mark.parametrize("aggressiveness", [-1, 4])
def test_an_unknown_aggressiveness_is_refused(aggressiveness: int) -> None:
    """Only the detector's four modes exist."""
    with pytest.raises(ValueError, match="aggressiveness"):
        SpeechDetector(aggressiveness=aggressiveness)


def test_a_negative_hang_over_is_refused() -> None:
    """Speech cannot end before it was heard."""
    with pytest.raises(ValueError, match="hang_over"):
        SpeechDetector(hang_over=-1)


def test_full_scale_is_0_dbfs_and_digital_silence_has_no_level() -> None:
    """The level is root mean square against full scale; silence is None, not a number."""
    assert level_dbfs(np.ones(100, np.float32)) == pytest.approx(0)
    assert level_dbfs(np.full(100, 0.1, np.float32)) == pytest.approx(-20, abs=1e-4)
    assert level_dbfs(np.zeros(100, np.float32)) is None
    assert level_dbfs(np.zeros(0, np.float32)) is None
