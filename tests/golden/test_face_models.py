"""The face models that ship, against the float networks they were made from."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.observation import Emotion
from edge.vision.emotion import FaceEmotion
from tests.golden.pictures import picture

HERE = Path(__file__).parent
LOGIT_TOLERANCE = 0.35
"""Int8 steps of weights and activations add up to this much in a logit at most."""
MEAN_TOLERANCE = 0.35
SHAPE_TOLERANCE = 0.08
"""In halves of the crop, and in parts of 1."""

pytestmark = pytest.mark.golden


def recorded(name: str) -> list[list[float]]:
    """Return the float network's numbers."""
    rows: list[list[float]] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return rows


def test_emotion_logits_are_the_float_networks() -> None:
    """Each logit of the int8 file is within the tolerance of the float network's."""
    model = Model(models_folder() / "face_emotion.tflite")
    table = model.pixel_table()

    for seed, expected in enumerate(recorded("face_emotion")):
        grey = picture(seed, 48, 48)[:, :, 0]
        logits = model.run_quantised(table[grey][None, :, :, None])[0][0]
        assert logits == pytest.approx(expected, abs=LOGIT_TOLERANCE)


def test_emotion_sidecar_alone_is_enough() -> None:
    """Following the sidecar's words with numpy and LiteRT only gives the same probabilities as the package."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - the test is an outsider's program

    path = models_folder() / "face_emotion.tflite"
    sidecar = json.loads(path.with_suffix(".json").read_text("utf-8"))
    given, got = sidecar["input"], sidecar["outputs"][0]
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    grey = picture(3, 48, 48)[:, :, 0]
    low, high = given["range"]
    real = low + grey.astype(np.float64) / 255 * (high - low)
    steps = np.clip(np.round(real / given["scale"]) + given["zero_point"], -128, 127).astype(given["dtype"])
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], steps.reshape(given["shape"]))
    interpreter.invoke()
    out = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].astype(np.float64)
    logits = (out - got["zero_point"]) * got["scale"] / sidecar["thresholds"]["temperature"]
    expected = np.exp(logits) / np.exp(logits).sum()

    probabilities = FaceEmotion(Model(path)).classify(grey).probabilities

    assert sidecar["labels"] == [emotion.value for emotion in Emotion]
    # Ties of the rounding fall differently in single and double precision.
    assert probabilities == pytest.approx(expected, abs=0.05)


def test_detector_logits_are_the_float_networks() -> None:
    """At each level the int8 file's mean face logit is within the tolerance of the float network's."""
    model = Model(models_folder() / "face_detector.tflite")
    model.resize(96, 96)
    table = model.pixel_table()

    for seed, expected in enumerate(recorded("face_detector")):
        maps = model.run_quantised(table[picture(seed, 96, 96)][None])
        means = {m.shape[1]: float(m.mean()) for m in maps if m.shape[3] == 1}
        assert [means[24], means[12], means[6]] == pytest.approx(expected, abs=MEAN_TOLERANCE)


def test_landmarks_are_the_float_networks() -> None:
    """Each point, axis and opening of the int8 file is within the tolerance of the float network's."""
    model = Model(models_folder() / "face_landmarks.tflite")
    table = model.pixel_table()

    for seed, expected in enumerate(recorded("face_landmarks")):
        grey = picture(seed, 80, 80)[:, :, 0]
        outputs = {int(o.shape[1]): o[0] for o in model.run_quantised(table[grey][None, :, :, None])}
        points = outputs[300].reshape(150, 2)[::10]
        found = np.concatenate([points.ravel(), outputs[6], outputs[2]])
        assert found == pytest.approx(expected, abs=SHAPE_TOLERANCE)
