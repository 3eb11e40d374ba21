"""The voice emotion reader and the voice stage."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import Sidecar
from edge.media import AudioBlock, AudioWindow
from edge.observation import Emotion, VoiceObservation
from edge.role import Role
from edge.voice.emotion import VoiceEmotion
from edge.voice.logmel import log_mel, normalise
from edge.voice.stage import VoiceStage

Array = npt.NDArray[np.float32]

LABELS = tuple(e.value for e in Emotion)
LOGITS = np.array([[2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]], np.float32)


@dataclass
class ScriptedModel:
    """A model that says the same of everything and remembers what it was shown."""

    labels: tuple[str, ...] = LABELS
    shape: tuple[int, ...] = (1, 298, 64, 1)
    thresholds: dict[str, float] = field(default_factory=lambda: {"temperature": 2.0})
    path: Path = Path("voice_emotion.tflite")
    shown: list[Array] = field(default_factory=list)

    @property
    def sidecar(self) -> Sidecar:
        """What the model expects."""
        return Sidecar("voice_emotion", "1", self.labels, self.shape, (-1.0, 1.0), self.thresholds, {})

    def run(self, values: Array) -> list[Array]:
        """Return the script's logits."""
        self.shown.append(values)
        return [LOGITS]


def as_model(scripted: ScriptedModel) -> Model:
    """Return the script in the model's place."""
    return cast("Model", scripted)


def voice(seconds: float) -> Array:
    """Return a buzz that swells and falls four times a second, which the speech detector takes for speech."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    sound = np.zeros_like(t)
    for harmonic in range(1, 40):
        hertz = harmonic * 140
        gain = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in (600, 1200, 2500))
        sound += gain * np.sin(2 * np.pi * hertz * t)
    sound *= 0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)
    samples: Array = (0.3 * sound / np.abs(sound).max()).astype(np.float32)
    return samples


def listen(
    stage: VoiceStage, samples: Array, *, step: int = 16_000, gap_at: int | None = None
) -> list[VoiceObservation]:
    """Return what the stage says of *samples* in blocks of *step*."""
    return [
        observation
        for at in range(0, len(samples), step)
        for observation in stage.observe(
            AudioBlock(samples[at : at + step], at * 62_500, "mic", Role.STUDENTS, gap=at == gap_at)
        )
    ]


def stage_of(model: ScriptedModel | None, **options: float) -> VoiceStage:
    """Return a stage around a scripted model."""
    inner = None if model is None else as_model(model)
    return VoiceStage(model=inner, source="mic", role=Role.STUDENTS, **options)  # type: ignore[arg-type]


def test_probabilities_are_the_softmax_of_the_logits_over_the_temperature() -> None:
    """The sidecar's temperature calibrates what the network says."""
    reading = VoiceEmotion(as_model(ScriptedModel())).read(AudioWindow(voice(3), 0))

    expected = np.exp(LOGITS[0] / 2) / np.exp(LOGITS[0] / 2).sum()
    np.testing.assert_allclose(reading.probabilities, expected, rtol=1e-5)
    assert reading.top is Emotion.ANGER


def test_the_network_reads_the_normalised_log_mel_of_the_window() -> None:
    """What training computes is what the runtime computes."""
    model = ScriptedModel()
    VoiceEmotion(as_model(model)).read(AudioWindow(voice(3), 0))

    assert np.array_equal(model.shown[0][0, :, :, 0], normalise(log_mel(voice(3))))


def test_a_window_of_another_length_is_refused() -> None:
    """A reader never pads or cuts behind the caller's back."""
    with pytest.raises(ValueError, match="298"):
        VoiceEmotion(as_model(ScriptedModel())).read(AudioWindow(voice(2), 0))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ScriptedModel(labels=LABELS[::-1]), "labels"),
        (ScriptedModel(shape=(1, 48, 48, 1)), "shape"),
        (ScriptedModel(thresholds={}), "temperature"),
        (ScriptedModel(thresholds={"temperature": 0.0}), "temperature"),
    ],
)
def test_another_kind_of_model_is_refused_in_one_line(model: ScriptedModel, message: str) -> None:
    """A face model, or a damaged sidecar, is an error at start and not a wrong answer later."""
    with pytest.raises(ModelError, match=message) as caught:
        VoiceEmotion(as_model(model))

    assert "\n" not in str(caught.value)


