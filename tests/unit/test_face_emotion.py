"""What a face shows, by the model that is shipped."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.observation import EmotionDistribution
from edge.vision.emotion import FACE_TO_CROP, LEAST_CONFIDENCE, FaceEmotion
from tests.strategies import few
from tests.tinymodel import change_sidecar, shipped

Pixels = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 160, 120
READER = FaceEmotion(Model(models_folder() / "face_emotion.tflite"))
NOISE = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def box(left: float, top: float, right: float, bottom: float) -> npt.NDArray[np.float32]:
    """Return a box as the detector gives it."""
    return np.array([left, top, right, bottom], np.float32)


def whole_reading(pixels: Pixels, box_xyxy: npt.NDArray[np.float32]) -> EmotionDistribution | None:
    """Return what is read off one face, however doubtful, where it is good enough to be read."""
    crop = READER.readable(pixels, box_xyxy)
    return None if crop is None else READER.classify(crop)


@few
@given(
    x=st.tuples(st.floats(0, WIDTH - 1), st.floats(1, WIDTH)),
    y=st.tuples(st.floats(0, HEIGHT - 1), st.floats(1, HEIGHT)),
    roll_deg=st.sampled_from([0.0, 0.0, 12.5, -90.0, 180.0]),
)
def test_every_box_inside_a_frame_can_be_cropped(
    x: tuple[float, float], y: tuple[float, float], roll_deg: float
) -> None:
    """Tiny, thin, at the border or as large as the frame: one upright grey square of 48 pixels."""
    left, top = x[0], y[0]
    right, bottom = min(left + x[1], WIDTH), min(top + y[1], HEIGHT)

    crop = READER.crop(NOISE, box(left, top, right, bottom), roll_deg)

    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8


@pytest.mark.parametrize(
    "corners",
    [(0, 0, 40, 40), (120, 0, 160, 40), (0, 80, 40, 120), (120, 80, 160, 120), (0, 0, 160, 120), (0, 40, 160, 44)],
)
def test_a_face_at_the_border_is_read(corners: tuple[int, int, int, int]) -> None:
    """What lies outside the frame is filled by what is nearest, and the reading is a distribution."""
    reading = whole_reading(NOISE, box(*corners))

    assert isinstance(reading, EmotionDistribution)


@pytest.mark.parametrize(("side", "read"), [(0.0, False), (1.0, False), (17.9, False), (18.1, True), (60.0, True)])
def test_a_face_below_the_smallest_size_is_not_read(side: float, *, read: bool) -> None:
    """Too few pixels are no evidence, which is None and never neutral."""
    reading = whole_reading(NOISE, box(10, 10, 10 + side, 10 + side))

    assert (reading is not None) == read


def test_a_box_inside_out_is_not_read() -> None:
    """A box of negative sides has no size at all."""
    assert whole_reading(NOISE, box(50, 10, 10, 50)) is None


@pytest.mark.parametrize("side", [20, 40, 48, 70, 110])
def test_the_crop_holds_the_face_in_its_middle_at_every_size(side: int) -> None:
    """A white square under the box covers 1/1.18 of the crop's side, in the middle, however large the face."""
    frame = np.zeros((200, 200, 3), np.uint8)
    left, top = 60, 45
    frame[top : top + side, left : left + side] = 255
    bright = READER.crop(frame, box(left, top, left + side, top + side)) > 127

    rows, columns = np.nonzero(bright.any(axis=1))[0], np.nonzero(bright.any(axis=0))[0]

    for places in (rows, columns):
        assert len(places) == pytest.approx(48 / FACE_TO_CROP, abs=2)
        assert (places[0] + places[-1]) / 2 == pytest.approx(23.5, abs=1.5)


