"""What whatever reads the key points of a face promises."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.capture.recording import Recording
from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.media import Frame
from edge.role import Role
from edge.vision.detector import FaceDetector
from edge.vision.keypoints import span_of
from edge.vision.landmarks import FaceLandmarks, FaceShape
from edge.vision.mediapipe_landmarks import MediaPipeLandmarks
from tests.builders import SECOND

Pixels = npt.NDArray[np.uint8]
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
TASK = DATA / "models" / "face_landmarker.task"
Reader = FaceLandmarks | MediaPipeLandmarks


def shipped() -> Reader:
    """Return our own."""
    return FaceLandmarks(Model(models_folder() / "face_landmarks.tflite"))


def mediapipe() -> Reader:
    """Return MediaPipe's."""
    pytest.importorskip("mediapipe", reason="needs the extra mediapipe")
    if not TASK.is_file():
        pytest.skip(f"needs MediaPipe's file at {TASK}")
    return MediaPipeLandmarks(TASK)


@pytest.fixture(scope="module", params=[shipped, mediapipe])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each reader in turn."""
    made: Reader = request.param()
    return made


@pytest.fixture(scope="module")
def face() -> tuple[Pixels, npt.NDArray[np.float32]]:
    """A frame of a real clip with one face, and the face's box."""
    clip = DATA / "media" / "one_face.mp4"
    if not clip.is_file():
        pytest.skip(f"needs a clip with a face at {clip}")
    source = Recording(name="clip", role=Role.STUDENTS, url=str(clip), clock=None, video_rate_hz=2.0)
    frame = next(item for item in source.items() if isinstance(item, Frame) and item.captured_ns >= SECOND)
    source.close()
    detector = FaceDetector(Model(models_folder() / "face_detector.tflite"))
    return frame.pixels, detector.detect(frame.pixels).boxes_xyxy[0]


def shape_of(reader: Reader, pixels: Pixels, box: npt.NDArray[np.float32]) -> FaceShape:
    """Return a shape that must be there."""
    shape = reader.read(pixels, box)
    assert shape is not None
    return shape


def test_a_face_has_its_parts_in_their_places(reader: Reader, face: tuple[Pixels, npt.NDArray[np.float32]]) -> None:
    """150 points inside the widened box; brows over eyes over nose over mouth; the right eye on the picture's left."""
    pixels, box = face
    shape = shape_of(reader, pixels, box)
    part = {name: shape.points[span_of(name)].mean(axis=0) for name in ("right_eye", "left_eye", "nose", "inner_lip")}
    brow = shape.points[span_of("right_brow")].mean(axis=0)
    size = box[2:] - box[:2]

    assert shape.points.shape == (150, 2)
    assert (shape.points > box[:2] - size / 2).all()
    assert (shape.points < box[2:] + size / 2).all()
    assert part["right_eye"][0] < part["left_eye"][0]
    assert brow[1] < part["right_eye"][1] < part["nose"][1] < part["inner_lip"][1]
    assert 0 <= shape.eye_opening < 1
    assert 0 <= shape.mouth_opening < 1.5


def test_a_mirror_turns_yaw_and_roll_and_leaves_pitch(
    reader: Reader, face: tuple[Pixels, npt.NDArray[np.float32]]
) -> None:
    """The same face in a mirror looks to the other side by as much, within the model's error."""
    pixels, box = face
    width = pixels.shape[1]
    mirrored = np.array([width - box[2], box[1], width - box[0], box[3]], np.float32)
    there = shape_of(reader, pixels, box).pose
    back = shape_of(reader, np.ascontiguousarray(pixels[:, ::-1]), mirrored).pose

    assert back.yaw_deg == pytest.approx(-there.yaw_deg, abs=8)
    assert back.roll_deg == pytest.approx(-there.roll_deg, abs=6)
    assert back.pitch_deg == pytest.approx(there.pitch_deg, abs=8)


def test_a_leaning_picture_adds_to_the_roll(reader: Reader, face: tuple[Pixels, npt.NDArray[np.float32]]) -> None:
    """A picture turned clockwise by 15 degrees around the face adds 15 degrees of roll."""
    pixels, box = face
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    matrix = cv2.getRotationMatrix2D(centre, -15.0, 1.0)
    leaning = np.asarray(cv2.warpAffine(pixels, matrix, (pixels.shape[1], pixels.shape[0])), np.uint8)
    upright, leaned = shape_of(reader, pixels, box).pose, shape_of(reader, leaning, box).pose

    assert leaned.roll_deg - upright.roll_deg == pytest.approx(15, abs=5)


def test_a_face_that_is_too_small_has_no_shape(reader: Reader) -> None:
    """A box of ten pixels is no evidence."""
    pixels = np.full((60, 60, 3), 120, np.uint8)

    assert reader.read(pixels, np.array([20, 20, 30, 30], np.float32)) is None


def test_a_missing_task_is_one_clear_line(tmp_path: Path) -> None:
    """The line names the file and the key to set, before the package is asked for."""
    with pytest.raises(ModelError, match=r"face\.task: no such task file; set vision\.landmarks_path"):
        MediaPipeLandmarks(tmp_path / "face.task")
