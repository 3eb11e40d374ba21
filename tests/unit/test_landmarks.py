"""The shape of a face, by the model that is shipped."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.detector import FaceDetector
from edge.vision.keypoints import NAMES, place_of, span_of
from edge.vision.landmarks import CROP_TO_BOX, SMALLEST_PX, FaceLandmarks, FaceShape
from tests.strategies import few
from tests.tinymodel import change_sidecar, shipped

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
WIDTH, HEIGHT = 160, 120
READER = FaceLandmarks(Model(models_folder() / "face_landmarks.tflite"))
NOISE = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
ONE_FACE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "media" / "one_face.mp4"


def box(left: float, top: float, right: float, bottom: float) -> Floats:
    """Return a box as the detector gives it."""
    return np.array([left, top, right, bottom], np.float32)


@pytest.fixture(scope="module")
def portrait() -> tuple[Pixels, Floats]:
    """A real face, RGB, and its detected box."""
    if not ONE_FACE.is_file():
        pytest.skip(f"{ONE_FACE} is not here")
    video = cv2.VideoCapture(str(ONE_FACE))
    read, picture = video.read()
    video.release()
    assert read
    pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    found = FaceDetector(Model(models_folder() / "face_detector.tflite")).detect(pixels)
    return pixels, found.boxes_xyxy[0]


def read(pixels: Pixels, box_xyxy: Floats) -> FaceShape:
    """Return the shape of a face that can be read."""
    shape = READER.read(pixels, box_xyxy)
    assert shape is not None
    return shape


def turned(pixels: Pixels, box_xyxy: Floats, clockwise_deg: float) -> Pixels:
    """Turn the picture about the middle of the box."""
    middle = (float(box_xyxy[0] + box_xyxy[2]) / 2, float(box_xyxy[1] + box_xyxy[3]) / 2)
    # OpenCV's positive angle turns counter-clockwise as seen.
    matrix = cv2.getRotationMatrix2D(middle, -clockwise_deg, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, (pixels.shape[1], pixels.shape[0])), np.uint8)


@few
@given(
    x=st.tuples(st.floats(0, WIDTH - 1), st.floats(1, WIDTH)),
    y=st.tuples(st.floats(0, HEIGHT - 1), st.floats(1, HEIGHT)),
)
def test_every_box_inside_a_frame_can_be_cropped(x: tuple[float, float], y: tuple[float, float]) -> None:
    """Tiny, thin, at the border or as large as the frame: one grey square of 80 pixels, and finite answers."""
    crop = READER.crop(NOISE, box(x[0], y[0], min(x[0] + x[1], WIDTH), min(y[0] + y[1], HEIGHT)))
    shape = READER.shape_of(crop)

    assert crop.shape == (80, 80)
    assert shape is None or np.isfinite(shape.points).all()


@pytest.mark.parametrize("side", [20, 40, 54, 80, 120])
@pytest.mark.parametrize("at", [(60, 45), (63, 52)])
def test_the_crop_holds_the_box_in_its_middle_at_every_size(side: int, at: tuple[int, int]) -> None:
    """A white square under the box covers 1/1.5 of the crop's side, in the middle, to a tenth of a pixel."""
    frame = np.zeros((240, 240, 3), np.uint8)
    frame[at[1] : at[1] + side, at[0] : at[0] + side] = 255
    bright = READER.crop(frame, box(at[0], at[1], at[0] + side, at[1] + side)) / 255.0

    for profile in (bright.sum(axis=0), bright.sum(axis=1)):
        assert np.sqrt(bright.sum()) == pytest.approx(80 / CROP_TO_BOX, abs=0.6)
        assert (profile * (np.arange(80) + 0.5)).sum() / profile.sum() == pytest.approx(40, abs=0.15)


@pytest.mark.parametrize("side", [0.0, 1.0, SMALLEST_PX - 0.1])
def test_a_face_below_the_smallest_size_is_not_read(side: float) -> None:
    """Too few pixels are no evidence, which is None and never a frontal face."""
    assert READER.read(NOISE, box(10, 10, 10 + side, 10 + side)) is None