def test_a_leaning_head_is_turned_upright() -> None:
    """A bar leaning by the roll comes out upright, as it does when it never leaned."""
    upright = np.zeros((200, 200, 3), np.uint8)
    upright[60:140, 94:106] = 255
    # OpenCV's positive angle turns counter-clockwise as seen.
    lean = cv2.getRotationMatrix2D((99.5, 99.5), -30, 1.0)
    leaning = np.asarray(cv2.warpAffine(upright, lean, (200, 200)), np.uint8)

    expected = READER.crop(upright, box(60, 60, 140, 140)).astype(int)
    found = READER.crop(leaning, box(60, 60, 140, 140), roll_deg=30.0).astype(int)

    assert np.abs(found - expected).mean() < 12
    assert np.abs(READER.crop(leaning, box(60, 60, 140, 140)).astype(int) - expected).mean() > 30


def test_the_layout_of_the_array_does_not_matter() -> None:
    """Read-only, mirrored, sliced and column-ordered frames give what their plain copies give."""
    frame = NOISE.copy()
    frame.setflags(write=False)
    for view in (frame, frame[:, ::-1], frame[::2, ::2], frame[..., ::-1], np.asfortranarray(frame)):
        found = whole_reading(view, box(10, 10, 50, 50))

        assert found == whole_reading(np.ascontiguousarray(view), box(10, 10, 50, 50))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_face_of_one_colour_gives_a_distribution(value: int) -> None:
    """A black square is read without NaN."""
    reading = READER.classify(np.full((48, 48), value, np.uint8))

    assert sum(reading.probabilities) == pytest.approx(1, abs=1e-6)


def test_the_temperature_of_the_sidecar_calms_the_reading(tmp_path: Path) -> None:
    """The hotter, the more even; the label on top stays the same."""
    path = shipped("face_emotion", tmp_path)
    crop = READER.crop(NOISE, box(10, 10, 80, 80))
    readings = []
    for temperature in (0.5, 2.0, 50.0):
        change_sidecar(path, thresholds={"temperature": temperature})
        readings.append(FaceEmotion(Model(path)).classify(crop))

    highest = [max(reading.probabilities) for reading in readings]
    assert highest == sorted(highest, reverse=True)
    assert len({reading.top for reading in readings}) == 1


@pytest.mark.parametrize("labels", [[], ["neutral"], None])
def test_a_model_with_other_labels_is_refused(tmp_path: Path, labels: list[str] | None) -> None:
    """Seven emotions in their order or none: another order would swap anger and joy in silence."""
    path = shipped("face_emotion", tmp_path)
    right = list(READER._model.sidecar.labels)  # noqa: SLF001 - the labels to shuffle
    change_sidecar(path, labels=right[::-1] if labels is None else labels)

    with pytest.raises(ModelError, match=r"face_emotion\.tflite: labels are .*, need \('anger'"):
        FaceEmotion(Model(path))


@pytest.mark.parametrize("thresholds", [{}, {"temperature": 0.0}, {"temperature": -1.0}])
def test_a_sidecar_without_a_temperature_is_refused(tmp_path: Path, thresholds: dict[str, float]) -> None:
    """A missing threshold is a model that can't be used, said in one line."""
    path = shipped("face_emotion", tmp_path)
    change_sidecar(path, thresholds=thresholds)

    with pytest.raises(ModelError, match=r"face_emotion\.tflite: .*temperature"):
        FaceEmotion(Model(path))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8])
def test_a_batch_says_the_same_as_one_by_one(count: int) -> None:
    """However many faces a frame has, each reading is that of its crop alone, or none where it is doubtful."""
    path = models_folder() / "face_emotion.tflite"
    batched = FaceEmotion(Model(path), batch=Model(path, batch=4))
    crops = [READER.crop(NOISE, box(10 * n, 5 * n, 60 + 10 * n, 55 + 5 * n)) for n in range(count)]
    alone = [READER.classify(crop) for crop in crops]

    expected = [reading if max(reading.probabilities) >= LEAST_CONFIDENCE else None for reading in alone]
    assert batched.read(crops) == READER.read(crops) == expected