def test_the_window_length_comes_from_the_model() -> None:
    """298 frames are three seconds; a stage with other windows says which ones the model needs."""
    assert VoiceEmotion(as_model(ScriptedModel())).window_s == 3.0
    with pytest.raises(ModelError, match=r"set 3\.0"):
        stage_of(ScriptedModel(), window_s=2.0)


def test_speech_is_read_every_hop() -> None:
    """Five seconds of speech are three windows, each with an emotion and a hop's span."""
    found = listen(stage_of(ScriptedModel()), voice(5))

    assert [o.start_ns for o in found] == [0, 1_000_000_000, 2_000_000_000]
    for observation in found:
        assert observation.emotion is not None
        assert observation.emotion.top is Emotion.ANGER
        assert observation.span_ns == 1_000_000_000
        assert observation.end_ns - observation.start_ns == 3_000_000_000
        assert (observation.source, observation.role, observation.gap) == ("mic", Role.STUDENTS, False)


def test_silence_has_no_level_no_speech_and_no_emotion() -> None:
    """Digital silence is no evidence, not neutral; the model is not even asked."""
    model = ScriptedModel()
    found = listen(stage_of(model), np.zeros(80_000, np.float32))

    assert [(o.level_dbfs, o.speech_ratio, o.emotion) for o in found] == [(None, 0.0, None)] * 3
    assert model.shown == []


def test_sound_below_the_gate_is_not_looked_into() -> None:
    """A voice too quiet to judge has its level and nothing else."""
    quiet = voice(3) * np.float32(0.1)
    (shut,), (open_,) = (listen(stage_of(ScriptedModel(), gate_dbfs=gate), quiet) for gate in (-30, -90))

    assert shut.level_dbfs == open_.level_dbfs
    assert (shut.speech_ratio, shut.emotion) == (0.0, None)
    assert open_.speech_ratio > 0.7
    assert open_.emotion is not None


def test_too_little_speech_is_not_read() -> None:
    """A window with less than the least share of speech has its ratio but no emotion."""
    window = np.concatenate([voice(0.6), np.zeros(int(2.4 * 16_000), np.float32)])
    (strict,), (lenient,) = (
        listen(stage_of(ScriptedModel()), window),
        listen(stage_of(ScriptedModel(), least_speech=0.1), window),
    )

    assert 0.1 < strict.speech_ratio == lenient.speech_ratio < 0.3
    assert strict.emotion is None
    assert lenient.emotion is not None


def test_without_a_model_speech_is_still_detected() -> None:
    """Where emotions may not be read, the rest of the observation stays."""
    (found,) = listen(stage_of(None), voice(3))

    assert found.speech_ratio > 0.7
    assert found.emotion is None


def test_a_gap_is_passed_on() -> None:
    """The windows that hold the first sample after a loss say so."""
    found = listen(stage_of(None), voice(6), gap_at=48_000)

    assert [o.gap for o in found] == [False, True, True, True]


@settings(max_examples=10, deadline=None)
@given(step=st.integers(700, 60_000))
def test_the_length_of_the_blocks_changes_nothing(step: int) -> None:
    """Live microphone and file, with other block lengths, give the same observations."""
    sound = np.concatenate([voice(2), np.zeros(20_000, np.float32), voice(2)])

    assert listen(stage_of(ScriptedModel()), sound, step=step) == listen(stage_of(ScriptedModel()), sound)


@pytest.mark.parametrize("least_speech", [-0.1, 1.1])
def test_an_impossible_share_of_speech_is_refused(least_speech: float) -> None:
    """Shares are in [0, 1]."""
    with pytest.raises(ValueError, match="least_speech"):
        stage_of(None, least_speech=least_speech)


def test_the_shipped_sidecar_has_what_an_outsider_needs() -> None:
    """Features, quantisation and calibration stand in the JSON file, thresholds as plain numbers."""
    path = Path(__file__).resolve().parents[2] / "models" / "tflite" / "voice_emotion.json"
    text = json.loads(path.read_text("utf-8"))

    assert tuple(text["labels"]) == LABELS
    assert {"shape", "dtype", "scale", "zero_point", "range", "sample_rate", "normalisation"} <= text["input"].keys()
    assert {"dtype", "scale", "zero_point", "meaning"} <= text["outputs"][0].keys()
    assert all(isinstance(v, float) for v in text["thresholds"].values())
