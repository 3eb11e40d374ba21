"""A model file ready to run."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from tests.tinymodel import SCALE, SHAPE, ZERO_POINT, change_sidecar, relu, write


def test_a_model_takes_and_gives_real_numbers(tmp_path: Path) -> None:
    """What goes in is quantised and what comes out is dequantised."""
    model = Model(write(tmp_path, relu(quantised=True)))
    values = np.array([-3.0, -0.5, 0.5, 7.0], np.float32).reshape(SHAPE)

    assert model.run(values)[0].ravel().tolist() == [0.0, 0.0, 0.5, 7.0]


def test_values_beyond_the_models_range_saturate(tmp_path: Path) -> None:
    """A number larger than the tensor can hold becomes its largest, through the whole run."""
    model = Model(write(tmp_path, relu(quantised=True)))
    values = np.array([1e6, -1e6, 0.0, np.inf], np.float32).reshape(SHAPE)
    largest = (127 - ZERO_POINT) * SCALE

    assert model.run(values)[0].ravel().tolist() == [largest, 0.0, 0.0, largest]


def test_a_float_model_is_refused_with_its_path(tmp_path: Path) -> None:
    """Only quantised int8 is run; the error names the file and the tensor."""
    path = write(tmp_path, relu(quantised=False))

    with pytest.raises(ModelError, match=r"relu\.tflite: tensor 'in' is float32, need quantised int8; install"):
        Model(path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """A file whose sha256 is right but which LiteRT can't read gives one line."""
    path = write(tmp_path, b"no model at all")

    with pytest.raises(ModelError, match=r"relu\.tflite: not a model LiteRT can run") as caught:
        Model(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [[1, 2, 2], [], [1, -5, 2, 1]])
def test_a_sidecar_whose_shape_the_model_does_not_take_is_refused(tmp_path: Path, shape: list[int]) -> None:
    """A shape that can't be set is found when the model is loaded."""
    path = write(tmp_path, relu(quantised=True))
    change_sidecar(path, input={"shape": shape, "range": [0, 1]})

    with pytest.raises(ModelError, match=r"relu\.(tflite|json): "):
        Model(path)


def test_a_model_refuses_input_of_another_shape(tmp_path: Path) -> None:
    """Both shapes are in the message."""
    model = Model(write(tmp_path, relu(quantised=True)))

    with pytest.raises(ValueError, match=r"relu\.tflite takes shape \(1, 2, 2, 1\), got \(1, 2, 3, 1\)"):
        model.run(np.zeros((1, 2, 3, 1), np.float32))


def test_a_model_takes_another_frame_size_after_resizing(tmp_path: Path) -> None:
    """The size can be changed there and back, and the numbers stay right."""
    model = Model(write(tmp_path, relu(quantised=True)))
    for height, width in ((3, 5), (3, 5), (2, 2)):
        model.resize(height, width)
        values = np.arange(height * width, dtype=np.float32).reshape(1, height, width, 1)

        assert model.shape == (1, height, width, 1)
        assert np.array_equal(model.run(values)[0], values)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)])
def test_the_pixel_table_is_quantising_every_pixel_value(tmp_path: Path, low: float, high: float) -> None:
    """Looking a pixel up is the same as mapping it to the model's range and quantising it."""
    path = write(tmp_path, relu(quantised=True))
    change_sidecar(path, input={"shape": list(SHAPE), "range": [low, high]})
    model = Model(path)
    pixels = np.arange(256, dtype=np.float32)

    assert model.pixel_table().dtype == np.int8
    real = np.asarray(low + pixels / 255 * (high - low), np.float32)
    assert np.array_equal(model.pixel_table(), model.quantisation.quantise(real))


def test_outputs_come_in_the_order_of_their_names() -> None:
    """The detector's six maps come as score and sides at stride 4, 8 and 16, however the file lists them."""
    model = Model(models_folder() / "face_detector.tflite")
    model.resize(64, 96)

    shapes = [output.shape for output in model.run(np.zeros(model.shape, np.float32))]

    assert shapes == [(1, 64 // s, 96 // s, c) for s in (4, 8, 16) for c in (1, 4)]


def test_the_same_input_gives_the_same_output_every_time() -> None:
    """A model holds no state between two runs."""
    model = Model(models_folder() / "face_emotion.tflite", threads=2)
    values = np.random.default_rng(1).uniform(-1, 1, model.shape).astype(np.float32)
    first = model.run(values)[0].copy()
    model.run(-values)

    assert np.array_equal(model.run(values)[0], first)
