"""Speech-like sound of a simulated lesson: glottal pulses through formants, in syllables, phrases and pauses.

A source and filter model (Fant, 1960): Rosenberg's glottal pulse (1971) at the scripted pitch, bursts of noise for
consonants, both shaped frame by frame by the resonances of a vowel. Nobody spoke it and it holds no words.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.capture.lesson import LessonScript, Voice
from edge.media import SAMPLE_RATE
from edge.observation import Emotion
from edge.role import Role

Samples = npt.NDArray[np.float32]

ROOM_DBFS = -60.0
"""Level of the room's own noise; 0 is full scale."""

FRAME = 512
HOP = 128
"""Samples of a spectral frame and of its step."""

VOWELS = np.array(
    [
        (730, 1090, 2440, 3500),  # father
        (530, 1840, 2480, 3500),  # bet
        (270, 2290, 3010, 3700),  # beet
        (570, 840, 2410, 3300),  # bought
        (300, 870, 2240, 3300),  # boot
        (660, 1720, 2410, 3500),  # bat
    ]
)
"""Resonances of six vowels, hertz (Peterson and Barney, 1952); the fourth is a common value."""

BANDWIDTHS = np.array((80.0, 100.0, 140.0, 220.0))
"""Widths of the resonances, hertz."""

SHORT_TRACT = 1.18
"""How much higher a child's resonances lie than a man's."""

LIVELINESS = {
    Emotion.ANGER: 0.28,
    Emotion.DISGUST: 0.14,
    Emotion.FEAR: 0.22,
    Emotion.HAPPINESS: 0.32,
    Emotion.SADNESS: 0.07,
    Emotion.SURPRISE: 0.36,
    Emotion.NEUTRAL: 0.14,
}
"""Width of the pitch contour, as a share of the pitch (after Scherer, 2003, table 2)."""

BREATHINESS = {Emotion.SADNESS: 0.10, Emotion.FEAR: 0.08, Emotion.ANGER: 0.02}
"""Share of breath noise in the voice; 0.04 where not named."""


