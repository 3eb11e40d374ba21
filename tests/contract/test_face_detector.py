"""What every face detector promises, whichever is chosen."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.media import Frame
from edge.role import Role
from edge.vision.detector import FaceDetector
from edge.vision.scan import Detector, Scanner
from edge.vision.yunet import YuNetDetector
from tests.builders import SECOND

Pixels = npt.NDArray[np.uint8]
YUNET = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "models" / "yunet_n_dynamic.onnx"


def shipped() -> Detector:
    """Return our own detector, easily satisfied."""
    return FaceDetector(Model(models_folder() / "face_detector.tflite"), confidence=0.01)


def scanned() -> Detector:
    """Return our own detector behind a budget."""
    return Scanner(shipped(), budget_ms=1000.0)


def yunet() -> Detector:
    """Return YuNet, easily satisfied."""
    if not YUNET.is_file():
        pytest.skip(f"needs YuNet's file at {YUNET}")
    return YuNetDetector(YUNET, confidence=0.01, longest_px=640)


@pytest.fixture(params=[shipped, scanned, yunet])
def detector(request: pytest.FixtureRequest) -> Detector:
    """Each detector in turn."""
    made: Detector = request.param()
    return made


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 500), (97, 211), (480, 640), (700, 30)])
def test_any_frame_gives_boxes_inside_it_best_first(detector: Detector, height: int, width: int) -> None:
    """From one pixel on: finite boxes of at least a pixel inside the frame, scores in [0, 1] that fall."""
    found = detector.detect(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))
    boxes = found.boxes_xyxy

    assert boxes.shape == (len(found), 4)
    assert boxes.dtype == found.confidence.dtype == np.float32
    assert np.isfinite(boxes).all()
    assert (boxes >= 0).all()
    assert (boxes <= np.array([width, height, width, height])).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert (np.diff(found.confidence) <= 0).all()


def test_a_real_face_is_found_where_it_is(detector: Detector) -> None:
    """One face of a real clip, whichever detector looks."""
    clip = YUNET.parents[1] / "media" / "one_face.mp4"
    if not clip.is_file():
        pytest.skip(f"needs a clip with a face at {clip}")
    from edge.capture.recording import Recording  # noqa: PLC0415 - only with the clip

    source = Recording(name="clip", role=Role.STUDENTS, url=str(clip), clock=None, video_rate_hz=2.0)
    frame = next(item for item in source.items() if isinstance(item, Frame) and item.captured_ns >= SECOND)
    source.close()
    found = detector.detect(frame.pixels)

    assert len(found)
    height, width = frame.pixels.shape[:2]
    left, top, right, bottom = found.boxes_xyxy[0] / np.array([width, height, width, height])
    assert found.confidence[0] > 0.4
    assert right - left > 0.05
    assert bottom - top > 0.05


def test_a_missing_yunet_file_is_one_clear_line(tmp_path: Path) -> None:
    """The line names the file and the key to set."""
    with pytest.raises(ModelError, match=r"nowhere\.onnx: no such YuNet file; set vision\.detector_path"):
        YuNetDetector(tmp_path / "nowhere.onnx")


def test_a_file_that_is_no_yunet_is_one_clear_line(tmp_path: Path) -> None:
    """Garbage is refused at the start, not at the first face."""
    path = tmp_path / "garbage.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"garbage\.onnx: not a YuNet network") as refused:
        YuNetDetector(path)
    assert "\n" not in str(refused.value)
