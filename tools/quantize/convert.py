"""From a PyTorch network to a static int8 LiteRT file with its sidecar."""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import litert_torch
import numpy as np
import numpy.typing as npt
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from elastic import free_frame_size

Array = npt.NDArray[np.float32]
Ranges = dict[str, dict[str, Any]]
"""A tensor's name: its least and greatest values seen."""


def convert(
    network: torch.nn.Module, calibration: Iterable[Array], target: Path, *, any_frame_size: bool = False
) -> tuple[Path, dict[str, Any]]:
    """Quantise weights and activations to int8 and write the model.

    Args:
        network: Takes and gives channels last; in evaluation mode.
        calibration: Real inputs, each of the shape the file is made for.
        target: The ``.tflite`` to write.
        any_frame_size: Make the file accept other heights and widths.

    Returns:
        The float file beside it in a temporary folder, and the sidecar's ``input`` and ``outputs`` as far as the file
        tells them.
    """
    samples = list(calibration)
    float_file = Path(tempfile.mkdtemp()) / f"{target.stem}.float.tflite"
    litert_torch.convert(network.eval(), (torch.from_numpy(samples[0]),)).export(str(float_file))
    if any_frame_size:
        float_file.write_bytes(free_frame_size(float_file.read_bytes()))
    signature = Interpreter(str(float_file)).get_signature_list()
    key = next(iter(signature))
    name = signature[key]["inputs"][0]
    job = quantizer.Quantizer(str(float_file), recipe.static_wi8_ai8())
    # One by one, because over a list the quantiser averages the extremes and would cut off the highest outputs.
    seen: Ranges = {}
    for sample in samples:
        _widen(seen, job.calibrate({key: [{name: sample}]}))
    target.parent.mkdir(parents=True, exist_ok=True)
    job.quantize(seen).export_model(str(target), overwrite=True)
    interpreter = Interpreter(str(target))
    inputs, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()
    return float_file, {"input": _tensor(inputs), "outputs": [_tensor(output) for output in outputs]}


def _widen(seen: Ranges, more: Ranges) -> None:
    """Let each tensor's range hold what was seen of it in *more* as well."""
    for tensor, extremes in more.items():
        known = seen.setdefault(tensor, dict(extremes))
        known["min"] = np.minimum(known["min"], extremes["min"])
        known["max"] = np.maximum(known["max"], extremes["max"])


def _tensor(detail: dict[str, Any]) -> dict[str, Any]:
    scale, zero_point = detail["quantization"]
    return {
        "name": str(detail["name"]),
        "shape": [int(v) for v in detail["shape"]],
        "dtype": np.dtype(detail["dtype"]).name,
        "scale": float(scale),
        "zero_point": int(zero_point),
    }


def write_sidecar(model: Path, fields: dict[str, Any]) -> None:
    """Write ``NAME.json`` beside the model, with the model's sha256."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    name = {"name": model.stem, "version": fields.pop("version"), "sha256": digest}
    model.with_suffix(".json").write_text(json.dumps({**name, **fields}, indent=2) + "\n")
