"""From blocks of sound to what its windows hold: cut, measure, detect speech, read."""

from edge.errors import ModelError
from edge.inference.model import Model
from edge.media import AudioBlock, AudioWindow
from edge.observation import EmotionDistribution, VoiceObservation
from edge.role import Role
from edge.voice.emotion import VoiceEmotion
from edge.voice.speech import SpeechDetector, level_dbfs, share_of
from edge.voice.windowing import Windower


class VoiceStage:
    """Listens to one source.

    Args:
        model: ``voice_emotion.tflite``, not shared with another thread; ``None`` where emotions may not be read.
        source: Name of the source, stamped on what it says.
        role: Whom the source listens to.
        window_s: Length of a window, seconds; what the model reads at once.
        hop_s: From one window to the next, seconds.
        least_speech: Share of a window that must be speech for its emotion to be read, in [0, 1].
        gate_dbfs: Windows below this level are not looked into at all.
        aggressiveness: Of the speech detector, 0 to 3.

    Raises:
        ModelError: The model is not a voice emotion model, or reads windows of another length.
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        *,
        model: Model | None,
        source: str,
        role: Role,
        window_s: float = 3.0,
        hop_s: float = 1.0,
        least_speech: float = 0.3,
        gate_dbfs: float = -55.0,
        aggressiveness: int = 2,
    ) -> None:
        if not 0 <= least_speech <= 1:
            raise ValueError(f"least_speech must be in [0, 1], got {least_speech}")
        self._emotion: VoiceEmotion | None = None
        if model is not None:
            self._emotion = VoiceEmotion(model)
            needed = self._emotion.window_s
            if needed != window_s:
                raise ModelError(f"{model.path}: reads {needed} s of sound, window_s is {window_s}; set {needed}")
        self._windower = Windower(window_s=window_s, hop_s=hop_s)
        self._speech = SpeechDetector(aggressiveness=aggressiveness)
        self._source = source
        self._role = role
        self._least_speech = least_speech
        self._gate = gate_dbfs

    def observe(self, block: AudioBlock) -> tuple[VoiceObservation, ...]:
        """Return what the windows that this block completes hold, oldest first; usually none or one."""
        return tuple(self._look_into(window) for window in self._windower.push(block))

    def _look_into(self, window: AudioWindow) -> VoiceObservation:
        level = level_dbfs(window.samples)
        heard = level is not None and level >= self._gate
        pieces = self._speech.pieces(window.samples) if heard else ()
        ratio = share_of(pieces)
        newest = pieces[-round(len(pieces) * self._windower.hop_ns / (window.end_ns - window.start_ns)) :]
        emotion: EmotionDistribution | None = None
        if self._emotion is not None and heard and ratio >= self._least_speech:
            emotion = self._emotion.read(window)
        return VoiceObservation(
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            source=self._source,
            role=self._role,
            speech_ratio=ratio,
            hop_speech_ratio=share_of(newest),
            level_dbfs=level,
            hop_level_dbfs=level_dbfs(window.samples[-self._windower.hop :]),
            span_ns=self._windower.hop_ns,
            gap=window.gap,
            emotion=emotion,
        )
