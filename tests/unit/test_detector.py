"""Where the faces are, by the model that is shipped."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.detector import Detections, FaceDetector
from tests.tinymodel import change_sidecar, relu, shipped, write

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped detector's model."""
    return Model(models_folder() / "face_detector.tflite")


@pytest.fixture
def eager(model: Model) -> FaceDetector:
    """A detector so easily satisfied that it finds faces in anything."""
    return FaceDetector(model, confidence=0.001)


def noise(height: int, width: int, seed: int = 1) -> Pixels:
    """Return a frame of random pixels."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def check(found: Detections, height: int, width: int) -> None:
    """Assert what holds of any frame's detections."""
    boxes = found.boxes_xyxy
    assert boxes.shape == (len(found), 4)
    assert np.isfinite(boxes).all()
    assert (boxes >= 0).all()
    assert (boxes <= np.array([width, height, width, height])).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert (np.diff(found.confidence) <= 0).all()


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (1, 50), (33, 31), (97, 211), (64, 64), (10, 4000), (4000, 10), (3, 2500), (200, 1921)],
)
def test_a_frame_of_any_size_is_scanned(eager: FaceDetector, height: int, width: int) -> None:
    """From one pixel to a ribbon: no crash, no NaN, best first, and every box inside the frame."""
    check(eager.detect(noise(height, width)), height, width)


@pytest.mark.parametrize("value", [0, 114, 255])
def test_a_frame_of_one_colour_is_scanned(eager: FaceDetector, value: int) -> None:
    """A covered lens or a lamp in it gives no crash and no NaN."""
    check(eager.detect(np.full((90, 120, 3), value, np.uint8)), 90, 120)


@pytest.mark.parametrize("value", [0, 255])
def test_there_are_no_faces_in_the_dark(model: Model, value: int) -> None:
    """With the model's own threshold a black or a white frame holds nobody."""
    assert len(FaceDetector(model).detect(np.full((180, 320, 3), value, np.uint8))) == 0


def test_sizes_may_change_from_frame_to_frame(eager: FaceDetector) -> None:
    """What a frame gives does not depend on the frames before it, of its own size or of others."""
    first = eager.detect(noise(90, 120))
    # The second fills the border that the first leaves; the third needs another canvas.
    for before in (np.full((96, 128, 3), 255, np.uint8), noise(200, 40)):
        eager.detect(before)
        again = eager.detect(noise(90, 120))

        assert np.array_equal(again.boxes_xyxy, first.boxes_xyxy)
        assert np.array_equal(again.confidence, first.confidence)


def test_the_layout_of_the_array_does_not_matter(eager: FaceDetector) -> None:
    """Read-only, mirrored, sliced and column-ordered frames give what their plain copies give."""
    frame = noise(120, 160)
    frame.setflags(write=False)
    for view in (frame, frame[:, ::-1], frame[::2, ::2], frame[..., ::-1], np.asfortranarray(frame)):
        found, plain = eager.detect(view), eager.detect(np.ascontiguousarray(view))

        assert len(found) > 0
        assert np.array_equal(found.boxes_xyxy, plain.boxes_xyxy)


def test_a_large_frame_is_scanned_smaller_and_its_boxes_are_in_its_own_pixels(model: Model) -> None:
    """The limit on the longest side changes the cost and not the units."""
    frame = noise(300, 400)
    small = np.asarray(cv2.resize(frame, (100, 75), interpolation=cv2.INTER_AREA), np.uint8)
    detector = FaceDetector(model, confidence=0.001, longest_px=100)
    found, expected = detector.detect(frame), detector.detect(small)

    check(found, 300, 400)
    assert model.shape == (1, 96, 128, 3)
    assert found.boxes_xyxy[:5] == pytest.approx(expected.boxes_xyxy[:5] * 4, abs=0.01)


def test_a_higher_confidence_finds_a_part_of_the_faces(model: Model) -> None:
    """Raising the threshold only ever removes faces; the lowest kept is at or above it."""
    frame = noise(120, 160)
    many = FaceDetector(model, confidence=0.001).detect(frame)
    middle = float(np.median(many.confidence))
    few = FaceDetector(model, confidence=middle).detect(frame)

    assert 0 < len(few) < len(many)
    assert few.confidence.min() >= middle - 1e-6


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_the_ends_of_confidence_are_values_like_any_other(model: Model, confidence: float) -> None:
    """Everything or nothing: the number of candidates stays bounded, and nothing overflows."""
    found = FaceDetector(model, confidence=confidence).detect(noise(256, 256))

    check(found, 256, 256)
    assert len(found) <= 2000


def test_the_threshold_is_the_sidecars_unless_told(model: Model) -> None:
    """Each model knows its own working point."""
    assert FaceDetector(model).confidence == model.sidecar.thresholds["confidence"]
    assert FaceDetector(model, confidence=0.77).confidence == 0.77


def test_another_model_is_refused(tmp_path: Path) -> None:
    """A file under the wrong name is found when the detector is made, by name and by thresholds."""
    with pytest.raises(ModelError, match=r"relu\.tflite: need the face_detector model, got 'relu'"):
        FaceDetector(Model(write(tmp_path, relu(quantised=True))))

    path = shipped("face_detector", tmp_path)
    change_sidecar(path, thresholds={"confidence": 0.5})
    with pytest.raises(ModelError, match="need the face_detector model"):
        FaceDetector(Model(path))
