"""The smallest models LiteRT runs, made in the test: a ReLU over (1, 2, 2, 1), in float or in int8."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from edge.inference.sidecar import models_folder

SCALE, ZERO_POINT = 0.5, -28
SHAPE = (1, 2, 2, 1)
SIDECAR: dict[str, Any] = {
    "name": "relu",
    "version": "1.0.0",
    "labels": [],
    "input": {"shape": list(SHAPE), "range": [-1.0, 1.0]},
    "thresholds": {},
    "figures": {},
}


def relu(*, quantised: bool) -> bytes:
    """Return a model file that returns the larger of its input and 0."""
    subgraph = schema.SubGraphT()
    subgraph.tensors = [_tensor(name, quantised=quantised) for name in ("in", "out")]
    subgraph.inputs, subgraph.outputs = [0], [1]
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    subgraph.operators = [operator]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    code.version = 2
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [subgraph], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _tensor(name: str, *, quantised: bool) -> Any:  # noqa: ANN401 - the generated schema has no types
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name.encode(), list(SHAPE), 0
    tensor.type = schema.TensorType.INT8 if quantised else schema.TensorType.FLOAT32
    if quantised:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [SCALE], [ZERO_POINT]
    return tensor


def write(folder: Path, model: bytes, **changes: Any) -> Path:  # noqa: ANN401 - any JSON value
    """Write a model and its sidecar with *changes*; return the model's path."""
    path = folder / "relu.tflite"
    path.write_bytes(model)
    text = {**SIDECAR, "sha256": hashlib.sha256(model).hexdigest(), **changes}
    path.with_suffix(".json").write_text(json.dumps(text), "utf-8")
    return path


def shipped(name: str, folder: Path) -> Path:
    """Copy a shipped model and its sidecar to *folder*; return the copy's path."""
    for suffix in (".tflite", ".json"):
        shutil.copy(models_folder() / f"{name}{suffix}", folder)
    return folder / f"{name}.tflite"


def change_sidecar(model: Path, **changes: Any) -> None:  # noqa: ANN401 - any JSON value
    """Overwrite keys of a model's sidecar."""
    path = model.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
