"""What works on this machine, what is missing, and what to do about it."""

from pathlib import Path

from edge.capture.devices import Finding
from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.sidecar import models_folder

MODELS = ("face_detector", "face_landmarks", "face_emotion", "voice_emotion")
"""Names of the models that ship."""


def examine_models(folder: Path | None = None) -> tuple[Finding, ...]:
    """Load every model; nothing works without them.

    Args:
        folder: Where they are; the installation's own if not given.
    """
    folder = folder or models_folder()
    return tuple(_model(folder / f"{name}.tflite") for name in MODELS)


def _model(path: Path) -> Finding:
    name = f"model {path.stem}"
    try:
        model = Model(path)
    except ModelError as error:
        return Finding(name, ok=False, detail=str(error), remedy="install classroom-edge again")
    return Finding(name, ok=True, detail=f"version {model.sidecar.version}", remedy=None)
