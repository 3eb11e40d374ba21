"""From a frame to what its faces show: detect, track, crop, read, smooth."""

from edge.media import Frame
from edge.observation import FaceObservation
from edge.vision.detector import FaceDetector
from edge.vision.emotion import FaceEmotion
from edge.vision.smoothing import Smoother
from edge.vision.tracker import Tracker

SURE = 0.55
"""A face this certain counts at first sight; a weaker one must be seen twice."""


class VisionStage:
    """Looks at one source's frames, at most *rate_hz* times a second.

    Args:
        detector: Not shared with another thread.
        emotion: Not shared with another thread; ``None`` where emotions may not be read.
        rate_hz: Looks a second of media time.
        smoothing_s: Time constant of each face's smoothing, seconds.
    """

    def __init__(
        self, *, detector: FaceDetector, emotion: FaceEmotion | None, rate_hz: float = 5.0, smoothing_s: float = 0.6
    ) -> None:
        if rate_hz <= 0:
            raise ValueError(f"rate_hz must be positive, got {rate_hz}")
        self._detector = detector
        self._emotion = emotion
        self._interval_ns = int(1e9 / rate_hz)
        self._tracker = Tracker()
        self._smoother = Smoother(time_constant_s=smoothing_s)
        self._looked_ns: int | None = None

    def observe(self, frame: Frame) -> tuple[FaceObservation, ...] | None:
        """Return one observation a face, best first; ``None`` when the frame was not due for a look."""
        now = frame.captured_ns
        span = self._interval_ns
        if self._looked_ns is not None:
            since = now - self._looked_ns
            # Half a camera interval early still counts, or 10 Hz frames would be looked at 3.3 times a second.
            if since < self._interval_ns * 0.85:
                return None
            span = min(since, 2 * self._interval_ns)
        self._looked_ns = now
        found = self._detector.detect(frame.pixels)
        tracks = self._tracker.update(found.boxes_xyxy, now)
        height, width = frame.pixels.shape[:2]
        observations = []
        for box, confidence, track in zip(found.boxes_xyxy, found.confidence, tracks, strict=True):
            if track.hits == 1 and confidence < SURE:
                continue
            reading = None if self._emotion is None else self._emotion.read(frame.pixels, box)
            if reading is not None:
                reading = self._smoother.smooth(track.id, reading, now)
            left, top, right, bottom = (float(v) for v in box)
            observations.append(
                FaceObservation(
                    captured_ns=now,
                    source=frame.source,
                    role=frame.role,
                    box_xyxy=(left / width, top / height, right / width, bottom / height),
                    confidence=float(confidence),
                    track_id=track.id,
                    span_ns=span,
                    emotion=reading,
                )
            )
        self._smoother.forget_all_but(self._tracker.alive)
        return tuple(observations)
