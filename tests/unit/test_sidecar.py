"""The JSON file beside each model."""

from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelError
from edge.inference.sidecar import models_folder, read_sidecar
from edge.observation import Emotion
from edge.vision.keypoints import NAMES
from tests.tinymodel import change_sidecar, relu, shipped, write

LABELS = {"face_detector": (), "face_landmarks": NAMES, "face_emotion": tuple(Emotion), "voice_emotion": tuple(Emotion)}


@pytest.mark.parametrize("name", LABELS)
def test_every_shipped_model_has_a_sidecar_that_fits_it(name: str) -> None:
    """A model that is shipped can be run from its sidecar, and its sha256 is right."""
    sidecar = read_sidecar(models_folder() / f"{name}.tflite")

    assert sidecar.name == name
    assert len(sidecar.input_shape) == 4
    assert sidecar.input_range[0] < sidecar.input_range[1]
    assert sidecar.labels == LABELS[name]


@pytest.mark.parametrize("suffix", [".tflite", ".json"])
def test_a_missing_file_is_named(tmp_path: Path, suffix: str) -> None:
    """The error says which of the two files is missing and what to do."""
    model = shipped("face_emotion", tmp_path)
    model.with_suffix(suffix).unlink()

    with pytest.raises(ModelError, match=f"face_emotion{suffix}: model file missing; install") as caught:
        read_sidecar(model)
    assert "\n" not in str(caught.value)


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    """A download that broke off is found by its sha256, before LiteRT reads past its end."""
    model = shipped("face_emotion", tmp_path)
    model.write_bytes(model.read_bytes()[:-100])

    with pytest.raises(ModelError, match=r"face_emotion\.tflite: sha256 is .*, its sidecar says .*; install"):
        read_sidecar(model)


def test_a_model_with_another_models_sidecar_is_refused(tmp_path: Path) -> None:
    """Only the pair that was made together is run."""
    model = write(tmp_path, relu(quantised=True), sha256="0" * 64)

    with pytest.raises(ModelError, match="its sidecar says 000000000000"):
        read_sidecar(model)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '"text"', "\x00", '{"name": "relu"}', '{"input": {"shape": [1e999]}}']
)
def test_a_damaged_sidecar_is_refused(tmp_path: Path, text: str) -> None:
    """Whatever the file holds, the error is one line with its path."""
    model = write(tmp_path, relu(quantised=True))
    model.with_suffix(".json").write_text(text, "utf-8")

    with pytest.raises(ModelError, match=r"relu\.json: damaged sidecar .*; install") as caught:
        read_sidecar(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input", {"shape": [1, "two"], "range": [0, 1]}),
        ("input", {"shape": [1, 1e999], "range": [0, 1]}),
        ("input", {"shape": [1, 2, 2, 1], "range": [0]}),
        ("input", {"shape": 4, "range": [0, 1]}),
        ("input", None),
        ("labels", 7),
        ("thresholds", {"confidence": "high"}),
        ("thresholds", []),
        ("figures", [1]),
    ],
)
def test_a_sidecar_with_a_wrong_value_is_refused(tmp_path: Path, key: str, value: Any) -> None:  # noqa: ANN401
    """A value of another kind is found when the file is read, not when a frame arrives."""
    model = write(tmp_path, relu(quantised=True))
    change_sidecar(model, **{key: value})

    with pytest.raises(ModelError, match="damaged sidecar"):
        read_sidecar(model)


def test_a_sidecar_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are damage like any other."""
    model = write(tmp_path, relu(quantised=True))
    model.with_suffix(".json").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ModelError, match="damaged sidecar"):
        read_sidecar(model)
