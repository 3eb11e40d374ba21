"""How a voice sounds: three seconds of sound, seven calibrated probabilities."""

import math

import numpy as np

from edge.errors import ModelError
from edge.inference.model import Model
from edge.media import SAMPLE_RATE, AudioWindow
from edge.observation import Emotion, EmotionDistribution
from edge.voice.logmel import BANDS, FRAME, HOP, log_mel, normalise


class VoiceEmotion:
    """Reads the emotion of windows of sound.

    Args:
        model: ``voice_emotion.tflite``; not to be shared with another thread.

    Raises:
        ModelError: The model's labels, input or temperature are not those of a voice emotion model.
    """

    def __init__(self, model: Model) -> None:
        if model.sidecar.labels != tuple(Emotion):
            raise ModelError(f"{model.path}: labels are {model.sidecar.labels}, need {tuple(e.value for e in Emotion)}")
        if len(model.shape) != 4 or model.shape[0] != 1 or model.shape[2:] != (BANDS, 1):  # noqa: PLR2004
            raise ModelError(
                f"{model.path}: takes shape {model.shape}, need (1, frames, {BANDS}, 1); is it a voice model?"
            )
        temperature = model.sidecar.thresholds.get("temperature", math.nan)
        if not 0 < temperature < math.inf:
            raise ModelError(
                f"{model.path}: sidecar needs a positive threshold 'temperature'; install classroom-edge again"
            )
        self._model = model
        self._temperature = temperature

    @property
    def window_s(self) -> float:
        """Seconds of sound that the model reads at once."""
        samples = FRAME + (self._model.shape[1] - 1) * HOP
        # The last frame ends between two hops; whole hops are what windows are cut in.
        return math.ceil(samples / HOP) * HOP / SAMPLE_RATE

    def read(self, window: AudioWindow) -> EmotionDistribution:
        """Read one window.

        Raises:
            ValueError: The window is not as long as the model needs.
        """
        # (frames, 64)
        features = normalise(log_mel(window.samples))
        if len(features) != self._model.shape[1]:
            raise ValueError(f"window has {len(features)} frames of sound, the model reads {self._model.shape[1]}")
        logits = self._model.run(features[None, :, :, None])[0].reshape(-1)
        return EmotionDistribution.of(np.exp((logits - logits.max()) / self._temperature))
