"""From a frame to what its faces show, with a scripted detector and reader."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import pytest

from edge.observation import Emotion, EmotionDistribution, FaceObservation, HeadPose
from edge.role import Role
from edge.vision.detector import Detections
from edge.vision.stage import SURE, Landmarks, VisionStage
from tests.builders import SECOND, frame, sure

if TYPE_CHECKING:
    from edge.vision.emotion import FaceEmotion
    from edge.vision.scan import Scanner

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)
LEFT: Box = (0, 0, 24, 24)
RIGHT: Box = (32, 12, 64, 48)


class FakeDetector:
    """Finds the next of some scripted looks, then the last one for ever."""

    def __init__(self, *looks: Iterable[tuple[Box, float]]) -> None:
        self.looks = [list(look) for look in looks]
        self.calls = 0
        self.scans: list[bool] = []

    def detect(self, pixels: Pixels, *, scan: bool = True) -> Detections:
        """Return the script's next look."""
        assert pixels.shape == (48, 64, 3)
        self.scans.append(scan)
        look = self.looks[min(self.calls, len(self.looks) - 1)]
        self.calls += 1
        boxes = np.array([box for box, _ in look], np.float32).reshape(-1, 4)
        return Detections(boxes, np.array([confidence for _, confidence in look], np.float32))


class FakeReader:
    """Reads the faces on the left half as sad and those on the right as happy, unless told what to say."""

    def __init__(self, reading: EmotionDistribution | str | None = "by place") -> None:
        self.reading = reading
        self.readings = 0
        self.turned: list[tuple[float, float | None]] = []

    def readable(
        self, pixels: Pixels, box_xyxy: npt.NDArray[np.float32], *, roll_deg: float, yaw_deg: float | None
    ) -> Pixels:
        """Return a crop that tells where it is from, and changes when the script does."""
        assert pixels.shape == (48, 64, 3)
        self.turned.append((roll_deg, yaw_deg))
        crop = np.zeros((48, 48), np.uint8)
        crop[:, : (16 if box_xyxy[0] < 32 else 32)] = 200 if isinstance(self.reading, str) else 90
        return crop

    def read(self, crops: list[Pixels]) -> list[EmotionDistribution | None]:
        """Return the script's answers."""
        self.readings += len(crops)
        by_place = [SAD if crop[0, 20] == 0 else HAPPY for crop in crops]
        return [place if isinstance(self.reading, str) else self.reading for place in by_place]


def stage(
    detector: FakeDetector,
    reader: FakeReader | None = None,
    *,
    rate_hz: float = 5.0,
    smoothing_s: float = 0.0,
    still_s: float = 0.0,
    landmarks: Landmarks | None = None,
) -> VisionStage:
    """Return a stage of fakes, which have the shape of what they stand for."""
    return VisionStage(
        scanner=cast("Scanner", detector),
        landmarks=landmarks,
        still_s=still_s,
        emotion=None if reader is None else cast("FaceEmotion", reader),
        rate_hz=rate_hz,
        smoothing_s=smoothing_s,
    )


def watch(stage: VisionStage, times_s: Iterable[float]) -> list[tuple[FaceObservation, ...] | None]:
    """Return what the stage says of a frame at each of *times_s*."""
    return [stage.observe(frame(at_s, sequence=number)) for number, at_s in enumerate(times_s)]


@pytest.mark.parametrize(
    ("camera_hz", "rate_hz", "every"), [(10, 5, 2), (5, 5, 1), (25, 5, 5), (30, 5, 6), (30, 10, 3), (4, 5, 1)]
)
def test_frames_that_come_too_soon_are_not_looked_at(camera_hz: int, rate_hz: float, every: int) -> None:
    """A camera of 10 Hz at 5 looks a second has every second frame looked at; the others give None."""
    detector = FakeDetector([(LEFT, 0.9)])
    seen = watch(stage(detector, rate_hz=rate_hz), [n / camera_hz for n in range(12 * every)])

    assert [number for number, faces in enumerate(seen) if faces is not None] == list(range(0, 12 * every, every))
    assert detector.calls == 12