@pytest.mark.parametrize("corners", [(50, 10, 10, 50), (-80, 10, -20, 70), (170, 10, 230, 70), (20, 130, 80, 190)])
def test_a_box_outside_the_frame_or_inside_out_is_not_read(corners: tuple[int, int, int, int]) -> None:
    """A face that was followed out of the frame shows nothing."""
    assert READER.read(NOISE, box(*corners)) is None


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_wall_is_not_a_face(value: int) -> None:
    """Where there is no face, there is no shape."""
    wall = np.full((HEIGHT, WIDTH, 3), value, np.uint8)

    assert READER.read(wall, box(40, 20, 110, 90)) is None


def test_a_face_has_its_parts_where_they_belong(portrait: tuple[Pixels, Floats]) -> None:
    """Brows over eyes over nose over mouth over chin, the right eye on the picture's left, all near the box."""
    pixels, face = portrait
    shape = read(pixels, face)
    mean = {
        g: shape.points[span_of(g)].mean(axis=0) for g in ("left_brow", "left_eye", "right_eye", "nose", "inner_lip")
    }
    chin = shape.points[place_of("contour_18")]
    heights = [mean["left_brow"][1], mean["left_eye"][1], mean["nose"][1], mean["inner_lip"][1], chin[1]]
    side = np.sqrt(np.prod(face[2:] - face[:2]))

    assert heights == sorted(heights)
    assert mean["right_eye"][0] < mean["nose"][0] < mean["left_eye"][0]
    assert (shape.points > face[:2] - 0.4 * side).all()
    assert (shape.points < face[2:] + 0.4 * side).all()
    assert 0.5 < shape.readable <= 1


@pytest.mark.parametrize("clockwise_deg", [-20.0, 20.0])
def test_roll_follows_the_picture(portrait: tuple[Pixels, Floats], clockwise_deg: float) -> None:
    """Turning the picture clockwise adds as much to the roll, within 5 degrees."""
    pixels, face = portrait
    before, after = read(pixels, face), read(turned(pixels, face, clockwise_deg), face)

    assert after.pose.roll_deg - before.pose.roll_deg == pytest.approx(clockwise_deg, abs=5)


def test_a_mirror_swaps_the_sides(portrait: tuple[Pixels, Floats]) -> None:
    """In a mirrored picture yaw and roll change sign, pitch and openings stay."""
    pixels, face = portrait
    width = pixels.shape[1]
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    there = box(width - face[2], face[1], width - face[0], face[3])
    before, after = read(pixels, face), read(mirrored, there)

    assert after.pose.yaw_deg == pytest.approx(-before.pose.yaw_deg, abs=6)
    assert after.pose.roll_deg == pytest.approx(-before.pose.roll_deg, abs=4)
    assert after.pose.pitch_deg == pytest.approx(before.pose.pitch_deg, abs=4)
    assert (after.eye_opening, after.mouth_opening) == pytest.approx(
        (before.eye_opening, before.mouth_opening), abs=0.08
    )


def test_points_scale_with_the_frame(portrait: tuple[Pixels, Floats]) -> None:
    """The same face in a frame of twice the size has its points at twice the place, within a fiftieth of the box."""
    pixels, face = portrait
    large = np.asarray(cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8)
    side = float(np.sqrt(np.prod(face[2:] - face[:2])))
    off = read(large, face * 2).points / 2 - read(pixels, face).points

    assert np.linalg.norm(off, axis=1).mean() < side / 50


@pytest.mark.parametrize(
    "change",
    [{"name": "face_emotion"}, {"labels": []}, {"labels": list(NAMES)[::-1]}, {"thresholds": {}}],
)
def test_another_model_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """Points in another order would swap eyes and mouth in silence; it is said in one line."""
    path = shipped("face_landmarks", tmp_path)
    change_sidecar(path, **change)

    with pytest.raises(ModelError, match=r"face_landmarks\.tflite: need the face_landmarks model, got"):
        FaceLandmarks(Model(path))
