"""The JSON file beside each model: enough to run it from nothing else."""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from edge.errors import ModelError


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a model expects and gives."""

    name: str
    version: str

    labels: tuple[str, ...]
    """In the order of the output tensor; empty for a model that does not classify."""

    input_shape: tuple[int, ...]
    """As the file was made, (1, height, width, channels)."""

    input_range: tuple[float, float]
    """What the lowest and the highest raw value (0 and 255 of a pixel) become before quantisation."""

    thresholds: dict[str, float]
    figures: dict[str, Any]

    def __post_init__(self) -> None:
        if len(self.input_shape) != 4 or min(self.input_shape) < 1:  # noqa: PLR2004
            raise ValueError(f"shape must be (1, height, width, channels), got {self.input_shape}")


def models_folder() -> Path:
    """Return where the shipped models are: inside the wheel, or `models/tflite` of a checkout."""
    packaged = Path(str(resources.files("edge"))) / "models"
    return packaged if packaged.is_dir() else packaged.parent.parent / "models" / "tflite"


def read_sidecar(model: Path) -> Sidecar:
    """Read and check ``NAME.json`` beside ``NAME.tflite``.

    Raises:
        ModelError: Either file is missing or damaged, or the model's sha256 is not the sidecar's.
    """
    path = model.with_suffix(".json")
    for needed in (model, path):
        if not needed.is_file():
            raise ModelError(f"{needed}: model file missing; install classroom-edge again")
    try:
        text: dict[str, Any] = json.loads(path.read_text("utf-8"))
        sidecar = Sidecar(
            name=text["name"],
            version=text["version"],
            labels=tuple(text["labels"]),
            input_shape=tuple(int(v) for v in text["input"]["shape"]),
            input_range=(float(text["input"]["range"][0]), float(text["input"]["range"][1])),
            thresholds={key: float(value) for key, value in text["thresholds"].items()},
            figures=dict(text["figures"]),
        )
        expected = str(text["sha256"])
    except (ArithmeticError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ModelError(f"{path}: damaged sidecar ({error!r}); install classroom-edge again") from error
    found = hashlib.sha256(model.read_bytes()).hexdigest()
    if found != expected:
        raise ModelError(
            f"{model}: sha256 is {found[:12]}…, its sidecar says {expected[:12]}…; install classroom-edge again"
        )
    return sidecar