def test_a_camera_that_jitters_still_has_every_second_frame_looked_at() -> None:
    """Frames that come a few milliseconds early count as due."""
    times = [n / 10 + (0.012 if n % 3 else -0.012) for n in range(1, 21)]
    seen = watch(stage(FakeDetector([(LEFT, 0.9)])), times)

    assert [faces is not None for faces in seen] == [True, False] * 10


@pytest.mark.parametrize("rate_hz", [0.0, -1.0])
def test_a_rate_is_positive(rate_hz: float) -> None:
    """A stage that never looks can't be made."""
    with pytest.raises(ValueError, match="rate_hz must be positive"):
        stage(FakeDetector([]), rate_hz=rate_hz)


def test_an_observation_stands_for_the_time_since_the_last_look() -> None:
    """The first stands for one interval, and after a hole none for more than two."""
    seen = watch(stage(FakeDetector([(LEFT, 0.9)])), [1.0, 1.2, 1.5, 9.0])
    spans = [face.span_ns for faces in seen if faces is not None for face in faces]

    assert spans == [SECOND // 5, SECOND // 5, 3 * SECOND // 10, 2 * SECOND // 5]


def test_a_look_without_faces_is_a_look() -> None:
    """An empty room is an empty tuple, not None."""
    assert watch(stage(FakeDetector([])), [0.0, 0.1, 0.2]) == [(), None, ()]


def test_a_weak_face_must_be_seen_twice() -> None:
    """A single weak hit is noise; the second on the same place is a face."""
    weak = SURE - 0.1
    detector = FakeDetector([(LEFT, weak), (RIGHT, SURE + 0.1)], [(LEFT, weak)], [(RIGHT, weak)], [(LEFT, weak)])
    counts = [len(faces or ()) for faces in watch(stage(detector), [0.0, 0.2, 0.4, 2.0])]

    # The right one is sure at once and later known; the left one is new again after two seconds.
    assert counts == [1, 1, 1, 0]


def test_what_is_seen_is_stamped_with_its_frame() -> None:
    """Time, source and role are the frame's; the box is a share of its sides; best first."""
    detector = FakeDetector([(RIGHT, 0.95), (LEFT, 0.85)])
    shown = frame(3.0, source="back", role=Role.TEACHER)
    faces = stage(detector, FakeReader()).observe(shown)

    assert faces is not None
    assert [(f.captured_ns, f.source, f.role) for f in faces] == [(3 * SECOND, "back", Role.TEACHER)] * 2
    assert faces[0].box_xyxy == (0.5, 0.25, 1.0, 1.0)
    assert [f.confidence for f in faces] == pytest.approx([0.95, 0.85])
    assert [f.emotion for f in faces] == [HAPPY, SAD]
    assert [f.track_id for f in faces] == [1, 2]


def test_without_an_emotion_model_faces_have_no_emotion() -> None:
    """Where emotions may not be read, people are counted and nothing is said of them."""
    seen = watch(stage(FakeDetector([(LEFT, 0.9), (RIGHT, 0.9)])), [0.0, 0.2])

    assert [[face.emotion for face in faces or ()] for faces in seen] == [[None, None]] * 2


def test_a_face_that_cannot_be_read_is_seen_but_says_nothing() -> None:
    """An unreadable face is an observation without emotion, not a neutral one and not a missing one."""
    faces = stage(FakeDetector([(LEFT, 0.9)]), FakeReader(None)).observe(frame(0.0))

    assert faces is not None
    assert [face.emotion for face in faces] == [None]


def test_each_face_is_smoothed_by_itself() -> None:
    """A face that was sad and turns happy passes through both, its neighbour's reading stays its own."""
    detector, reader = FakeDetector([(LEFT, 0.9), (RIGHT, 0.9)]), FakeReader(SAD)
    smooth = stage(detector, reader, smoothing_s=0.6)
    watch(smooth, [0.0, 0.2])
    reader.reading = "by place"
    faces = smooth.observe(frame(0.4))

    assert faces is not None
    left, right = (face.emotion for face in faces)
    assert left == SAD
    assert right is not None
    assert 0.2 < right.shares()[Emotion.HAPPINESS] < 0.4


def test_memory_does_not_grow_with_the_lesson() -> None:
    """A hundred faces that came and went leave nothing behind."""
    places: list[Box] = [LEFT, RIGHT]
    watched = stage(FakeDetector(*([(places[n % 2], 0.9)] for n in range(100))), FakeReader(), smoothing_s=0.6)
    seen = watch(watched, [2.0 * n for n in range(100)])

    assert [face.track_id for faces in seen for face in faces or ()] == list(range(1, 101))
    assert len(watched._smoother._memory) == 1  # noqa: SLF001 - what is kept shows nowhere else
    assert watched._tracker.alive == {100}  # noqa: SLF001


def test_a_face_that_comes_back_starts_afresh() -> None:
    """After a second away the old mood of a place says nothing about who sits there now."""
    detector = FakeDetector([(LEFT, 0.9)], [], [(LEFT, 0.9)])
    reader = FakeReader(SAD)
    smooth = stage(detector, reader, smoothing_s=100.0)
    watch(smooth, [0.0, 2.0])
    reader.reading = HAPPY
    faces = smooth.observe(frame(2.2))

    assert faces is not None
    assert faces[0].emotion == HAPPY


@dataclass(frozen=True)
class Tilted:
    """A face that leans and is turned."""

    pose: HeadPose
    points: npt.NDArray[np.float32] = field(
        default_factory=lambda: np.random.default_rng(1).random((150, 2), np.float32)
    )
    eye_opening: float = 0.3
    mouth_opening: float = 0.0


class FakeLandmarks:
    """Says the same of every face on the left, and nothing of those on the right."""

    def read(self, pixels: Pixels, box_xyxy: npt.NDArray[np.float32]) -> Tilted | None:
        """Return the script's answer."""
        assert pixels.shape == (48, 64, 3)
        return Tilted(HeadPose(20.0, -5.0, 12.0)) if box_xyxy[0] < 32 else None


def test_a_face_is_turned_upright_before_it_is_read() -> None:
    """The head's roll and yaw reach the reader, and the pose the observation; an unknown pose changes nothing."""
    reader = FakeReader()
    faces = stage(FakeDetector([(LEFT, 0.9), (RIGHT, 0.9)]), reader, landmarks=FakeLandmarks()).observe(frame(0.0))

    assert faces is not None
    assert [face.pose for face in faces] == [HeadPose(20.0, -5.0, 12.0), None]
    assert reader.turned == [(12.0, 20.0), (0.0, None)]


def test_a_face_has_a_sequence_once_it_was_followed_for_two_seconds() -> None:
    """Before that a look would pass for a habit; a face without key points never has one."""
    watched = stage(FakeDetector([(LEFT, 0.9), (RIGHT, 0.9)]), landmarks=FakeLandmarks())
    seen = watch(watched, [0.2 * n for n in range(12)])

    assert [[face.sequence is not None for face in faces or ()] for faces in seen] == [[False, False]] * 10 + [
        [True, False]
    ] * 2


def test_motion_is_told_in_face_widths_a_second() -> None:
    """A face of 24 pixels that moves by 6 in a fifth of a second moves by 1.25 widths a second; new faces by none."""
    moved: Box = (6, 0, 30, 24)
    seen = watch(stage(FakeDetector([(LEFT, 0.9)], [(moved, 0.9)])), [0.0, 0.2])

    assert [[face.motion for face in faces or ()] for faces in seen] == [[None], [pytest.approx(1.25)]]


def test_a_still_face_is_read_once_a_second() -> None:
    """Unchanged crops reuse the last reading up to its greatest age, and say the same."""
    reader = FakeReader()
    watched = stage(FakeDetector([(LEFT, 0.9)]), reader, still_s=1.0)
    seen = watch(watched, [0.2 * n for n in range(11)])

    assert reader.readings == 3
    assert (watched.still.asked, watched.still.reused) == (11, 8)
    assert [[face.emotion for face in faces or ()] for faces in seen] == [[SAD]] * 11


def test_a_face_that_changes_is_read_at_once() -> None:
    """A changed crop is never answered from memory."""
    reader = FakeReader(SAD)
    watched = stage(FakeDetector([(LEFT, 0.9)]), reader, still_s=1.0)
    watch(watched, [0.0])
    reader.reading = "by place"
    watched.observe(frame(0.2))

    assert reader.readings == 2
