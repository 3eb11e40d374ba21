"""The shipped voice model still says of made-up sounds what it said when it was made.

``python tests/golden/test_voice_emotion.py`` records the numbers anew, for a new model.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.media import AudioWindow
from edge.voice.emotion import VoiceEmotion

RECORD = Path(__file__).with_name("voice_emotion.json")

TOLERANCE = 0.03
"""Of a probability: processors round the last bit of a feature or an int8 product differently."""

LENGTH = 48_000
"""Samples in 3 s."""


def vowel(pitch_hz: float, glide_hz: float, syllables_hz: float) -> npt.NDArray[np.float32]:
    """Return a buzz through three formants whose pitch glides and whose loudness swells in syllables."""
    t = np.arange(LENGTH) / 16_000
    phase = 2 * np.pi * np.cumsum(pitch_hz + glide_hz * t / 3) / 16_000
    sound = np.zeros(LENGTH)
    for harmonic in range(1, 25):
        hertz = harmonic * pitch_hz
        gain = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in (600, 1200, 2500))
        sound += gain * np.sin(harmonic * phase)
    sound *= 0.5 - 0.5 * np.cos(2 * np.pi * syllables_hz * t)
    samples: npt.NDArray[np.float32] = (0.3 * sound / np.abs(sound).max()).astype(np.float32)
    return samples


def windows() -> dict[str, npt.NDArray[np.float32]]:
    """Return the made-up sounds by name."""
    t = np.arange(LENGTH) / 16_000
    return {
        "silence": np.zeros(LENGTH, np.float32),
        "hiss": (np.random.default_rng(7).standard_normal(LENGTH) * 0.05).astype(np.float32),
        "chirp": (0.3 * np.sin(2 * np.pi * (100 * t + 500 * t**2))).astype(np.float32),
        "low calm voice": vowel(110, -10, 3),
        "high rising voice": vowel(230, 120, 5),
        "high falling voice": vowel(280, -100, 2),
    }


def answers() -> dict[str, list[float]]:
    """Return what the shipped model says of each."""
    reader = VoiceEmotion(Model(models_folder() / "voice_emotion.tflite"))
    return {name: [round(p, 4) for p in reader.read(AudioWindow(s, 0)).probabilities] for name, s in windows().items()}


@pytest.mark.golden
def test_the_shipped_model_answers_as_recorded() -> None:
    """Features, quantisation, model file and temperature together give the recorded probabilities."""
    recorded = json.loads(RECORD.read_text("utf-8"))

    found = answers()

    assert found.keys() == recorded.keys()
    for name, probabilities in found.items():
        np.testing.assert_allclose(probabilities, recorded[name], atol=TOLERANCE, err_msg=name)


@pytest.mark.golden
def test_the_recorded_sounds_are_told_apart() -> None:
    """The record would notice a model that says the same of everything."""
    recorded = np.array(list(json.loads(RECORD.read_text("utf-8")).values()))

    assert np.abs(recorded[:, None] - recorded[None]).max() > 3 * TOLERANCE


def outsiders_features(samples: npt.NDArray[np.float32], given: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Return the network's input as the sidecar's words describe it, by the plainest code."""

    def mel(hertz: float) -> float:
        return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)

    def hertz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)

    rate, bands = given["sample_rate"], given["bands"]
    length, hop = round(given["window_ms"] * rate / 1000), round(given["hop_ms"] * rate / 1000)
    edges = [hertz(m) for m in np.linspace(mel(given["low_hz"]), mel(given["high_hz"]), bands + 2)]
    bins = np.arange(257) * rate / 512
    triangles = np.stack([np.interp(bins, edges[b : b + 3], [0, 1, 0]) for b in range(bands)], axis=1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    starts = range(0, len(samples) - length + 1, hop)
    power = np.stack([np.abs(np.fft.rfft(samples[s : s + length] * hann, 512)) ** 2 / length for s in starts])
    decibels: npt.NDArray[np.float64] = 10 * np.log10(power @ triangles + 1e-10)
    level = np.sort(decibels.ravel())[math.floor(0.98 * (decibels.size - 1))]
    if level <= -99:
        return np.full_like(decibels, -1)
    features: npt.NDArray[np.float64] = (np.clip(decibels - level, -55, 15) + 55) * 2 / 70 - 1
    return features


@pytest.mark.golden
@pytest.mark.parametrize("name", list(windows()))
def test_an_outsider_gets_the_same_answer_from_the_sidecar_alone(name: str) -> None:
    """The JSON file says everything needed to run the model without this package."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - loading it takes long

    path = models_folder() / "voice_emotion.tflite"
    sidecar = json.loads(path.with_suffix(".json").read_text("utf-8"))
    given, got = sidecar["input"], sidecar["outputs"][0]
    features = outsiders_features(windows()[name], given).reshape(given["shape"])
    low, high = given["range"]
    steps = np.rint(np.clip(features, low, high) / given["scale"]) + given["zero_point"]
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], steps.astype(given["dtype"]))
    interpreter.invoke()
    raw = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].astype(np.float64)
    logits = (raw - got["zero_point"]) * got["scale"] / sidecar["thresholds"]["temperature"]
    found = np.exp(logits - logits.max())

    expected = VoiceEmotion(Model(path)).read(AudioWindow(windows()[name], 0)).probabilities

    np.testing.assert_allclose(found / found.sum(), expected, atol=TOLERANCE)


if __name__ == "__main__":
    RECORD.write_text(json.dumps(answers(), indent=2) + "\n")
