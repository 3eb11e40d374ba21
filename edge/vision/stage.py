"""From a frame to what its faces show: detect, track, pose, crop, read, smooth."""

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.media import Frame
from edge.observation import EmotionDistribution, FaceObservation, FaceSequence, HeadPose
from edge.vision.emotion import FaceEmotion
from edge.vision.load import EFFORTS, Effort, Governor
from edge.vision.scan import Scanner
from edge.vision.sequence import SequenceMemory, moment
from edge.vision.smoothing import Smoother
from edge.vision.still import Place, StillFaces
from edge.vision.tracker import Track, Tracker

SURE = 0.55
"""A face this certain counts at first sight; a weaker one must be seen twice."""

_READING_LASTS_NS = 2_000_000_000


class Shape(Protocol):
    """What the landmarks of a face tell."""

    @property
    def points(self) -> npt.NDArray[np.float32]:
        """Shape (150, 2), pixels of the frame."""
        ...

    @property
    def pose(self) -> HeadPose:
        """Where the head points."""
        ...

    @property
    def eye_opening(self) -> float:
        """Distance of the lids over the width of the eye."""
        ...

    @property
    def mouth_opening(self) -> float:
        """Distance of the inner lips over the width between their corners."""
        ...


class Landmarks(Protocol):
    """Reads the shape of a face."""

    def read(self, pixels: npt.NDArray[np.uint8], box_xyxy: npt.NDArray[np.float32]) -> Shape | None:
        """Return the shape of the face in a box, shape (4,), of an RGB frame; ``None`` when it is too small."""
        ...


@dataclass(slots=True, eq=False)
class _Seen:
    """One face of the look under way."""

    track: Track
    box: npt.NDArray[np.float32]
    confidence: float
    pose: HeadPose | None
    sequence: FaceSequence | None


class VisionStage:
    """Looks at one source's frames, at most *rate_hz* times a second.

    Args:
        scanner: Finds the faces; not shared with another thread.
        emotion: Not shared with another thread; ``None`` where emotions may not be read.
        landmarks: Not shared with another thread; ``None`` reads no pose.
        rate_hz: Looks a second of media time.
        smoothing_s: Time constant of each face's smoothing, seconds.
        still_s: Seconds for which the reading of a face that keeps still holds; 0 reads it at every look.
        adapt: Whether to do less when looks take too long. Recordings wait for every look, so they need not.
    """

    def __init__(
        self,
        *,
        scanner: Scanner,
        emotion: FaceEmotion | None,
        landmarks: Landmarks | None = None,
        rate_hz: float = 5.0,
        smoothing_s: float = 0.6,
        still_s: float = 1.0,
        adapt: bool = False,
    ) -> None:
        if rate_hz <= 0:
            raise ValueError(f"rate_hz must be positive, got {rate_hz}")
        self._scanner, self._emotion, self._landmarks = scanner, emotion, landmarks
        self._interval_ns = int(1e9 / rate_hz)
        self._tracker = Tracker()
        self._smoother = Smoother(time_constant_s=smoothing_s)
        self.still = StillFaces(most_s=still_s)
        self._sequences = SequenceMemory()
        self._governor = Governor() if adapt else None
        self._looked_ns: int | None = None
        self._looks = 0
        self._readings: dict[int, tuple[int, EmotionDistribution]] = {}

    @property
    def slowed(self) -> int:
        """Steps by which less is done than could be, because looks take too long; 0 is all of it."""
        return 0 if self._governor is None else self._governor.level

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
        begun = time.perf_counter()
        effort = EFFORTS[0] if self._governor is None else self._governor.effort
        observations = self._look(frame, span, effort)
        self._looks += 1
        if self._governor is not None:
            self._governor.step((time.perf_counter() - begun) * 1e9 / self._interval_ns)
        return observations

    def _look(self, frame: Frame, span_ns: int, effort: Effort) -> tuple[FaceObservation, ...]:
        now, pixels = frame.captured_ns, frame.pixels
        found = self._scanner.detect(pixels, scan=self._looks % effort.scan_every == 0)
        tracks = self._tracker.update(found.boxes_xyxy, now)
        faces = []
        for box, confidence, track in zip(found.boxes_xyxy, found.confidence, tracks, strict=True):
            if track.hits == 1 and confidence < SURE:
                continue
            shape = None if self._landmarks is None else self._landmarks.read(pixels, box)
            pose = None if shape is None else shape.pose
            faces.append(_Seen(track, box, float(confidence), pose, self._sequence(track.id, shape, now)))
        if self._emotion is not None and self._looks % effort.read_every == 0:
            self._read(self._emotion, pixels, faces, now)
        alive = self._tracker.alive
        self._smoother.forget_all_but(alive)
        self.still.forget_all_but(alive)
        self._sequences.forget_all_but(alive)
        self._readings = {
            track: (at_ns, reading)
            for track, (at_ns, reading) in self._readings.items()
            if track in alive and now - at_ns < _READING_LASTS_NS
        }
        scale = np.array([pixels.shape[1], pixels.shape[0]] * 2)
        return tuple(self._observation(frame, face, span_ns, scale) for face in faces)

    def _sequence(self, track_id: int, shape: Shape | None, now_ns: int) -> FaceSequence | None:
        if shape is None:
            return None
        seen = moment(now_ns, shape.points, shape.pose, shape.eye_opening, shape.mouth_opening)
        return None if seen is None else self._sequences.add(track_id, seen)

    def _read(self, emotion: FaceEmotion, pixels: npt.NDArray[np.uint8], faces: list[_Seen], now_ns: int) -> None:
        """Bring the readings of all faces up to date; those that kept still cost nothing."""
        readings: dict[int, EmotionDistribution | None] = {}
        unread: list[tuple[int, Place, npt.NDArray[np.uint8]]] = []
        for face in faces:
            track, pose = face.track.id, face.pose
            roll, yaw = (0.0, None) if pose is None else (pose.roll_deg, pose.yaw_deg)
            place = self.still.place(track, Place(face.box, roll))
            crop = emotion.readable(pixels, place.box_xyxy, roll_deg=place.roll_deg, yaw_deg=yaw)
            holds, reading = (True, None) if crop is None else self.still.known(track, crop, now_ns)
            if holds or crop is None:
                readings[track] = reading
            else:
                unread.append((track, place, crop))
        fresh = emotion.read([crop for *_, crop in unread])
        for (track, place, crop), reading in zip(unread, fresh, strict=True):
            self.still.remember(track, place, crop, reading, now_ns)
            readings[track] = reading
        for track, reading in readings.items():
            if reading is None:
                self._readings.pop(track, None)
            else:
                self._readings[track] = (now_ns, self._smoother.smooth(track, reading, now_ns))

    def _observation(self, frame: Frame, face: _Seen, span_ns: int, scale: npt.NDArray[np.int64]) -> FaceObservation:
        left, top, right, bottom = (float(v) for v in face.box / scale)
        _, reading = self._readings.get(face.track.id, (0, None))
        return FaceObservation(
            captured_ns=frame.captured_ns,
            source=frame.source,
            role=frame.role,
            box_xyxy=(left, top, right, bottom),
            confidence=face.confidence,
            track_id=face.track.id,
            span_ns=span_ns,
            emotion=reading,
            pose=face.pose,
            motion=face.track.motion,
            sequence=face.sequence,
        )