def synthesise(voice: Voice, seconds: float, rng: np.random.Generator, *, tract: float = 1.0) -> Samples:
    """Speak one phrase.

    Args:
        voice: Pitch, level, rhythm and emotion.
        seconds: Length of the phrase.
        rng: Chooses its syllables.
        tract: Factor on the resonances; 1 is a man's.

    Returns:
        Mono at :data:`~edge.media.SAMPLE_RATE`, shape (seconds * rate,), whose level is the scripted one.
    """
    count = round(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    syllables = max(1, round(seconds * voice.syllables_per_s))
    edges = np.linspace(0, seconds, syllables + 1)
    edges[1:-1] += rng.uniform(-0.18, 0.18, syllables - 1) * seconds / syllables
    which = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, syllables - 1)
    through = (time - edges[which]) / np.diff(edges)[which]

    accent = rng.normal(size=syllables)
    pitch = _pitch(voice, time / seconds, accent[which] * np.sin(np.pi * through), rng)
    stress = 1 + 0.25 * np.clip(accent, -1.5, 1.5)
    loud = stress[which] * (0.08 + np.sin(np.pi * np.clip(through * 1.15 - 0.1, 0, 1)) ** 0.7)
    hiss = rng.choice([0.0, 0.25, 0.6], syllables)[which] * np.exp(-(((through - 0.06) / 0.08) ** 2))
    breath = BREATHINESS.get(voice.emotion, 0.04)

    # The vowel glides into the next one, as a mouth does.
    vowels = VOWELS[rng.integers(len(VOWELS), size=syllables + 1)] * tract
    centres = np.minimum(np.arange(count // HOP + 1) * HOP, count - 1)
    glide = np.clip(through[centres] * 2 - 1, 0, 1)[:, None]
    formants = vowels[which[centres]] * (1 - glide) + vowels[which[centres] + 1] * glide

    noise = rng.normal(size=count)
    voiced = _glottis(np.cumsum(pitch) / SAMPLE_RATE) * loud + breath * noise * loud
    sound = _filtered(voiced, formants) + 0.4 * _highpassed(noise * hiss)
    edge = np.minimum(1.0, np.minimum(time, seconds - time) / 0.02)
    sound = sound * edge
    level = np.sqrt(np.mean(sound**2))
    scaled = sound * (10 ** (voice.level_dbfs / 20) / level)
    return np.asarray(np.clip(scaled, -1, 1), np.float32)


def _pitch(
    voice: Voice, through: npt.NDArray[np.float64], accent: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return hertz a sample: falling through the phrase, rising on accents, a little unsteady."""
    lively = LIVELINESS[voice.emotion]
    wobble = np.interp(through, np.linspace(0, 1, 24), rng.normal(scale=0.012, size=24))
    contour = 1 + lively * (0.5 - through) * 0.6 + lively * 0.6 * np.clip(accent, -1.5, 1.5) + wobble
    return np.asarray(voice.pitch_hz * np.clip(contour / np.median(contour), 0.6, 1.8))


def _glottis(cycles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the slope of Rosenberg's glottal flow for a running count of cycles."""
    phase = cycles % 1.0
    opening, closing = 0.4, 0.16
    rise = 0.5 * np.pi / opening * np.sin(np.pi * phase / opening)
    fall = -0.5 * np.pi / closing * np.sin(0.5 * np.pi * (phase - opening) / closing)
    return np.where(phase < opening, rise, np.where(phase < opening + closing, fall, 0.0))


def _frames(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    """Return spectra of overlapping windows centred on every HOP-th sample, shape (frames, FRAME // 2 + 1)."""
    padded = np.pad(signal, (FRAME // 2, FRAME))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[: len(signal) + 1 : HOP]
    return np.asarray(np.fft.rfft(windows * np.hanning(FRAME + 1)[:-1], axis=1))


def _joined(spectra: npt.NDArray[np.complex128], count: int) -> npt.NDArray[np.float64]:
    """Add overlapping windows up again."""
    pieces = np.fft.irfft(spectra, FRAME, axis=1).reshape(len(spectra), FRAME // HOP, HOP)
    total = np.zeros((len(spectra) + FRAME // HOP, HOP))
    for part in range(FRAME // HOP):
        total[part : part + len(spectra)] += pieces[:, part]
    # Hann windows at a quarter's step add up to two.
    return total.ravel()[FRAME // 2 : FRAME // 2 + count] / 2


def _filtered(signal: npt.NDArray[np.float64], formants: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Shape a signal by resonances that move from frame to frame, shape (frames, 4)."""
    spectra = _frames(signal)
    hertz = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)[None, :, None]
    centre = formants[: len(spectra), None, :]
    ratio = hertz / centre
    response = np.prod(1 / np.sqrt((1 - ratio**2) ** 2 + (ratio * BANDWIDTHS / centre) ** 2), axis=2)
    return _joined(spectra * response, len(signal))


def _highpassed(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keep what a consonant's hiss has: 3 kHz and up."""
    hertz = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)
    return _joined(_frames(signal) / (1 + (3_000 / np.maximum(hertz, 1)) ** 4), len(signal))


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One phrase of the lesson: sample numbers of its start and end, and how it is spoken."""

    start: int
    end: int
    voice: Voice
    number: int


class LessonSound:
    """What a microphone of one role hears during a lesson.

    Args:
        lesson: Its timeline.
        role: Whose voice; the other's is not in it.
        seed: Chooses syllables and noise; one seed always gives the same sound.
    """

    def __init__(self, lesson: LessonScript, role: Role, *, seed: int = 0) -> None:
        self._seed = seed
        self._tract = SHORT_TRACT if role is Role.STUDENTS else 1.0
        self._period = round(lesson.seconds * SAMPLE_RATE)
        self._phrases = _phrases(lesson, role)
        self._spoken: tuple[int, Samples] | None = None
        noise = np.random.default_rng((seed, 1)).normal(size=SAMPLE_RATE * 7)
        hertz = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
        # Pink: rooms rumble more than they hiss.
        pink = np.fft.irfft(np.fft.rfft(noise) / np.sqrt(np.maximum(hertz, 40.0)), len(noise))
        self._room = (pink * (10 ** (ROOM_DBFS / 20) / np.sqrt(np.mean(pink**2)))).astype(np.float32)

    def samples(self, start: int, count: int) -> Samples:
        """Return *count* samples from sample number *start* of media time, shape (count,), in [-1, 1]."""
        block = self._room[(start + np.arange(count)) % len(self._room)]
        done = 0
        while done < count:
            at = (start + done) % self._period
            part = min(count - done, self._period - at)
            self._add(block[done : done + part], at)
            done += part
        return np.asarray(np.clip(block, -1, 1), np.float32)

    def _add(self, block: Samples, at: int) -> None:
        """Mix what is spoken from sample *at* of the lesson into *block*."""
        for phrase in self._phrases:
            if phrase.end <= at or phrase.start >= at + len(block):
                continue
            first, last = max(phrase.start, at), min(phrase.end, at + len(block))
            block[first - at : last - at] += self._speak(phrase)[first - phrase.start : last - phrase.start]

    def _speak(self, phrase: _Phrase) -> Samples:
        if self._spoken is None or self._spoken[0] != phrase.number:
            rng = np.random.default_rng((self._seed, 2, phrase.number))
            seconds = (phrase.end - phrase.start) / SAMPLE_RATE
            self._spoken = phrase.number, synthesise(phrase.voice, seconds, rng, tract=self._tract)
        return self._spoken[1]


def _phrases(lesson: LessonScript, role: Role) -> tuple[_Phrase, ...]:
    """List a lesson's phrases; one that a phase's end would cut off ends there."""
    phrases: list[_Phrase] = []
    for index, phase in enumerate(lesson.phases):
        voice = phase.voice(role)
        if voice is None:
            continue
        end_s, at_s = lesson.end_of(index), phase.at_s
        while end_s - at_s > 0.1:  # noqa: PLR2004 - seconds; less is not a syllable
            until = min(at_s + voice.phrase_s, end_s)
            phrases.append(_Phrase(round(at_s * SAMPLE_RATE), round(until * SAMPLE_RATE), voice, len(phrases)))
            at_s += voice.phrase_s + voice.pause_s
    return tuple(phrases)
